package sql

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql/named"
	"github.com/postern/postern/adapters/steps"
)

// A target may say its own statements: a view is read, and procedures, or whatever
// the application changes its tables by, write. They are steps as those of every
// other kind of backend, but all steps of an operation are one transaction, which
// also looks whether the record still holds what it held and reads what it holds
// afterwards. A value is a name in the statement and is bound.

// A Step is one statement as it is written.
type Step struct {
	steps.Written
	Statement steps.Text
	With      []steps.Pair // further names: expressions
}

// Own are statements that change records in place of those that are derived.
type Own struct {
	Create, Update, Delete       steps.Operation // nil: they are derived
	NoCreate, NoUpdate, NoDelete bool            // what clients cannot do
	Members                      map[string]*steps.Members

	written steps.Target[Step]
}

// OwnTarget is what the configuration says about one kind of object.
type OwnTarget struct {
	steps.Target[Step]
	NoCreate, NoUpdate, NoDelete bool
	Made                         bool     // something else than the statements of create makes the key
	Lists                        []string // fields of several values that stand in other tables
	Lookups                      []Lookup
}

// CompileOwn reads the statements of a target. What a statement may say depends on
// the kind of database, which the dsn tells. It does no I/O.
func CompileOwn(dsn string, w OwnTarget) (*Own, []steps.Problem) {
	scheme, _, _ := strings.Cut(dsn, ":")
	c := &ownCompiler{kind: kindOf(scheme), target: &w}
	o, problems := steps.Compile(c.tongue(), w.Target)
	own := &Own{Create: o.Create, Update: o.Update, Delete: o.Delete, Members: o.Members,
		NoCreate: w.NoCreate, NoUpdate: w.NoUpdate, NoDelete: w.NoDelete, written: w.Target}
	c.checkKey(own, &problems)
	return own, problems
}

func kindOf(scheme string) named.Kind {
	switch scheme {
	case "postgres", "postgresql":
		return named.Postgres
	case "mysql", "mariadb":
		return named.MariaDB
	case "sqlite":
		return named.SQLite
	}
	return named.Unknown
}

// Says reports whether the statements of an operation name a field.
func (o *Own) Says(op, field string) bool {
	all := map[string]steps.Operation{"create": o.Create, "update": o.Update, "delete": o.Delete}[op]
	return says(all, field)
}

func says(op steps.Operation, field string) bool {
	short := strings.TrimPrefix(field, listPrefix)
	root, _, _ := strings.Cut(short, ".")
	if op.Names(root, "record", "changes") {
		return true
	}
	return slices.ContainsFunc(op, func(st *steps.Step) bool {
		c, ok := st.Call.(*ownCall)
		return ok && slices.ContainsFunc(c.params, func(p ownParam) bool { return p.field == field })
	})
}

// listPrefix begins the names of fields that are lists in other tables; statements
// say them without it.
const listPrefix = "$"

// needed are those of some rights on the table that statements which are derived need.
func (o *Own) needed(rights []string) []string {
	if o == nil {
		return rights
	}
	without := map[string]bool{"insert": o.Create != nil || o.NoCreate, "update": o.Update != nil || o.NoUpdate, "delete": o.Delete != nil || o.NoDelete}
	return slices.DeleteFunc(rights, func(r string) bool { return without[r] })
}

func (o *Own) creates() bool { return o != nil && o.Create != nil }

// answered are the names that expressions see once a statement was sent.
var answered = steps.Roots{"row", "rows", "sets", "affected", "code", "state", "message", "steps", "client", "item"}

type ownCompiler struct {
	kind   named.Kind
	target *OwnTarget
}

func (c *ownCompiler) tongue() steps.Tongue[Step] {
	return steps.Tongue[Step]{
		Answer: answered,
		Common: func(s *Step) (*steps.Written, *Step) { return &s.Written, nil },
		Call:   c.call,
		Wants:  steps.Examples{Record: "record: row", Records: "records: rows"},
	}
}

// checkKey reports a create of which nobody learns the key.
func (c *ownCompiler) checkKey(o *Own, problems *[]steps.Problem) {
	tells := func(st *steps.Step) bool { return st.Key != nil }
	if o.Create == nil || c.target.Made || len(*problems) > 0 || slices.ContainsFunc(o.Create, tells) {
		return
	}
	last := c.target.Create[len(c.target.Create)-1]
	*problems = append(*problems, steps.Problem{At: last.At, Message: "no step of create tells the key of the new record",
		Hint: "add key, as in key: row.id, perhaps to a further step that looks it up: {statement: 'SELECT id FROM people WHERE login = :login', key: row.id}"})
}

// checkOwn lists what own statements cannot stand beside.
func (t *Table) checkOwn() []error {
	if t.Own == nil || !t.Distinct {
		return nil
	}
	return []error{fmt.Errorf("table %q: there are no own statements for records that are made of several rows", t.Name)}
}

var errNoKeyTold = errors.New("no statement of create told the key")

func internal(op string, err error) error {
	return &adapters.Error{Kind: adapters.Internal, Op: op, Err: err}
}
