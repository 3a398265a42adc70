package schema

import (
	"fmt"
	"strings"

	"github.com/postern/postern/scim"
)

// Decoded is what a client's body amounts to.
type Decoded struct {
	Resource *scim.Resource
	Written  []*scim.Attribute // given a value, so that an answer echoes them (C-10)
	Nulls    []*scim.Attribute // explicitly unassigned, so that defaults do not apply (C-04)
	Warnings []string          // what was ignored; for the log
}

// entraGroupURN is sent by Entra ID with every group and means nothing (J6, C-18).
const entraGroupURN = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"

// Decode reads the body of a POST or PUT. Attributes that the client may not
// write are ignored (C-02, U-06); the rest must be valid and complete.
func Decode(t *ResourceType, n scim.Node, o Options) (*Decoded, error) {
	if n.Kind != scim.NodeObject {
		return nil, scim.Bad(scim.InvalidSyntax, "The body must be a JSON object, and is %s.", n.Kind)
	}
	d := &decoder{t: t, out: &Decoded{Resource: scim.NewResource(t.Layout)}}
	d.parser.Options = o
	d.Warn = func(text string) {
		d.out.Warnings = append(d.out.Warnings, text)
		if o.Warn != nil {
			o.Warn(text)
		}
	}
	listed, err := d.envelope(n)
	if err != nil {
		return nil, err
	}
	for i := range n.Members {
		if err := d.member(&n.Members[i], listed); err != nil {
			return nil, err
		}
	}
	d.out.Written, d.out.Nulls = d.written, d.nulls
	if err := checkRequired(d.out.Resource, o.Replace); err != nil {
		return nil, err
	}
	return d.out, nil
}

type decoder struct {
	parser
	t   *ResourceType
	out *Decoded
}

// envelope checks schemas (S-24, C-08) and returns the URNs it lists, folded.
func (d *decoder) envelope(n scim.Node) (map[string]bool, error) {
	listed := map[string]bool{}
	schemas, _ := n.Find("schemas")
	items := schemas.Items
	if schemas.Kind == scim.NodeString {
		items = []scim.Node{schemas}
	}
	for _, item := range items {
		if item.Kind != scim.NodeString {
			return nil, scim.Bad(scim.InvalidSyntax, "schemas must be an array of URNs; it holds %s.", item.Kind)
		}
		if err := d.listed(item.Str); err != nil {
			return nil, err
		}
		listed[strings.ToLower(item.Str)] = true
	}
	if !listed[strings.ToLower(d.t.Schema.ID)] && !d.InferSchemas {
		return nil, scim.Bad(scim.InvalidSyntax, "schemas must list %q, the schema of a %s.", d.t.Schema.ID, d.t.Name)
	}
	return listed, nil
}

func (d *decoder) listed(urn string) error {
	for _, u := range d.t.Layout.URNs() {
		if strings.EqualFold(u, urn) {
			return nil
		}
	}
	if urn == entraGroupURN {
		return nil
	}
	if d.Reject {
		return scim.Bad(scim.InvalidSyntax, "schemas lists \"%s\", which a %s does not have here%s",
			printable(urn), d.t.Name, didYouMean(urn, d.t.Layout.URNs()))
	}
	d.ignored(func() string {
		return fmt.Sprintf("schemas lists %s, which a %s does not have here: ignored%s",
			printable(urn), d.t.Name, didYouMean(urn, d.t.Layout.URNs()))
	})
	return nil
}

func (d *decoder) member(m *scim.Member, listed map[string]bool) error {
	a := d.t.Layout.Find(m.Name)
	switch {
	case a == nil:
		return d.unknownMember(m.Name)
	case a.Mutability == scim.ReadOnly:
		return nil // schemas, id, meta, groups and the like: the server's own (C-02)
	case a.IsExtension() && !listed[strings.ToLower(a.Name)]:
		if d.Reject {
			return scim.Bad(scim.InvalidSyntax, "The body has attributes of %q, which schemas does not list; list it.", a.Name)
		}
		d.ignored(func() string { return "the body has attributes of " + a.Name + ", which schemas does not list" })
	}
	v, err := d.attribute(a, m.Value)
	if err != nil {
		return located(a, err)
	}
	d.out.Resource.Set(a, v)
	d.note(a, v)
	return nil
}

func (d *decoder) unknownMember(name string) error {
	if d.Reject {
		return scim.Bad(scim.InvalidSyntax, "The attribute \"%s\" %s", printable(name), d.whyUnknown(name))
	}
	d.ignored(func() string { return "the attribute " + printable(name) + " was ignored: it " + d.whyUnknown(name) })
	return nil
}

func (d *decoder) whyUnknown(name string) string {
	if d.t.Known(name) {
		return "is not served by this configuration"
	}
	return "is not defined by any schema of a " + d.t.Name + didYouMean(name, paths(d.t.Layout))
}
