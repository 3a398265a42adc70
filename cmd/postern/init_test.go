package main

import (
	"bytes"
	"context"
	stdsql "database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/internal/testdb"
)

// started runs postern init in a folder of its own and answers the token that it made.
func started(t *testing.T, args ...string) (token string) {
	t.Helper()
	t.Chdir(t.TempDir())
	token = regexp.MustCompile(`pst_[A-Za-z0-9_-]+`).FindString(ran(t, append([]string{"init", "--yes"}, args...)...))
	if token == "" {
		t.Fatal("no token was shown")
	}
	return token
}

// ran runs a command that must succeed.
func ran(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	m := &Main{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out}
	if status := m.Run(t.Context(), args); status != 0 {
		text, _ := os.ReadFile("postern.yaml")
		t.Fatalf("postern %v ends with %d:\n%s\n%s", args, status, &out, text)
	}
	return out.String()
}

// served serves the configuration of this folder and asks for a list.
func served(t *testing.T, token, path string) map[string]any {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	at, done := make(chan string, 1), make(chan int, 1)
	var out transcript
	m := &Main{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Listening: func(scim, _ string) { at <- scim }}
	go func() { done <- m.Run(ctx, []string{"serve", "--listen", "127.0.0.1:0"}) }()
	defer func() {
		stop()
		<-done
	}()
	var address string
	select {
	case address = <-at:
	case status := <-done:
		done <- status
		t.Fatalf("serve ends with %d:\n%s", status, out.take())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/scim/v2"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s: status %d, %v, %v", path, resp.StatusCode, body, err)
	}
	return body
}

// TestInitOnTheQuickstart: what init proposes for the quickstart's database serves its
// 200 people and the two built-in accounts, which only its owner can tell apart.
func TestInitOnTheQuickstart(t *testing.T) {
	db := filepath.Join(t.TempDir(), "legacy.db")
	made, err := sql.Open(sql.Config{DSN: "sqlite:" + db, Init: read(t, "../../examples/quickstart/legacy.sql")})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(made.Ping(t.Context()), made.Close()); err != nil {
		t.Fatal(err)
	}
	token := started(t, "--sql", "sqlite:"+db)
	ran(t, "check", "--online")
	if got := served(t, token, `/Users?filter=`+url.QueryEscape(`userName eq "ada.lovelace" and groups pr and active eq true`)); got["totalResults"] != 1.0 {
		t.Errorf("the search finds %v", got)
	}
	if got := served(t, token, "/Users?count=1"); got["totalResults"] != 202.0 {
		t.Errorf("the list: %v", got["totalResults"])
	}
	if got := served(t, token, "/Groups"); got["totalResults"].(float64) < 3 {
		t.Errorf("the groups: %v", got["totalResults"])
	}
}

const initSchema = `
CREATE SCHEMA init_test;
SET search_path = init_test;
CREATE TABLE person (
    person_id  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login_name varchar(40) NOT NULL UNIQUE,
    first_name text, last_name text, mail text,
    enabled    boolean NOT NULL DEFAULT true,
    manager_id integer REFERENCES person,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE team (team_id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL);
CREATE TABLE team_person (team_id uuid REFERENCES team, person_id integer REFERENCES person, PRIMARY KEY (team_id, person_id));
INSERT INTO person (login_name, first_name, enabled, manager_id) VALUES ('grace', 'Grace', true, NULL), ('ada', 'Ada', false, 1);
INSERT INTO team (name) VALUES ('VPN');
INSERT INTO team_person SELECT team_id, person_id FROM team, person;
`

// TestInitOnPostgreSQL: the same on a schema of PostgreSQL, the dsn from the
// environment.
func TestInitOnPostgreSQL(t *testing.T) {
	dsn := testdb.Postgres(t)
	db, err := stdsql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = db.Exec("DROP SCHEMA init_test CASCADE")
		_ = db.Close()
	})
	if _, err := db.Exec("DROP SCHEMA IF EXISTS init_test CASCADE;" + initSchema); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", "init_test")
	u.RawQuery = q.Encode()
	t.Setenv("INIT_TEST_DSN", u.String())
	token := started(t, "--sql", u.String())
	ran(t, "check", "--online")
	text := read(t, "postern.yaml")
	for _, want := range []string{`dsn: "${env:INIT_TEST_DSN}"`, "table: person", "active: {name: enabled, default: true}", "{name: manager_id, refers: User}"} {
		if !strings.Contains(text, want) {
			t.Errorf("the file lacks %s:\n%s", want, text)
		}
	}
	got := served(t, token, `/Users?filter=`+url.QueryEscape(`userName eq "ADA" and active eq false`))
	if got["totalResults"] != 1.0 || !strings.Contains(asJSON(got), `"manager":{"$ref"`) {
		t.Errorf("the search finds %v", got)
	}
	if got := served(t, token, "/Groups"); got["totalResults"] != 1.0 || strings.Count(asJSON(got), `/Users/`) != 2 {
		t.Errorf("the groups: %v", got)
	}
}

