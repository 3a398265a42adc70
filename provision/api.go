package provision

import (
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// A Caller is the client on whose behalf a request runs.
type Caller struct {
	Tenant string
	Client string // provisioning domain: ids and externalIds are per client
	// Reject makes attributes that the configuration does not map an error
	// instead of being left out (S-39).
	Reject bool
}

// A Call is what every operation needs to know: who calls, about which resource
// type, and what the answer should hold.
type Call struct {
	Caller Caller
	Type   *schema.ResourceType
	Select *scim.Selection // never nil; attributes that the answer does not need are not read
}

// A Search is a query on one resource type (RFC 7644 section 3.4.2).
type Search struct {
	Filter     filter.Expr     // bound by schema.Bind; nil: all
	SortBy     *scim.Attribute // nil: by id of the backend, a stable order
	Descending bool
	StartIndex int // 1-based
	Count      int // at most so many resources; 0: only the total
}

// A List is the answer to a Search.
type List struct {
	Total      int
	StartIndex int
	Resources  []*scim.Resource
}
