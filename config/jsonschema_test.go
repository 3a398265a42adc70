package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// editor is what an editor makes of schema.json.
func editor(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("postern.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("postern.json") // which also holds it against the meta-schema
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON is YAML as an editor hands it to a validator.
func asJSON(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := yaml.Load(data, &v); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(textKeys(v))
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// textKeys makes text of keys such as 1 and true, as JSON has no others.
func textKeys(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = textKeys(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = textKeys(v[k])
		}
	case map[any]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[fmt.Sprint(k)] = textKeys(e)
		}
		return out
	}
	return v
}

// TestSchemaKnowsExamples: an editor has nothing to say against a configuration
// that Postern takes.
func TestSchemaKnowsExamples(t *testing.T) {
	s, found := editor(t), 0
	for _, root := range []string{"../examples", "testdata/good"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !isConfiguration(root, path) {
				return err
			}
			found++
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if err := s.Validate(asJSON(t, data)); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 3 {
		t.Errorf("only %d configurations were found", found)
	}
}

func isConfiguration(root, path string) bool {
	if root == "../examples" {
		return filepath.Base(path) == "postern.yaml"
	}
	return strings.HasSuffix(path, ".yaml")
}

// TestSchemaSeesMistakes: an editor underlines what is mistyped.
func TestSchemaSeesMistakes(t *testing.T) {
	s := editor(t)
	data, err := os.ReadFile("../examples/quickstart/postern.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		"target:":                "tagret:",
		"clients:":               "client:",
		"timeout: 5s":            "timeout: soon",
		"listen: 127.0.0.1:8080": "listen: [8080]",
		"uniqueness: server":     "uniqueness: sometimes",
		"type: sql":              "typ: sql",
		"identities: sqlite:":    "identitys: sqlite:",
		"backend: staff, table":  "backend: [staff], table",
		"init: legacy.sql":       "init: [a, b]",
	} {
		changed := bytes.Replace(data, []byte(from), []byte(to), 1)
		if bytes.Equal(changed, data) {
			t.Fatalf("the quickstart has no %q", from)
		}
		if s.Validate(asJSON(t, changed)) == nil {
			t.Errorf("%q for %q is not seen", to, from)
		}
	}
}
