package config

import (
	"fmt"
	"os"
	"slices"
)

// Tests are what the file says about itself that postern test tries.
type Tests struct {
	File Path // another file that holds them
	List []Test
}

// A Test gives records, or a backend's answers, and says what must come of them.
type Test struct {
	Place  Text // where it begins
	Name   Text
	Type   Text // of resource
	Client Text

	Record  *Tree   // one that the backend holds
	Records *Tree   // several, by resource type
	Answers []*Tree // of a REST backend: {"GET /users/7": {...}}

	Create  *Tree // a resource that a client creates
	Request Text  // GET /Users/7
	Body    *Tree

	Resource *Tree // what a client sees of Record
	Hidden   Bool  // nothing: it is out of scope
	Status   Int
	Error    Text  // a part of the detail, or the scimType
	Answer   *Tree // of Create and Request
	Stores   *Tree // what the backend then holds
	Calls    []*Tree
}

// tests are a list, or the path of a file with one.
func tests() form[Tests] {
	items := list(test())
	path := text()
	return form[Tests]{
		shape: &shape{word: "list of [tests](#tests), or file", item: test().shape, short: &shape{word: "path", types: []string{"string"}}},
		read: func(r *reader, t *Tree, into *Tests) {
			if t.Kind == ScalarNode {
				path.read(r, t, &into.File.Text)
				into.File.Resolved = r.resolve(into.File.Value)
				return
			}
			items.read(r, t, &into.List)
		},
	}
}

func test() form[Test] {
	type T = Test
	return block[T]{
		title: "test",
		doc: "What must come of records, or of a request: `postern test` tries it without any backend. Ids are the keys of records here. " +
			"Of what is wanted, only the attributes and fields that are named must be as they are written; null means none.",
		example: `
- record: {emp_no: 7, login: ada, status: L}
  resource: {userName: ada, active: false}
- create: {userName: ada}
  stores: {login: ada, status: A}
- record: {emp_no: 7, login: ada, status: A}
  request: PATCH /Users/7
  body: [{op: replace, path: active, value: false}]
  stores: {status: L}
`,
		keys: []key[T]{
			field("name", text(), func(t *T) *Text { return &t.Name }).like("a leaver is inactive").says("What it is about."),
			field("type", text(), func(t *T) *Text { return &t.Type }).like("Group").says("The resource type. Default: User, or the first."),
			field("client", text(), func(t *T) *Text { return &t.Client }).like("entra").says("The client that asks: its profile counts. Default: the first."),
			field("record", tree(), func(t *T) **Tree { return &t.Record }).like("{emp_no: 7, login: ada, status: L}").
				says("A record that the backend holds. Lists that stand in other tables are given under the name of their attribute."),
			field("records", tree(), func(t *T) **Tree { return &t.Records }).like("{User: [{emp_no: 7, login: ada}]}").
				says("Further records, by resource type."),
			field("answers", list(tree()), func(t *T) *[]*Tree { return &t.Answers }).like(`[{GET /users/7.json: {user: {id: 7, login: ada}}}]`).
				says("What a REST backend answers, call by call. A number is a status without a body. The long form is `{call: GET /users/7.json, status: 404, headers: {...}, body: {...}}`."),
			field("create", tree(), func(t *T) **Tree { return &t.Create }).like("{userName: ada}").says("A resource that the client creates."),
			field("request", text(), func(t *T) *Text { return &t.Request }).like("PATCH /Users/7").says("Any request. Default: GET of the record."),
			field("body", tree(), func(t *T) **Tree { return &t.Body }).like("[{op: replace, path: active, value: false}]").
				says("Its body; of a PATCH the operations are enough, and `schemas` may be left out."),
			field("resource", tree(), func(t *T) **Tree { return &t.Resource }).like("{userName: ada, active: false}").
				says("What the client sees of the record."),
			field("hidden", boolean(), func(t *T) *Bool { return &t.Hidden }).like("true").says("The client sees nothing of it: it is out of scope."),
			field("status", integer(100, 599), func(t *T) *Int { return &t.Status }).like("409").says("The status of the answer. Default: one of success, unless `error` is given."),
			field("error", text(), func(t *T) *Text { return &t.Error }).like("uniqueness").says("The scimType of the answer, or a part of its detail."),
			field("answer", tree(), func(t *T) **Tree { return &t.Answer }).like("{totalResults: 1}").says("The answer to the request."),
			field("stores", tree(), func(t *T) **Tree { return &t.Stores }).like("{login: ada, status: A}").
				says("What the backend then holds of the record that was written; `null` if it is gone."),
			field("calls", list(tree()), func(t *T) *[]*Tree { return &t.Calls }).like("[{PUT /users/7.json: {user: {status: 3}}}]").
				says("The changes that are sent, all of them, in order: calls of a REST backend, or `create User`, `update User 7`, `delete User 7` with their fields."),
		},
		check: func(r *reader, t *Tree, where string, v *T) {
			v.Place = t.Text
			if t.Kind == MappingNode {
				checkTest(r, t, where, v)
			}
		},
	}.form()
}

// checkTest finds tests that cannot mean anything.
func checkTest(r *reader, t *Tree, where string, v *Test) {
	here := func(k string) bool { return t.has(k) }
	given := []string{"record", "create", "request"}
	if !slices.ContainsFunc(given, here) {
		r.report.Errorf(t.Text, "add record, create or request", "%s gives nothing to try", where)
		return
	}
	if here("create") && here("request") {
		r.report.Errorf(t.Find("create").Key, "make two tests of it", "%s has both create and request", where)
	}
	if here("body") && !here("request") {
		r.report.Errorf(t.Find("body").Key, "add request, as in PATCH /Users/7", "%s has body without request", where)
	}
	wanted := []string{"resource", "hidden", "status", "error", "answer", "stores", "calls"}
	if !slices.ContainsFunc(wanted, here) {
		r.report.Errorf(t.Text, "add resource, answer, stores, calls, status or error", "%s wants nothing", where)
	}
}

// tree is anything that YAML can say, as it stands there.
func tree() form[*Tree] {
	return form[*Tree]{
		shape: &shape{word: "anything", types: []string{"object", "array", "string", "number", "boolean", "null"}},
		read:  func(_ *reader, t *Tree, into **Tree) { *into = t },
	}
}

// LoadTests reads a file of tests. The reporter is for what comes of them.
func LoadTests(path string) ([]Test, *Reporter, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read the tests: %w", err)
	}
	report := NewReporter(NewSource(path, data))
	t := parseTree(data, report)
	if t == nil {
		return nil, report, report.Problems()
	}
	t.label = "the file"
	var out []Test
	list(test()).read(&reader{report: report, env: os.LookupEnv, kinds: map[string]string{}, blocks: map[string]string{}}, t, &out)
	return out, report, report.Err()
}
