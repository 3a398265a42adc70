package provision

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// Access is what a client may do.
type Access int

const (
	Full    Access = iota
	Reading        // it may only read
	Trying         // its writes are worked out and answered, and nothing is changed
)

// gate is where every change begins: policy is in one place, so that no door can
// forget it.
func (c Call) gate() error {
	if c.Caller.Access == Reading {
		return scim.Errorf(403, "", "This client may read, and change nothing.")
	}
	return nil
}

func (c Call) trying() bool { return c.Caller.Access == Trying }

// manages refuses to change a record that provisioning may only see.
func (t *target) manages(rec adapters.Record) error {
	if t.Mapping.Managed(rec) {
		return nil
	}
	return scim.Errorf(403, "", "This %s may be read, and is not managed by provisioning.", t.name)
}

// watched reports whether a record must be read before it is changed in any way.
func (t *target) watched() bool { return t.scoped || t.born || t.Mapping.HasManaged() }

// tried notes what a client that only tries would have changed.
func (s *Service) tried(ctx context.Context, c Call, t *target, what, identity string) {
	s.log.InfoContext(ctx, "dry run: nothing was changed", "operation", what, "type", t.name, "client", c.Caller.Client, "identity", identity)
}

// pretendedID is an id that nobody has and that says so.
func pretendedID() string { return "dry-run-" + strings.ToLower(rand.Text()) }
