package patch

import (
	"slices"
	"strings"

	"github.com/postern/postern/scim"
)

// A Rewrite is a habit of known clients that RFC 7644 does not have, and what it
// is read as. Operation.Rewrites holds the names of those that were used.
type Rewrite struct {
	Name string // in lower case with hyphens
	Doc  string // one sentence

	stage  stage
	always bool // also when Options.Strict
	// apply changes the draft if it shows the habit, and reports whether it did.
	apply func(*draft) bool
}

// A stage is the moment at which a rewrite is tried.
type stage uint8

const (
	ofRequest   stage = iota // named only; the envelope does it
	ofOperation              // op, path and value are JSON
	ofKey                    // a name in a value without path
	ofName                   // the path's attribute is not found
	ofValue                  // the target is known, the value is JSON
	ofRemoval                // named only; a remove with a value
)

// Rewrites that are not one change of one draft have their names here.
const (
	noSchemas     = "missing-schemas"
	listOfRemove  = "remove-list"
	valueOfRemove = "remove-value-ignored"
)

// Rewrites lists all rewrites in the order in which they are tried.
func Rewrites() []Rewrite { return slices.Clone(rewrites[:]) }

// rewrites is only read.
var rewrites = [...]Rewrite{
	{noSchemas, "A body without schemas is a PatchOp (Okta's group push).", ofRequest, false, nil},
	{"op-case", "The case of op has no meaning (P-05, Entra).", ofOperation, true, lowerOp},
	{"empty-path", `A path of "" is no path.`, ofOperation, false, dropEmptyPath},
	{"wrapped-object", "Without a path, an array of one object is that object.", ofOperation, false, unwrapObject},
	{"key-as-path", `A name such as "name.givenName" or "urn:...:User:department" in a value without path is a path (P-56, Entra).`, ofKey, false, keyAsPath},
	{"name-without-urn", "An attribute that only an extension has needs no URN in a path (Entra's manager).", ofName, false, addURN},
	{"array-of-one", "An array of one where a single value belongs is that value (P-41, Entra's manager).", ofValue, false, unwrapArray},
	{"empty-string", `"" unassigns (P-55, Entra).`, ofValue, false, emptyString},
	{"string-boolean", `"True" and "False" are booleans (P-58, Entra).`, ofValue, false, stringBoolean},
	{"bare-value", "A string where an object with a value belongs is its value (P-59, the manager's id).", ofValue, false, bareValue},
	{"one-for-many", "A single value where an array belongs is its one element (P-41).", ofValue, false, wrapOne},
	{"empty-reference", "A reference without value is unassigned (P-59, Entra's manager).", ofValue, false, emptyReference},
	{"server-ref", "$ref beside value is left to the server, be it null or wrong (R-18, Entra).", ofValue, false, dropRef},
	{listOfRemove, "A remove with values removes these and no others (P-48, Entra).", ofRemoval, true, nil},
	{valueOfRemove, "The value in a remove of a single value is not heeded.", ofRemoval, true, nil},
}

// rewrite tries the rewrites of a stage on the draft.
func (p *parser) rewrite(d *draft, at stage) {
	for i := range rewrites {
		r := &rewrites[i]
		if r.stage != at || (p.Strict && !r.always) {
			continue
		}
		if r.apply(d) {
			d.note(r.Name)
		}
	}
}

func lowerOp(d *draft) bool {
	low := strings.ToLower(d.word)
	changed := low != d.word && slices.Contains(opNames[:], low)
	if changed {
		d.word = low
	}
	return changed
}

func dropEmptyPath(d *draft) bool {
	empty := d.hasPath && d.path == ""
	if empty {
		d.hasPath = false
	}
	return empty
}

func unwrapObject(d *draft) bool {
	if d.hasPath || len(d.value.Items) != 1 || d.value.Items[0].Kind != scim.NodeObject {
		return false
	}
	d.value = d.value.Items[0]
	return true
}

func keyAsPath(d *draft) bool {
	d.keyIsPath = strings.ContainsAny(d.path, ".:[")
	return d.keyIsPath
}

