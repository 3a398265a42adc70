package provision

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// A Quota is how many resources a client may delete or set inactive within a time
// before an administrator must agree; no limit if Most is 0.
type Quota struct {
	Most   int
	Within time.Duration
}

// spare counts a resource that is about to be deleted or set inactive. A client
// that goes too far is stopped: a mistake at its end must not empty the backend.
func (s *Service) spare(ctx context.Context, c Call) error {
	q := c.Caller.Removals
	if q.Most <= 0 {
		return nil
	}
	ok, first, err := s.ids.Remove(ctx, c.Caller.domain(), q.Most, q.Within)
	if err != nil || ok {
		return err
	}
	if first {
		s.log.ErrorContext(ctx, "a client removes more than it may, and is stopped until an administrator lets it go on",
			"client", c.Caller.Client, "most", q.Most, "within", q.Within.String())
	}
	return scim.Errorf(403, "", "This client has deleted or deactivated %d resources within %s, and may not go on until an administrator of the gateway agrees.", q.Most, brief(q.Within))
}

// brief is a duration without zeros at its end.
func brief(d time.Duration) string {
	text := strings.TrimSuffix(d.String(), "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Removals answers what clients with a limit have removed of late.
func (n *Identities) Removals(ctx context.Context) ([]identity.Removals, error) {
	all, err := n.ids.Removals(ctx, n.tenant)
	return all, n.explain(ctx, err)
}

// LetRemove lets a client go on that was stopped: its count begins anew, and for a
// time nothing is counted.
func (n *Identities) LetRemove(ctx context.Context, client string, free time.Duration, r identity.Reason) error {
	c, err := n.client(client)
	if err != nil {
		return err
	}
	if c.Removals.Most <= 0 {
		return scim.Errorf(409, "", "There is no limit to what client %q may remove.", client)
	}
	if err := n.ids.Resume(ctx, c.domain(), free, r); err != nil {
		return n.explain(ctx, err)
	}
	n.log.WarnContext(ctx, "a client may remove again", "client", client, "free", free.String(), "by", r.Who, "why", r.Why, "dryRun", r.DryRun)
	return nil
}

// Maintenance answers whether clients are served.
func (n *Identities) Maintenance(ctx context.Context) (identity.Maintenance, error) {
	m, err := n.ids.Maintenance(ctx, n.tenant)
	return m, n.explain(ctx, err)
}

// SetMaintenance begins or ends it.
func (n *Identities) SetMaintenance(ctx context.Context, m identity.Maintenance) error {
	if !slices.Contains([]string{identity.MaintenanceOff, identity.MaintenanceWrites, identity.MaintenanceAll}, m.Mode) {
		return scim.Errorf(400, "", "There is no maintenance %q; it is off, writes or all.", m.Mode)
	}
	if m.RetryAfter < 1 || m.RetryAfter > 24*60*60 {
		return scim.Errorf(400, "", "Clients may come again after 1 to 86400 seconds, and not after %d.", m.RetryAfter)
	}
	if err := n.ids.SetMaintenance(ctx, n.tenant, m); err != nil {
		return n.explain(ctx, err)
	}
	n.log.WarnContext(ctx, "maintenance", "refused", m.Mode, "by", m.Who, "why", m.Why)
	return nil
}
