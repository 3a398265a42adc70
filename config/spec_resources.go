package config

// A Resource is one resource type: what clients see, and where it lives.
type Resource struct {
	Name        Text
	Endpoint    Text
	Description Text
	Schema      Text   // as written
	SchemaURN   string // "" if it is not known
	Extensions  []Extension
	Target      Target
	Parts       []Part
	Places      []Place // beside the target
	Moving      Moving
	Correlate   Correlate
	Ends        Text // an attribute path
	Attributes  []Rule
	All         Text // where it says that all other attributes are taken over; not set: nowhere
}

// A Correlate says what becomes of a create whose resource the backend has
// already.
type Correlate struct {
	Policy []Text // conflict; adopt, reactivate
	By     []Text // attribute paths; none: the unique ones
}

// An Extension is a schema that adds to a resource type.
type Extension struct {
	Schema   Text   // as written
	URN      string // "" if it is not known
	Prefix   string // short for the URN in attribute paths
	Required Bool
}

// A Target is where resources live: one kind of object in one backend.
type Target struct {
	Backend   Text
	Key       []Text
	Scope     Text // expression over record
	Managed   Text // expression over record
	When      Text // expression over resource
	Birth     Text // a field
	Constants []Constant

	SQL  SQLTarget  // backends of type sql
	REST RESTTarget // backends of type rest and command
	LDAP LDAPTarget // backends of type ldap
	SCIM SCIMTarget // backends of type scim
	File FileTarget // backends of type file

	// Options are the keys that depend on the backend's type, as written.
	Options *Tree

	// Of a place.
	Name  Text
	Names []Constant // the attributes' fields, and what they are called there
	Lacks []Text     // attribute paths
}

// A Place is where some of a type's resources live instead of its target.
type Place = Target

// A Moving is what becomes of records that go to another place.
type Moving struct {
	Left     Text // delete, deactivate, keep
	Password Text // refuse, without
}

// A Constant is a field that Postern sets on every record it creates.
type Constant struct{ Field, Value Text }

// A SQLTarget is a table.
type SQLTarget struct {
	Table     Text
	Generated Bool
	Where     []Constant
	Joins     []Join
	NewKey    NewKey
	Distinct  Bool
	Vacant    []Constant
	Stamps    Stamps

	NoCreate, NoUpdate, NoDelete bool // said by an empty list of statements
}

func resource() form[Resource] {
	type R = Resource
	return block[R]{
		title: "resource type",
		doc:   "`User`, `Group`, `Role`, `Entitlement`, `Device` and `EndpointApp` are known (see [resource types](resources.md)); any other name is a resource type of your own, which needs `endpoint` and `schema`.",
		keys: []key[R]{
			field("endpoint", endpoint(), func(r *R) *Text { return &r.Endpoint }).like("/Badges").
				says("Its place under the base URL. Default for those that are known: the name with an s, as in `/Users`."),
			field("description", text(), func(r *R) *Text { return &r.Description }).says("Shown in /ResourceTypes."),
			field("schema", text(), func(r *R) *Text { return &r.Schema }).like("Badge").
				says("The name or URN of its schema. Default: for those that are known, theirs."),
			field("extensions", list(extension()), func(r *R) *[]Extension { return &r.Extensions }).like("[EnterpriseUser]").
				says("Schemas that add attributes, by name or URN."),
			field("target", target(), func(r *R) *Target { return &r.Target }).required().like("{backend: hr, table: employee, key: emp_no}").
				says("Where its resources live."),
			field("parts", named("part", part(), plainName, func(p *Part) *Text { return &p.Name }), func(r *R) *[]Part { return &r.Parts }).
				like("{mail: {target: {backend: mailer, table: mailbox, key: id}, on: {owner: login}}}").
				says("Records of other backends that say more about the same resource. Their fields are `mail.address`. See [several backends](several.md)."),
			field("places", named("place", place(), plainName, func(p *Place) *Text { return &p.Name }), func(r *R) *[]Place { return &r.Places }).
				like(`{agency: {when: 'resource.userType == "Contractor"', backend: agency, table: contractor, key: id}}`).
				says("Where some of them live instead, asked in order; what no place takes belongs to the target. See [routing](routing.md)."),
			field("moving", moving(), func(r *R) *Moving { return &r.Moving }).or("{}").like("{left: deactivate}").
				says("What becomes of a record when a change makes its resource belong to another place."),
			field("correlate", correlate(), func(r *R) *Correlate { return &r.Correlate }).or("conflict").like("reactivate").
				says("What becomes of a create whose resource the backend has already."),
			field("ends", text(), func(r *R) *Text { return &r.Ends }).like("contract:end").
				says("A dateTime attribute. Once it is past, the resource is set inactive, within a minute, if it is managed. Default: none ends by itself."),
			field("attributes", rulesOf(), func(r *R) *[]Rule { return &r.Attributes }).required().
				like("{userName: login}").says("What each attribute is made of. For backends of type `scim`, `\"*\": all` stands for all attributes that no other line maps, and `all` alone for `{\"*\": all}`."),
		},
	}.form()
}

