package config

import (
	"strings"
	"time"
)

// A RESTBackend is a system that is reached over HTTP.
type RESTBackend struct {
	URL       Text
	Headers   []NamedSecret
	Basic     *Basic
	Secrets   []NamedSecret
	Login     *Login
	OAuth     *OAuth
	Probe     *Probe
	Cookies   Bool
	Format    Text
	Namespace Text
	Size      Size
	Repeats   Int
	UserAgent Text
	TLS       ClientTLS
}

// A NamedSecret is a secret under a name.
type NamedSecret struct {
	Name  Text
	Value Secret
}

// A Basic is a user and a password.
type Basic struct {
	User     Text
	Password Secret
}

// A Login is how a session with a backend begins.
type Login struct {
	Steps   []Step
	Refresh []Step
	Headers []Pair
	Expires Text
	Time    Duration
	Again   Text
}

// An OAuth is the client credentials grant.
type OAuth struct {
	URL, Client Text
	Secret      Secret
	Scope       Text
}

// A Probe is a call that proves that the credential sees what it should.
type Probe struct {
	Step   Step
	Expect Text
	Every  Duration
}

// A ClientTLS is what Postern shows and trusts when it calls.
type ClientTLS struct{ CA, Cert, Key Path }

// A Pair is a named expression.
type Pair struct{ Name, Value Text }

// A Step is one call of an operation. One of the verbs is set.
type Step struct {
	At         Text
	Name, When Text
	Verbs      [8]Text // by position in Verbs
	Run        []Text  // arguments of a program
	Statement  Text    // of a database
	With       []Pair  // its values
	Query      []Pair
	Headers    []Pair
	Send       Text
	Format     Text
	Each       Text
	Fails      []Fail
	Undo       *Step

	Record, Records, Key, Total, Next, Truncated Text
	Let, Set                                     []Pair
	Lacks                                        []Text
	Size                                         Int
	Ordered                                      Bool
}

// Verbs are the keys by which a step says its call.
func Verbs() []string {
	return []string{"get", "post", "put", "patch", "delete", "search", "rpc", "soap"}
}

// Verb is the verb of a step, and where to.
func (s *Step) Verb() (verb string, path Text) {
	for i, v := range Verbs() {
		if s.Verbs[i].Line > 0 {
			return v, s.Verbs[i]
		}
	}
	return "", Text{}
}

// A Fail is a rule about answers.
type Fail struct{ When, Kind, Field Text }

// A Find is a list that answers some filters.
type Find struct {
	Step
	Steps       []Step
	Answers     []Answers
	Exact       Bool
	IgnoresCase Bool
}

// Answers are the operators that a find answers on a field.
type Answers struct {
	Field Text
	Ops   []Text
}

// Members are the calls that change the values of a field.
type Members struct {
	Field               Text
	Add, Remove, Change []Step
}

// A RESTTarget is one kind of object behind an API, or a program.
type RESTTarget struct {
	Get, List, Many, Create, Update, Delete []Step
	Finds                                   []Find
	Members                                 []Members
	Fails                                   []Fail
	Read, Write                             []Pair
	Clear                                   Text
}

func namedExpressions(word string) form[[]Pair] {
	return named(word, inside(expression(), func(p *Pair) *Text { return &p.Value }), anyName, func(p *Pair) *Text { return &p.Name })
}

func namedSecrets(word string) form[[]NamedSecret] {
	return named(word, inside(secret(nil), func(s *NamedSecret) *Secret { return &s.Value }), anyName, func(s *NamedSecret) *Text { return &s.Name })
}

