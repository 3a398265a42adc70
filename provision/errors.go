package provision

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// answerOf is where a backend's kind of failure becomes a status: the only place.
func answerOf(k adapters.Kind) *scim.Error {
	switch k {
	case adapters.NotFound:
		return scim.Errorf(404, "", "There is no such resource.")
	case adapters.Exists:
		return scim.Errorf(409, scim.Uniqueness, "A resource with this value exists already.")
	case adapters.Conflict:
		return scim.Errorf(409, "", "The backend's data stands against this change, or changed meanwhile; read the resource again and retry.")
	case adapters.Invalid:
		return scim.Bad(scim.InvalidValue, "The backend refuses a value.")
	case adapters.Denied:
		e := scim.Errorf(502, "", "The backend does not let the gateway do this; its administrator must check the gateway's account there.")
		e.Traced = true
		return e
	case adapters.Unavailable:
		return scim.Errorf(503, "", "The backend does not answer; try again later.")
	case adapters.Unsupported:
		return scim.Errorf(501, "", "The backend cannot do this.")
	case adapters.TooMany:
		return scim.Bad(scim.TooMany, "The backend would have to list more than it can. Narrow the query with a filter.")
	case adapters.Defect:
		return defect(nil)
	}
	e := scim.Errorf(502, "", "The backend failed in a way that the gateway does not know.")
	e.Traced = true
	return e
}

// defect is a failure of the gateway itself.
func defect(cause error) *scim.Error {
	return &scim.Error{Status: 500, Detail: "The gateway failed.", Traced: true, Err: cause}
}

const (
	defaultRetryAfter = 5 // seconds
	busyRetryAfter    = 1
)

// fail translates an error on its way out. Errors for which the end of the
// request's own context is to blame pass as they are: whoever ended it knows more.
func (s *Service) fail(ctx context.Context, t *target, err error) error {
	var se *scim.Error
	if err == nil || errors.As(err, &se) {
		return err
	}
	var ae *adapters.Error
	isBackend := errors.As(err, &ae)
	switch {
	case ctx.Err() != nil && (!isBackend || ae.Kind == adapters.Unavailable || ae.Kind == adapters.Internal):
		return err
	case isBackend:
		return backendError(t, ae)
	case errors.Is(err, identity.ErrBusy):
		return &scim.Error{Status: 503, Detail: "The mapping table is busy; try again.", RetryAfter: busyRetryAfter, Err: err}
	case errors.Is(err, identity.ErrUnsure):
		s.log.ErrorContext(ctx, "the mapping table", "error", err)
		return &scim.Error{Status: 503, Detail: "The mapping table gave no answer. The change may have been made all the same: read the resource before repeating it.",
			RetryAfter: defaultRetryAfter, Err: err}
	case errors.Is(err, identity.ErrAway):
		s.log.ErrorContext(ctx, "the mapping table", "error", err)
		return &scim.Error{Status: 503, Detail: "The mapping table does not answer; try again later.", RetryAfter: defaultRetryAfter, Err: err}
	}
	return defect(err)
}

func backendError(t *target, ae *adapters.Error) error {
	if ae.Left {
		return partly(t, ae)
	}
	e := answerOf(ae.Kind)
	e.Err = ae
	if attr := attributeOf(t, ae.Field); attr != "" {
		switch ae.Kind {
		case adapters.Exists:
			return taken(t, attr, ae)
		case adapters.Invalid:
			e.Detail = "The backend refuses the value of " + attr + "; if it names other resources, they must exist."
			if ae.Told != "" {
				e.Detail = "The value of " + attr + " cannot be stored: " + ae.Told + "."
			}
		}
	}
	if ae.Kind == adapters.Unavailable {
		e.RetryAfter = defaultRetryAfter
		if ae.RetryAfter > 0 {
			e.RetryAfter = int(math.Ceil(float64(ae.RetryAfter) / float64(time.Second)))
		}
		if ae.Unsure {
			e.Detail = "The backend did not answer in time. The change may have been made all the same: read the resource before repeating it."
		}
	}
	return e
}

func attributeOf(t *target, field string) string {
	if field == "" {
		return ""
	}
	return t.Mapping.AttributeOf(field)
}

// taken says that another record has a unique value. It says the same of records
// that provisioning may not see (E-07).
func taken(t *target, attr string, cause error) *scim.Error {
	e := scim.Errorf(409, scim.Uniqueness, "Another %s has this %s already; it must be unique.", t.name, attr)
	e.Err = cause
	return e
}

func notFound(t *target) *scim.Error {
	return scim.Errorf(404, "", "There is no %s with this id.", t.name)
}
