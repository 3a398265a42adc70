package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// Identities is what administrators do with the mapping table of one tenant and
// the records behind it. What it answers holds keys: it is not for clients. An id
// may be that of an identity, or one of any client. Its errors are *scim.Error
// where an administrator can be told something.
type Identities struct {
	*Service
	tenant  string
	clients []Caller
}

// Identities gives administrators access. The clients are those of the
// configuration.
func (s *Service) Identities(tenant string, clients []Caller) *Identities {
	return &Identities{Service: s, tenant: tenant, clients: clients}
}

// Show answers one identity.
func (n *Identities) Show(ctx context.Context, id string) (identity.Identity, error) {
	it, err := n.ids.Show(ctx, n.tenant, id)
	return it, n.explain(ctx, err)
}

// ListIdentities answers a page of the living identities, by id: those after the
// given one. Type "" means any.
func (n *Identities) ListIdentities(ctx context.Context, typ, after string, limit int) ([]identity.Identity, error) {
	if typ != "" && n.targets[typ] == nil {
		return nil, n.noType(typ)
	}
	all, err := n.ids.List(ctx, n.tenant, typ, after, limit)
	return all, n.explain(ctx, err)
}

// Moves answers the history, latest first: of one identity, or with id "" of all,
// at most limit moves before the given number (0: the latest).
func (n *Identities) Moves(ctx context.Context, id string, before int64, limit int) ([]identity.Move, error) {
	if id != "" {
		if it, err := n.ids.Show(ctx, n.tenant, id); err == nil {
			id = it.ID // otherwise it may be one that is gone
		} else if !errors.Is(err, identity.ErrUnknown) {
			return nil, n.explain(ctx, err)
		}
	}
	all, err := n.ids.Moves(ctx, n.tenant, id, before, limit)
	return all, n.explain(ctx, err)
}

// Undo takes a merge or a split back. What the backends hold stays as it is.
func (n *Identities) Undo(ctx context.Context, move int64, r identity.Reason) (identity.Move, error) {
	m, err := n.ids.Undo(ctx, n.tenant, move, r)
	return m, n.explain(ctx, err)
}

// Last answers the number of the latest merge or split of an identity that is not
// undone.
func (n *Identities) Last(ctx context.Context, id string) (int64, error) {
	const page = 50
	if id == "" { // which would mean the moves of all
		return 0, scim.Errorf(404, "", "Say which identity, or which move.")
	}
	for before := int64(0); ; {
		moves, err := n.Moves(ctx, id, before, page)
		if err != nil {
			return 0, err
		}
		for _, m := range moves {
			if (m.Kind == "merge" || m.Kind == "split") && !m.Undone {
				return m.Nr, nil
			}
			before = m.Nr
		}
		if len(moves) < page {
			return 0, scim.Errorf(404, "", "This identity has no merge or split that could be undone.")
		}
	}
}

// Release lets a client see an identity that was split off, "" every client. It
// answers the identity as it is then.
func (n *Identities) Release(ctx context.Context, client, id string, r identity.Reason) (identity.Identity, error) {
	d := identity.Domain{Tenant: n.tenant}
	if client != "" {
		c, err := n.client(client)
		if err != nil {
			return identity.Identity{}, err
		}
		d = c.domain()
	}
	_, m, err := n.ids.Release(ctx, d, id, r)
	if err != nil || len(m.After) == 0 {
		return identity.Identity{}, n.explain(ctx, err)
	}
	if !r.DryRun {
		n.log.InfoContext(ctx, "identity released", "move", m.Nr, "identity", m.After[0].ID, "client", client, "by", r.Who)
	}
	return m.After[0], nil
}

// Pending answers the ids that have waited for their client's acknowledgement
// since before the given time, oldest first; client "" means all.
func (n *Identities) Pending(ctx context.Context, client string, before time.Time) ([]identity.Pending, error) {
	if client != "" {
		if _, err := n.client(client); err != nil {
			return nil, err
		}
	}
	all, err := n.ids.Pending(ctx, n.tenant, client, before)
	return all, n.explain(ctx, err)
}

// Retire gives up waiting for what Pending answers.
func (n *Identities) Retire(ctx context.Context, client string, before time.Time, who string) ([]identity.Pending, error) {
	if client != "" {
		if _, err := n.client(client); err != nil {
			return nil, err
		}
	}
	all, err := n.ids.Retire(ctx, n.tenant, client, before)
	if len(all) > 0 {
		n.log.InfoContext(ctx, "ids retired that no client has acknowledged", "ids", len(all), "by", who)
	}
	return all, n.explain(ctx, err)
}