func restBackend() []key[Backend] {
	type B = Backend
	return []key[B]{
		field("url", baseURL(), func(b *B) *Text { return &b.REST.URL }).required().like("https://redmine.example.com").
			says("What stands before every path."),
		field("headers", namedSecrets("header"), func(b *B) *[]NamedSecret { return &b.REST.Headers }).like(`{X-Redmine-API-Key: "${env:REDMINE_KEY}"}`).
			says("Headers of every call, as they are: keys and fixed tokens."),
		field("basic", optional(basic()), func(b *B) **Basic { return &b.REST.Basic }).says("HTTP Basic authentication."),
		field("secrets", namedSecrets("secret"), func(b *B) *[]NamedSecret { return &b.REST.Secrets }).like(`{password: "${env:API_PASSWORD}"}`).
			says("Secrets for expressions, as `secret.password`: for a key in a body or a query, and for the log-in."),
		field("login", optional(login()), func(b *B) **Login { return &b.REST.Login }).says("A log-in that gives a session."),
		field("oauth", optional(oauth()), func(b *B) **OAuth { return &b.REST.OAuth }).says("OAuth 2.0, client credentials."),
		field("probe", optional(probe()), func(b *B) **Probe { return &b.REST.Probe }).
			says("A call that proves that the credential sees the directory. Before it is believed that nothing is there, the proof is asked for: an expired credential often looks like an empty directory."),
		field("cookies", boolean(), func(b *B) *Bool { return &b.REST.Cookies }).or("false").says("Whether to keep cookies."),
		field("format", choice(formats()...), func(b *B) *Text { return &b.REST.Format }).like("json").
			says("How bodies are written, where a step does not say it. Default: JSON."),
		field("namespace", text(), func(b *B) *Text { return &b.REST.Namespace }).like("urn:example:users").says("The namespace of SOAP and XML bodies."),
		field("size", size(), func(b *B) *Size { return &b.REST.Size }).or("16MiB").says("The largest answer that is read."),
		field("repeats", integer(0, 10), func(b *B) *Int { return &b.REST.Repeats }).or("1").
			says("How often a call that reads is made again when there is no answer, or one that says \"not now\"; one that writes, only when it was refused with status 429. A Retry-After that the request has time for is waited for."),
		field("userAgent", text(), func(b *B) *Text { return &b.REST.UserAgent }).like("Postern").says("The User-Agent of every call."),
		field("tls", clientTLS(), func(b *B) *ClientTLS { return &b.REST.TLS }).or("{}").says("A private authority, and a certificate to show."),
	}
}

func formats() []string { return []string{"json", "form", "xml", "soap", "soap12", "rpc", "raw"} }

func basic() form[Basic] {
	return block[Basic]{title: "basic", doc: "HTTP Basic authentication (RFC 7617).", keys: []key[Basic]{
		field("user", text(), func(b *Basic) *Text { return &b.User }).required().like("admin").says("The user name."),
		field("password", secret(nil), func(b *Basic) *Secret { return &b.Password }).required().like(`"${env:API_PASSWORD}"`).says("The password."),
	}}.form()
}

func oauth() form[OAuth] {
	return block[OAuth]{title: "oauth", doc: "The client credentials grant (RFC 6749 section 4.4). The token is fetched when it is needed, and renewed before it ends.", keys: []key[OAuth]{
		field("url", baseURL(), func(o *OAuth) *Text { return &o.URL }).required().like("https://login.example.com/token").says("The token endpoint."),
		field("client", text(), func(o *OAuth) *Text { return &o.Client }).required().like("postern").says("The client's id."),
		field("secret", secret(nil), func(o *OAuth) *Secret { return &o.Secret }).required().like(`"${env:OAUTH_SECRET}"`).says("The client's secret."),
		field("scope", text(), func(o *OAuth) *Text { return &o.Scope }).like("users.write").says("The scope to ask for."),
	}}.form()
}

func login() form[Login] {
	type L = Login
	return block[L]{title: "login", doc: "The steps that begin a session. What they let is `session.NAME` in every expression.", keys: []key[L]{
		field("steps", several("step", step(overHTTP)), func(l *L) *[]Step { return &l.Steps }).required().
			like("{post: /login, send: '{user: secret.user, password: secret.password}', let: {token: body.token}}").says("The calls, in order."),
		field("refresh", several("step", step(overHTTP)), func(l *L) *[]Step { return &l.Refresh }).
			like(`{post: /token, send: '{refresh_token: session.refresh}', let: {token: body.token}}`).
			says("The calls that renew a session before it ends, over `session.NAME` as it was; what they do not let stays. If they are refused, or the session was refused before its end, the log-in is made."),
		field("headers", namedExpressions("header"), func(l *L) *[]Pair { return &l.Headers }).like(`{Authorization: '"Bearer " + session.token'}`).
			says("Headers of every call of the session: expressions."),
		field("expires", expression(), func(l *L) *Text { return &l.Expires }).like("session.token").
			says("When the session ends: seconds from now, a unix time, a date, or a JWT that says it."),
		field("time", duration(time.Second), func(l *L) *Duration { return &l.Time }).like("10m").says("How long a session is good. Default: until it is refused."),
		field("again", expression(), func(l *L) *Text { return &l.Again }).like(`'status == 401'`).
			says("When an answer says that the session is over; the log-in and the call are then made once more. Default: status 401."),
	}}.form()
}

