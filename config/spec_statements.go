package config

// bySQL are steps of a database: statements.
var bySQL = manner{
	shared: "statement",
	doc: "One statement of an operation: when it is needed, the statement, what counts as a failure, what it yields. A text alone is short for `{statement: …}`. " +
		"All statements of an operation are one transaction.",
	example: "statement: 'SELECT hire(:login, :mail) AS id'\nkey: row.id",
}

// statement is one step.
func statement() form[Step] {
	type S = Step
	long := block[S]{title: "statement", shared: bySQL.shared, doc: bySQL.doc, example: bySQL.example,
		keys: []key[S]{
			field("statement", text(), func(s *S) *Text { return &s.Statement }).like("'CALL set_mail(:key, :mail)'").
				says("The statement. `:name` is a value, always bound: a field, a column of the key, `:key`, `:client`, `:item`, or what `with` says."),
			field("with", namedExpressions("value"), func(s *S) *[]Pair { return &s.With }).like("{address: lower(record.mail)}").
				says("Further values for the statement: expressions. A list or an object is given as JSON."),
			field("name", text(), func(s *S) *Text { return &s.Name }).like("hired").says("Later steps see the answer as `steps.NAME.row`, `.rows` and `.affected`."),
			field("when", expression(), func(s *S) *Text { return &s.When }).like(`'changed("mail")'`).says("When the step is needed. Default: always."),
			field("each", expression(), func(s *S) *Text { return &s.Each }).like("record.emails").says("A list: the statement is sent for every element, as `item`."),
			field("fails", list(fail()), func(s *S) *[]Fail { return &s.Fails }).like(`[{when: 'message contains "taken"', kind: exists, field: login}]`).
				says("What its failures mean, before the rules of the target: over `code`, `state`, `message`, `affected`, `row` and `rows`. A statement that changes no row is a conflict, unless a rule says `none`."),
			field("key", expression(), func(s *S) *Text { return &s.Key }).like("row.id").says("The key of the record after it: of a new one, or of one that was renamed. Of several columns, a list."),
			field("let", namedExpressions("name"), func(s *S) *[]Pair { return &s.Let }).like("{number: row.no}").says("Values for later steps, as `steps.NAME.x`."),
		},
		check: checkStatement,
	}
	return abbreviated(long.form(), text(), func(t Text, s *S) { s.Statement, s.At = t, t })
}

// checkStatement wants a statement, and remembers where the step stands.
func checkStatement(r *reader, t *Tree, where string, s *Step) {
	if s.At = t.place(); s.At.Line == 0 {
		s.At = t.Text
	}
	if t.Kind == MappingNode && len(t.Items) > 0 && !t.has("statement") && !s.computes() {
		r.report.Errorf(t.place(), "as in statement: 'CALL leave(:key)'", "%s says no statement", where)
	}
}

// statementTarget are the keys of a target by which it says its own statements.
func statementTarget() []key[Target] {
	type T = Target
	ops := func(name string, goal func(*RESTTarget) *[]Step, doc string) key[T] {
		return field(name, several(bySQL.shared, statement()), func(t *T) *[]Step { return goal(&t.REST) }).says(doc + " Default: it is derived from the table. `[]`: clients cannot.")
	}
	return []key[T]{
		ops("create", func(t *RESTTarget) *[]Step { return &t.Create }, "The statements that make a record.").like("{statement: 'SELECT hire(:login) AS id', key: row.id}"),
		ops("update", func(t *RESTTarget) *[]Step { return &t.Update }, "Those that change one, to what its fields say now.").like("'CALL change(:key, :login, :mail)'"),
		ops("delete", func(t *RESTTarget) *[]Step { return &t.Delete }, "Those that delete one: afterwards the table must not show it.").like("'CALL leave(:key)'"),
		field("members", named("attribute", ownMembers(), anyName, func(m *Members) *Text { return &m.Field }), func(t *T) *[]Members { return &t.REST.Members }).
			like(`{members: {add: 'CALL join_group(:key, :item)', remove: 'CALL leave_group(:key, :item)'}}`).
			says("The statements that add and remove the values of an attribute with `table` and `member`, which is read there. Default: they are derived."),
		field("fails", list(fail()), func(t *T) *[]Fail { return &t.REST.Fails }).like(`[{when: 'state == "P0001"', kind: conflict}]`).
			says("What the failures of all its statements mean."),
	}
}

func ownMembers() form[Members] {
	type M = Members
	return block[M]{title: "members of a table", doc: "Statements that change the values of an attribute: `add` and `remove` for each that is not there yet, or that is, as `:item`; or `change` for all, as the lists `add` and `remove`.", keys: []key[M]{
		field("add", several(bySQL.shared, statement()), func(m *M) *[]Step { return &m.Add }).like("'CALL join_group(:key, :item)'").says("Adds one value."),
		field("remove", several(bySQL.shared, statement()), func(m *M) *[]Step { return &m.Remove }).like("'CALL leave_group(:key, :item)'").says("Removes one value."),
		field("change", several(bySQL.shared, statement()), func(m *M) *[]Step { return &m.Change }).like(`{statement: 'CALL set_group(:key, :add, :remove)', with: {add: add, remove: remove}}`).
			says("Adds and removes all at once."),
	}}.form()
}

// noneSaid reports whether an operation is left out on purpose.
func noneSaid(t *Tree, op string) bool {
	item := t.Find(op)
	return item != nil && item.Kind == ListNode && len(item.Items) == 0
}
