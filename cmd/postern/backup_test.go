package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The mapping table goes from one database to another, is backed up while it is in
// use, and comes back.

// moveTable points the configuration at another mapping table.
func (r *rig) moveTable(to string) {
	r.t.Helper()
	yaml := read(r.t, r.path("postern.yaml"))
	_, after, _ := strings.Cut(yaml, "\nidentities: ")
	line, _, _ := strings.Cut(after, "\n")
	write(r.t, r.path("postern.yaml"), strings.Replace(yaml, "identities: "+line, `identities: "`+to+`"`, 1))
}

// remembers checks that a user has its id, and what else the table alone knows.
func (r *rig) remembers(name, id string) {
	r.t.Helper()
	r.get("/Users/"+id).want(200).is("userName", name).is("externalId", "x-"+name)
}

func (r *rig) born(name string) (id string) {
	r.t.Helper()
	id, _ = r.do("POST", "/Users", user(name, `,"externalId":"x-`+name+`"`)).want(201).at("id").(string)
	return id
}

func TestMigrate(t *testing.T) {
	if testing.Short() {
		t.Skip("processes")
	}
	r := prepare(t)
	p := r.fork()
	id := r.born("migrant")
	dsn, _ := ownSchema(t)
	if _, errs, status := r.command("identities", "migrate", "--config", r.path("postern.yaml"), "--to", dsn); status == 0 || !strings.Contains(errs, "at work") {
		t.Errorf("while it serves: %d %s", status, errs)
	}
	_ = p.cmd.Process.Signal(os.Interrupt)
	_ = p.cmd.Wait()
	t.Setenv("MIGRATE_TO", dsn)
	for _, args := range [][]string{{"--dry-run"}, {}} {
		out, errs, status := r.command(append([]string{"identities", "migrate", "--json", "--config", r.path("postern.yaml"), "--to", "${env:MIGRATE_TO}"}, args...)...)
		var done migration
		if err := json.Unmarshal([]byte(out), &done); err != nil || status != 0 || done.Rows < 3 || done.DryRun != (len(args) > 0) {
			t.Fatalf("%v: %d %s %s", args, status, out, errs)
		}
	}
	if _, errs, status := r.command("identities", "migrate", "--config", r.path("postern.yaml"), "--to", dsn); status == 0 || !strings.Contains(errs, "not empty") {
		t.Errorf("a second time: %d %s", status, errs)
	}
	for _, to := range []string{"postgres://u:sEcReT@127.0.0.1:1/none", "postgres://u:sEcReT@[/none", "mysql://u:sEcReT@h/none"} {
		out, errs, status := r.command("identities", "migrate", "--config", r.path("postern.yaml"), "--to", to)
		if status == 0 || strings.Contains(out+errs, "sEcReT") {
			t.Errorf("%d %s %s", status, out, errs)
		}
	}
	r.moveTable(dsn)
	r.serve()
	r.remembers("migrant", id)
	r.remembers("later", r.born("later"))
}

// TestBackupSQLite: a backup that was made while Postern served comes back.
func TestBackupSQLite(t *testing.T) {
	r := start(t)
	before := r.born("before")
	backup := r.path("backup.db")
	if out, errs, status := r.command("identities", "backup", "--config", r.path("postern.yaml"), "--to", "sqlite:"+backup); status != 0 {
		t.Fatal(out, errs)
	}
	after := r.born("after")
	r.stop()
	for _, name := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(r.path("state/postern.db" + name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := os.Rename(backup, r.path("state/postern.db")); err != nil {
		t.Fatal(err)
	}
	r.serve()
	r.remembers("before", before)
	r.get("/Users/" + after).want(404)
	if r.id("after") == after { // the record is there, and the table has not met it
		t.Error("an id that nobody knows any more was given again")
	}
}

// TestBackupPostgres: the same by PostgreSQL's own means.
func TestBackupPostgres(t *testing.T) {
	dsn, db := ownSchema(t)
	dump, restore := tool(t, "pg_dump"), tool(t, "psql")
	r := prepare(t)
	r.moveTable(dsn)
	r.serve()
	before := r.born("before")
	server, schema, _ := strings.Cut(strings.ReplaceAll(dsn, "search_path=", "\x00"), "\x00")
	schema, _, _ = strings.Cut(schema, "&")
	server = strings.TrimRight(server, "?&")
	file := r.path("backup.sql")
	run(t, dump, "--dbname", server, "--schema", schema, "--file", file)
	after := r.born("after")
	r.stop()
	if _, err := db.ExecContext(t.Context(), "DROP SCHEMA "+schema+" CASCADE"); err != nil {
		t.Fatal(err)
	}
	run(t, restore, "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", server, "--file", file)
	r.serve()
	r.remembers("before", before)
	r.get("/Users/" + after).want(404)
	r.remembers("later", r.born("later"))
}

// tool finds one of PostgreSQL's programs.
func tool(t *testing.T, name string) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return found[len(found)-1]
	}
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	} else if err != nil {
		t.Skip("NOT TESTED: ", err)
	}
	return path
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(name), err, out)
	}
}
