// Package archtest is the import table of the house plan, as a test: which
// package of ours may import which, and in which room each weighty library lives.
package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/postern/postern/"

// may lists what each package may import of ours. A package that is missing here
// fails the test: whoever adds a room says where it stands. Only cmd/postern,
// the wiring, and bench know everybody.
var may = map[string][]string{
	"scim":                 {},
	"scim/filter":          {},
	"scim/schema":          {"scim", "scim/filter"},
	"scim/patch":           {"scim", "scim/filter", "scim/schema"},
	"scim/bulk":            {"scim", "scim/filter", "scim/schema"},
	"adapters":             {"scim/filter"},
	"adapters/order":       {"adapters", "scim/filter"},
	"adapters/several":     {"adapters", "scim/filter"},
	"adapters/memory":      {"adapters", "adapters/order", "scim/filter"},
	"adapters/file":        {"adapters", "adapters/order", "scim/filter"},
	"adapters/sql":         {"adapters", "adapters/steps", "adapters/sql/named", "scim/filter"},
	"adapters/sql/named":   {},
	"adapters/steps":       {"adapters", "scim/filter"},
	"adapters/rest":        {"adapters", "adapters/steps", "scim/filter", "internal/plainhttp"},
	"adapters/command":     {"adapters", "adapters/steps"},
	"adapters/ldap":        {"adapters", "scim/filter"},
	"adapters/scim":        {"adapters", "adapters/steps", "scim/filter"},
	"adapters/guard":       {"adapters", "scim/filter"},
	"adapters/trace":       {"adapters", "scim/filter"},
	"adapters/route":       {"adapters", "adapters/order", "scim/filter"},
	"adapters/adaptertest": {"adapters", "scim/filter"},
	"identity":             {},
	"rules":                {"scim", "scim/filter", "scim/schema", "scim/patch", "adapters"},
	"provision":            {"scim", "scim/filter", "scim/schema", "scim/patch", "scim/bulk", "rules", "identity", "adapters"},
	"gateway":              {"scim", "scim/filter", "scim/schema", "scim/patch", "scim/bulk", "provision", "identity", "gateway/auth"},
	"gateway/auth":         {"scim", "provision"},
	"gateway/admin":        {"provision", "identity", "scim", "gateway/auth"},
	"config":               {},
	"conform":              {},
}

// rooms says where a library may be imported.
var rooms = map[string][]string{
	"github.com/gin-gonic/gin":           {"gateway", "bench/facade"},
	"github.com/expr-lang/expr":          {"rules", "adapters/steps"},
	"github.com/go-ldap/ldap/v3":         {"adapters/ldap"},
	"github.com/golang-jwt/jwt/v5":       {"adapters/steps"},
	"github.com/go-asn1-ber/asn1-ber":    {"adapters/ldap"},
	"github.com/sony/gobreaker/v2":       {"adapters/guard"},
	"github.com/patrickmn/go-cache":      {"adapters/guard"},
	"github.com/go-crypt/crypt":          {"rules"},
	"github.com/go-sql-driver/mysql":     {"adapters/sql", "examples/postfixadmin"},
	"github.com/jackc/pgx/v5":            {"identity", "adapters/sql", "bench", "bench/facade"},
	"github.com/mattn/go-sqlite3":        {"identity", "adapters/sql", "bench", "bench/facade", "bench/observe"},
	"github.com/pressly/goose/v3":        {"identity"},
	"go.yaml.in/yaml/v4":                 {"config"},
	"golang.org/x/time":                  {"gateway"},
	"github.com/alecthomas/kong":         {"cmd/postern"},
	"github.com/go-json-experiment/json": {"scim", "adapters/steps"},
	"github.com/schollz/progressbar/v3":  {"cmd/postern"},
}

// forbidden are packages of the standard library that a room must do without.
var forbidden = map[string][]string{
	"scim":      {"net", "net/http", "os", "database/sql"},
	"rules":     {"net", "net/http", "os", "database/sql"},
	"provision": {"net/http", "os", "database/sql"},
	"adapters":  {"net/http", "os", "database/sql"},
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []pkg {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if free(name) {
			continue
		}
		allowed, known := may[name]
		if !known {
			t.Errorf("%s is not in the import table", name)
		}
		for _, i := range p.Imports {
			if ours, ok := strings.CutPrefix(i, module); ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s must not import %s", name, ours)
			}
		}
	}
}

func free(name string) bool {
	return strings.HasPrefix(name, "cmd/") || strings.HasPrefix(name, "bench") || strings.HasPrefix(name, "internal/") || strings.HasPrefix(name, "examples/")
}

func TestLibrariesStayInTheirRooms(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, i := range p.Imports {
			for lib, where := range rooms {
				if (i == lib || strings.HasPrefix(i, lib+"/")) && !slices.Contains(where, name) {
					t.Errorf("%s must not import %s: it lives in %v", name, i, where)
				}
			}
		}
	}
}

func TestNoIO(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		for room, list := range forbidden {
			if name != room && !strings.HasPrefix(name, room+"/") || room == "adapters" && name != room {
				continue
			}
			for _, i := range p.Imports {
				if slices.Contains(list, i) {
					t.Errorf("%s must not import %s", name, i)
				}
			}
		}
	}
}
