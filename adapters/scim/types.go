package scim

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
)

// A resourceType is one as the server describes it (RFC 7643 section 6).
type resourceType struct {
	name, schema, endpoint string
	extensions             []string
}

// A content is what a schema of the server defines.
type content struct {
	names []string        // as they are written, sub-attributes with their attribute
	has   map[string]bool // in lower case
}

// readTypes reads /ResourceTypes. A server that has none, or another answer, says
// nothing; one that does not answer now is asked again.
func (b *Backend) readTypes(ctx context.Context, s *service) error {
	list, err := b.documents(ctx, "/ResourceTypes", s.v11)
	if err != nil {
		return err
	}
	for _, e := range list {
		o, _ := e.(object)
		k := resourceType{}
		k.name, _ = field(o, "name").(string)
		k.schema, _ = field(o, "schema").(string)
		k.endpoint, _ = field(o, "endpoint").(string)
		more, _ := field(o, "schemaExtensions").([]any)
		for _, x := range more {
			ext, _ := x.(object)
			if urn, _ := field(ext, "schema").(string); urn != "" {
				k.extensions = append(k.extensions, urn)
			}
		}
		if k.endpoint = b.behind(k.endpoint); k.schema != "" {
			s.kinds = append(s.kinds, k)
		}
	}
	return nil
}

// documents are what one of the endpoints lists by which a server describes itself.
func (b *Backend) documents(ctx context.Context, path string, v11 bool) ([]any, error) {
	r, err := b.exchange(ctx, request{method: http.MethodGet, path: path, v11: v11, reads: true})
	if err != nil {
		return nil, err
	}
	if e := fault(r, "probe", true); e != nil && e.Kind == adapters.Unavailable {
		return nil, e
	}
	if r.status != http.StatusOK {
		return nil, nil
	}
	if list, ok := r.doc.([]any); ok {
		return list, nil
	}
	list, _ := field(r.object(), "Resources").([]any)
	return list, nil
}

// behind is an endpoint as a path behind the backend's url, "" if it is none: what a
// server says must not lead the credential to another one.
func (b *Backend) behind(endpoint string) string {
	if rest, whole := strings.CutPrefix(endpoint, b.base); whole {
		endpoint = rest
	}
	if !strings.HasPrefix(endpoint, "/") {
		endpoint = "/" + endpoint
	}
	u, err := url.Parse(endpoint)
	endpoint = strings.TrimRight(endpoint, "/")
	if err != nil || endpoint == "" || u.IsAbs() || u.Host != "" || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(endpoint, "%\\:") ||
		slices.ContainsFunc(strings.Split(endpoint, "/"), func(s string) bool { return s == "." || s == ".." }) {
		return ""
	}
	return endpoint
}

// kindOf is the resource type with a schema. There may be several: then the one at
// the usual endpoint, or none.
func (s *service) kindOf(schema, usual string) (resourceType, bool) {
	var found []resourceType
	for _, k := range s.kinds {
		if strings.EqualFold(k.schema, schema) {
			if k.endpoint == usual {
				return k, true
			}
			found = append(found, k)
		}
	}
	if len(found) == 1 {
		return found[0], true
	}
	return resourceType{}, false
}

// root is the endpoint of the target.
func (t *target) root(s *service) string {
	if k, known := s.kindOf(t.schema, t.path); known && !t.said && k.endpoint != "" {
		return k.endpoint
	}
	return t.path
}

// define notes what a schema has.
func (s *service) define(schema object) {
	urn, _ := field(schema, "id").(string)
	c := &content{has: map[string]bool{}}
	c.take(field(schema, "attributes"), "")
	if urn != "" && len(c.names) > 0 {
		s.schemas[strings.ToLower(urn)] = c
	}
}

func (c *content) take(attributes any, parent string) {
	list, _ := attributes.([]any)
	for _, e := range list {
		a, _ := e.(object)
		if name, _ := field(a, "name").(string); name != "" {
			c.names = append(c.names, parent+name)
			c.has[strings.ToLower(parent+name)] = true
			c.take(field(a, "subAttributes"), parent+name+".")
		}
	}
}

