package provision

import (
	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// A Caller is the client on whose behalf a request runs.
type Caller struct {
	Tenant string
	Client string // provisioning domain: ids and externalIds are per client
	// Existing makes the backend's key the id (`ids: existing`).
	Existing bool
	// Reject makes attributes that the configuration does not map an error
	// instead of being left out (S-39).
	Reject bool
	// Secondary is what requests get on ids that a merge made superfluous.
	Secondary Secondary
	Access    Access
	Removals  Quota
}

func (c Caller) domain() identity.Domain {
	return identity.Domain{Tenant: c.Tenant, Client: c.Client, Existing: c.Existing}
}

// A Call is what every operation needs to know: who calls, about which resource
// type, and what the answer should hold.
type Call struct {
	Caller Caller
	Type   *schema.ResourceType
	Select *scim.Selection // never nil; attributes that the answer does not need are not read
	Base   string          // the external base URL, without a slash at the end
	// Body says that the client asked for certain attributes, so that an answer
	// without a body will not do (RFC 7644 section 3.5.2).
	Body bool
	// Sorts is read whatever is selected, because the resource is sorted by it.
	Sorts *scim.Attribute
	// If is what the resource's version must be. With any of it Get answers the
	// version along with the resource, whatever is selected.
	If Condition
	// Pretence is what the operations of a request have in common that are only tried.
	Pretence *Pretence

	element  *elementWork       // the change of one element that the call is
	supposed []identity.Keeping // what would be kept, of a request that is only tried
	begun    uint64             // one more than target.gone when a list began; 0: it is none
}

// A Search is a query on one resource type (RFC 7644 section 3.4.2).
type Search struct {
	Filter     filter.Expr     // bound by schema.Bind; nil: all
	SortBy     *scim.Attribute // nil: a stable order of the backend's choice
	Descending bool
	StartIndex int // 1-based
	Count      int // at most so many resources; 0: only the total
}

// A List is the answer to a Search.
type List struct {
	Total      int
	StartIndex int
	Resources  []*scim.Resource
	Next       string // of ListAfter: where the next page begins; "" on the last
}
