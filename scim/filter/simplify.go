package filter

// Walk calls f for e and what it holds, from the top. Where f returns false it
// goes no deeper.
func Walk(e Expr, f func(Expr) bool) {
	if e == nil || !f(e) {
		return
	}
	switch e := e.(type) {
	case And:
		for _, t := range e {
			Walk(t, f)
		}
	case Or:
		for _, t := range e {
			Walk(t, f)
		}
	case Not:
		Walk(e.Term, f)
	case *Element:
		Walk(e.Where, f)
	}
}

// Map is e with f of everything in it that is no and, or or not.
func Map(e Expr, f func(Expr) Expr) Expr {
	all := func(in []Expr) []Expr {
		out := make([]Expr, len(in))
		for i, t := range in {
			out[i] = Map(t, f)
		}
		return out
	}
	switch e := e.(type) {
	case nil:
		return nil
	case And:
		return And(all(e))
	case Or:
		return Or(all(e))
	case Not:
		return Not{Term: Map(e.Term, f)}
	}
	return f(e)
}

// AndOf joins filters: flat, without constants and without the needless. It is
// False if one term is, True if no term restricts, and nil if all terms are nil
// or there are none: nil is "everything", as in a query without a filter.
func AndOf(exprs ...Expr) Expr {
	var terms And
	var none Expr
	for _, e := range exprs {
		switch e := e.(type) {
		case nil:
		case True:
			none = e
		case False:
			return e
		case And:
			terms = append(terms, e...)
		default:
			terms = append(terms, e)
		}
	}
	switch len(terms) {
	case 0:
		return none
	case 1:
		return terms[0]
	}
	return terms
}

// OrOf joins alternatives: flat and without constants. It is True if one term is
// True or nil, and False if there is none.
func OrOf(exprs ...Expr) Expr {
	var terms Or
	for _, e := range exprs {
		switch e := e.(type) {
		case nil, True:
			return True{}
		case False:
		case Or:
			terms = append(terms, e...)
		default:
			terms = append(terms, e)
		}
	}
	switch len(terms) {
	case 0:
		return False{}
	case 1:
		return terms[0]
	}
	return terms
}

// NotOf negates: constants and double negations fall away.
func NotOf(e Expr) Expr {
	switch e := e.(type) {
	case nil, True:
		return False{}
	case False:
		return True{}
	case Not:
		return e.Term
	}
	return Not{e}
}

// Simplify folds constants, flattens And in And and Or in Or, and takes double
// negations away. The result is True, False, or holds neither, except that an
// Element may ask for True: any element at all. nil stays nil.
func Simplify(e Expr) Expr {
	switch e := e.(type) {
	case And:
		if s := AndOf(simplifyAll(e)...); s != nil {
			return s
		}
		return True{}
	case Or:
		return OrOf(simplifyAll(e)...)
	case Not:
		return NotOf(Simplify(e.Term))
	case *Element:
		return simplifyElement(e)
	}
	return e
}

func simplifyAll(terms []Expr) []Expr {
	out := make([]Expr, len(terms))
	for i, t := range terms {
		out[i] = Simplify(t)
	}
	return out
}

func simplifyElement(e *Element) Expr {
	c := *e
	c.Where = Simplify(e.Where)
	if _, never := c.Where.(False); never {
		return False{}
	}
	return &c
}

// Equal reports whether two filters have the same text: positions and bindings
// do not count.
func Equal(a, b Expr) bool {
	switch a := a.(type) {
	case And:
		b, ok := b.(And)
		return ok && equalTerms(a, b)
	case Or:
		b, ok := b.(Or)
		return ok && equalTerms(a, b)
	case Not:
		b, ok := b.(Not)
		return ok && Equal(a.Term, b.Term)
	case *Compare:
		b, ok := b.(*Compare)
		return ok && a.Name == b.Name && a.Op == b.Op && a.Value == b.Value
	case *Element:
		b, ok := b.(*Element)
		return ok && a.Name == b.Name && Equal(a.Where, b.Where)
	}
	return a == b
}

func equalTerms(a, b []Expr) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}
