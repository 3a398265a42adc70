package sql_test

import (
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/scim/filter"
)

const companySchema = `
CREATE TABLE dept (id INTEGER PRIMARY KEY, title TEXT NOT NULL);
INSERT INTO dept VALUES (1, 'Sales'), (2, 'Twice'), (3, 'Twice'), (4, 'sales and more');
CREATE TABLE staff (company TEXT NOT NULL, no INTEGER NOT NULL, login TEXT UNIQUE, dept_id INTEGER, PRIMARY KEY (company, no));
CREATE TABLE detail (company TEXT NOT NULL, no INTEGER NOT NULL, title TEXT, remark TEXT DEFAULT 'kept', PRIMARY KEY (company, no));
CREATE TABLE mail (company TEXT NOT NULL, no INTEGER NOT NULL, address TEXT, note TEXT DEFAULT 'kept');
CREATE INDEX mail_owner ON mail (company, no);
CREATE INDEX mail_address ON mail (address);
`

var company = sql.Table{Name: "staff", Key: []string{"company", "no"},
	Sides:    []sql.Side{{Name: "detail", Table: "detail", On: []string{"company", "no"}}},
	Lookups:  []sql.Lookup{{Field: "dept_id>title", Column: "dept_id", Table: "dept", Key: "id", Name: "title"}},
	Children: []sql.Child{{Field: "mails", Table: "mail", Owner: []string{"company", "no"}, Shape: adapters.NewShape("address")}}}

var companyFields = []string{"company", "no", "login", "detail.title", "dept_id>title", "mails"}

func mails(addresses ...string) []adapters.Record {
	var out []adapters.Record
	for _, a := range addresses {
		r := adapters.NewRecord(company.Children[0].Shape, "")
		r.Set("address", a)
		out = append(out, r)
	}
	return out
}

// TestCompositeOwners: keys of several columns own rows beside and below them, also
// when they change; and a table without a key of its own has elements.
func TestCompositeOwners(t *testing.T) {
	a := table(t, open(t, companySchema), company, companyFields...)
	for _, v := range []map[string]any{
		{"company": "A", "no": int64(1), "login": "ada", "detail.title": "Boss", "mails": mails("a@x", "b@x")},
		{"company": "A", "no": int64(2), "login": "bob", "mails": mails("b@x")},
		{"company": "B", "no": int64(1), "login": "cyd"},
	} {
		if _, err := a.Create(ctx, record(a, "", v), adapters.Fields{}); err != nil {
			t.Fatal(err)
		}
	}
	page, err := a.List(ctx, adapters.Query{Limit: 10, Want: adapters.AllFields, Filter: &filter.Element{Name: "mails", Where: eq("address", "b@x", filter.Exact)}})
	if err != nil || len(page.Records) != 2 || !adapters.Same(page.Records[0].Get("mails"), mails("a@x", "b@x")) {
		t.Errorf("found %v, %v", page.Records, err)
	}
	page, err = a.List(ctx, adapters.Query{Limit: 10, Filter: eq("detail.title", "BOSS", filter.Folded), Sort: []adapters.Sort{{Field: "detail.title", Match: filter.Folded}}})
	if err != nil || len(page.Records) != 1 {
		t.Errorf("found %v, %v", page.Records, err)
	}
	rec, err := a.Get(ctx, adapters.JoinKey("A", "1"), adapters.AllFields)
	if err != nil {
		t.Fatal(err)
	}
	kept := adapters.CloneElements(rec.Get("mails").([]adapters.Record))
	kept[1].Set("address", "new@x")
	rec, err = a.Update(ctx, rec.Key, adapters.Delta{Set: []adapters.Change{{Field: "no", Old: int64(1), New: int64(9)}, {Field: "mails", Old: rec.Get("mails"), New: kept}}}, adapters.AllFields)
	if err != nil || rec.Key != adapters.JoinKey("A", "9") || rec.Get("detail.title") != "Boss" || !adapters.Same(rec.Get("mails"), mails("a@x", "new@x")) {
		t.Errorf("after a new key: %v, %v", rec.Values(), err)
	}
	if err := a.Delete(ctx, rec.Key); err != nil {
		t.Fatal(err)
	}
	page, err = a.List(ctx, adapters.Query{Limit: 10, Want: adapters.AllFields})
	if err != nil || len(page.Records) != 2 || !adapters.Same(page.Records[0].Get("mails"), mails("b@x")) {
		t.Errorf("left: %v, %v", page.Records, err)
	}
}

