package sql

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql/named"
	"github.com/postern/postern/adapters/steps"
)

// An ownParam is where the value of a name comes from: an expression, a field of the
// record, a column of its key, or what belongs to the operation.
type ownParam struct {
	name  string
	expr  *steps.Expr
	field string
	part  int // of the key, from 1
}

// Names that every statement knows.
const (
	keyName    = "key"
	itemName   = "item"
	clientName = "client"
)

// param finds out what a name means.
func (c *ownCompiler) param(p *steps.Compiler, op string, s *Step, par named.Param, with map[string]*steps.Expr) ownParam {
	out := ownParam{name: par.Name}
	if e, said := with[par.Name]; said {
		out.expr = e
		return out
	}
	t, wrong := c.target, func(hint, message string) {
		p.Problems = append(p.Problems, steps.Problem{At: s.Statement, Offset: par.At, Length: len(par.Name) + 1, Message: message, Hint: hint})
	}
	if i := indexFold(t.Key, par.Name); i >= 0 && (op != "create" || indexFold(t.Fields, par.Name) < 0) {
		out.part = i + 1
		if op == "create" && !t.Made {
			wrong("it is what a statement of create tells: key: row."+par.Name, "the key of a new record is not known yet")
		}
		return out
	}
	if field := c.field(par.Name); field != "" && op != "members" {
		if out.field = field; slices.Contains(t.Lists, field) {
			short := strings.TrimPrefix(field, listPrefix)
			wrong("as in each: record."+short+" and with: {address: item.value}", "the field "+short+" holds several values, and a statement takes one")
		}
		return out
	}
	switch par.Name {
	case keyName:
		if op == "create" && !t.Made {
			wrong("it is what a statement of create tells: key: row.id", "the key of a new record is not known yet")
		}
		return out
	case clientName:
		return out
	case itemName:
		if op == "members" || s.Each.Value != "" {
			return out
		}
		wrong("add each, or name a field", "there is no item here")
		return out
	}
	wrong(c.known(op, par.Name, with), "the statement names :"+par.Name+", which is nothing here")
	return out
}

// known says which names there are.
func (c *ownCompiler) known(op, name string, with map[string]*steps.Expr) string {
	all := []string{keyName, clientName}
	if op == "members" {
		all = append(all, itemName)
	} else {
		for _, f := range c.target.Fields {
			if !slices.Contains(c.target.Lists, f) {
				all = append(all, f)
			}
		}
	}
	for n := range with {
		all = append(all, n)
	}
	if n := steps.Nearest(name, all); n != "" {
		return "did you mean :" + n + "?"
	}
	slices.Sort(all)
	return "known are " + strings.Join(all, ", ") + ", and what with: {" + name + ": …} says"
}

// field is the field of a name: of a look-up by the name of its column.
func (c *ownCompiler) field(name string) string {
	for _, l := range c.target.Lookups {
		if strings.EqualFold(l.Column, name) {
			return l.Field
		}
	}
	for _, f := range c.target.Fields {
		if strings.EqualFold(strings.TrimPrefix(f, listPrefix), name) {
			return f
		}
	}
	return ""
}

func indexFold(list []string, name string) int {
	return slices.IndexFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}

// values are what is bound, in order.
func (c *ownCall) values(w *work, scope steps.Scope) ([]any, error) {
	out := make([]any, len(c.params))
	for i, p := range c.params {
		v, err := w.value(p, scope)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (w *work) value(p ownParam, scope steps.Scope) (any, error) {
	switch {
	case p.expr != nil:
		v, err := p.expr.Eval(scope)
		if err != nil {
			return nil, invalid("", "", err)
		}
		return loosely(w.p.dialect, steps.Plain(v)), nil
	case p.field != "":
		return w.fieldValue(p.field)
	case p.part > 0:
		if w.key == nil {
			return nil, nil
		}
		return loosely(w.p.dialect, w.key[p.part-1]), nil
	}
	switch p.name {
	case clientName:
		return scope["client"], nil
	case itemName:
		if w.item != nil {
			return loosely(w.p.dialect, w.item), nil
		}
		return loosely(w.p.dialect, steps.Plain(scope["item"])), nil
	}
	switch len(w.key) {
	case 0:
		return nil, nil
	case 1:
		return loosely(w.p.dialect, w.key[0]), nil
	}
	return string(keyOf(w.key)), nil
}

// fieldValue is what the record is to hold, as its column holds it.
func (w *work) fieldValue(field string) (any, error) {
	i := w.a.caps.Shape.Index(field)
	v := w.record.At(i)
	if adapters.NoValue(v) {
		return nil, nil
	}
	c := w.p.columns[i]
	if c == nil {
		return nil, invalid("", field, errors.New("a statement takes one value"))
	}
	v, err := w.p.dialect.write(c, v)
	if err != nil {
		return nil, invalid("", field, err)
	}
	return loosely(w.p.dialect, v), nil
}

// loosely is a value for a parameter of which Postern does not know the type. To
// PostgreSQL, which does, text is given, and it reads that as people write it.
func loosely(d dialect, v any) any {
	if adapters.NoValue(v) {
		return nil
	}
	if _, bytes := v.([]byte); bytes {
		return v
	}
	if _, ok := d.(postgres); ok {
		return adapters.Text(v)
	}
	return v
}

// shownValue is a value of an answer as expressions see it.
func shownValue(v any) any {
	switch v := v.(type) {
	case int64:
		return int(v)
	case float32:
		return float64(v)
	case []byte:
		return string(v)
	case time.Time:
		return adapters.Text(v.UTC())
	}
	return v
}

// codeOf is what an engine says of a failure: its code, a number but in PostgreSQL,
// the SQLSTATE, and its words.
func codeOf(err error) (code, state, message any) {
	var pg *pgconn.PgError
	var my *mysql.MySQLError
	var lite sqlite3.Error
	switch {
	case errors.As(err, &pg):
		return pg.Code, pg.Code, pg.Message
	case errors.As(err, &my):
		return int(my.Number), string(my.SQLState[:]), my.Message
	case errors.As(err, &lite):
		return int(lite.ExtendedCode), nil, lite.Error()
	}
	return nil, nil, nil
}

// keyDetail is how PostgreSQL says which columns a unique index is on; what they
// hold comes behind it.
var keyDetail = regexp.MustCompile(`^Key \(([^=]*)\)=\(`)

var identifier = regexp.MustCompile(`"[^"]+"|[\pL_][\pL\pN_$]*`)

func detailColumns(err error) []string {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return nil
	}
	found := keyDetail.FindStringSubmatch(e.Detail)
	if found == nil {
		return nil
	}
	names := identifier.FindAllString(found[1], -1)
	for i, n := range names {
		names[i] = strings.Trim(n, `"`)
	}
	return names
}
