package config

import "slices"

// A Rule says what one SCIM attribute is made of.
type Rule struct {
	Path Text // userName, emails[type eq "work"].value, enterprise:department

	Name          Text    // the backend's field
	Values        []Coded // a table of values
	In, Out       Text    // expressions
	Split, Format Text

	Table, Member Text // a join table, or with Columns one of elements
	Owner         []Text
	Columns       []Column

	OwnerHolds, MemberHolds Text // other columns than keys

	Where  []Constant
	Order  Text
	Key    []Text
	Lookup *Lookup
	Refers Text

	Kept Bool

	Default    *Text
	Mutability Text
	Uniqueness Text
	Required   Bool
	Sensitive  Bool
}

// A Coded is one row of a table of values.
type Coded struct{ Backend, SCIM Text }

func rule() form[Rule] {
	type R = Rule
	long := block[R]{
		title: "attribute",
		doc: "The key is a SCIM path: `userName`, `name.givenName`, `emails[type eq \"work\"].value`, `enterprise:department`. A name alone is a rename. " +
			"Filters, sorting and uniqueness reach the backend through renames and tables of values.",
		example: `
userName: login
active: {name: status, values: {A: true, L: false}}
displayName: {in: 'record.first_name + " " + record.last_name'}
emails[type eq "work"].value: email
enterprise:manager.value: {name: boss_no, refers: User}
members: {table: employee_role, owner: role_id, member: emp_no, refers: User}
userType: {kept: true}
'emails[type eq "home"].value': {name: private_mail, mutability: readOnly}
`,
		keys: append([]key[R]{
			field("name", text(), func(r *R) *Text { return &r.Name }).like("login").says("The backend's field."),
			field("values", coded(), func(r *R) *[]Coded { return &r.Values }).like("{A: true, L: false}").
				says("What the backend's values mean, one by one."),
			field("in", expression(), func(r *R) *Text { return &r.In }).like(`'record.first_name + " " + record.last_name'`).
				says("Backend to SCIM: an expression over `record`, and with `name` also over `value`, that field's. The attribute is readOnly unless `name` and `out` are there too, and `out` looks at it."),
			field("out", expression(), func(r *R) *Text { return &r.Out }).like("'lower(value)'").
				says("SCIM to backend: an expression over `resource` and `value`, for the field in `name`. Without `in` the attribute is writeOnly, as a password is."),
			field("split", text(), func(r *R) *Text { return &r.Split }).like(`","`).
				says("One field holds all values of a multi-valued attribute, with this between them. With `refers`, for columns of a database and CSV files only."),
			field("format", text(), func(r *R) *Text { return &r.Format }).like("unix").
				says("How the field holds a dateTime: `unix`, `unixMilli`, `date`, or a layout of Go's package time."),
			field("table", text(), func(r *R) *Text { return &r.Table }).like("employee_role").
				says("A join table that holds the values, with `owner` and `member`, or a file of such pairs; or the table of the elements, with `owner` and `columns`."),
			field("owner", oneOrMore(text()), func(r *R) *[]Text { return &r.Owner }).like("role_id").says("The column, or columns, of `table` with this resource's key."),
			field("member", text(), func(r *R) *Text { return &r.Member }).like("emp_no").says("The join table's column with the value."),
			field("ownerHolds", text(), func(r *R) *Text { return &r.OwnerHolds }).like("name").
				says("With `member`: the column of this resource's own table that `owner` holds. Default: its key."),
			field("memberHolds", text(), func(r *R) *Text { return &r.MemberHolds }).like("login").
				says("The column of the other resource's table that `member` holds. Default: its key."),
			field("columns", named("sub-attribute", column(), anyName, func(c *Column) *Text { return &c.Path }), func(r *R) *[]Column { return &r.Columns }).
				like("{value: address, type: kind}").
				says("The elements are rows of `table`: which column holds which sub-attribute. A row that changes is updated where it is."),
			field("where", constants("column"), func(r *R) *[]Constant { return &r.Where }).like("{medium: mail}").
				says("With `columns`: what the rows of `table` hold that count. New ones get it."),
			field("order", text(), func(r *R) *Text { return &r.Order }).like("position").says("With `columns`: the column that numbers the rows of a record. Default: their key."),
			field("key", oneOrMore(text()), func(r *R) *[]Text { return &r.Key }).like("email_id").
				says("With `columns`: what tells the rows apart. Default: the primary key, or else all columns that are mapped."),
			field("lookup", optional(lookup()), func(r *R) **Lookup { return &r.Lookup }).like("{table: dept, key: id, name: title}").
				says("With `name`: the field holds a key of another table, and the attribute the name that goes with it."),
			field("refers", text(), func(r *R) *Text { return &r.Refers }).like("User").
				says("The values are keys of records of this resource type; clients see ids."),
			field("kept", boolean(), func(r *R) *Bool { return &r.Kept }).like("true").
				says("The backend has no room for the attribute: Postern keeps it in the mapping table. With an extension's name, all attributes of it that no other line maps. " +
					"With `name` the field is written as well, but not read."),
		}, characteristicKeys()...),
		check: checkRule,
	}
	return abbreviated(long.form(), text(), func(t Text, r *R) { r.Name = t })
}

