package rules

// Refers is the resource type that the rule's field holds keys of, "" if it is no
// reference; list says that it may hold several.
func (r *Rule) Refers() (typ string, list bool) {
	if r.refers == nil {
		return "", false
	}
	return r.refers.typ, r.relation
}

// Writable reports whether clients may change what the rule makes.
func (r *Rule) Writable() bool { return r.writable }
