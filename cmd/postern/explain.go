package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

type explainCommand struct {
	Config   string `short:"c" help:"The configuration file." type:"path" default:"postern.yaml"`
	Type     string `short:"t" help:"The resource type." default:"User"`
	Filter   string `help:"A SCIM filter: what the backend evaluates, and what remains for the gateway." placeholder:"FILTER" xor:"what"`
	Resource string `help:"A file with a SCIM resource in JSON, - for standard input: which record it becomes, and by which rule." placeholder:"FILE" xor:"what"`
}

// Help is printed below the summary.
func (explainCommand) Help() string {
	return "Without --filter and --resource, every rule of the resource type is listed. Nothing is sent to a backend."
}

func (c explainCommand) Run(m *Main) error {
	cfg, mappings, err := load(c.Config)
	if err != nil {
		return err
	}
	a := &assembly{cfg: cfg, mappings: mappings, log: logger(io.Discard, cfg.Gateway.Log)}
	if err := a.openBackends(); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	i := slices.IndexFunc(mappings, func(m *rules.Mapping) bool { return m.Type.Name == c.Type })
	if i < 0 {
		return fmt.Errorf("there is no resource type %q in %s", c.Type, c.Config)
	}
	mapping := mappings[i]
	mapping.Bind(a.targets[i].Adapter.Capabilities())
	switch {
	case c.Filter != "":
		return explainFilter(m.Stdout, mapping, c.Filter)
	case c.Resource != "":
		return c.explainResource(m, mapping)
	}
	return explainRules(m.Stdout, mapping)
}

// explainFilter shows how a filter is divided. Ids are shown as the key of their
// record, which only the mapping table knows.
func explainFilter(w io.Writer, m *rules.Mapping, text string) error {
	parsed, err := filter.Parse(text, filter.Limits{})
	if err != nil {
		return err
	}
	bound, err := schema.Bind(m.Type.Layout, parsed, schema.BindOptions{})
	if err != nil {
		return err
	}
	pushed, rest := m.Push(bound, rules.Lookup{
		Key:        func(typ, id string) (string, bool) { return "key of " + typ + " " + id, true },
		ExternalID: func(x string) []string { return []string{"key of externalId " + x} },
	})
	if scope, ok := m.ScopeFilter(); ok && scope != nil {
		fmt.Fprintf(w, "scope:   %s\n", filter.Print(scope))
	} else if !ok {
		fmt.Fprintln(w, "scope:   asked of every record, in the gateway")
	}
	fmt.Fprintf(w, "pushed:  %s\n", describe(pushed, "nothing: the backend returns every record in scope"))
	fmt.Fprintf(w, "remains: %s\n", describe(rest, "nothing: the backend's answer is exact"))
	return nil
}

func describe(e filter.Expr, none string) string {
	if e == nil {
		return none
	}
	return filter.Print(e)
}

func (c explainCommand) explainResource(m *Main, mapping *rules.Mapping) error {
	data, err := readInput(m, c.Resource)
	if err != nil {
		return err
	}
	node, err := scim.ReadJSON(data, scim.Limits{})
	if err != nil {
		return err
	}
	d, err := schema.Decode(mapping.Type, node, schema.Options{})
	if err != nil {
		return err
	}
	keys := func(typ, id string) (string, bool) { return "key of " + typ + " " + id, true }
	rec, err := mapping.NewRecord(d.Resource, func(a *scim.Attribute) bool { return slices.Contains(d.Nulls, a) }, keys)
	if err != nil {
		return err
	}
	for _, w := range d.Warnings {
		fmt.Fprintln(m.Stdout, "ignored:", w)
	}
	for _, lost := range mapping.Unplaced(d.Resource) {
		fmt.Fprintln(m.Stdout, "ignored:", lost, "has no place in the backend")
	}
	t := tabwriter.NewWriter(m.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "FIELD\tVALUE\tATTRIBUTE\tLINE")
	for _, r := range mapping.Rules() {
		if r.Field() == "" {
			continue
		}
		if v := rec.Get(r.Field()); v != nil {
			fmt.Fprintf(t, "%s\t%s\t%s\t%d\n", fieldName(r), shown(r, v), r.Path, r.Line)
		}
	}
	return t.Flush()
}

// shown is a value for the terminal; what clients may never read back is not.
func shown(r *rules.Rule, v any) string {
	if r.Attribute().Returned == scim.ReturnedNever {
		return "(hidden)"
	}
	return fmt.Sprint(v)
}

func fieldName(r *rules.Rule) string { return strings.TrimPrefix(r.Field(), "$") }

func readInput(m *Main, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(m.Stdin, 1<<20))
	}
	return os.ReadFile(name)
}

func explainRules(w io.Writer, m *rules.Mapping) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "ATTRIBUTE\tMADE OF\tFILTERS REACH THE BACKEND\tLINE")
	for _, r := range m.Rules() {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\n", r.Path, r.Describe(), r.Pushable(m), r.Line)
	}
	return t.Flush()
}
