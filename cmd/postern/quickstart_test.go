package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestQuickstart: what make run prints works as printed, again and again.
func TestQuickstart(t *testing.T) {
	d := &sandbox{t: t, dir: t.TempDir(), command: filepath.Join(command(t), "postern")}
	d.prepare()
	d.start()
	var lines []string
	for line := range strings.Lines(d.hello) {
		if strings.HasPrefix(line, "  curl ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	if len(lines) != 3 {
		t.Fatalf("%d curl lines:\n%s", len(lines), d.hello)
	}
	found := d.object(lines[0])
	if found["totalResults"] != 200.0 || found["itemsPerPage"] != 2.0 {
		t.Errorf("the list: %v", found)
	}
	if found = d.object(lines[1]); found["totalResults"] != 1.0 {
		t.Errorf("the filter: %v", found)
	}
	made := d.object(lines[2])
	if id, _ := made["id"].(string); len(id) < 20 || made["active"] != true {
		t.Errorf("the create: %v", made)
	}
}

// object runs a command that prints a JSON object.
func (d *sandbox) object(line string) map[string]any {
	out := map[string]any{}
	if err := json.Unmarshal([]byte(strings.Join(d.run(line), "\n")), &out); err != nil {
		d.t.Errorf("%s: %v", line, err)
	}
	return out
}

func TestQuickstartIsShort(t *testing.T) {
	if n := strings.Count(read(t, "../../examples/quickstart/postern.yaml"), "\n"); n >= 60 {
		t.Errorf("the quickstart's configuration has %d lines", n)
	}
}
