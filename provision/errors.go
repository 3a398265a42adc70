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

// statuses is where a backend's kind of failure becomes a status: the only place.
var statuses = map[adapters.Kind]scim.Error{
	adapters.Internal:    {Status: 500, Detail: "The backend failed in an unexpected way; the log has the request's id."},
	adapters.NotFound:    {Status: 404, Detail: "There is no such resource."},
	adapters.Exists:      {Status: 409, Type: scim.Uniqueness, Detail: "A resource with this value exists already."},
	adapters.Conflict:    {Status: 409, Detail: "The backend's data stands against this change, or changed meanwhile; read the resource again and retry."},
	adapters.Invalid:     {Status: 400, Type: scim.InvalidValue, Detail: "The backend refuses a value."},
	adapters.Denied:      {Status: 502, Detail: "The backend does not let the gateway do this; its administrator must check the gateway's account there."},
	adapters.Unavailable: {Status: 503, Detail: "The backend does not answer; try again later."},
	adapters.Unsupported: {Status: 501, Detail: "The backend cannot do this."},
}

const defaultRetryAfter = 5 // seconds

// fail translates an error on its way out.
func (s *Service) fail(t *target, err error) error {
	var se *scim.Error
	if err == nil || errors.As(err, &se) {
		return err
	}
	var ae *adapters.Error
	switch {
	case errors.As(err, &ae):
		return backendError(t, ae)
	case errors.Is(err, identity.ErrBusy):
		return &scim.Error{Status: 503, Detail: "The mapping table is busy; try again.", RetryAfter: 1, Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &scim.Error{Status: 503, Detail: "The request took too long; try again later.", RetryAfter: defaultRetryAfter, Err: err}
	}
	return &scim.Error{Status: 500, Detail: "The gateway failed; the log has the request's id.", Err: err}
}

func backendError(t *target, ae *adapters.Error) error {
	e := statuses[ae.Kind]
	e.Err = ae
	if attr := t.Mapping.AttributeOf(ae.Field); ae.Field != "" && attr != "" {
		switch ae.Kind {
		case adapters.Exists:
			e.Detail = "Another resource has this " + attr + " already; it must be unique."
		case adapters.Invalid:
			e.Detail = "The backend refuses the value of " + attr + "."
		}
	}
	if ae.Kind == adapters.Unavailable {
		e.RetryAfter = defaultRetryAfter
		if ae.RetryAfter > 0 {
			e.RetryAfter = int(math.Ceil(float64(ae.RetryAfter) / float64(time.Second)))
		}
	}
	return &e
}

func notFound(c Call) error {
	return scim.Errorf(404, "", "There is no %s with this id.", c.Type.Name)
}
