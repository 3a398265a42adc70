package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// domains turns the quickstart's client into three: d1, d2 and d3, each with its
// name as token, and lines for the third.
func domains(lines string) func(string) string {
	return func(yaml string) string {
		old := "  quickstart: {token: quickstart}"
		i := strings.Index(yaml, old)
		rest := yaml[i+len(old):]
		rest = rest[strings.Index(rest, "\n")+1:]
		return yaml[:i] + "  d1: {token: d1}\n  d2: {token: d2}\n  d3: {token: d3" + lines + "}\n" +
			"admins:\n  helpdesk: {token: helpdesk}\n  chief: {token: chief, scopes: [identities:write]}\n" + rest
	}
}

// as sends what follows as another client.
func (r *rig) as(client string) *rig { r.token = client; return r }

// cli runs a command as an administrator does, whose view is searched for no keys.
func (r *rig) cli(args ...string) (stdout, stderr string, status int) {
	r.t.Helper()
	return r.command(append([]string{"identities", args[0], "--config", r.path("postern.yaml")}, args[1:]...)...)
}

func (r *rig) command(args ...string) (stdout, stderr string, status int) {
	r.t.Helper()
	var out, errs bytes.Buffer
	m := &Main{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}
	for i := range args {
		args[i] = r.expand(args[i])
	}
	status = m.Run(context.Background(), args)
	return out.String(), errs.String(), status
}

func (r *rig) admins(args ...string) string {
	r.t.Helper()
	out, errs, status := r.cli(args...)
	if status != 0 {
		r.t.Fatalf("%q: status %d: %s", args, status, errs)
	}
	return out
}

// A seenIdentity is what `identities show --json` prints.
type seenIdentity struct {
	ID    string `json:"id"`
	Type  string `json:"type"`
	Links []struct {
		Backend string `json:"backend"`
		Key     string `json:"key"`
		Primary bool   `json:"primary"`
	} `json:"links"`
	ExternalIDs []struct {
		Client           string `json:"client"`
		ID               string `json:"id"`
		Primary          bool   `json:"primary"`
		DeletionRequired bool   `json:"deletionRequired"`
	} `json:"externalIds"`
}

func decoded[T any](t *testing.T, text string) (v T) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func (r *rig) show(id string) seenIdentity {
	r.t.Helper()
	return decoded[seenIdentity](r.t, r.admins("show", "--json", id))
}

// table is what the table holds of an identity: "client id primary deletionRequired".
func (s seenIdentity) table() (lines []string) {
	for _, e := range s.ExternalIDs {
		line := e.Client + " " + e.ID
		if e.Primary {
			line += " primary"
		}
		if e.DeletionRequired {
			line += " deletionRequired"
		}
		lines = append(lines, line)
	}
	return lines
}

func (s seenIdentity) keys() (keys []string) {
	for _, l := range s.Links {
		keys = append(keys, l.Key)
	}
	return keys
}

// number is the key of an employee.
func (r *rig) number(login string) string {
	r.t.Helper()
	return r.value("SELECT emp_no FROM employee WHERE login = ?", login)
}

// names lists who a client sees of these, each once for each time it is listed.
func (r *rig) sees(logins ...string) (seen []string) {
	r.t.Helper()
	a := r.get("/Users", "count", "1000").want(200)
	for _, n := range a.names() {
		if slices.Contains(logins, n) {
			seen = append(seen, n)
		}
	}
	if a.total() != len(a.names()) {
		r.t.Errorf("totalResults is %d, and %d are listed", a.total(), len(a.names()))
	}
	slices.Sort(seen)
	return seen
}

