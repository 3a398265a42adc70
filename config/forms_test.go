package config

import (
	"strings"
	"testing"
)

func read[V any](f form[V], text string) (V, string) {
	r := &reader{report: NewReporter(NewSource("f.yaml", []byte(text))), dir: "/etc/postern", env: environment}
	var v V
	f.read(r, &Tree{Text: Text{text, 1, 1}, label: "x"}, &v)
	return v, r.report.Problems().Error()
}

func TestBaseURL(t *testing.T) {
	for url, problem := range map[string]string{
		"https://scim.example.com":            "",
		"https://scim.example.com:8443/v2/":   "",
		"http://[::1]:8080/scim/v2":           "",
		"https://user:pw@example.com":         "neither user",
		"https://example.com/v2#top":          "neither user",
		"https://example.com/v2?":             "neither user",
		"https://":                            "no http or https URL",
		"/scim/v2":                            "no http or https URL",
		"https://exa mple.com":                "no URL",
		"https://example.com/a%2Fb":           "plain",
		"https://example.com//v2":             "plain",
		"https://example.com/:tenant/scim/v2": "plain",
	} {
		if _, got := read(baseURL(), url); (problem == "") != (got == "") || !strings.Contains(got, problem) {
			t.Errorf("%s: got %q, want %q", url, got, problem)
		}
	}
}

func TestResolve(t *testing.T) {
	for written, want := range map[string]string{
		"sqlite:state/a.db":           "sqlite:/etc/postern/state/a.db",
		"sqlite:/var/a.db":            "sqlite:/var/a.db",
		"sqlite:///var/a.db":          "sqlite:/var/a.db",
		"sqlite:../a.db?mode=ro&x=a?": "sqlite:/etc/a.db?mode=ro&x=a?",
		"sqlite::memory:":             "sqlite::memory:",
		"sqlite:file:a.db?cache=x":    "sqlite:file:a.db?cache=x",
		"sqlite:":                     "",
		"sqlite:?mode=ro":             "",
		"oracle://db/hr":              "",
		"postgres://db":               "",
		"mysql://db":                  "",
	} {
		if got, problem := read(dsn(), written); got.Reveal() != want || (problem == "") != (want != "") {
			t.Errorf("%s: got %q, %s", written, got.Reveal(), problem)
		}
		if got, _ := read(store(), written); got.Reveal() != want {
			t.Errorf("identities %s: got %q", written, got.Reveal())
		}
	}
}

// TestServer: the URL of a database is one for an application; for the identities only PostgreSQL's is.
func TestServer(t *testing.T) {
	for _, written := range []string{"postgres://hr:secret@db/hr", "postgresql://db:5432/hr?sslmode=require", "mysql://hr:secret@db/hr", "mariadb://db:3306/hr?tls=on"} {
		if got, problem := read(dsn(), written); got.Reveal() != written || problem != "" {
			t.Errorf("%s: got %q, %s", written, got.Reveal(), problem)
		}
		if got, problem := read(store(), written); (got.Reveal() == written) != strings.HasPrefix(written, "postgres") || (problem == "") != (got.Reveal() != "") {
			t.Errorf("identities %s: got %q, %s", written, got.Reveal(), problem)
		}
	}
}

// TestMergeList: the first mapping that has a key wins, and the own keys win
// over all (https://yaml.org/type/merge.html).
func TestMergeList(t *testing.T) {
	yaml := "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], z: 3}\nd: {<<: *c}\n"
	yaml = strings.Replace(yaml, "c: {", "c: &c {", 1)
	r := NewReporter(NewSource("f.yaml", []byte(yaml)))
	tree := parseTree([]byte(yaml), r)
	if tree == nil || len(r.Problems()) > 0 {
		t.Fatal(r.Problems())
	}
	for _, name := range []string{"c", "d"} {
		got := ""
		for _, k := range []string{"x", "y", "z"} {
			got += tree.Find(name).Find(k).Value
		}
		if got != "113" {
			t.Errorf("%s: got %s", name, got)
		}
	}
}
