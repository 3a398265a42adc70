package sql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
)

// A Problem is what Inspect found in the database.
type Problem struct {
	Table   string
	Column  string // "" if it is about the table
	Text    string // one sentence, without values
	Warning bool   // it works, but not well
	Reuse   bool   // it is that keys come back
	Written bool   // it is one only if clients can write the column
}

func (p Problem) String() string {
	name := p.Table
	if p.Column != "" {
		name += "." + p.Column
	}
	return name + ": " + p.Text
}

// Inspect compares the table's description with the database: all problems at
// once. lookups names the fields that are looked up by value and so should lead an
// index. The error says that the database does not answer.
func (a *Adapter) Inspect(ctx context.Context, lookups ...string) ([]Problem, error) {
	a.forget()
	in := &inspection{a: a}
	err := a.db.view(ctx, "probe", false, func(ctx context.Context, s session) error {
		in.found, in.s = nil, s
		if err := in.table(ctx, lookups); err != nil {
			return err
		}
		if err := in.shapes(ctx); err != nil {
			return err
		}
		if err := in.newKey(ctx); err != nil {
			return err
		}
		for i := range a.table.Relations {
			if err := in.relation(ctx, &a.table.Relations[i]); err != nil {
				return err
			}
		}
		for i := range a.table.References {
			if err := in.target(ctx, &a.table.References[i].Refers); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := in.writable(ctx); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(in.found, func(p Problem) bool { return !p.Warning }) { // whatever else keeps statements from being derived
		if _, err := a.plan(ctx, "probe"); err != nil {
			return nil, err
		}
	}
	return in.found, nil
}

// writable begins a change and makes none.
func (in *inspection) writable(ctx context.Context) error {
	db := in.a.db
	if db.readOnly {
		in.say(in.a.table.Name, "", true, "the database is opened to be read only")
		return nil
	}
	err := db.change(ctx, "probe", func(context.Context, session) error { return nil })
	if adapters.Is(err, adapters.Denied) {
		in.say(in.a.table.Name, "", false, "the database cannot be written")
		return nil
	}
	return err
}

type inspection struct {
	a     *Adapter
	s     session
	found []Problem
}

// say adds a problem, unless it was found from another side already.
func (in *inspection) say(table, column string, warning bool, format string, args ...any) {
	p := Problem{Table: table, Column: column, Text: fmt.Sprintf(format, args...), Warning: warning}
	if !slices.Contains(in.found, p) {
		in.found = append(in.found, p)
	}
}

func (in *inspection) table(ctx context.Context, lookups []string) error {
	a := in.a
	t, err := in.schema(ctx, a.table.Name)
	if t == nil {
		return err
	}
	for i, name := range a.caps.Shape.Names() {
		if a.relations[i] == nil && !a.special(name) && !a.lies(name) {
			in.computed(t.name, name, in.column(t, name))
		}
	}
	whole := true
	for _, name := range a.table.Key {
		whole = in.column(t, name) != nil && whole
	}
	if whole {
		if err := in.key(ctx, t); err != nil {
			return err
		}
	}
	if err := in.rights(ctx, t); err != nil {
		return err
	}
	if err := in.derivable(ctx, t); err != nil {
		return err
	}
	for _, note := range t.notes {
		in.say(t.name, "", true, "%s", note)
	}
	for _, name := range lookups {
		if c := t.column(name); c != nil && !c.indexed && !t.view {
			in.say(t.name, c.name, true, "no index begins with this column, and it is looked up by value")
		}
	}
	return nil
}

// rights says what the credential may not do, where the database can tell.
func (in *inspection) rights(ctx context.Context, t *schema) error {
	missing, err := in.a.db.dialect.missing(ctx, in.s, t.name)
	missing = in.a.table.Own.needed(missing)
	if err != nil || len(missing) == 0 || in.a.db.readOnly && !slices.Contains(missing, "select") {
		return err
	}
	in.say(t.name, "", t.view && !slices.Contains(missing, "select"), "the credential may not %s here; what needs that will be denied", strings.Join(missing, ", "))
	return nil
}

// schema says so if there is no table of that name.
func (in *inspection) schema(ctx context.Context, name string) (*schema, error) {
	t, err := in.a.db.schema(ctx, in.s, name)
	if !errors.Is(err, errNoTable) {
		return t, err
	}
	there, err := in.a.db.dialect.names(ctx, in.s)
	if err != nil {
		return nil, err
	}
	in.say(name, "", false, "there is no such table%s", meant(name, there))
	return nil, nil
}

func (in *inspection) column(t *schema, name string) *column {
	c := t.column(name)
	if c == nil {
		var there []string
		for _, k := range slices.Sorted(maps.Keys(t.columns)) {
			there = append(there, t.columns[k].name)
		}
		in.say(t.name, name, false, "there is no such column%s", meant(name, there))
	}
	return c
}

// computed warns of a column that only the database writes.
func (in *inspection) computed(table, name string, c *column) {
	if c != nil && c.computed && in.a.table.Own == nil {
		in.found = append(in.found, Problem{Table: table, Column: name, Warning: true, Written: true,
			Text: "the database computes this column, and refuses what clients write there; say mutability: readOnly"})
	}
}

// key checks that the key tells rows apart, and who makes it.
func (in *inspection) key(ctx context.Context, t *schema) error {
	names := in.a.table.Key
	first := t.column(names[0])
	if !t.view && !slices.ContainsFunc(t.unique, func(u []string) bool { return within(u, names) }) {
		in.say(t.name, strings.Join(names, ", "), false, "the key is not unique: no unique index is on its columns")
	}
	if !in.a.generated() || t.view || in.a.table.NewKey != (NewKey{}) {
		return nil
	}
	switch {
	case len(names) > 1, !first.rowid && !first.fallback && in.a.caps.Shape.Index(names[0]) < 0:
		in.say(t.name, first.name, true, "the database makes no keys for this column; say generated: false, or map an attribute to it")
	case first.rowid:
		advice, err := in.a.db.dialect.advise(ctx, in.s, t)
		for _, text := range advice {
			in.found = append(in.found, Problem{Table: t.name, Column: first.name, Text: text, Warning: true, Reuse: true})
		}
		return err
	}
	return nil
}

func (in *inspection) relation(ctx context.Context, r *Relation) error {
	t, err := in.schema(ctx, r.Table)
	if t == nil {
		return err
	}
	for _, name := range []string{r.Owner, r.Member} {
		if c := in.column(t, name); c != nil && !c.indexed && !t.view {
			in.say(t.name, c.name, true, "no index begins with this column, and members are looked up by it")
		}
	}
	if err := in.held(ctx, r.table, r.OwnerHolds); err != nil {
		return err
	}
	if err := in.rights(ctx, t); err != nil || r.Refers == nil {
		return err
	}
	if err := in.held(ctx, r.Refers.Table, r.MemberHolds); err != nil {
		return err
	}
	return in.target(ctx, r.Refers)
}

// held checks a column that a join table holds in place of the key.
func (in *inspection) held(ctx context.Context, table, column string) error {
	if column == "" {
		return nil
	}
	t, err := in.schema(ctx, table)
	if t == nil {
		return err
	}
	if c := in.column(t, column); c != nil && !t.view && !slices.ContainsFunc(t.unique, func(u []string) bool { return within(u, []string{column}) }) {
		in.say(t.name, c.name, false, "memberships are kept by this column, and it is not unique: no unique index is on it alone")
	}
	return nil
}

func (in *inspection) target(ctx context.Context, to *Target) error {
	target, err := in.schema(ctx, to.Table)
	if target == nil {
		return err
	}
	in.column(target, to.Key)
	return nil
}

// within reports whether all of a are in b, whatever their case.
func within(a, b []string) bool {
	for _, x := range a {
		if !slices.ContainsFunc(b, func(y string) bool { return strings.EqualFold(x, y) }) {
			return false
		}
	}
	return true
}

// meant proposes the nearest of the names that are there.
func meant(name string, there []string) string {
	best, least := "", len(name)/2+1
	for _, t := range there {
		if d := distance(strings.ToLower(name), strings.ToLower(t)); d < least {
			best, least = t, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is the number of edits from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j]+1, last+1)
		}
	}
	return row[len(b)]
}