func probe() form[Probe] {
	return block[Probe]{title: "probe", doc: "A call whose answer shows that the credential sees what it should.", keys: append(
		inStep(callKeys(), func(p *Probe) *Step { return &p.Step }),
		field("expect", expression(), func(p *Probe) *Text { return &p.Expect }).required().like("body.user.admin").says("What must be true of the answer."),
		field("every", duration(time.Second), func(p *Probe) *Duration { return &p.Every }).or("30s").
			says("How long one proof is good for calls that find something."),
	), check: func(r *reader, t *Tree, where string, p *Probe) { checkVerb(r, t, where, &p.Step) }}.form()
}

func clientTLS() form[ClientTLS] {
	return block[ClientTLS]{title: "tls", doc: "Files in PEM.", keys: []key[ClientTLS]{
		field("ca", filePath(true), func(c *ClientTLS) *Path { return &c.CA }).says("The authorities to trust instead of the system's."),
		field("cert", filePath(true), func(c *ClientTLS) *Path { return &c.Cert }).says("The certificate to show."),
		field("key", filePath(true), func(c *ClientTLS) *Path { return &c.Key }).says("The key of the certificate."),
	}}.form()
}

// callKeys say one call.
func callKeys() []key[Step] {
	type S = Step
	var out []key[S]
	docs := []string{"Reads: the path behind the backend's url. `{…}` holds an expression whose value is escaped.", "Sends POST to a path.", "Sends PUT to a path.",
		"Sends PATCH to a path.", "Sends DELETE to a path.", "Sends SEARCH to a path.", "Calls a JSON-RPC method by its name.", "Calls a SOAP operation by the name of its element."}
	for i, v := range Verbs() {
		out = append(out, field(v, verbText(), func(s *S) *Text { return &s.Verbs[i] }).says(docs[i]))
	}
	return append(out,
		field("query", namedExpressions("parameter"), func(s *S) *[]Pair { return &s.Query }).like("{limit: page.limit, offset: page.offset}").
			says("Parameters of the query: expressions. No value leaves the parameter out, a list repeats it."),
		field("headers", namedExpressions("header"), func(s *S) *[]Pair { return &s.Headers }).says("Headers of this call: expressions."),
		field("send", expression(), func(s *S) *Text { return &s.Send }).like(`'{user: record}'`).says("The body, as data: an expression."),
		field("format", choice(formats()...), func(s *S) *Text { return &s.Format }).like("form").says("How the body is written."),
	)
}

// verbText is a path, or a name; empty for the backend's url itself.
func verbText() form[Text] {
	f := anyText()
	f.shape = &shape{word: "path", types: []string{"string"}}
	return f
}

// A manner is how steps say their calls in one kind of backend.
type manner struct {
	shared, doc, example string // of the block that is one step
	call                 func() []key[Step]
	check                func(r *reader, t *Tree, where string, s *Step)
	add, remove          string // examples
}

var overHTTP = manner{
	shared: "step", doc: "One call of an operation: when it is needed, the call, what counts as a failure, what it yields. A step without a call yields what is known already.",
	example: "get: /users.json\nquery: {limit: page.limit, offset: page.offset}\nrecords: body.users\ntotal: body.total_count",
	call:    callKeys, check: checkVerb,
	add: `{post: "/groups/{key}/users", send: '{user_id: item}'}`, remove: `{delete: "/groups/{key}/users/{item}"}`,
}