// TestInitFromURL: a sample is fetched with its credential, which is not written down.
func TestInitFromURL(t *testing.T) {
	users := []map[string]any{{"id": 7, "login": "ada", "email": "ada@example.com", "enabled": true}}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("X-Key") != "top-secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.URL.Path == "/v1/users/7" {
			_ = json.NewEncoder(w).Encode(users[0])
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": users, "total": 1})
	}))
	defer api.Close()
	token := started(t, "--url", api.URL+"/v1/users", "-H", "X-Key: top-secret")
	text := read(t, "postern.yaml")
	if strings.Contains(text, "top-secret") || !strings.Contains(text, `list: {get: "/v1/users", records: body.data, total: body.total}`) {
		t.Errorf("the file:\n%s", text)
	}
	t.Setenv("API_KEY", "top-secret")
	ran(t, "check", "--online")
	if got := served(t, token, `/Users?filter=`+url.QueryEscape(`userName eq "ada" and active eq true`)); got["totalResults"] != 1.0 {
		t.Errorf("the search finds %v", got)
	}
}

// TestInitFromInnerObjects: what a record has in objects of its own is mapped there, so
// that it is written there, too; what the record itself is called counts first.
func TestInitFromInnerObjects(t *testing.T) {
	sample := filepath.Join(t.TempDir(), "users.json")
	if err := os.WriteFile(sample, []byte(`[{"id": "00u1", "email": "a@x", "profile": {"login": "ada", "email": "b@x", "enabled": true, "tags": ["x"], "a.b": 1}}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	started(t, "--json", sample)
	text := read(t, "postern.yaml")
	for _, want := range []string{"userName: profile.login\n", `emails[type eq "work"].value: email` + "\n", "active: {name: profile.enabled, default: true}", "# not mapped: profile.email\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the file lacks %s:\n%s", want, text)
		}
	}
}

// TestInitOnMariaDB: the same on a database of MariaDB.
func TestInitOnMariaDB(t *testing.T) {
	u, err := url.Parse(testdb.MariaDB(t))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	db, err := stdsql.Open("mysql", u.User.Username()+":"+password+"@tcp("+u.Host+")/?multiStatements=true")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = db.Exec("DROP DATABASE init_test")
		_ = db.Close()
	})
	if _, err := db.Exec(`DROP DATABASE IF EXISTS init_test; CREATE DATABASE init_test CHARACTER SET utf8mb4; USE init_test;
CREATE TABLE users (id int AUTO_INCREMENT PRIMARY KEY, username varchar(40) NOT NULL UNIQUE, email varchar(100), status varchar(10) NOT NULL DEFAULT 'active');
CREATE TABLE roles (id int AUTO_INCREMENT PRIMARY KEY, name varchar(40) NOT NULL);
CREATE TABLE user_roles (user_id int NOT NULL, role_id int NOT NULL, PRIMARY KEY (user_id, role_id),
    FOREIGN KEY (user_id) REFERENCES users (id), FOREIGN KEY (role_id) REFERENCES roles (id));
INSERT INTO users (username, status) VALUES ('ada', 'active'), ('grace', 'locked');
INSERT INTO roles (name) VALUES ('VPN'); INSERT INTO user_roles VALUES (1, 1), (2, 1);`); err != nil {
		t.Fatal(err)
	}
	u.Path = "/init_test"
	token := started(t, "--sql", u.String())
	ran(t, "check", "--online")
	if got := served(t, token, `/Users?filter=`+url.QueryEscape(`active eq false`)); got["totalResults"] != 1.0 || !strings.Contains(asJSON(got), `"userName":"grace"`) {
		t.Errorf("the search finds %v", got)
	}
	if got := served(t, token, "/Groups"); got["totalResults"] != 1.0 || strings.Count(asJSON(got), `/Users/`) != 2 {
		t.Errorf("the groups: %v", got)
	}
	out := ran(t, "try", "--dry-run", "DELETE", "/Users/none")
	if !strings.Contains(out, "404 Not Found") {
		t.Errorf("the dry run:\n%s", out)
	}
	out = ran(t, "try", "--dry-run", "POST", "/Users", "-d", `{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "new"}`)
	var n int
	if err := db.QueryRow("SELECT count(*) FROM init_test.users").Scan(&n); err != nil || n != 2 || !strings.Contains(out, "(not sent)") {
		t.Errorf("after a dry run there are %d users, %v:\n%s", n, err, out)
	}
}
