package gateway

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

// discovery makes the documents of RFC 7644 section 4 from what is served.
type discovery struct {
	types  []*schema.ResourceType
	config schema.ProviderConfig
	last   atomic.Pointer[documents] // nearly always the only one: there is one base URL
}

// documents are the discovery answers for one base URL, ready to be sent.
type documents struct {
	base           string
	config         document
	schemas, types index
}

type document struct {
	location string
	body     []byte
}

// An index is a list with its items by id, in lower case.
type index struct {
	all  document
	byID map[string]document
}

func (d *discovery) at(base string) *documents {
	if p := d.last.Load(); p != nil && p.base == base {
		return p
	}
	p := &documents{
		base:    base,
		config:  newDocument(schema.ServiceProviderConfig(d.config, base)),
		schemas: newIndex(base+"/Schemas", schema.SchemaNodes(d.types, base)),
		types:   newIndex(base+"/ResourceTypes", schema.ResourceTypeNodes(d.types, base)),
	}
	d.last.Store(p)
	return p
}

func newIndex(location string, items []scim.Node) index {
	i := index{byID: make(map[string]document, len(items))}
	i.all = document{location: location, body: scim.AppendNode(nil, schema.ListNode(items))}
	for _, n := range items {
		id, _ := n.Find("id")
		i.byID[strings.ToLower(id.Str)] = newDocument(n)
	}
	return i
}

func newDocument(n scim.Node) document {
	meta, _ := n.Find("meta")
	location, _ := meta.Find("location")
	return document{location: location.Str, body: scim.AppendNode(nil, n)}
}

func (t *table) discovery(o *Options) {
	config, types := open, closed
	if o.ConfigNeedsCredentials {
		config = closed
	}
	if o.OpenSchemas {
		types = open
	}
	t.add(http.MethodGet, "/ServiceProviderConfig", config, publish(func(d *documents, _ string) (document, bool) { return d.config, true }))
	t.add(http.MethodGet, "/Schemas", types, publish(func(d *documents, _ string) (document, bool) { return d.schemas.all, true }))
	t.add(http.MethodGet, "/Schemas/:id", types, publish(func(d *documents, id string) (document, bool) { return d.schemas.find(id) }))
	t.add(http.MethodGet, "/ResourceTypes", types, publish(func(d *documents, _ string) (document, bool) { return d.types.all, true }))
	t.add(http.MethodGet, "/ResourceTypes/:id", types, publish(func(d *documents, id string) (document, bool) { return d.types.find(id) }))
}

func (i *index) find(id string) (document, bool) {
	doc, ok := i.byID[strings.ToLower(id)]
	return doc, ok
}

// publish makes the handler of a discovery endpoint. A filter there is forbidden,
// because a client could take the unfiltered answer for a filtered one; other
// parameters are ignored (D-07).
func publish(choose func(d *documents, id string) (document, bool)) handler {
	return func(x *exchange) error {
		q, err := x.query()
		if err != nil {
			return err
		}
		if q.filter.given {
			return scim.Errorf(http.StatusForbidden, "", "The discovery endpoints take no filter; leave it out and choose from the whole answer.")
		}
		id, err := url.PathUnescape(x.c.Param("id"))
		if err != nil {
			id = ""
		}
		doc, ok := choose(x.discovery.at(x.base), id)
		if !ok { // D-20
			return scim.Errorf(http.StatusNotFound, "", "There is none of this name; leave it out of the URL to list all there are.")
		}
		h := x.c.Writer.Header()
		v := []string{doc.location}
		h["Content-Location"] = v
		if id != "" {
			h["Location"] = v
		}
		x.send(http.StatusOK, doc.body)
		return nil
	}
}
