package patch

import "github.com/postern/postern/scim"

// A MemberDelta is what a request changes in one list of references: elements to
// add and elements to remove, told apart by their value. No value is in both.
// Either may already be so: to add what is there and to remove what is not
// changes nothing.
type MemberDelta struct {
	Attr        *scim.Attribute
	Add, Remove []scim.Value // elements; those to remove may hold only their value
}

// MembersOnly gives the net effect of operations that do nothing but add and
// remove elements of lists of references by value. Then, and only then, ok is
// true, and the request needs no look at the resource (P-64): Apply would say the
// same of any state of it.
func MembersOnly(ops []Operation) (deltas []MemberDelta, ok bool) {
	if len(ops) == 0 {
		return nil, false
	}
	var nets []*net
	for i := range ops {
		if !ops[i].byValue() {
			return nil, false
		}
		nets = ops[i].into(nets)
	}
	for _, n := range nets {
		deltas = append(deltas, n.delta())
	}
	return deltas, true
}

// byValue reports whether the operation's effect on each element depends on the
// element's value alone.
func (o *Operation) byValue() bool {
	a := o.Attr
	if o.elementwise() || !a.MultiValued || !isReferences(a) || o.Op == Replace || o.unassigns() {
		return false
	}
	// A list that must not change, or not become empty, has to be looked at; and
	// a new primary element takes primary from the others.
	return o.locked() == nil && a.Mutability == scim.ReadWrite && !a.Required && !o.setsPrimary()
}

func (o *Operation) setsPrimary() bool {
	primary := o.Attr.Find("primary")
	if primary == nil {
		return false
	}
	for _, e := range o.Value.Elems() {
		if e.Get(primary).Present() {
			return true
		}
	}
	return false
}

// A net adds up operations on one attribute, in order: the last one to name a
// value decides.
type net struct {
	attr  *scim.Attribute
	keys  keys
	at    map[string]int
	elems []scim.Value
	added []bool // or removed, in the end
	gone  []bool // removed at some time
}

func newNet(a *scim.Attribute) *net {
	return &net{attr: a, keys: keysOf(a), at: map[string]int{}}
}

func (o *Operation) into(nets []*net) []*net {
	for _, n := range nets {
		if n.attr == o.Attr {
			n.take(o)
			return nets
		}
	}
	n := newNet(o.Attr)
	n.take(o)
	return append(nets, n)
}

func (n *net) take(o *Operation) {
	for _, e := range o.Value.Elems() {
		i, seen := n.at[n.keys.of(e)]
		if !seen {
			i = len(n.elems)
			n.at[n.keys.of(e)] = i
			n.elems, n.added, n.gone = append(n.elems, e), append(n.added, false), append(n.gone, false)
		}
		switch {
		case o.Op == Remove:
			n.gone[i] = true
		case !n.added[i]:
			n.elems[i] = e // the one that is added says more than the one that was removed
		default:
			l := elements{attr: n.attr, list: n.elems}
			if l.complete(i, e) != nil {
				n.elems[i] = e // never: the value is the same, and no other part is an error
			}
		}
		n.added[i] = o.Op == Add
	}
}

func (n *net) delta() MemberDelta {
	d := MemberDelta{Attr: n.attr}
	for i, e := range n.elems {
		if n.added[i] {
			d.Add = append(d.Add, e)
		} else {
			d.Remove = append(d.Remove, e)
		}
	}
	return d
}

// runByValue counts the operations at the front that add and remove elements of
// one list by value.
func runByValue(ops []Operation) int {
	n := 0
	for n < len(ops) && ops[n].Attr == ops[0].Attr && ops[n].byValue() {
		n++
	}
	return n
}

// applyRun does at once what the operations of a run do one after another, so
// that a thousand of them do not look at a large group a thousand times.
func applyRun(r *scim.Resource, run []Operation) error {
	n := newNet(run[0].Attr)
	for i := range run {
		n.take(&run[i])
	}
	var gone []scim.Value
	for i, e := range n.elems {
		if n.gone[i] {
			gone = append(gone, e)
		}
	}
	out := Operation{Op: Remove, Attr: n.attr, Value: scim.List(gone...)}
	in := Operation{Op: Add, Attr: n.attr}
	now, err := in.addAll(out.removeListed(r.Get(n.attr)), n.delta().Add)
	if err != nil {
		return err
	}
	r.Set(n.attr, now)
	return nil
}
