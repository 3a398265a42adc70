package sql

import (
	"context"
	stdsql "database/sql"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A dialect is what differs from one kind of database to the next. A statement is
// written with "?" for each parameter; a dialect may rewrite it.
type dialect interface {
	// quote makes an identifier of a name that was checked by checkName.
	quote(name string) string

	// relation is the same for the name of a table, before which there may be
	// that of a schema.
	relation(name string) string

	// placed writes a statement with parameters as the driver wants them.
	placed(statement string) string

	// blank is the condition that a column holds the empty text.
	blank(c *column) string

	// truth is a condition that is always true, or never.
	truth(is bool) string

	// probe is a statement that reads something of the database.
	probe() string

	// schema reads what the database says about a table or a view.
	// errNoTable if there is none of that name.
	schema(ctx context.Context, s session, table string) (*schema, error)

	// fields declares what can be asked about a column.
	fields() adapters.Field

	// can reports whether compare can express a comparison exactly; if not, the
	// column is read and compared here.
	can(c *column, cmp *filter.Compare) bool

	// sorts reports whether order can express an order exactly.
	sorts(c *column, m filter.Match) bool

	// compare writes a condition on a column, true of exactly the rows of which
	// filter.Matches is true. It may be null where that is false.
	compare(b *builder, c *column, cmp *filter.Compare)

	// among writes the condition that the text of a column is one of some, and
	// answers false if it has no good way to.
	among(b *builder, c *column, texts []string) bool

	// present writes the condition that a column has a value.
	present(b *builder, c *column)

	// order writes the terms of an ORDER BY.
	order(b *builder, c *column, m filter.Match, descending bool)

	// limit ends a statement that answers at most n rows after some.
	limit(b *builder, n, offset int)

	// holds writes the condition that a column still holds a value as it was read.
	holds(b *builder, c *column, old any)

	// selected is the column in a select list, such that the driver gives it as
	// it is stored.
	selected(c *column) string

	// read turns what the driver gives into the value of a record.
	read(c *column, v any) any

	// write turns the value of a record into what the driver takes.
	write(c *column, v any) (any, error)

	// list is a table of the elements of a JSON array that is bound to one "?":
	// ord counts from 0, value is the element as a column holds it.
	list(c *column) (from, ord, value string)

	// key is a column as the key of records.
	key(c *column) *column

	// pair makes two columns comparable by "=".
	pair(a, b *column) (x, y string)

	// stored writes a parameter that is what a column, or another of the same
	// keys, holds as it was read.
	stored(b *builder, c *column, v any)

	// fits reports whether stored can write a value.
	fits(c *column, v any) bool

	// element is the text of a key as an element of such a list that equals a
	// column; false if the column cannot hold it.
	element(c *column, text string) (any, bool)

	// put is an element of such a list as an INSERT takes it.
	put(value string) string

	// insert sends an INSERT and answers the keys of the rows that it made.
	insert(ctx context.Context, s session, p *plan, m *assignment) ([][]any, error)

	// update sends an UPDATE, of which set is the beginning, and answers the keys that the rows
	// then have of which where was true; none, if there was none, and more than one if
	// there were some, all of which may have been changed.
	update(ctx context.Context, s session, p *plan, set, where *builder, m *assignment) ([][]any, error)

	// deletion begins a DELETE of a table under an alias.
	deletion(table, alias string) string

	// defaults ends an INSERT of nothing but defaults.
	defaults() string

	// unions reports whether the rows of which one of several conditions is true are
	// better looked up for each.
	unions() bool

	// snapshot is how a transaction begins in which all is read of one moment.
	snapshot() *stdsql.TxOptions

	// lock ends a SELECT of rows that nobody else is to change meanwhile.
	lock() string

	// missing lists what the credential may not do with a table, of select,
	// insert, update and delete.
	missing(ctx context.Context, s session, table string) ([]string, error)

	// deferred is a statement that lets references be without targets until the
	// transaction ends.
	deferred() string

	// exactly is an expression of a column that compares byte for byte.
	exactly(c *column) string

	// classify says what a driver's error means.
	classify(err error) failure

	// advise says what about a table with generated keys may surprise.
	advise(ctx context.Context, s session, t *schema) ([]string, error)

	// names lists the tables and views that there are.
	names(ctx context.Context, s session) ([]string, error)
}

// A failure is what a driver's error means.
type failure struct {
	kind    adapters.Kind
	table   string   // the table at fault, if known
	columns []string // its columns at fault, if known
	index   string   // or the index that names them
	busy    bool     // another transaction was in the way: the whole operation may be tried again
	stale   bool     // the table is not what it was when its schema was read
	foreign bool     // a reference has no target, or a target is referred to
}

// A kind is how a column stores values, as far as comparisons care.
type kind uint8

const (
	anyKind     kind = iota // whatever is put in
	textKind                // text only
	integerKind             // integers where a value is one, else whatever it is
	realKind                // floating point
	timeKind                // instants, in any of several forms
	boolKind                // true and false
	bytesKind               // bytes
)

// A schema is what the database says about a table.
type schema struct {
	name    string
	columns map[string]*column  // by folded name
	unique  [][]string          // the columns of each unique index, in order
	named   map[string][]string // words in the definition of each index, by its folded name
	view    bool                // nothing is known about its keys
	notes   []string            // what about it may surprise

	returning bool // MariaDB: it answers what it inserts
	triggered bool // SQLite and PostgreSQL: an INSERT may do more
	amended   bool // PostgreSQL: an UPDATE may do more
	later     bool // PostgreSQL: also after it has answered

	pairs [][2]string // PostgreSQL: the columns of unique indexes on two that refuse at once
}

// A column is a column of a table, as statements use it.
type column struct {
	name      string
	ref       string // qualified and quoted, as in t."login"
	quoted    string
	table     string // its table, quoted
	kind      kind
	number    bool // text that is no number does not belong in it
	rowid     bool // the integer that the database makes
	notNull   bool
	emptyText bool // the default is the empty text
	fallback  bool // there is a default
	computed  bool
	indexed   bool // leads an index
	folded    bool // leads an index that ignores the case of ASCII letters
	alone     bool // a unique index is on it alone
	exact     bool // leads an index that compares byte for byte
	local     bool // its order in the database is not that of its bytes
	pg        pgColumn
	my        myColumn
}

// alias is the alias of its table.
func (c *column) alias() string { return strings.TrimSuffix(c.ref, "."+c.quoted) }

// under is the column under another alias of its table.
func (c *column) under(alias string) *column {
	d := *c
	d.ref = alias + "." + c.quoted
	return &d
}
