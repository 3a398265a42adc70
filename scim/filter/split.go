package filter

// Caps say which connectives a backend has besides and.
type Caps struct{ Or, Not bool }

// Split divides e into what a backend can answer and what remains: e is true
// exactly where both are, and nil is true everywhere (F-34). push translates a
// *Compare or *Element into the backend's words if it can be done exactly. It is
// asked for leaves only, and sometimes for "eq null" in place of not(… pr).
//
// Conjunctions split term by term, wherever they stand: within and, or under a
// not that De Morgan's laws move inwards. Or and not go whole or not at all.
func Split(e Expr, push func(leaf Expr) (Expr, bool), caps Caps) (pushed, rest Expr) {
	s := splitter{push: push, caps: caps}
	s.split(e, false)
	pushed = AndOf(s.pushed...)
	switch pushed.(type) {
	case True:
		pushed = nil
	case False:
		return pushed, nil
	}
	return pushed, AndOf(s.rest...)
}

type splitter struct {
	push         func(Expr) (Expr, bool)
	caps         Caps
	pushed, rest []Expr
}

// split divides e, or its negation.
func (s *splitter) split(e Expr, negated bool) {
	switch e := e.(type) {
	case nil:
		s.constant(!negated)
		return
	case Not:
		s.split(e.Term, !negated)
		return
	case And:
		if !negated {
			s.splitAll(e, negated)
			return
		}
	case Or:
		if negated {
			s.splitAll(e, negated)
			return
		}
	}
	if t, ok := s.whole(e, negated); ok {
		s.pushed = append(s.pushed, Simplify(t))
	} else if negated {
		s.rest = append(s.rest, Not{e})
	} else {
		s.rest = append(s.rest, e)
	}
}

func (s *splitter) splitAll(terms []Expr, negated bool) {
	for _, t := range terms {
		s.split(t, negated)
	}
}

func (s *splitter) constant(is bool) {
	if !is {
		s.pushed = append(s.pushed, False{})
	}
}

// whole translates e, or its negation, or says that it cannot be done. Every
// node is visited once.
func (s *splitter) whole(e Expr, negated bool) (Expr, bool) {
	switch e := e.(type) {
	case nil, True:
		return constant(!negated), true
	case False:
		return constant(negated), true
	case Not:
		return s.whole(e.Term, !negated)
	case And:
		return s.terms(e, negated, negated)
	case Or:
		return s.terms(e, negated, !negated)
	}
	return s.leaf(e, negated)
}

func constant(is bool) Expr {
	if is {
		return True{}
	}
	return False{}
}

// terms joins the translated terms by or, if any of them is enough, else by and.
// Without or, not(not a and not b) says the same.
func (s *splitter) terms(terms []Expr, negated, either bool) (Expr, bool) {
	inside := negated
	if either && !s.caps.Or {
		if !s.caps.Not {
			return nil, false
		}
		inside = !negated
	}
	out := make([]Expr, len(terms))
	for i, t := range terms {
		x, ok := s.whole(t, inside)
		if !ok {
			return nil, false
		}
		out[i] = x
	}
	switch {
	case !either:
		return And(out), true
	case s.caps.Or:
		return Or(out), true
	}
	return Not{And(out)}, true
}

func (s *splitter) leaf(e Expr, negated bool) (Expr, bool) {
	if !negated {
		return s.push(e)
	}
	if c, ok := e.(*Compare); ok {
		if n := opposite(c); n != nil {
			if t, ok := s.push(n); ok {
				return t, true
			}
		}
	}
	if !s.caps.Not {
		return nil, false
	}
	t, ok := s.push(e)
	return Not{t}, ok
}

// opposite is the comparison that is true exactly where c is not, if there is
// one: only questions about presence have it, whatever the number of values.
func opposite(c *Compare) *Compare {
	n := *c
	switch {
	case c.Op == Pr:
		n.Op = Eq
	case c.Value.Kind != Null:
		return nil
	case c.Op == Eq, c.Op == Ne:
		n.Op = Pr
		if c.Op == Ne {
			n.Op = Eq
		}
	default:
		return nil
	}
	n.Value = Value{}
	return &n
}
