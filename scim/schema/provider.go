package schema

import "github.com/postern/postern/scim"

// A ProviderConfig is what a tenant's clients may use (RFC 7643 section 5). It
// must tell the truth (D-02), so it is filled from what is really served.
type ProviderConfig struct {
	DocumentationURI string

	Patch          bool
	ChangePassword bool
	Sort           bool
	ETag           bool

	Filter           bool
	FilterMaxResults int

	Bulk               bool
	BulkMaxOperations  int
	BulkMaxPayloadSize int // bytes

	Authentication []AuthenticationScheme

	// Pagination is published if it is set (RFC 9865 section 4; D-18).
	Pagination *Pagination
	// More holds further members that later standards define (D-18).
	More []scim.Member
}

// An AuthenticationScheme is one way to authenticate (D-03). Type is oauth,
// oauth2, oauthbearertoken, httpbasic or httpdigest.
type AuthenticationScheme struct {
	Type             string
	Name             string
	Description      string
	SpecURI          string
	DocumentationURI string
	Primary          bool
}

// Pagination says how lists are paged (K-10).
type Pagination struct {
	Cursor          bool
	Index           bool
	DefaultMethod   string // "cursor" or "index"
	DefaultPageSize int
	MaxPageSize     int
	CursorTimeout   int // seconds
}

// ServiceProviderConfig is the configuration as a resource (D-01): one object,
// without an id, for there is only one.
func ServiceProviderConfig(c ProviderConfig, base string) scim.Node {
	var o object
	o.add("schemas", stringsNode(scim.ConfigSchema))
	o.text("documentationUri", c.DocumentationURI)
	o.add("patch", supported(c.Patch).node())
	bulk := supported(c.Bulk)
	bulk.int("maxOperations", c.BulkMaxOperations)
	bulk.int("maxPayloadSize", c.BulkMaxPayloadSize)
	o.add("bulk", bulk.node())
	filter := supported(c.Filter)
	filter.int("maxResults", c.FilterMaxResults)
	o.add("filter", filter.node())
	o.add("changePassword", supported(c.ChangePassword).node())
	o.add("sort", supported(c.Sort).node())
	o.add("etag", supported(c.ETag).node())
	schemes := scim.Node{Kind: scim.NodeArray}
	for _, s := range c.Authentication {
		schemes.Items = append(schemes.Items, schemeNode(s))
	}
	o.add("authenticationSchemes", schemes)
	if c.Pagination != nil {
		o.add("pagination", paginationNode(*c.Pagination))
	}
	o.members = append(o.members, c.More...)
	o.add("meta", metaNode("ServiceProviderConfig", base, "/ServiceProviderConfig"))
	return o.node()
}

func supported(yes bool) *object {
	var o object
	o.bool("supported", yes)
	return &o
}

func schemeNode(s AuthenticationScheme) scim.Node {
	var o object
	o.text("type", s.Type)
	o.text("name", s.Name)
	o.text("description", s.Description)
	o.text("specUri", s.SpecURI)
	o.text("documentationUri", s.DocumentationURI)
	if s.Primary {
		o.bool("primary", true)
	}
	return o.node()
}

func paginationNode(p Pagination) scim.Node {
	var o object
	o.bool("cursor", p.Cursor)
	o.bool("index", p.Index)
	o.text("defaultPaginationMethod", p.DefaultMethod)
	o.positive("defaultPageSize", p.DefaultPageSize)
	o.positive("maxPageSize", p.MaxPageSize)
	o.positive("cursorTimeout", p.CursorTimeout)
	return o.node()
}