// nearest is the attribute, or the part of the same attribute, that was probably meant.
func (c *content) nearest(name string) string {
	parent := name[:strings.LastIndex(name, ".")+1]
	var beside []string
	for _, n := range c.names {
		if rest, within := strings.CutPrefix(n, parent); within && !strings.Contains(rest, ".") {
			beside = append(beside, rest)
		}
	}
	if n := steps.Nearest(name[len(parent):], beside); n != "" {
		return parent + n
	}
	return ""
}

// Inspect compares a target with what the server says of itself: all of it are
// warnings, because servers have more than they say.
func (b *Backend) Inspect(ctx context.Context, w Target) ([]steps.Problem, error) {
	s, err := b.ask(ctx)
	if err != nil || s.v11 {
		return nil, err
	}
	i := inspector{service: s, w: w, usual: "/" + strings.Trim(w.Endpoint, "/")}
	i.endpoint()
	for _, f := range w.Fields {
		if p, err := parse(f.Value, slices.Contains(w.Multi, f.Value)); err == nil {
			i.attribute(f, p)
		}
	}
	if len(i.lacking) > 0 {
		i.Add(w.All, mayBeLost, "the server's schemas do not have all: not %s", strings.Join(i.lacking, ", "))
	}
	for n := range i.Problems {
		i.Problems[n].Warning = true
	}
	return i.Problems, nil
}

// An inspector compares a target with a service.
type inspector struct {
	steps.Compiler
	*service
	w       Target
	usual   string
	lacking []string // of what is taken over
}

func (i *inspector) endpoint() {
	if len(i.kinds) == 0 {
		return
	}
	var all, places []string
	for _, k := range i.kinds {
		all, places = append(all, k.name+" at "+k.endpoint), append(places, k.endpoint)
	}
	_, known := i.kindOf(i.w.Schema, i.usual)
	switch has := "it has " + strings.Join(all, ", "); {
	case i.w.Said && !slices.Contains(places, i.usual):
		i.Add(i.w.At, has, "the server says nothing of an endpoint %s", i.usual)
	case !i.w.Said && !known:
		i.Add(i.w.At, "say its endpoint; "+has, "the server has no resource type with the schema %s", i.w.Schema)
	}
}

// attribute reports a field that no schema of the server has.
func (i *inspector) attribute(f steps.Text, p place) {
	message, hint, name := i.lacks(p)
	taken := i.w.All
	switch {
	case message == "":
	case taken.Line > 0 && f.Line == taken.Line && f.Column == taken.Column:
		if !slices.Contains(i.lacking, name) {
			i.lacking = append(i.lacking, name)
		}
	case f.Line == 0:
		i.Add(steps.Text{Value: f.Value, Line: i.w.At.Line, Column: i.w.At.Column}, hint, "%s", message)
	default:
		i.Add(f, hint, "%s", message)
	}
}

// lacks says what of a place the server does not have, "" for nothing.
func (i *inspector) lacks(p place) (message, hint, name string) {
	urn := p.urn
	k, known := i.kindOf(i.w.Schema, i.usual)
	switch {
	case urn == "" && slices.Contains([]string{"id", "externalid", "meta", "schemas"}, strings.ToLower(p.attr)):
		return "", "", ""
	case urn == "":
		urn = i.w.Schema
	case known && !slices.ContainsFunc(k.extensions, func(e string) bool { return strings.EqualFold(e, urn) }):
		return fmt.Sprintf("the server's %s has no extension %s", k.name, urn), "", urn
	}
	c := i.schemas[strings.ToLower(urn)]
	if c == nil {
		return "", "", ""
	}
	wanted := []string{p.attr}
	if p.sub != "" {
		wanted = append(wanted, p.attr+"."+p.sub)
	}
	for _, t := range p.where {
		wanted = append(wanted, p.attr+"."+t.name)
	}
	for _, name := range wanted {
		if c.has[strings.ToLower(name)] {
			continue
		}
		hint := mayBeLost
		if n := c.nearest(name); n != "" {
			hint = "did you mean " + n + "?"
		}
		return fmt.Sprintf("the server's schema %s has no attribute %s", urn, name), hint, strings.TrimSuffix(p.path(), p.attr) + name
	}
	return "", "", ""
}

const mayBeLost = "what is written there may be lost"