// addURN is for paths only: in values, attributes of an extension outside its
// container stay unknown (S-25).
func addURN(d *draft) bool {
	found := ""
	for _, e := range d.t.Layout.Extensions {
		if d.t.Layout.Resolve(e.Name+":"+d.name) == nil {
			continue
		}
		if found != "" {
			return false // of which one?
		}
		found = e.Name
	}
	if found == "" && !d.t.Known(d.name) && d.t.Known(scim.EnterpriseUserSchema+":"+d.name) {
		found = scim.EnterpriseUserSchema // not served here, but no mistake either
	}
	if found != "" {
		d.name = found + ":" + d.name
	}
	return found != ""
}

func unwrapArray(d *draft) bool {
	if d.many() || len(d.value.Items) != 1 || d.op == Remove {
		return false
	}
	d.value = d.value.Items[0]
	return true
}

func emptyString(d *draft) bool {
	if d.many() || d.value.Kind != scim.NodeString || d.value.Str != "" {
		return false
	}
	d.value = scim.Node{Offset: d.value.Offset}
	return true
}

func stringBoolean(d *draft) bool {
	if d.aimed().Type != scim.TypeBoolean || d.value.Kind != scim.NodeString || !isBooleanWord(d.value.Str) {
		return false
	}
	d.value.Kind, d.value.Str = scim.NodeBool, strings.ToLower(d.value.Str)
	return true
}

// bareValue also serves the elements of a list.
func bareValue(d *draft) bool {
	a := d.aimed()
	if a.Type != scim.TypeComplex || a.Find("value") == nil {
		return false
	}
	if isScalar(d.value) {
		d.value = valueObject(d.value)
		return true
	}
	if !slices.ContainsFunc(d.value.Items, isScalar) {
		return false
	}
	d.value.Items = slices.Clone(d.value.Items)
	for i, n := range d.value.Items {
		if isScalar(n) {
			d.value.Items[i] = valueObject(n)
		}
	}
	return true
}

func valueObject(n scim.Node) scim.Node {
	return scim.Node{Kind: scim.NodeObject, Members: []scim.Member{{Name: "value", Value: n}}, Offset: n.Offset}
}

func wrapOne(d *draft) bool {
	if !d.many() || d.value.Kind == scim.NodeArray || d.value.Kind == scim.NodeNull {
		return false
	}
	d.value = scim.Node{Kind: scim.NodeArray, Items: []scim.Node{d.value}, Offset: d.value.Offset}
	return true
}

func emptyReference(d *draft) bool {
	a := d.aimed()
	if a.MultiValued || a.Type != scim.TypeComplex || a.IsExtension() || a.Find("value") == nil || d.value.Kind != scim.NodeObject {
		return false
	}
	id, ok := d.value.Find("value")
	if len(d.value.Members) > 0 && (!ok || (id.Kind != scim.NodeNull && (id.Kind != scim.NodeString || id.Str != ""))) {
		return false
	}
	d.value = scim.Node{Offset: d.value.Offset}
	return true
}

// dropRef takes $ref from references. Of a list, elements that hold nothing but
// $ref keep it, to be refused for want of a value.
func dropRef(d *draft) bool {
	a := d.aimed()
	if a.Type != scim.TypeComplex || a.Find("value") == nil || a.Mutability == scim.ReadOnly {
		return false
	}
	if d.value.Kind == scim.NodeObject {
		n, dropped := withoutRef(d.value)
		d.value = n
		return dropped
	}
	any := false
	for i, n := range d.value.Items {
		without, dropped := withoutRef(n)
		if !dropped {
			continue
		}
		if !any {
			d.value.Items, any = slices.Clone(d.value.Items), true
		}
		d.value.Items[i] = without
	}
	return any
}

func withoutRef(n scim.Node) (scim.Node, bool) {
	at := slices.IndexFunc(n.Members, func(m scim.Member) bool { return strings.EqualFold(m.Name, "$ref") })
	if _, ok := n.Find("value"); at < 0 || !ok {
		return n, false
	}
	n.Members = slices.Concat(n.Members[:at], n.Members[at+1:])
	return n, true
}
