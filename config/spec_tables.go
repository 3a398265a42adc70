package config

// A Join is one row of another table that belongs to a record.
type Join struct {
	Name          Text
	Table         Text
	On            []Text
	Where         []Constant
	Names, Values Text
}

// A Column is a part of the elements that rows are.
type Column struct {
	Path   Text // the sub-attribute
	Name   Text
	Values []Coded
	Format Text
	Lookup *Lookup
}

// A Lookup is a table of keys and names.
type Lookup struct {
	Table, Key, Name Text
	Where            []Constant
	Create           Bool
}

// Stamps are columns that are written along with a change.
type Stamps struct{ Create, Change, Delete []Constant }

func stamps() form[Stamps] {
	type S = Stamps
	return block[S]{
		title: "stamps",
		doc: "Columns that get a value with every write of that kind: `now` is the time, `client` the name of the client, and anything else stands for itself. " +
			"They are written whatever they held.",
		example: `
create: {created_at: now, created_by: client}
change: {changed_at: now, changed_by: client}
delete: {deleted: 1, deleted_at: now}
`,
		keys: []key[S]{
			field("create", constants("column"), func(s *S) *[]Constant { return &s.Create }).like("{created_at: now}").says("When a record is created."),
			field("change", constants("column"), func(s *S) *[]Constant { return &s.Change }).like("{changed_by: client}").says("Whenever it is written, also when it is created."),
			field("delete", constants("column"), func(s *S) *[]Constant { return &s.Delete }).like("{deleted: 1}").
				says("Instead of deleting its row. `scope` must hide rows with these values; its rows in other tables stay."),
		},
	}.form()
}

// A NewKey says what makes the key of a new record.
type NewKey struct{ Value, Sequence, Statement Text }

func newKey() form[NewKey] {
	type K = NewKey
	return block[K]{
		title: "newKey",
		doc:   "What makes the key of a new record, where the database does not make it by itself, as an identity column or a default does. One of these.",
		keys: []key[K]{
			field("value", expression(), func(k *K) *Text { return &k.Value }).like("'lower(resource.userName)'").
				says("An expression over `resource`, such as `uuid()`; for a key of several columns, a list."),
			field("sequence", text(), func(k *K) *Text { return &k.Sequence }).like("emp_seq").says("A sequence of the database, whose next value it is."),
			field("statement", text(), func(k *K) *Text { return &k.Statement }).like("'SELECT new_emp_no()'").
				says("A statement that answers one value: a function or a procedure of the application. It runs in the transaction of the create."),
		},
		check: func(r *reader, t *Tree, where string, _ *K) {
			said := 0
			for _, k := range []string{"value", "sequence", "statement"} {
				if at := t.Find(k); at != nil {
					if said++; said == 2 {
						r.report.Errorf(at.Key, "delete one of the two", "%s says two ways to make a key", where)
					}
				}
			}
			if said == 0 && t.Kind == MappingNode {
				r.report.Errorf(t.place(), "as in {sequence: emp_seq}", "%s does not say what makes the key", where)
			}
		},
	}.form()
}

// constants are values of columns or fields by their names.
func constants(word string) form[[]Constant] {
	return named(word, inside(filling(fillData, anyText()), func(c *Constant) *Text { return &c.Value }), anyName, func(c *Constant) *Text { return &c.Field })
}

func coded() form[[]Coded] {
	return named("backend value", inside(anyText(), func(c *Coded) *Text { return &c.SCIM }), anyName, func(c *Coded) *Text { return &c.Backend })
}

func join() form[Join] {
	type J = Join
	return block[J]{
		title: "join",
		doc: "One row of another table for each record. It is inserted when one of its columns first gets a value, and goes with the record. With `names` and `values` " +
			"the table has one row per attribute, and the field `extra.nickname` is the column `values` of the row whose column `names` holds `nickname`.",
		example: `
contact: {table: contact, on: emp_no}
extra: {table: usermeta, on: user_id, names: meta_key, values: meta_value}
`,
		keys: []key[J]{
			field("table", text(), func(j *J) *Text { return &j.Table }).required().like("contact").says("The table."),
			field("on", oneOrMore(text()), func(j *J) *[]Text { return &j.On }).required().like("emp_no").
				says("Its column, or columns, with the record's key."),
			field("where", constants("column"), func(j *J) *[]Constant { return &j.Where }).like("{medium: mail}").
				says("What its rows hold that count. New ones get it."),
			field("names", text(), func(j *J) *Text { return &j.Names }).like("meta_key").says("The column with the name of an attribute."),
			field("values", text(), func(j *J) *Text { return &j.Values }).like("meta_value").says("The column with its value."),
		},
		check: func(r *reader, t *Tree, where string, _ *J) {
			for _, two := range [][2]string{{"names", "values"}, {"values", "names"}} {
				if k := t.Find(two[0]); k != nil && !t.has(two[1]) {
					r.report.Errorf(k.Key, "add "+two[1], "%s has %s without %s", where, two[0], two[1])
				}
			}
		},
	}.form()
}

func column() form[Column] {
	type C = Column
	long := block[C]{
		title: "column",
		doc:   "The key is a sub-attribute, the value the column that holds it; a name alone is short for `{name: …}`.",
		example: `
value: address
type: {name: kind, values: {W: work, H: home}}
primary: is_main
`,
		keys: []key[C]{
			field("name", text(), func(c *C) *Text { return &c.Name }).required().like("kind").says("The column."),
			field("values", coded(), func(c *C) *[]Coded { return &c.Values }).like("{W: work, H: home}").says("What its values mean, one by one."),
			field("format", text(), func(c *C) *Text { return &c.Format }).like("unix").says("How it holds a dateTime, as for attributes."),
			field("lookup", optional(lookup()), func(c *C) **Lookup { return &c.Lookup }).like("{table: email_type, key: id, name: code}").
				says("It holds a key of another table, and the sub-attribute is the name that goes with it."),
		},
	}
	return abbreviated(long.form(), text(), func(t Text, c *C) { c.Name = t })
}

func lookup() form[Lookup] {
	type L = Lookup
	return block[L]{
		title: "lookup", shared: "lookup",
		doc: "A table of keys and names, read both ways.",
		keys: []key[L]{
			field("table", text(), func(l *L) *Text { return &l.Table }).required().like("dept").says("The table."),
			field("key", text(), func(l *L) *Text { return &l.Key }).required().like("id").says("Its column with what the field holds."),
			field("name", text(), func(l *L) *Text { return &l.Name }).required().like("title").says("Its column with what the attribute holds."),
			field("where", constants("column"), func(l *L) *[]Constant { return &l.Where }).like("{kind: dept}").says("What its rows hold that count."),
			field("create", boolean(), func(l *L) *Bool { return &l.Create }).or("false").
				says("Add a name that is not there, instead of refusing it. The table must make its keys."),
		},
	}.form()
}