func stepKeys(m manner) []key[Step] {
	type S = Step
	return append(m.call(),
		field("name", text(), func(s *S) *Text { return &s.Name }).like("create").says("Later steps see the answer as `steps.NAME`."),
		field("when", expression(), func(s *S) *Text { return &s.When }).like(`'changed("mail")'`).says("When the step is needed. Default: always. Of a `find` that is one step: which filters it answers."),
		field("each", expression(), func(s *S) *Text { return &s.Each }).like("record.roles").says("A list: the call is made for every element, as `item`."),
		field("fails", list(fail()), func(s *S) *[]Fail { return &s.Fails }).says("What the answers mean, before the rules of the target."),
		field("record", expression(), func(s *S) *Text { return &s.Record }).like("body.user").says("Where the object is in the answer."),
		field("records", expression(), func(s *S) *Text { return &s.Records }).like("body.users").says("Where the objects are in a list. In other operations, and where a later step names it, the list is a help: all its pages are read, and later steps see `steps.NAME.records`."),
		field("key", expression(), func(s *S) *Text { return &s.Key }).like("lastSegment(headers.Location)").says("Where the key is, if the record does not tell it."),
		field("total", expression(), func(s *S) *Text { return &s.Total }).like("body.total_count").
			says("How many objects there are. Leave it out if it is an estimate: the list is then walked to its end."),
		field("next", expression(), func(s *S) *Text { return &s.Next }).like(`'link(header("Link"), "next")'`).
			says("The URL of the next page, or, if the call names `page.cursor`, its cursor."),
		field("truncated", expression(), func(s *S) *Text { return &s.Truncated }).like("body.truncated").says("True if the backend left objects out: then there is no answer, instead of a part."),
		field("size", integer(1, 100_000), func(s *S) *Int { return &s.Size }).like("100").says("How many objects to ask for at a time. Default: 100."),
		field("ordered", boolean(), func(s *S) *Bool { return &s.Ordered }).or("false").
			says("The backend lists in an order that stays: its pages can be passed through."),
		field("lacks", list(text()), func(s *S) *[]Text { return &s.Lacks }).like("[status]").says("Fields that the objects of this list do not have: where they are needed, each object is read by itself."),
		field("set", namedExpressions("field"), func(s *S) *[]Pair { return &s.Set }).like("{status: 1}").says("Fields that every object of this list has: constants."),
		field("let", namedExpressions("name"), func(s *S) *[]Pair { return &s.Let }).like("{token: body.token}").says("Values for later steps, as `steps.NAME.x`."),
	)
}

func step(m manner) form[Step] {
	undo := block[Step]{title: "undo", doc: "A call.", keys: m.call(), check: m.check}
	b := block[Step]{title: "step", shared: m.shared, doc: m.doc, example: m.example,
		keys: append(stepKeys(m),
			field("undo", optional(undo.form()), func(s *Step) **Step { return &s.Undo }).says("A call that takes the step back, if a later one fails.")),
		check: m.check}
	return b.form()
}

// computes reports whether a step works without a call: what it yields is known.
func (s *Step) computes() bool {
	return s.Record.IsSet() || s.Records.IsSet() || s.Key.IsSet() || len(s.Let) > 0 || len(s.Fails) > 0
}

// checkVerb wants one verb, and remembers where the step stands.
func checkVerb(r *reader, t *Tree, where string, s *Step) {
	s.At = t.place()
	if s.At.Line == 0 {
		s.At = t.Text
	}
	var seen []string
	for _, v := range Verbs() {
		if t.has(v) {
			seen = append(seen, v)
		}
	}
	switch {
	case t.Kind != MappingNode, len(seen) == 0 && s.computes():
	case len(seen) == 0:
		r.report.Errorf(t.place(), "as in get: /users", "%s makes no call", where)
	case len(seen) > 1:
		if item := t.Find(seen[1]); item != nil {
			r.report.Errorf(item.Key, "make two steps of it", "%s has both %s", where, strings.Join(seen, " and "))
		}
	}
}

func fail() form[Fail] {
	return block[Fail]{title: "fail", doc: "A rule about answers; the first that is true decides, also over a status of 200.", keys: []key[Fail]{
		field("when", expression(), func(f *Fail) *Text { return &f.When }).required().like(`'status == 422 && any(body.errors, # contains "taken")'`).
			says("An expression over the answer. One that fails, because something is absent, is not true."),
		field("kind", choice("exists", "notFound", "conflict", "invalid", "denied", "unavailable", "unsupported", "tooMany", "internal", "none"),
			func(f *Fail) *Text { return &f.Kind }).required().like("exists").says("What it means; `none`: it is no failure."),
		field("field", text(), func(f *Fail) *Text { return &f.Field }).like("login").says("The field at fault. With `exists`: the field is unique."),
	}}.form()
}