func correlate() form[Correlate] {
	type C = Correlate
	policy := choice("conflict", "adopt", "reactivate")
	long := block[C]{
		title: "correlate",
		doc:   "A policy alone is short for `{policy: ...}`. See [identities](identities.md#a-create-of-what-is-there-already).",
		keys: []key[C]{
			field("policy", oneOrMore(policy), func(c *C) *[]Text { return &c.Policy }).or("conflict").like("[adopt, reactivate]").
				says("`conflict`: 409. `adopt`: a client that has no id for the record yet gets one, and the record gets what the client sent. " +
					"`reactivate`: so does a record that is inactive, under the id that the client has for it. Each is logged."),
			field("by", oneOrMore(text()), func(c *C) *[]Text { return &c.By }).like("[userName]").
				says("The attributes whose values must all be those of the record. Default: the unique ones. An address alone proves little: name it only if nobody can choose it."),
		},
		check: func(r *reader, t *Tree, _ string, c *C) {
			for _, p := range c.Policy {
				if p.Value == "conflict" && len(c.Policy) > 1 {
					r.report.Errorf(p, "delete it, or the others", "conflict cannot stand beside another policy")
				}
			}
		},
	}
	return abbreviated(long.form(), policy, func(t Text, c *C) { c.Policy = []Text{t} })
}

func extension() form[Extension] {
	long := block[Extension]{title: "extension", doc: "A name alone is short for `{schema: name}`.", keys: []key[Extension]{
		field("schema", text(), func(e *Extension) *Text { return &e.Schema }).required().like("EnterpriseUser").
			says("`EnterpriseUser`, for devices `BLE`, `DPP`, `EthernetMAB`, `FDO`, `Zigbee` or `EndpointApps`, or the name or URN of a schema of the file."),
		field("required", boolean(), func(e *Extension) *Bool { return &e.Required }).or("false").says("Every resource must have it."),
	}}
	return abbreviated(long.form(), text(), func(t Text, e *Extension) { e.Schema = t })
}

func target() form[Target] { return targetBlock().form() }

func targetBlock() block[Target] {
	type T = Target
	return block[T]{
		title: "target", shared: "target",
		doc: "One kind of object in one backend.",
		keys: []key[T]{
			field("backend", text(), func(t *T) *Text { return &t.Backend }).like("hr").says("The name of a backend. Default: the only one."),
			field("key", oneOrMore(text()), func(t *T) *[]Text { return &t.Key }).like("emp_no").
				says("The field, or the fields, by which the backend knows a record. Clients do not see it. Default, for types that speak of objects (`rest`, `scim`, `command`): `id`."),
			field("scope", expression(), func(t *T) *Text { return &t.Scope }).like(`'record.kind != "builtin"'`).
				says("An expression over `record`: which records provisioning may see. The others are neither shown nor touched."),
			field("managed", expression(), func(t *T) *Text { return &t.Managed }).like(`'record.kind != "service"'`).
				says("An expression over `record`: which of them provisioning may change. The others are shown, and every change is refused with 403. Default: all."),
			field("when", expression(), func(t *T) *Text { return &t.When }).like(`'resource.userType == "Employee"'`).
				says("An expression over `resource`: which resources belong here. Others are refused."),
			field("birth", text(), func(t *T) *Text { return &t.Birth }).like("created_at").
				says("A field that the backend sets once and never changes, such as a time of creation or a serial number. If the backend gives a deleted record's key " +
					"to a new one, the two differ in it, and the old id is retired. Not needed where keys never come back."),
			field("constants", constants("field"), func(t *T) *[]Constant { return &t.Constants }).like("{kind: person}").
				says("Fields that every record gets on creation."),
		},
		kinds:   targetKinds(),
		kindKey: "the backend's type",
		kindOf: func(r *reader, t *Tree) string {
			if b := t.Find("backend"); b != nil {
				return r.kinds[b.Value]
			}
			return r.kinds[r.onlyBackend()]
		},
		options: func(t *T) **Tree { return &t.Options },
		check: func(r *reader, t *Tree, where string, v *T) {
			completeTarget(r, t, where, v)
			v.SQL.NoCreate, v.SQL.NoUpdate, v.SQL.NoDelete = noneSaid(t, "create"), noneSaid(t, "update"), noneSaid(t, "delete")
			if _, known := r.kinds[v.Backend.Value]; !known && v.Backend.IsSet() {
				r.report.Errorf(v.Backend, didYouMean(v.Backend.Value, r.backendNames()), "there is no backend %q", v.Backend.Value)
			}
			if k := t.Find("key"); k != nil && k.Kind != ScalarNode && len(v.Key) == 0 {
				r.report.Errorf(k.place(), "name at least one field", "key is empty")
			}
		},
	}
}

