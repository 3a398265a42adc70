package patch

import (
	"fmt"
	"strings"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

// Options are the points on which clients and profiles differ. The zero value
// takes what known clients send.
type Options struct {
	// Strict refuses what RFC 7644 does not allow: no rewrite of Rewrites is done.
	// A remove with a list of values still removes no more than the list (J1).
	Strict bool
	// Reject refuses attributes that this configuration does not serve, where the
	// default is to leave them out with a warning (S-39).
	Reject bool
	// Create lets a replace whose filter matches nothing make the element, where
	// the default is 400 noTarget (P-53, J3).
	Create bool
	// Operations and Values bound the operations of a request and the values of
	// one operation (P-13); zero means the default.
	Operations, Values int
	// Warn, if set, is told what was left out. Its texts hold names, never values.
	Warn func(text string)
}

const (
	defaultOperations = 5_000
	defaultValues     = 100_000
)

// Parse reads the body of a PATCH request on a resource of type t. Errors are
// *scim.Error; those of an operation say which, as in "Operations[1]: ...".
func Parse(body scim.Node, t *schema.ResourceType, o Options) ([]Operation, error) {
	if o.Operations <= 0 {
		o.Operations = defaultOperations
	}
	if o.Values <= 0 {
		o.Values = defaultValues
	}
	p := &parser{Options: o, t: t}
	list, err := p.envelope(body)
	if err != nil {
		return nil, err
	}
	p.ops = make([]Operation, 0, len(list))
	for i := range list {
		if err := p.operation(i, &list[i]); err != nil {
			return nil, scim.Prefix(place(i), err)
		}
	}
	return p.ops, nil
}

type parser struct {
	Options
	t       *schema.ResourceType
	request []string // rewrites of the whole request
	ops     []Operation
}

func (p *parser) warn(index int, format string, args ...any) {
	if p.Warn != nil {
		p.Warn(place(index) + ": " + fmt.Sprintf(format, args...))
	}
}

// envelope checks the message around the operations (P-02, P-03).
func (p *parser) envelope(body scim.Node) ([]scim.Node, error) {
	if body.Kind != scim.NodeObject {
		return nil, scim.Bad(scim.InvalidSyntax, "The body must be a JSON object with schemas and Operations, not %s.", body.Kind)
	}
	if err := p.message(body); err != nil {
		return nil, err
	}
	list, ok := body.Find("Operations")
	if !ok || list.Kind != scim.NodeArray || len(list.Items) == 0 {
		return nil, scim.Bad(scim.InvalidSyntax, "Operations must be an array of at least one operation.")
	}
	if len(list.Items) > p.Operations {
		return nil, scim.Errorf(413, "", "The request has %d operations; at most %d are taken at once. Send it in parts.",
			len(list.Items), p.Operations)
	}
	return list.Items, nil
}

func (p *parser) message(body scim.Node) error {
	schemas, ok := body.Find("schemas")
	if missing := !ok || schemas.Kind == scim.NodeNull || (schemas.Kind == scim.NodeArray && len(schemas.Items) == 0); missing {
		if p.Strict {
			return scim.Bad(scim.InvalidSyntax, "schemas must list %q.", scim.PatchOpMessage)
		}
		p.request = append(p.request, noSchemas)
		return nil
	}
	if schemas.Kind != scim.NodeArray {
		return scim.Bad(scim.InvalidSyntax, "schemas must be an array that lists %q, not %s.", scim.PatchOpMessage, schemas.Kind)
	}
	for _, u := range schemas.Items {
		if u.Kind == scim.NodeString && strings.EqualFold(u.Str, scim.PatchOpMessage) {
			return nil
		}
	}
	return scim.Bad(scim.InvalidSyntax, "schemas must list %q, which makes the body a PATCH.", scim.PatchOpMessage)
}

// operation reads one operation of the request.
func (p *parser) operation(index int, n *scim.Node) error {
	d := draft{index: index, rewrites: p.request}
	if err := d.read(n); err != nil {
		return err
	}
	p.rewrite(&d, ofOperation)
	if err := d.readOp(); err != nil {
		return err
	}
	if d.hasPath {
		return p.target(&d)
	}
	return p.withoutPath(&d)
}

// withoutPath takes the value apart: each member is an operation on the attribute
// that it names (P-36, P-49).
func (p *parser) withoutPath(d *draft) error {
	switch {
	case d.op == Remove:
		return scim.Bad(scim.NoTarget, "A remove needs a path that says what to remove.") // P-22
	case !d.hasValue:
		return noValue(d.op)
	case d.value.Kind != scim.NodeObject:
		return scim.Bad(scim.InvalidValue, "Without a path, value must be an object with the attributes to %s, not %s.", d.op, d.value.Kind)
	}
	for i := range d.value.Members {
		m := &d.value.Members[i]
		if p.serverOwned(m.Name) {
			continue
		}
		part := draft{index: d.index, op: d.op, path: m.Name, hasPath: true, value: m.Value, hasValue: true, repeat: true,
			rewrites: d.rewrites}
		if err := p.key(&part); err != nil {
			return err
		}
	}
	return nil
}

// serverOwned reports whether a value without path may say anything at all about
// the attribute, because nobody heeds it (S-34).
func (p *parser) serverOwned(name string) bool {
	a := p.t.Layout.Find(name)
	return a != nil && (a == p.t.Layout.Schemas || a == p.t.Layout.Meta)
}

// key resolves a member of a value without path. A name alone stands for itself;
// dots, URNs and filters in it are a habit of clients (P-56).
func (p *parser) key(d *draft) error {
	if a := p.t.Layout.Find(d.path); a != nil {
		d.attr = a
		return p.typed(d)
	}
	p.rewrite(d, ofKey)
	if !d.keyIsPath {
		return p.unknownKey(d)
	}
	return p.target(d)
}

func (p *parser) unknownKey(d *draft) error {
	if p.Reject {
		return scim.Bad(scim.InvalidSyntax, "There is no attribute %q here%s", printable(d.path), p.hint(d.path))
	}
	p.warn(d.index, "there is no attribute %q here: left out", printable(d.path))
	return nil
}

func noValue(op Op) error {
	return scim.Bad(scim.InvalidValue, "The operation %s needs a value; send null to unassign the attribute.", op)
}

// hint ends a sentence with the name that may have been meant.
func (p *parser) hint(name string) string {
	if near := p.t.Nearest(name); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "."
}

// printable makes a client's text fit for a message.
func printable(s string) string {
	const most = 100
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