// characteristicKeys are what a rule says of the attribute, besides where it lives.
func characteristicKeys() []key[Rule] {
	type R = Rule
	return []key[R]{
		field("default", optional(anyText()), func(r *R) **Text { return &r.Default }).like("Employee").
			says("What a new resource gets when the client says nothing."),
		field("mutability", choice("readOnly", "immutable"), func(r *R) *Text { return &r.Mutability }).like("readOnly").
			says("Stricter than the schema says."),
		field("uniqueness", choice("none", "server", "global"), func(r *R) *Text { return &r.Uniqueness }).like("server").
			says("Other than the schema says; the backend must enforce it."),
		field("required", boolean(), func(r *R) *Bool { return &r.Required }).like("true").says("A resource must have it, though the schema does not say so."),
		field("sensitive", boolean(), func(r *R) *Bool { return &r.Sensitive }).like("true").
			says("Its values must not stand in URLs, which proxies and logs keep: a filter on it in a GET is refused (403 `sensitive`), and the client sends it by POST `.search`."),
	}
}

// checkRule finds keys that cannot stand together, or alone.
func checkRule(r *reader, t *Tree, where string, v *Rule) {
	if t.Kind != MappingNode || t.Key.Line == 0 {
		return
	}
	// Any of these either says where the attribute comes from or got its own message.
	sources := []string{"name", "in", "out", "kept", "default", "table", "owner", "member", "values", "split", "format", "columns"}
	here := func(k string) bool { return t.Find(k) != nil }
	second := "member"
	if here("columns") {
		second = "columns"
	}
	for _, k := range []string{"owner", second} {
		if here("table") && !t.has(k) {
			r.report.Errorf(t.place(), "as in {table: employee_role, owner: role_id, member: emp_no}", "%s has table and so needs %q", where, k)
		}
	}
	for _, k := range []string{"where", "order", "key"} {
		if here(k) && !t.has("columns") {
			r.report.Errorf(t.Find(k).Key, "add columns", "%s has %s without columns", where, k)
		}
	}
	for _, k := range []string{"ownerHolds", "memberHolds"} {
		if here(k) && !t.has("member") {
			r.report.Errorf(t.Find(k).Key, "add member", "%s has %s without member", where, k)
		}
	}
	for _, k := range []string{"owner", "member", "columns"} {
		if !t.has("table") && here(k) {
			r.report.Errorf(t.Find(k).Key, "add table", "%s has %s without table", where, k)
		}
	}
	if here("columns") && here("member") {
		r.report.Errorf(t.Find("member").Key, "delete one of the two", "%s has both columns and member", where)
	}
	if here("columns") && here("refers") {
		r.report.Errorf(t.Find("refers").Key, "delete one of the two", "%s has both columns and refers", where)
	}
	for _, k := range []string{"name", "values", "in", "out", "split", "format", "lookup", "kept"} {
		if here("table") && here(k) {
			r.report.Errorf(t.Find(k).Key, "delete one of the two", "%s has both table and %s", where, k)
		}
	}
	for _, k := range []string{"values", "out", "split", "format", "lookup"} {
		if here(k) && !t.has("name") && !t.has("table") {
			r.report.Errorf(t.Find(k).Key, "add name, the backend's field", "%s has %s without name", where, k)
		}
	}
	if !slices.ContainsFunc(sources, t.has) {
		r.report.Errorf(t.place(), "add name, the backend's field", "%s says nothing about where the attribute comes from", where)
	}
}