func (n *Identities) client(name string) (Caller, error) {
	var names []string
	for _, c := range n.clients {
		if c.Client == name {
			return c, nil
		}
		names = append(names, c.Client)
	}
	return Caller{}, scim.Errorf(400, "", "There is no client %q; there are: %s.", name, strings.Join(names, ", "))
}

func (n *Identities) noType(typ string) error {
	var names []string
	for _, t := range n.types {
		names = append(names, t.Name)
	}
	return scim.Errorf(400, "", "There is no resource type %q; there are: %s.", typ, strings.Join(names, ", "))
}

// targetOf is where the records of a type live.
func (n *Identities) targetOf(typ string) (*target, error) {
	if t := n.targets[typ]; t != nil {
		return t, nil
	}
	return nil, n.noType(typ)
}

// explain translates the mapping table's errors for administrators. What wraps
// them says more, and holds neither keys nor ids.
func (n *Identities) explain(ctx context.Context, err error) error {
	status := 0
	switch {
	case err == nil:
		return nil
	case errors.Is(err, identity.ErrUnknown):
		status = 404
	case errors.Is(err, identity.ErrConflict), errors.Is(err, identity.ErrAmbiguous), errors.Is(err, identity.ErrScanned):
		status = 409
	default:
		return n.fail(ctx, nil, err)
	}
	e := scim.Errorf(status, "", "%s.", sentence(err))
	e.Err = err
	return e
}

// sentence is an error of the mapping table without the names of operations.
func sentence(err error) string {
	text := strings.TrimPrefix(err.Error(), "identity: ")
	if i := strings.Index(text, ": "); i > 0 && !strings.Contains(text[:i], " the ") {
		text = text[i+2:]
	}
	text, _ = strings.CutPrefix(text, identity.ErrConflict.Error()+": ")
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// A Federation is how several clients know one identity: the federation extension
// of the draft by which provisioning domains tell each other of merges. Only
// administrators may see it, because it shows the ids of one client to another.
type Federation struct {
	Schemas     []string         `json:"schemas"`
	ID          string           `json:"id"`
	Meta        FederationMeta   `json:"meta"`
	LinkedUsers FederationLinked `json:"urn:ietf:params:scim:schemas:extension:federation:2.0:User"`
}

// A FederationMeta says of which resource type the identity is.
type FederationMeta struct {
	ResourceType string `json:"resourceType"`
}

// FederationLinked is the extension itself.
type FederationLinked struct {
	LinkedUsers []LinkedUser `json:"linkedUsers"`
}

// A LinkedUser is one client's id. DeletionRequired says that the client still has
// to delete it, after a merge.
type LinkedUser struct {
	Domain           string `json:"domain"`
	ExternalID       string `json:"externalEntityId"`
	Primary          bool   `json:"primary"`
	DeletionRequired bool   `json:"deletionRequired"`
}

// FederationSchema is the URN of the federation extension.
const FederationSchema = "urn:ietf:params:scim:schemas:extension:federation:2.0:User"

// Federation answers how the clients know an identity.
func (n *Identities) Federation(ctx context.Context, id string) (Federation, error) {
	it, err := n.Show(ctx, id)
	f := Federation{Schemas: []string{FederationSchema}, ID: it.ID, Meta: FederationMeta{it.Type}}
	f.LinkedUsers.LinkedUsers = []LinkedUser{}
	for _, e := range it.ExternalIDs {
		f.LinkedUsers.LinkedUsers = append(f.LinkedUsers.LinkedUsers, LinkedUser{e.Client, e.ID, e.Primary, e.DeletionRequired})
	}
	return f, err
}

// reasoned refuses a change that says not why.
func reasoned(r identity.Reason) error {
	if r.Why == "" && !r.DryRun {
		return scim.Errorf(400, "", "Say why: the history keeps it.")
	}
	return nil
}

// named says which records a message is about: administrators may see keys.
func named(backend, key string) string { return fmt.Sprintf("record %s of backend %s", key, backend) }

// callers are the clients with these names, all if there are none.
func (n *Identities) callers(names []string) ([]Caller, error) {
	if len(names) == 0 {
		return n.clients, nil
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	out := make([]Caller, len(names))
	for i, name := range names {
		var err error
		if out[i], err = n.client(name); err != nil {
			return nil, err
		}
	}
	return out, nil
}
