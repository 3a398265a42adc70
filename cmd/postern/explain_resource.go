package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

// explainResource shows the record that a resource becomes when it is created.
func (c explainCommand) explainResource(m *Main, mapping *rules.Mapping) error {
	data, err := readInput(m, c.Resource)
	if err != nil {
		return err
	}
	node, err := scim.ReadJSON(data, scim.Limits{})
	if err != nil {
		return plain(err)
	}
	d, err := schema.Decode(mapping.Type, node, schema.Options{})
	if err != nil {
		return plain(err)
	}
	if err := mapping.Accepts(d.Resource); err != nil {
		return plain(err)
	}
	null := func(a *scim.Attribute) bool { return slices.Contains(d.Nulls, a) }
	rec, err := mapping.NewRecord(d.Resource, null, keyPlaceholder)
	if err != nil {
		return plain(err)
	}
	if err := writeRecord(m.Stdout, mapping, rec, d.Resource); err != nil {
		return err
	}
	for _, w := range d.Warnings {
		fmt.Fprintln(m.Stdout, "note:", w)
	}
	for _, lost := range mapping.Unplaced(d.Resource) {
		fmt.Fprintln(m.Stdout, "note:", lost, "has no place in the backend")
	}
	return nil
}

func readInput(m *Main, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(m.Stdin, 1<<20))
	}
	return os.ReadFile(name)
}

// writeRecord prints each field with the rule that made it.
func writeRecord(w io.Writer, m *rules.Mapping, rec adapters.Record, res *scim.Resource) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "FIELD\tVALUE\tMADE BY")
	made := map[string]bool{}
	for _, r := range m.Rules() {
		v := rec.Get(r.Field())
		made[r.Field()] = true
		if r.Field() == "" || v == nil {
			continue
		}
		by := fmt.Sprintf("%s, line %d", r.Path, r.Line)
		if _, given := r.Default(); given && r.Attribute().Parent() == nil && !res.Get(r.Attribute()).Present() {
			by += ", by default"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", fieldName(m, r.Field()), shown(r.Field(), r.Attribute(), v), by)
	}
	for _, f := range rec.Shape().Names() {
		if v := rec.Get(f); f == adapters.PlaceField {
			fmt.Fprintf(t, "%s\t%s\tplaces\n", f, asJSON(v))
		} else if v != nil && !made[f] {
			fmt.Fprintf(t, "%s\t%s\tconstants\n", f, shown(f, nil, v))
		}
	}
	return t.Flush()
}

// shown is a value for the terminal. What clients may never read is not shown,
// and neither is what looks as if they should not.
func shown(field string, a *scim.Attribute, v any) string {
	if a != nil && a.Returned == scim.ReturnedNever || secretive(field) {
		return "(hidden)"
	}
	return asJSON(v)
}

// asJSON is a value with its quotes, and nothing else disguised.
func asJSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func secretive(field string) bool {
	return slices.ContainsFunc([]string{"pass", "pwd", "secret", "token", "hash"}, func(s string) bool {
		return strings.Contains(strings.ToLower(field), s)
	})
}
