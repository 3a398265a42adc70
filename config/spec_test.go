package config

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"
)

// walkSpec visits every entry of the spec once for every place it can stand.
func walkSpec(s *shape, path string, visit func(path string, e entry)) {
	if s == nil {
		return
	}
	walkSpec(s.item, path, visit)
	if s.block == nil {
		return
	}
	for _, e := range s.block.all() {
		visit(path+"."+e.name, e)
		walkSpec(e.shape, path+"."+e.name, visit)
	}
}

// TestSpecIsDocumented: no key without its sentence, no block without a doc.
func TestSpecIsDocumented(t *testing.T) {
	n := 0
	walkSpec(root().shape, "", func(path string, e entry) {
		n++
		if len(e.doc) < 10 || e.doc[len(e.doc)-1] != '.' {
			t.Errorf("%s: no sentence: %q", path, e.doc)
		}
		if e.must && e.fallback != "" {
			t.Errorf("%s is required and has a default", path)
		}
		if b := e.shape.block; b != nil && b.doc == "" {
			t.Errorf("the block %s has no doc", path)
		}
	})
	if n < 80 {
		t.Errorf("only %d keys were seen", n)
	}
}

// TestSpecExamples: every example and every default is YAML that matches the
// pattern or the words of its key.
func TestSpecExamples(t *testing.T) {
	walkSpec(root().shape, "", func(path string, e entry) {
		for _, text := range []string{e.example, e.fallback} {
			if text == "" || e.shape.isMap || e.shape.block != nil {
				continue
			}
			tree := literal(e.name, text, Text{})
			for _, value := range append([]*Tree{tree}, tree.Items...) {
				s := e.shape
				if tree.Kind == ListNode {
					if s = e.shape.item; value == tree {
						continue
					}
				}
				if value.Kind != ScalarNode || s == nil {
					continue
				}
				if len(s.enum) > 0 && !slices.Contains(s.enum, value.Value) {
					t.Errorf("%s: %q is none of %v", path, value.Value, s.enum)
				}
				if s.match != "" && !regexp.MustCompile(s.match).MatchString(value.Value) {
					t.Errorf("%s: %q does not match %s", path, value.Value, s.match)
				}
			}
		}
	})
}

// TestDefaultsAreRead: the smallest file gets every default without a problem.
func TestDefaultsAreRead(t *testing.T) {
	c, err := parseFile(t, "testdata/good/bare.yaml")
	if err != nil {
		t.Fatal(err)
	}
	g, b := c.Gateway, c.Backends[0]
	for name, set := range map[string]bool{
		"listen": g.Listen.IsSet(), "insecure": g.Insecure.Set, "body": g.Limits.Body.Set, "depth": g.Limits.Depth.Set, "elements": g.Limits.Elements.Set,
		"page": g.Limits.Page.Set, "pageMax": g.Limits.PageMax.Set, "scan": g.Limits.Scan.Set, "filter": g.Limits.Filter.Set, "time": g.Limits.Time.Set,
		"level": g.Log.Level.IsSet(), "format": g.Log.Format.IsSet(), "identities": c.Identities.IsSet(), "timeout": b.Timeout.Set,
		"concurrency": b.Concurrency.Set, "records": b.Cache.Records.Set, "failures": b.Breaker.Failures.Set, "open": b.Breaker.Open.Set,
		"profile": c.Clients[0].Profile.IsSet(), "ids": c.Clients[0].IDs.IsSet(), "unknown": c.Clients[0].Unknown.IsSet(),
	} {
		if !set {
			t.Errorf("%s has no default", name)
		}
	}
}

// TestSchemaIsJSON: the schema is closed and names every key.
func TestSchemaIsJSON(t *testing.T) {
	out, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Properties map[string]struct{ Description string }
		Additional *bool `json:"additionalProperties"`
		Required   []string
	}
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Properties) != 11 || s.Properties["clients"].Description == "" || s.Additional == nil || *s.Additional || len(s.Required) != 2 {
		t.Errorf("%+v", s)
	}
}