// place is a target that takes some of the resources only.
func place() form[Place] {
	type P = Place
	b := targetBlock()
	own := []key[P]{
		field("when", expression(), func(p *P) *Text { return &p.When }).required().like(`'resource.userType == "Contractor"'`).
			says("An expression over `resource`: which resources belong here."),
		field("names", constants("field"), func(p *P) *[]Constant { return &p.Names }).like("{login: user_name}").
			says("The fields that `attributes` names, and what they are called here, where that differs."),
		field("lacks", list(text()), func(p *P) *[]Text { return &p.Lacks }).like("['enterprise:department']").
			says("The attributes, as `attributes` writes them, that have no room here. A resource that belongs here and has one is refused."),
	}
	var shared []key[P]
	for _, k := range b.keys {
		switch k.name {
		case "backend", "key", "constants":
			shared = append(shared, k)
		}
	}
	b.title, b.keys, b.like, b.shared = "place", append(shared, own...), "target", ""
	b.doc = "One place beside the target. Its further keys are those of a target in a backend of that type."
	return b.form()
}

func moving() form[Moving] {
	type M = Moving
	return block[M]{
		title: "moving",
		doc:   "For resource types with `places`.",
		keys: []key[M]{
			field("left", choice("delete", "deactivate", "keep"), func(m *M) *Text { return &m.Left }).or("delete").
				says("What becomes of the record where it was, once it is in its new place. What is deactivated or kept is used again if the resource comes back."),
			field("password", choice("refuse", "without"), func(m *M) *Text { return &m.Password }).or("refuse").
				says("A password cannot be read, and so cannot be taken along. `refuse`: a change that would move the resource is refused unless it sets the password. " +
					"`without`: the resource goes without."),
		},
	}.form()
}

// completeTarget fills in what need not be said.
func completeTarget(r *reader, t *Tree, where string, v *Target) {
	if t.Kind != MappingNode {
		return
	}
	at := t.place()
	if !t.has("backend") {
		v.Backend = Text{Value: r.onlyBackend(), Line: at.Line, Column: at.Column}
		if v.Backend.Value == "" && len(r.kinds) > 0 {
			r.report.Errorf(at, "as in backend: "+r.backendNames()[0], "%s needs the key %q", where, "backend")
		}
	}
	if t.has("key") {
		return
	}
	switch r.kinds[v.Backend.Value] {
	case "rest", "scim", "command":
		v.Key = []Text{{Value: "id", Line: at.Line, Column: at.Column}}
	default:
		r.report.Errorf(at, "as in key: emp_no", "%s needs the key %q", where, "key")
	}
}

// onlyBackend is the name of the backend if there is one only.
func (r *reader) onlyBackend() string {
	if names := r.backendNames(); len(names) == 1 {
		return names[0]
	}
	return ""
}

func targetKinds() []kindKeys[Target] {
	generated := field("generated", boolean(), func(t *Target) *Bool { return &t.SQL.Generated })
	return []kindKeys[Target]{
		{"sql", append([]key[Target]{
			field("where", constants("column"), func(t *Target) *[]Constant { return &t.SQL.Where }).like("{kind: person}").
				says("Columns that hold these values in every row that counts. Other rows are as if they were not there; new ones get the values."),
			field("join", named("name", join(), anyName, func(j *Join) *Text { return &j.Name }), func(t *Target) *[]Join { return &t.SQL.Joins }).
				like("{contact: {table: contact, on: emp_no}}").
				says("Rows of other tables that belong to a record, one each. Their columns are fields: `contact.email`."),
			field("stamps", stamps(), func(t *Target) *Stamps { return &t.SQL.Stamps }).like("{change: {changed_by: client, changed_at: now}}").
				says("Columns that note when a record is written, and by whom; with `delete`, rows are marked instead of deleted."),
			field("table", text(), func(t *Target) *Text { return &t.SQL.Table }).required().like("employee").
				says("The table, or a view that can be written."),
			field("distinct", boolean(), func(t *Target) *Bool { return &t.SQL.Distinct }).or("false").
				says("All rows with the same `key` are one record: groups that exist only as a name in a table of memberships."),
			field("vacant", constants("column"), func(t *Target) *[]Constant { return &t.SQL.Vacant }).like(`{login: ""}`).
				says("With `distinct`: what the row holds that stands for a record without members; an empty text is NULL where the column allows it. Without it there can be none."),
			field("newKey", newKey(), func(t *Target) *NewKey { return &t.SQL.NewKey }).like("{sequence: emp_seq}").
				says("What makes the key of a new record, where the column does not: an expression, a sequence, or a statement."),
			generated.says("Whether the database makes the key of a new record. Default: it does unless an attribute is mapped to the key."),
		}, statementTarget()...)},
		{"rest", stepTarget(overHTTP)},
		{"command", stepTarget(byProgram)},
		{"ldap", ldapTarget()},
		{"scim", scimTarget()},
		{"file", fileTarget()},
		{"memory", []key[Target]{
			generated.says("Whether the backend makes the key of a new record. Default: it does unless an attribute is mapped to the key."),
		}},
	}
}