func equals[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestFalseNegative is the second worked example of the mailing list: two
// identities turn out to be one person, and D2 is told when it comes by (GW-04).
func TestFalseNegative(t *testing.T) {
	r := start(t, domains(""))
	ada, bob := r.number("erik.ramos"), r.number("frida.johnson")
	ids := map[string][2]string{}
	for _, d := range []string{"d1", "d2", "d3"} {
		r.as(d)
		ids[d] = [2]string{r.id("erik.ramos"), r.id("frida.johnson")}
	}
	keep, drop := r.show(ids["d1"][0]), r.show(ids["d2"][1])
	equals(t, "GW-08: an id for each", len(keep.ExternalIDs), 3)

	dry := decoded[[]seenIdentity](t, r.admins("merge", "--json", "--keep", keep.ID, "--drop", drop.ID, "--record", "keep", "--dry-run"))
	equals(t, "a dry run", dry[0].keys(), []string{ada, bob})
	equals(t, "a dry run", r.show(drop.ID).keys(), []string{bob})

	// Ids of any domain, and of the identity, name the same.
	after := decoded[[]seenIdentity](t, r.admins("merge", "--json", "--keep", ids["d2"][0], "--drop", ids["d1"][1], "--record", "keep", "--why", "the same person"))
	if len(after) != 1 || after[0].ID != keep.ID || after[0].Type != "User" {
		t.Fatalf("%+v", after)
	}
	want := []string{}
	for _, d := range []string{"d1", "d2", "d3"} {
		want = append(want, d+" "+ids[d][0]+" primary", d+" "+ids[d][1]+" deletionRequired")
	}
	equals(t, "GW-04: the table", r.show(ids["d3"][1]).table(), want)
	equals(t, "GW-04: what is printed", after[0].table(), want)

	for _, d := range []string{"d1", "d2", "d3"} {
		r.as(d)
		for _, id := range ids[d] {
			r.get("/Users/"+id).want(200).is("id", ids[d][0]).is("userName", "erik.ramos")
		}
		equals(t, "GW-02: listed once", r.sees("erik.ramos", "frida.johnson"), []string{"erik.ramos"})
	}
	r.as("d2").do("DELETE", "/Users/"+ids["d2"][1], "").want(204)
	r.get("/Users/" + ids["d2"][1]).want(404)
	r.get("/Users/" + ids["d2"][0]).want(200)
	r.holds("1", "SELECT count(*) FROM employee WHERE login = 'frida.johnson'")
	equals(t, "GW-06: the row is gone", r.show(keep.ID).table(), slices.DeleteFunc(want, func(l string) bool { return l == "d2 "+ids["d2"][1]+" deletionRequired" }))

	pending := decoded[[]map[string]any](t, r.admins("pending", "--json"))
	if len(pending) != 2 || pending[0]["client"] == "d2" || pending[0]["primary"] == "" {
		t.Errorf("GW-06: pending %v", pending)
	}
	r.as("d1").do("DELETE", "/Users/"+ids["d1"][0], "").want(204) // the person leaves
	r.holds("0", "SELECT count(*) FROM employee WHERE login IN ('erik.ramos', 'frida.johnson')")
	r.as("d3").get("/Users/" + ids["d3"][0]).want(404)
	r.get("/Users/" + ids["d3"][1]).want(404)
}

// TestFalsePositive is the first worked example: one identity turns out to be two
// people; D2 knows the new one once D2 provisions it (GW-03).
func TestFalsePositive(t *testing.T) {
	r := start(t, domains(""))
	old := map[string]string{}
	for _, d := range []string{"d1", "d2", "d3"} {
		old[d] = r.as(d).id("erik.ramos")
	}
	// The second person gets a record; nobody at the gateway knows of it.
	r.sql("INSERT INTO employee (emp_no, login, last_name) VALUES (770009001, 'erik.ramos2', 'Ramos')")
	one := r.show(old["d2"])
	after := decoded[[]seenIdentity](t, r.admins("split", "--json", "--link", "staff:770009001", "--why", "two people", old["d2"]))
	if len(after) != 2 || after[0].ID != one.ID || len(after[1].ExternalIDs) != 0 {
		t.Fatalf("%+v", after)
	}
	equals(t, "GW-03: the old mapping is untouched", r.show(one.ID), one)
	for _, d := range []string{"d1", "d2", "d3"} {
		equals(t, "GW-03: "+d+" sees nothing", r.as(d).sees("erik.ramos", "erik.ramos2"), []string{"erik.ramos"})
		r.get("/Users", "filter", `userName eq "erik.ramos2"`).is("totalResults", "0")
	}
	made := r.as("d2").do("POST", "/Users", user("erik.ramos2", `,"title":"Analyst"`)).want(201).is("title", "Analyst").is("name.familyName", "Ramos").keep(r, "new")
	if loc := made.header.Get("Location"); loc != r.base+"/Users/"+r.vars["new"] {
		t.Errorf("Location %s", loc)
	}
	r.holds("1", "SELECT count(*) FROM employee WHERE login = 'erik.ramos2'")
	equals(t, "GW-03: the table", r.show(after[1].ID).table(), []string{"d2 " + r.vars["new"] + " primary"})
	equals(t, "GW-03: the table", r.show(one.ID).table(), one.table())
	equals(t, "d2", r.sees("erik.ramos", "erik.ramos2"), []string{"erik.ramos", "erik.ramos2"})
	equals(t, "d3", r.as("d3").sees("erik.ramos", "erik.ramos2"), []string{"erik.ramos"})

	r.admins("release", "--client", "d3", "--why", "now", after[1].ID)
	equals(t, "released to d3", r.sees("erik.ramos2"), []string{"erik.ramos2"})
	equals(t, "d1", r.as("d1").sees("erik.ramos2"), []string(nil))
	r.admins("release", "--all", "--why", "now", after[1].ID)
	equals(t, "released to all", r.sees("erik.ramos2"), []string{"erik.ramos2"})
	history := decoded[[]map[string]any](t, r.admins("history", "--json", after[1].ID))
	if len(history) != 4 || history[3]["why"] != "two people" || history[2]["who"] != "d2" {
		t.Errorf("history: %v", history)
	}
}

// TestManyAndBack merges three into one and splits one into three, in three
// domains at once, and takes it back (GW-05).
func TestManyAndBack(t *testing.T) {
	r := start(t, domains(""))
	logins := []string{"theo.nakamura", "john.johnson", "laura.nakamura"}
	var before []seenIdentity
	ids := map[string][]string{}
	for _, d := range []string{"d1", "d2", "d3"} {
		for _, l := range logins {
			ids[d] = append(ids[d], r.as(d).id(l))
		}
	}
	for i := range logins {
		before = append(before, r.show(ids["d1"][i]))
	}
	one := decoded[[]seenIdentity](t, r.admins("merge", "--json", "--keep", ids["d3"][1], "--drop", ids["d1"][0], "--drop", ids["d2"][2], "--record", "keep", "--why", "x"))
	if len(one) != 1 || len(one[0].Links) != 3 || len(one[0].ExternalIDs) != 9 {
		t.Fatalf("GW-05: %+v", one)
	}
	for _, d := range []string{"d1", "d2", "d3"} {
		equals(t, "GW-05: 3 to 1", r.as(d).sees(logins...), []string{"john.johnson"})
		for _, id := range ids[d] {
			r.get("/Users/"+id).want(200).is("id", ids[d][1])
		}
	}
	three := decoded[[]seenIdentity](t, r.admins("split", "--json", "--each", "--link", "staff:"+r.number(logins[0]), "--link", "staff:"+r.number(logins[2]), "--why", "x", one[0].ID))
	if len(three) != 3 || three[0].ID != before[1].ID || len(three[1].Links) != 1 || len(three[2].Links) != 1 {
		t.Fatalf("GW-05: %+v", three)
	}
	for _, d := range []string{"d1", "d2", "d3"} {
		equals(t, "GW-05: 1 to 3", r.as(d).sees(logins...), []string{"john.johnson"})
	}
	if _, errs, status := r.cli("undo", "--why", "x", ""); status != 1 { // an empty variable of a script's
		t.Errorf("undo of nobody's moves: %s", errs)
	}
	r.admins("undo", "--why", "x", one[0].ID) // the split
	r.admins("undo", "--why", "x", "1")       // the merge
	for i := range before {
		equals(t, "undone", r.show(before[i].ID), before[i])
	}
	for _, d := range []string{"d1", "d2", "d3"} {
		equals(t, "undone", r.as(d).sees(logins...), []string{"john.johnson", "laura.nakamura", "theo.nakamura"})
	}
	out, errs, status := r.cli("undo", "--why", "x", "1")
	if status != 1 || out != "" || !strings.Contains(errs, "undone already") {
		t.Errorf("twice: %d %s %s", status, out, errs)
	}
}

// TestWhatEachClientSees is the policy for ids that a merge made superfluous, over
// HTTP (GW-10).
func TestWhatEachClientSees(t *testing.T) {
	follow := start(t, domains(""))
	ada, bob := follow.as("d3").id("ada.lovelace"), follow.id("alan.turing")
	follow.admins("merge", "--keep", ada, "--drop", bob, "--why", "x")
	follow.patch("/Users/"+bob, `{"op":"replace","value":{"id":"`+bob+`","title":"One"}}`).want(200).is("id", ada).is("title", "One")
	follow.get("/Users/"+bob).want(200).is("meta.location", follow.base+"/Users/"+ada)

	redirect := start(t, domains(", secondary: redirect"))
	ada, bob = redirect.as("d3").id("ada.lovelace"), redirect.id("alan.turing")
	redirect.admins("merge", "--keep", ada, "--drop", bob, "--why", "x")
	for _, method := range []string{"GET", "PUT", "PATCH"} {
		body := ""
		switch method {
		case "PUT":
			body = user("ada.lovelace", "")
		case "PATCH":
			body = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"title"}]}`
		}
		req, err := http.NewRequest(method, redirect.base+"/Users/"+bob, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer d3")
		req.Header.Set("Content-Type", "application/scim+json")
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 308 || res.Header.Get("Location") != redirect.base+"/Users/"+ada || !strings.Contains(string(text), `"status":"308"`) {
			t.Errorf("GW-10 %s: %d to %q: %s", method, res.StatusCode, res.Header.Get("Location"), text)
		}
	}
	redirect.get("/Users/"+bob).want(200).is("id", ada) // net/http follows
	redirect.do("DELETE", "/Users/"+bob, "").want(204)
	redirect.get("/Users/" + bob).want(404)

	gone := start(t, domains(", secondary: gone"))
	ada, bob = gone.as("d3").id("ada.lovelace"), gone.id("alan.turing")
	gone.admins("merge", "--keep", ada, "--drop", bob, "--why", "x")
	gone.get("/Users/" + bob).want(404)
	gone.get("/Users", "filter", `id eq "`+bob+`"`).want(200).is("totalResults", "0")
	gone.get("/Users", "filter", `manager.value eq "`+bob+`"`).want(200)
	gone.do("POST", "/Groups", group("g", `,"members":[{"value":"`+bob+`"}]`)).want(201).is("members.0.value", ada)
	gone.do("DELETE", "/Users/"+bob, "").want(204)
	gone.holds("1", "SELECT count(*) FROM employee WHERE login = 'alan.turing'")
}

// TestRecordsOfMerges: what happens to the dropped record, with the server running.
func TestRecordsOfMerges(t *testing.T) {
	for _, record := range []string{"keep", "deactivate", "delete"} {
		r := start(t, domains(""))
		keep, drop := r.as("d1").id("erik.ramos"), r.id("frida.johnson")
		from := r.number("frida.johnson")
		roles := r.value("SELECT count(DISTINCT role_id) FROM employee_role WHERE emp_no IN (?, ?)", from, r.number("erik.ramos"))
		out := r.admins("merge", "--keep", keep, "--drop", drop, "--record", record, "--memberships", "--why", "x", "--dry-run")
		if !strings.Contains(out, "would be done") || strings.Contains(out, "failed") {
			t.Errorf("%s, dry run: %s", record, out)
		}
		r.holds("A", "SELECT status FROM employee WHERE login = 'frida.johnson'")
		r.admins("merge", "--keep", keep, "--drop", drop, "--record", record, "--memberships", "--why", "x")
		want := map[string]string{"keep": "A", "deactivate": "L", "delete": "NULL"}[record]
		r.holds(want, "SELECT status FROM employee WHERE login = 'frida.johnson' UNION ALL SELECT NULL LIMIT 1")
		r.holds(roles, "SELECT count(*) FROM employee_role WHERE emp_no = (SELECT emp_no FROM employee WHERE login = 'erik.ramos')")
		a := r.get("/Users/"+keep).want(200).is("active", "true")
		equals(t, record+": groups", fmt.Sprint(len(a.items("groups"))), roles)
		if tasks := r.admins("tasks", "--json"); strings.TrimSpace(tasks) != "[]" {
			t.Errorf("open: %s", tasks)
		}
	}
}

// TestFailedStepIsFinished: a step that the backend refuses is reported, and
// finished by the server.
func TestFailedStepIsFinished(t *testing.T) {
	r := start(t, domains(""))
	keep, drop := r.as("d1").id("erik.ramos"), r.id("frida.johnson")
	r.sql("CREATE TRIGGER stubborn BEFORE DELETE ON employee BEGIN SELECT RAISE(ABORT, 'not today'); END")
	out, errs, status := r.cli("merge", "--keep", keep, "--drop", drop, "--record", "delete", "--why", "x")
	if status != 1 || !strings.Contains(errs, "1 step failed") || !strings.Contains(out, "failed: the backend says") {
		t.Fatalf("%d %s %s", status, out, errs)
	}
	r.get("/Users/"+drop).want(200).is("id", keep)
	if out, errs, status = r.cli("tasks", "--do"); status != 1 || !strings.Contains(out, "delete") {
		t.Errorf("%d %s %s", status, out, errs)
	}
	r.sql("DROP TRIGGER stubborn")
	r.stop()
	r.serve()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if strings.TrimSpace(r.admins("tasks", "--json")) == "[]" {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the server does not finish what is open")
		}
	}
	r.holds("0", "SELECT count(*) FROM employee WHERE login = 'frida.johnson'")
	r.get("/Users/"+keep).want(200).is("id", keep)
}

// TestHousekeeping: ids that have waited for longer than configured are retired.
func TestHousekeeping(t *testing.T) {
	r := start(t, domains(""), func(y string) string { return y + "housekeeping: {retire: 720h}\n" })
	r.as("d1")
	a, b, c := r.id("erik.ramos"), r.id("frida.johnson"), r.id("theo.nakamura")
	r.admins("merge", "--keep", a, "--drop", b, "--why", "x")
	r.stop()
	db := r.open("postern.db")
	if _, err := db.Exec(`UPDATE external_id SET since = since - 721 * 3600 * 1000000 WHERE deletion_required = 1`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	r.admins("merge", "--keep", a, "--drop", c, "--why", "x")
	r.serve()
	for end := time.Now().Add(20 * time.Second); len(decoded[[]map[string]any](t, r.admins("pending", "--json"))) != 1; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing is retired")
		}
	}
	r.get("/Users/" + b).want(404)
	r.get("/Users/"+c).want(200).is("id", a)
	if out := r.admins("pending", "--retire", "--older", "0s", "--why", "x", "--json"); len(decoded[[]map[string]any](t, out)) != 1 {
		t.Errorf("retired: %s", out)
	}
	r.get("/Users/" + c).want(404)
	r.get("/Users/" + a).want(200)
}

// TestRecordsBehindOurBack: the backend uses a key again for somebody else.
func TestRecordsBehindOurBack(t *testing.T) {
	r := prepare(t)
	write(t, r.path("legacy.sql"), strings.ReplaceAll(read(t, r.path("legacy.sql")), " AUTOINCREMENT", ""))
	r.serve()
	r.do("POST", "/Users", user("first", "")).want(201).keep(r, "first")
	key := r.number("first")
	again := func(login string) {
		r.sql("DELETE FROM employee WHERE emp_no = ?", key)
		r.sql("INSERT INTO employee (emp_no, login) VALUES (?, ?)", key, login)
	}
	r.sql("DELETE FROM employee WHERE emp_no = ?", key)
	r.get("/Users/{first}").want(404)
	again("second")
	r.get("/Users/{first}").want(404)
	second := r.id("second")
	r.do("DELETE", "/Users/"+second, "").want(204)
	r.do("POST", "/Users", user("third", "")).want(201).keep(r, "third")
	equals(t, "SQLite used the key again", r.number("third"), key)
	r.sql("DELETE FROM employee WHERE emp_no = ?", key)
	r.do("POST", "/Users", user("fourth", "")).want(201).keep(r, "fourth")
	equals(t, "SQLite used the key again", r.number("fourth"), key)
	for _, id := range []string{r.vars["first"], second, r.vars["third"]} {
		r.get("/Users/" + id).want(404)
		r.patch("/Users/"+id, `{"op":"replace","path":"title","value":"x"}`).want(404)
		r.do("DELETE", "/Users/"+id, "").want(404)
	}
	r.get("/Users/{fourth}").want(200).is("userName", "fourth")
}

// TestAdminAPI: the same over HTTP, with the real program.
func TestAdminAPI(t *testing.T) {
	r := start(t, domains(""))
	a, b := r.as("d1").id("erik.ramos"), r.id("frida.johnson")
	call := func(token, method, path, body string) (int, map[string]any) {
		t.Helper()
		req, err := http.NewRequest(method, r.admin+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var v map[string]any
		if err := json.NewDecoder(res.Body).Decode(&v); err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		return res.StatusCode, v
	}
	for token, want := range map[string]int{"": 401, "d1": 401, "helpdesk": 403, "chief": 200} {
		status, v := call(token, "POST", "/v1/merge", fmt.Sprintf(`{"keep":%q,"drop":[%q],"record":"deactivate","why":"x"}`, a, b))
		if status != want {
			t.Fatalf("%q: %d %v", token, status, v)
		}
	}
	if status, v := call("helpdesk", "GET", "/v1/identities/"+b, ""); status != 200 || len(v["links"].([]any)) != 2 {
		t.Errorf("%d %v", status, v)
	}
	r.holds("L", "SELECT status FROM employee WHERE login = 'frida.johnson'")
	r.get("/Users/"+b).want(200).is("id", a)
	equals(t, "an admin is no client", r.as("chief").get("/Users").status, 401)

	status, v := call("chief", "POST", "/v1/scans", `{"type":"User"}`)
	if status != 202 {
		t.Fatalf("scan: %d %v", status, v)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if status, v = call("helpdesk", "GET", fmt.Sprintf("/v1/scans/%v", v["nr"]), ""); v["stage"] == "done" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the scan does not end: %d %v", status, v)
		}
	}
	if v["managed"].(float64)+v["unmanaged"].(float64) != 200 || v["outside"] != 2.0 {
		t.Errorf("scan: %v", v)
	}
	if status, v = call("helpdesk", "GET", fmt.Sprintf("/v1/scans/%v/findings?limit=5", v["nr"]), ""); len(v["findings"].([]any)) != 5 {
		t.Errorf("findings: %d %v", status, v)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, v := call("", "GET", path, ""); status != 200 {
			t.Errorf("%s: %d %v", path, status, v)
		}
	}
}

// TestScanCommand: what it finds, in each form.
func TestScanCommand(t *testing.T) {
	r := start(t, domains(""))
	r.as("d1").id("ada.lovelace")
	gone := r.number("max.obrien")
	r.id("max.obrien")
	r.stop()
	r.sql("DROP INDEX employee_login")
	r.sql("DELETE FROM employee WHERE login = 'max.obrien'")
	r.sql("INSERT INTO employee (emp_no, login) VALUES (770009002, 'ADA.lovelace')")
	text := r.admins("scan", "--type", "User", "--dry-run")
	for _, want := range []string{"MANAGED", "vanished     User  staff:" + gone, "conflicting  User  staff:770009002  like " + r.number("ada.lovelace"), "which --format csv shows"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(r.admins("scan", "--format", "csv", "--why", "a trial"))).ReadAll()
	if err != nil || !slices.Equal(rows[0], []string{"situation", "type", "backend", "key", "other", "identity"}) {
		t.Fatal(rows, err)
	}
	count := map[string]int{}
	for _, row := range rows[1:] {
		count[row[1]+" "+row[0]]++
		if row[5] == "" {
			t.Fatalf("no identity: %v", row)
		}
	}
	if count["User vanished"] != 1 || count["User conflicting"] != 1 || count["Group unmanaged"] == 0 || count["User unmanaged"] < 100 {
		t.Errorf("%v", count)
	}
	var report struct {
		Scans    []map[string]any `json:"scans"`
		Accounts []map[string]any `json:"accounts"`
	}
	if err := json.Unmarshal([]byte(r.admins("scan", "--json")), &report); err != nil || len(report.Scans) != 2 || len(report.Accounts) != 2 {
		t.Errorf("%+v, %v", report, err)
	}
	r.serve()
	for _, d := range []string{"d1", "d2", "d3"} { // ids were given ahead of time, for all clients
		if ids := len(r.show(r.as(d).id("erik.ramos")).ExternalIDs); ids != 3 {
			t.Errorf("%d ids", ids)
		}
	}
}

// TestScanOfManyRecords scans 100,000 employees as a process of its own, is killed
// in the middle, goes on, and needs no more memory than for a few.
func TestScanOfManyRecords(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 records")
	}
	many := func(n int) *rig {
		r := prepare(t)
		script := read(t, r.path("legacy.sql")) + fmt.Sprintf(`
INSERT INTO employee (emp_no, login) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT 600000000 + i, 'user' || i FROM n;`, n)
		write(t, r.path("legacy.sql"), script)
		return r
	}
	bin := filepath.Join(command(t), "postern")
	scan := func(r *rig, kill time.Duration) (out string, peak int64) {
		t.Helper()
		cmd := exec.Command(bin, "identities", "scan", "-c", r.path("postern.yaml"), "--type", "User", "--json")
		file, err := os.Create(r.path("report.json"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		var errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = file, &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if kill > 0 {
			time.Sleep(kill)
			_ = cmd.Process.Kill()
		}
		if err := cmd.Wait(); err != nil && kill == 0 {
			t.Fatalf("%v: %s", err, errs.String())
		}
		return read(t, r.path("report.json")), cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	}
	_, few := scan(many(1000), 0)
	r := many(100_000)
	scan(r, 1500*time.Millisecond)
	begun := time.Now()
	out, peak := scan(r, 0)
	var report struct {
		Scans    []map[string]any `json:"scans"`
		Accounts []map[string]any `json:"accounts"`
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	sc := report.Scans[0]
	t.Logf("%v; peak of memory %d MiB, with 1,000 records %d MiB; %s after the kill", sc, peak>>10, few>>10, time.Since(begun))
	if sc["unmanaged"].(float64)+sc["managed"].(float64) != 100_200 || len(report.Accounts) != 100_200 || sc["nr"] != 1.0 {
		t.Errorf("%v, %d accounts", sc, len(report.Accounts))
	}
	if peak-few > 40<<10 {
		t.Errorf("100,000 records need %d MiB, and 1,000 need %d", peak>>10, few>>10)
	}
	identities := r.valueIn(r.open("postern.db"), "SELECT count(*) FROM external_id WHERE state = 'live'")
	equals(t, "ids", identities, "100200")
}

// TestRekeyCommand follows a migration, by a list and by comparing.
func TestRekeyCommand(t *testing.T) {
	migrate := func(r *rig) {
		r.sql("BEGIN; PRAGMA defer_foreign_keys = ON; UPDATE employee_role SET emp_no = emp_no + 50000; UPDATE employee SET emp_no = emp_no + 50000, boss_no = boss_no + 50000; COMMIT")
	}
	same2 := func(r *rig, before map[string]string) {
		t.Helper()
		for login, id := range before {
			r.get("/Users/"+id).want(200).is("userName", login)
		}
	}
	know := func(r *rig) map[string]string {
		ids := map[string]string{}
		for _, a := range r.get("/Users", "count", "1000").items("Resources") {
			ids[a["userName"].(string)] = a["id"].(string)
		}
		return ids
	}
	r := start(t)
	before := know(r)
	r.stop()
	var list strings.Builder
	list.WriteString("old,new\n")
	for login := range before {
		k := r.number(login)
		fmt.Fprintf(&list, "%s,%s\n", k, shiftText(k, 50000))
	}
	write(t, r.path("keys.csv"), list.String())
	out, errs, status := r.cli("rekey", "--file", r.path("keys.csv"), "--why", "migration")
	if status != 1 || !strings.Contains(errs, "nothing was changed") || !strings.Contains(out, "missing") {
		t.Fatalf("before the migration: %d %s %s", status, clip(out), errs)
	}
	migrate(r)
	if out = r.admins("rekey", "--file", r.path("keys.csv"), "--dry-run"); !strings.Contains(out, "200 keys could be changed") {
		t.Errorf("%s", clip(out))
	}
	if out = r.admins("rekey", "--file", r.path("keys.csv"), "--why", "migration"); !strings.Contains(out, "200 keys changed") {
		t.Errorf("%s", clip(out))
	}
	r.serve()
	same2(r, before)

	r = start(t)
	before = know(r)
	r.stop()
	r.admins("scan", "--type", "User")
	migrate(r)
	report := decoded[struct {
		Rows    []map[string]any `json:"rows"`
		Ready   int              `json:"ready"`
		Applied bool             `json:"applied"`
	}](t, r.admins("rekey", "--correlate", "--why", "migration", "--json"))
	if report.Ready != 200 || !report.Applied {
		t.Errorf("%d ready, applied %t", report.Ready, report.Applied)
	}
	r.serve()
	same2(r, before)
}

func shiftText(key string, by int) string {
	var n int
	_, _ = fmt.Sscan(key, &n)
	return fmt.Sprint(n + by)
}

// TestMistypedCommands: what is missing is said, with the status of a usage error.
func TestMistypedCommands(t *testing.T) {
	r := start(t, domains(""))
	a, b := r.as("d1").id("erik.ramos"), r.id("frida.johnson")
	cases := []struct {
		status int
		says   string
		args   []string
	}{
		{2, "say why", []string{"merge", "--keep", a, "--drop", b}},
		{2, "--drop", []string{"merge", "--keep", a, "--why", "x"}},
		{2, "--record", []string{"merge", "--keep", a, "--drop", b, "--why", "x", "--record", "burn"}},
		{2, "BACKEND:KEY", []string{"split", "--link", "770001007", "--why", "x", a}},
		{2, "to whom", []string{"release", "--why", "x", a}},
		{2, "say how", []string{"rekey", "--why", "x"}},
		{2, "say why", []string{"pending", "--retire"}},
		{1, "There is no record 4711 of backend staff", []string{"split", "--link", "staff:4711", "--why", "x", a}},
		{1, "no such id", []string{"show", "nobody"}},
		{1, "d1, d2, d3", []string{"release", "--client", "d9", "--why", "x", a}},
		{1, "no such file", []string{"rekey", "--file", r.path("no.csv"), "--why", "x"}},
		{1, "User, Group", []string{"scan", "--type", "Robot"}},
	}
	for _, c := range cases {
		out, errs, status := r.cli(c.args...)
		if status != c.status || !strings.Contains(strings.ToLower(errs), strings.ToLower(c.says)) || out != "" {
			t.Errorf("%q: status %d, %q, %q", c.args, status, errs, out)
		}
	}
}

// TestMemoryIsElsewhere: the command does not take an empty memory for an empty
// backend.
func TestMemoryIsElsewhere(t *testing.T) {
	r := stage(t, `
clients: {d1: {token: d1}}
backends: {m: {type: memory}}
identities: sqlite:state/postern.db
resources:
  User: {target: {backend: m, key: no}, attributes: {userName: login}}
`, "")
	r.serve()
	id := r.as("d1").do("POST", "/Users", user("ada", "")).want(201).at("id").(string)
	_, errs, status := r.cli("scan", "--json")
	if status != 1 || !strings.Contains(errs, "server's process") {
		t.Errorf("%d %s", status, errs)
	}
	if got := r.show(id); len(got.Links) != 1 {
		t.Errorf("%+v", got)
	}
	r.get("/Users/" + id).want(200)
}

// TestNoLeakAfterMoves asks every endpoint by every id after merges and splits;
// the rig searches all that it hears for keys.
func TestNoLeakAfterMoves(t *testing.T) {
	r := start(t, domains(", secondary: redirect"))
	ids := map[string][3]string{}
	for _, d := range []string{"d1", "d2", "d3"} {
		r.as(d)
		ids[d] = [3]string{r.id("ada.lovelace"), r.id("alan.turing"), r.id("erik.ramos")}
	}
	r.admins("merge", "--keep", ids["d1"][0], "--drop", ids["d2"][1], "--record", "deactivate", "--memberships", "--why", "x")
	r.sql("INSERT INTO employee (emp_no, login) VALUES (770009003, 'split.off')")
	r.admins("split", "--link", "staff:770009003", "--why", "x", ids["d3"][2])
	for d, known := range ids {
		r.as(d)
		a, b, c := known[0], known[1], known[2]
		staff := r.groupID("Staff")
		for _, id := range []string{a, b, c, "nobody", "770009003"} {
			r.echoed = append(r.echoed, "770009003")
			r.get("/Users/" + id)
			r.get("/Users", "filter", fmt.Sprintf(`id eq %q`, id))
			r.get("/Users", "filter", fmt.Sprintf(`manager.value eq %q or id eq %q`, id, id))
			r.get("/Groups", "filter", fmt.Sprintf(`members.value eq %q`, id))
			r.patch("/Users/"+id, `{"op":"replace","path":"nickName","value":"n"}`)
			r.do("PUT", "/Users/"+id, user("ada.lovelace", ""))
			r.patch("/Groups/"+staff, fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, id))
			r.patch("/Groups/"+staff, fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, id))
		}
		r.get("/Users", "count", "1000")
		r.get("/Users", "count", "7", "startIndex", "3", "sortBy", "userName")
		r.get("/Groups", "count", "1000")
		r.do("POST", "/Users", user("split.off", `,"password":"x"`))
		r.do("DELETE", "/Users/"+b, "")
		r.do("DELETE", "/Users/"+c, "")
	}
}