// TestLookupNames: a name is found as it is written, or else whatever its case; one
// that is not there, or means several, is refused and names the field.
func TestLookupNames(t *testing.T) {
	a := table(t, open(t, companySchema), company, companyFields...)
	no := int64(0)
	for name, want := range map[string]string{"Sales": "Sales", "SALES": "Sales", "Twice": "", "Nowhere": "", "%": "", "sales and more": "sales and more"} {
		no++
		r, err := a.Create(ctx, record(a, "", map[string]any{"company": "A", "no": no, "dept_id>title": name}), adapters.AllFields)
		if want == "" {
			e, _ := err.(*adapters.Error)
			if e == nil || e.Kind != adapters.Invalid || e.Field != "dept_id>title" || strings.Contains(e.Told, "several") != (name == "Twice") || e.Told == "" {
				t.Errorf("%q: %v", name, err)
			}
		} else if err != nil || r.Get("dept_id>title") != want {
			t.Errorf("%q: %v, %v", name, r.Values(), err)
		}
	}
}

// TestShapesCost: rows of a page are read in one statement a table, and what is
// asked of another table its index leads to.
func TestShapesCost(t *testing.T) {
	var sent []string
	db := open(t, spreadSQLite, func(c *sql.Config) { c.Trace = func(s string) { sent = append(sent, s) } })
	a := table(t, db, spread, spreadShape...)
	for i := range 20 {
		v := map[string]any{"name": string(rune('a' + i)), "extra.nick": "n", "attr.note": "x", "state_id>code": "A", "emails": nil}
		if _, err := a.Create(ctx, record(a, "", v), adapters.Fields{}); err != nil {
			t.Fatal(err)
		}
	}
	sent = nil
	if _, err := a.List(ctx, adapters.Query{Limit: 20, Total: true, Want: adapters.AllFields}); err != nil {
		t.Fatal(err)
	}
	if len(sent) != 2 { // the page with its members, its contacts
		t.Errorf("a page took %d statements:\n%s", len(sent), strings.Join(sent, "\n"))
	}
	for what, e := range map[string]filter.Expr{
		"contact_value":     &filter.Element{Name: "emails", Where: eq("value", "alice", filter.Exact)},
		"person_extra_nick": eq("extra.nick", "ada", filter.Folded),
	} {
		sent = nil
		if _, err := a.List(ctx, adapters.Query{Limit: 2, Filter: e}); err != nil {
			t.Fatal(err)
		}
		plan, err := db.Explain(ctx, sent[0])
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan, what) || strings.Contains(plan, "SCAN t") {
			t.Errorf("no use of %s:\n%s\n%s", what, plan, sent[0])
		}
	}
}

// TestShapesInspected: what a configuration says of other tables is held against them.
func TestShapesInspected(t *testing.T) {
	wrong := company
	wrong.Sides = []sql.Side{{Name: "detail", Table: "detial", On: []string{"company", "no"}}, {Name: "m", Table: "mail", On: []string{"company", "no"}}}
	wrong.Lookups = []sql.Lookup{{Field: "dept_id>titel", Column: "dept_id", Table: "dept", Key: "id", Name: "titel"}}
	wrong.Children = []sql.Child{{Field: "mails", Table: "mail", Owner: []string{"company", "nr"}, Shape: adapters.NewShape("adress")}}
	wrong.Stamps = sql.Stamps{Change: []sql.Stamp{{Column: "changed_by", Kind: sql.StampClient}}}
	a := table(t, open(t, companySchema), wrong, "login", "m.remark", "dept_id>titel", "mails")
	problems, err := a.Inspect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{"detial: there is no such table; did you mean \"detail\"?", "mail.remark: there is no such column", "mail.company: one record may have several rows",
		"dept.titel: there is no such column; did you mean \"title\"?", "mail.nr: there is no such column; did you mean \"no\"?",
		"mail.adress: there is no such column; did you mean \"address\"?", "mail: nothing tells its rows apart", "staff.changed_by: there is no such column"} {
		if !strings.Contains(all, want) {
			t.Errorf("not found out: %s\n%s", want, all)
		}
	}
}