func finding(m manner) form[Find] {
	ops := oneOrMore(choice("eq", "co", "sw", "ew", "gt", "ge", "lt", "le", "ne"))
	answers := named("field", inside(ops, func(a *Answers) *[]Text { return &a.Ops }), anyName, func(a *Answers) *Text { return &a.Field })
	return block[Find]{title: "find", doc: "A list that answers filters: a step, or several under `steps`, over `filter.field`, `filter.op` and `filter.value`. What comes back is checked again.",
		keys: append(inStep(stepKeys(m), func(f *Find) *Step { return &f.Step }),
			field("steps", several(m.shared, step(m)), func(f *Find) *[]Step { return &f.Steps }).says("The calls, where one is not enough."),
			field("answers", answers, func(f *Find) *[]Answers { return &f.Answers }).required().like("{login: [eq, co]}").
				says("The fields and operators for which everything that matches is among the answers."),
			field("exact", boolean(), func(f *Find) *Bool { return &f.Exact }).or("false").says("Nothing else is among the answers."),
			field("ignoresCase", boolean(), func(f *Find) *Bool { return &f.IgnoresCase }).or("false").
				says("Values that differ in case are among the answers. Attributes that ignore case, as userName, can be looked up only then."),
		),
		check: func(r *reader, t *Tree, where string, f *Find) {
			if !t.has("steps") {
				m.check(r, t, where, &f.Step)
			}
		}}.form()
}

func members(m manner) form[Members] {
	type M = Members
	return block[M]{title: "members", doc: "The calls that change the values of a field one by one: `add` and `remove` for each as `item`, or `change` for all as the lists `add` and `remove`.", keys: []key[M]{
		field("add", several(m.shared, step(m)), func(m *M) *[]Step { return &m.Add }).like(m.add).says("Adds one value."),
		field("remove", several(m.shared, step(m)), func(m *M) *[]Step { return &m.Remove }).like(m.remove).says("Removes one value."),
		field("change", several(m.shared, step(m)), func(m *M) *[]Step { return &m.Change }).says("Adds and removes all at once."),
	}}.form()
}

// stepTarget are the keys of a target that is described by steps.
func stepTarget(m manner) []key[Target] {
	type T = Target
	ops := func(name string, goal func(*RESTTarget) *[]Step, doc string) key[T] {
		return field(name, several(m.shared, step(m)), func(t *T) *[]Step { return goal(&t.REST) }).says(doc)
	}
	return []key[T]{
		ops("list", func(t *RESTTarget) *[]Step { return &t.List }, "Lists all objects. Several steps with records are one list.").required(),
		ops("get", func(t *RESTTarget) *[]Step { return &t.Get }, "Reads one object by `key`. Default: it is looked for in the list."),
		ops("many", func(t *RESTTarget) *[]Step { return &t.Many }, "Lists the objects whose keys are in the list `keys`, as many in a call as `size` says: what a page, a group or a manager refers to, and what a list lacks. Which is which is told by the key. Default: each is read by itself.").
			like(`{get: /users, query: {ids: 'join(keys, ",")'}, records: body.users, size: 50}`),
		ops("create", func(t *RESTTarget) *[]Step { return &t.Create }, "Makes an object of `record`. Default: clients cannot."),
		ops("update", func(t *RESTTarget) *[]Step { return &t.Update }, "Changes an object by `changes`, or to `record`. Default: clients cannot."),
		ops("delete", func(t *RESTTarget) *[]Step { return &t.Delete }, "Deletes an object. Default: clients cannot."),
		field("find", list(finding(m)), func(t *T) *[]Find { return &t.REST.Finds }).says("Lists that answer filters."),
		field("members", named("field", members(m), anyName, func(m *Members) *Text { return &m.Field }), func(t *T) *[]Members { return &t.REST.Members }).
			says("How the values of a field are added and removed one by one. Default: the list is replaced."),
		field("fails", list(fail()), func(t *T) *[]Fail { return &t.REST.Fails }).says("What the answers of all calls mean."),
		field("read", namedExpressions("field"), func(t *T) *[]Pair { return &t.REST.Read }).like(`{user_ids: 'map(item.users ?? [], .id)'}`).
			says("How a field is read from `item`, the object as it came. Default: by its name, in which dots lead into objects."),
		field("write", namedExpressions("field"), func(t *T) *[]Pair { return &t.REST.Write }).like(`{locked: 'value == "true"'}`).
			says("What is sent of a field: an expression over `value`, a text or a list of them. Default: the value itself; those of a table of values are texts."),
		field("clear", expression(), func(t *T) *Text { return &t.REST.Clear }).like(`'""'`).says("What takes a value away: a constant. Default: null."),
		field("generated", boolean(), func(t *T) *Bool { return &t.SQL.Generated }).
			says("Whether the backend makes the key of a new record. Default: it does unless an attribute is mapped to the key."),
	}
}
