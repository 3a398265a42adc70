package main

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Backends that are locked, gone or broken, and come back.

// impatient makes the guard decide soon.
func impatient(yaml string) string {
	return strings.Replace(yaml, "timeout: 5s", "timeout: 150ms, breaker: {failures: 3, open: 300ms}", 1)
}

// down expects 503 with Retry-After.
func (r *rig) down(method, path, body string) {
	r.t.Helper()
	a := r.do(method, path, body).want(503)
	if n, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || n < 1 || n > 60 { // L-02
		r.t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
	}
}

// alive checks that the gateway itself is well.
func (r *rig) alive() {
	r.t.Helper()
	r.do("GET", "/ServiceProviderConfig", "").want(200)
	r.do("GET", "/Schemas", "").want(200)
	for _, p := range []string{"/healthz", "/readyz"} {
		res, err := http.Get(r.admin + p)
		if err != nil {
			r.t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		_, _ = heard.Write(b)
		if res.StatusCode != 200 {
			r.t.Errorf("%s: %d %s", p, res.StatusCode, b)
		}
	}
}

// recovers waits until the backend is asked again.
func (r *rig) recovers(path string) {
	r.t.Helper()
	until := time.Now().Add(5 * time.Second)
	for {
		a := r.do("GET", path, "")
		if a.status == 200 {
			return
		}
		if time.Now().After(until) {
			r.t.Fatalf("does not recover: %d %s", a.status, a.body)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// everything asks for all operations.
func (r *rig) everything(f func(method, path, body string)) {
	f("GET", "/Users/{ada}", "")
	f("GET", "/Users?count=10", "")
	f("GET", `/Users?filter=userName eq "ada.lovelace"`, "")
	f("GET", `/Groups?filter=displayName eq "Staff"`, "")
	f("POST", "/Users", user("outage", ""))
	f("PUT", "/Users/{ada}", user("ada.lovelace", `,"active":true`))
	f("PATCH", "/Users/{ada}", `{`+patchOp+`,"Operations":[{"op":"replace","path":"title","value":"outage"}]}`)
	f("PATCH", "/Groups/{staff}", `{`+patchOp+`,"Operations":[{"op":"remove","path":"members","value":[{"value":"{ada}"}]}]}`)
	f("DELETE", "/Users/{ada}", "")
}

func TestLocked(t *testing.T) {
	r := start(t, impatient)
	r.vars["ada"], r.vars["staff"] = r.id("ada.lovelace"), r.groupID("Staff")
	before := r.dump("legacy.db")
	db := r.open("legacy.db")
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	r.everything(r.down)
	r.run("at once when the breaker is open", func() {
		for range 3 {
			r.down("GET", "/Users/{ada}", "")
		}
		begun := time.Now()
		for range 20 {
			r.down("GET", "/Users/{ada}", "")
		}
		if took := time.Since(begun); took > 140*20*time.Millisecond/2 {
			r.t.Errorf("20 refusals took %v", took)
		}
		r.alive()
		if !strings.Contains(r.log.take(), "backend is down") {
			r.t.Error("the log does not say that the backend is down")
		}
	})
	if _, err := db.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	r.recovers("/Users/{ada}")
	if r.dump("legacy.db") != before {
		t.Error("something was written while the database was locked")
	}
	r.do("POST", "/Users", user("outage", "")).want(201)
}

func TestReadersGoOnBesideAWriter(t *testing.T) {
	r := start(t, impatient)
	ada := r.id("ada.lovelace")
	db := r.open("legacy.db")
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	r.get("/Users/" + ada).want(200)
	r.down("PATCH", "/Users/"+ada, `{`+patchOp+`,"Operations":[{"op":"replace","path":"title","value":"x"}]}`)
	r.get("/Users/" + ada).want(200)
	if _, err := db.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	r.patch("/Users/"+ada, `{"op":"replace","path":"title","value":"x"}`).want(200)
}

// notice is more than the time in which a file that was replaced is noticed.
const notice = 30 * time.Millisecond

func TestRemoved(t *testing.T) {
	r := start(t, func(y string) string { return strings.Replace(impatient(y), "init: legacy.sql, ", "", 1) }, func(y string) string { return y })
	r.run("missing at start", func() {
		r.vars["ada"], r.vars["staff"] = "none", "none"
		r.alive()
		r.down("GET", "/Users?count=10", "")
		r.down("POST", "/Users", user("outage", ""))
		r.alive()
		db, err := sql.Open("sqlite3", r.path("state/legacy.db"))
		if err != nil {
			r.t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(read(r.t, r.path("legacy.sql"))); err != nil {
			r.t.Fatal(err)
		}
	})
	r.recovers("/Users?count=10")
	r.vars["ada"], r.vars["staff"] = r.id("ada.lovelace"), r.groupID("Staff")
	whole := r.dump("legacy.db")
	r.run("removed while running", func() {
		if err := os.Rename(r.path("state/legacy.db"), r.path("state/away.db")); err != nil {
			r.t.Fatal(err)
		}
		time.Sleep(notice)
		r.everything(r.down)
		r.alive()
		if err := os.Rename(r.path("state/away.db"), r.path("state/legacy.db")); err != nil {
			r.t.Fatal(err)
		}
		r.recovers("/Users/{ada}")
		if r.dump("legacy.db") != whole {
			r.t.Error("something was written to a database that was away")
		}
	})
	r.run("replaced by another file", func() {
		copied := read(r.t, r.path("state/legacy.db"))
		if err := os.Remove(r.path("state/legacy.db")); err != nil {
			r.t.Fatal(err)
		}
		write(r.t, r.path("state/legacy.db"), copied)
		r.sql("UPDATE employee SET job_title = 'of the new file' WHERE login = 'ada.lovelace'")
		time.Sleep(notice)
		r.recovers("/Users/{ada}")
		r.get("/Users/{ada}").is("title", "of the new file")
		r.patch("/Users/{ada}", `{"op":"replace","path":"nickName","value":"new"}`).want(200)
		r.holds("new", "SELECT nick FROM employee WHERE login = 'ada.lovelace'")
	})
	r.run("no database at all", func() {
		good := read(r.t, r.path("state/legacy.db"))
		write(r.t, r.path("state/legacy.db"), strings.Repeat("this is no database ", 20_000))
		r.everything(r.down)
		r.alive()
		write(r.t, r.path("state/legacy.db"), good)
		r.recovers("/Users/{ada}")
		r.get("/Users/{ada}").is("nickName", "new")
	})
	r.run("a table is missing", func() {
		r.sql("ALTER TABLE employee RENAME TO staff")
		r.down("GET", "/Users/{ada}", "")
		r.alive()
		r.sql("ALTER TABLE staff RENAME TO employee")
		r.recovers("/Users/{ada}")
	})
	r.run("a column is missing", func() {
		r.sql("ALTER TABLE employee RENAME COLUMN nick TO alias")
		r.down("GET", "/Users/{ada}", "")
		r.sql("ALTER TABLE employee RENAME COLUMN alias TO nick")
		r.recovers("/Users/{ada}")
	})
	if log := r.log.take(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "panic") {
		t.Error("the log has errors, but only the backend was down")
	}
	if fmt.Sprint(r.get("/Users", "count", "0").at("totalResults")) != "200" {
		t.Error("users are missing")
	}
}
