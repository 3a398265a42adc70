package scim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/scim/filter"
)

// A Target is one resource type of the server.
type Target struct {
	Kind     string       // for locks: the same for all who change it
	Endpoint string       // "/Users"
	Said     bool         // it is there, whatever the server says of its resource types
	Schema   string       // of a new resource
	At       steps.Text   // where the configuration says where it is
	All      steps.Text   // where it takes over what it does not name: fields that stand there
	Fields   []steps.Text // the shape: attribute paths
	Multi    []string     // fields with all values of an attribute, as members
}

// A target is a Target, compiled.
type target struct {
	b      *Backend
	path   string // unless the server says another
	said   bool
	schema string
	places []place // by position of the fields
}

// exprs are the few expressions that the engine needs.
type exprs struct{ page, needs []*steps.Expr }

// New compiles a target and makes its adapter.
func (b *Backend) New(w Target) (*steps.Adapter, []steps.Problem) {
	var c steps.Compiler
	t := &target{b: b, path: "/" + strings.Trim(w.Endpoint, "/"), said: w.Said, schema: w.Schema}
	o := steps.Options{Key: []string{"id"}, Multi: w.Multi, Locks: b.locks.Of(w.Kind), Members: map[string]*steps.Members{}}
	roots := steps.Roots{"body", "page", "filter"}
	expr := func(s string) *steps.Expr { return c.Expr(steps.Text{Value: s}, roots) }
	e := exprs{page: []*steps.Expr{expr("page.offset"), expr("page.limit")}}
	answers := map[string]filter.Ops{}
	for _, f := range w.Fields {
		p, err := parse(f.Value, slices.Contains(w.Multi, f.Value))
		if err != nil {
			c.Add(f, `as in userName, name.givenName, emails[type eq "work"].value`, "%q is no attribute path: %s", f.Value, err)
			continue
		}
		t.places, o.Fields = append(t.places, p), append(o.Fields, f.Value)
		switch {
		case p.multi:
			e.needs = append(e.needs, expr(fmt.Sprintf("needs(%q)", f.Value)))
			o.Members[f.Value] = &steps.Members{Change: steps.Operation{{Call: &change{t, "members", len(t.places) - 1}}}}
		case p.simple() && !strings.HasPrefix(p.attr, "meta"):
			answers[f.Value] = filter.OpsOf(filter.Eq)
		}
	}
	list := func() steps.Operation {
		return steps.Operation{{Call: &lister{t, e}, Records: expr("body.records"), Paging: steps.Paging{Total: expr("body.total")}}}
	}
	o.List = list()
	o.Finds = []*steps.Find{{Steps: list(), Answers: answers, IgnoresCase: true}}
	o.Get = steps.Operation{{Call: &getter{t, e}, Record: expr("body")}}
	o.Batch, o.Many = &ability{b: b}, steps.Operation{{Call: &gatherer{lister{t, e}}, Records: expr("body.records"),
		Paging: steps.Paging{Total: expr("body.total"), Lacks: w.Multi}}}
	taken := t.taken(&c)
	o.Create = steps.Operation{{Call: &creator{t}, Fails: taken, Key: expr("body.id"), Undo: &steps.Step{Call: &remover{t, "undo"}}}}
	o.Update = steps.Operation{{Call: &change{t, "update", -1}, Fails: taken}}
	o.Delete = steps.Operation{{Call: &remover{t, "delete"}}}
	o.Probe = steps.Reacher(o.List, nil)
	if len(c.Problems) > 0 {
		return nil, c.Problems
	}
	return steps.New(o), nil
}

// taken names the field at fault where only one can be: userName is unique in every
// server (RFC 7643 section 4.1.1).
func (t *target) taken(c *steps.Compiler) []steps.Fail {
	for _, p := range t.places {
		if p.urn == "" && strings.EqualFold(p.attr, "userName") {
			return []steps.Fail{{When: c.Expr(steps.Text{Value: "body.taken == true"}, steps.Roots{"body"}), Kind: adapters.Exists, Field: p.field}}
		}
	}
	return nil
}

// flat is a resource as the engine sees it: a value for each field, and the id.
func (t *target) flat(doc object) object {
	out := object{"id": field(doc, "id")}
	for _, p := range t.places {
		out[p.field] = p.read(doc)
	}
	return out
}

// nested is a field's value in an object of the engine, which is taken apart at dots.
func nested(o object, name string) (v any, there bool) {
	parts := strings.Split(name, ".")
	for _, p := range parts[:len(parts)-1] {
		o, _ = o[p].(object)
	}
	v, there = o[parts[len(parts)-1]]
	return v, there
}

// The enterprise extension has another name in version 1.1.
const (
	enterprise2  = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	enterprise11 = "urn:scim:schemas:extension:enterprise:1.0"
	core11       = "urn:scim:schemas:core:1.0"
)

// incoming is a resource in the words of version 2.0.
func (s *service) incoming(doc object) object {
	if s.v11 {
		if name, v := member(doc, enterprise11); v != nil {
			delete(doc, name)
			doc[enterprise2] = v
		}
	}
	return doc
}

// outgoing is a resource in the server's words, with its schemas.
func (s *service) outgoing(doc object, schema string) object {
	out := object{}
	schemas := []any{schema}
	if s.v11 {
		schemas = []any{core11}
	}
	for name, v := range doc {
		if strings.HasPrefix(strings.ToLower(name), "urn:") {
			if s.v11 && strings.EqualFold(name, enterprise2) {
				name = enterprise11
			}
			schemas = append(schemas, name)
		}
		out[name] = v
	}
	name, _ := member(out, "schemas")
	out[name] = schemas
	return out
}
