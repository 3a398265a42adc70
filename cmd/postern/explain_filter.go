package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/config"
	"github.com/postern/postern/internal/trial"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// explainFilter shows how a filter is divided. Ids are shown as the key of their
// record, which only the mapping table knows.
func (c explainCommand) explainFilter(ctx context.Context, w io.Writer, a *assembly, i int) error {
	m := a.mappings[i]
	bound, err := bind(m, c.Filter)
	if err != nil {
		return err
	}
	pushed, rest := m.Push(bound, rules.Lookup{
		Key:        keyPlaceholder,
		ExternalID: func(x string) []string { return []string{"<key of externalId " + x + ">"} },
		Kept: func(c *filter.Compare) ([]string, bool) {
			return []string{"<key of " + c.Name + " " + c.Value.Str + ">"}, true
		},
	})
	if scope, ok := m.ScopeFilter(); !ok {
		fmt.Fprintln(w, "scope:    asked of every record, in the gateway")
	} else if scope != nil {
		fmt.Fprintln(w, "scope:   ", printed(m, scope))
	}
	fmt.Fprintln(w, "backend: ", orElse(printed(m, pushed), "every record in scope"))
	fmt.Fprintln(w, "gateway: ", orElse(printed(m, rest), "nothing, the backend's answer is exact"))
	if !c.Online {
		return nil
	}
	pushed, _ = m.Push(bound, rules.Lookup{ // a key that any column can hold
		Key:        func(string, string) (string, bool) { return "1", true },
		ExternalID: func(string) []string { return []string{"1"} },
		Kept:       func(*filter.Compare) ([]string, bool) { return []string{"1"}, true },
	})
	return explainStatement(ctx, w, a, i, pushed)
}

// explainStatement shows what a SQL backend is sent.
func explainStatement(ctx context.Context, w io.Writer, a *assembly, i int, pushed filter.Expr) error {
	if asked := partsAsked(w, a.cfg.Resource(a.mappings[i].Type.Name), pushed); asked {
		return nil
	}
	if b := a.branches[a.units[i][0].mapping]; b != nil {
		text, err := b.Explain(ctx, adapters.Query{Filter: pushed})
		if err != nil {
			return fmt.Errorf("backend %s does not answer (%s); check --online says more", a.targets[i].Backend, adapters.KindOf(err))
		}
		fmt.Fprintln(w, "filter:  ", text)
		fmt.Fprintln(w, "          what the directory finds is compared again")
		return nil
	}
	table := a.units[i][0].table
	if table == nil {
		fmt.Fprintln(w, "where:    the backend is not asked in SQL")
		return nil
	}
	condition, parameters, err := table.Explain(ctx, pushed)
	if err != nil {
		return fmt.Errorf("backend %s does not answer (%s); check --online says more", a.targets[i].Backend, adapters.KindOf(err))
	}
	fmt.Fprintln(w, "where:   ", condition)
	for n, p := range parameters {
		fmt.Fprintf(w, "%9d: %s\n", n+1, asJSON(p))
	}
	return nil
}

// partsAsked shows which parts are asked before the record itself can be.
func partsAsked(w io.Writer, r *config.Resource, pushed filter.Expr) (asked bool) {
	names := partNames(r)
	filter.Walk(pushed, func(e filter.Expr) bool {
		if c, ok := e.(*filter.Compare); ok {
			if part, own := rules.PartOf(names, c.Name); part != "" {
				fmt.Fprintf(w, "first:    part %s is asked whose %s is %q\n", part, own, c.Value.Str)
				asked = true
			}
		}
		return true
	})
	return asked
}

// bind reads a filter. What is wrong with it is shown below it.
func bind(m *rules.Mapping, text string) (filter.Expr, error) {
	parsed, err := filter.Parse(text, filter.Limits{})
	var wrong *filter.Error
	if errors.As(err, &wrong) {
		return nil, fmt.Errorf("%s\n  %s\n  %s^", wrong.Msg, text, strings.Repeat(" ", max(wrong.Pos-1, 0)))
	}
	if err != nil {
		return nil, err
	}
	bound, err := schema.Bind(m.Type.Layout, parsed, schema.BindOptions{})
	return bound, plain(err)
}

// plain leaves of a SCIM error what a person at a terminal needs.
func plain(err error) error {
	var e *scim.Error
	if errors.As(err, &e) {
		return errors.New(e.Detail)
	}
	return err
}

func keyPlaceholder(typ, id string) (string, bool) { return "<key of " + typ + " " + id + ">", true }

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// printed is a filter in the backend's own words.
func printed(m *rules.Mapping, e filter.Expr) string { return filter.Print(renamed(m, e)) }

// renamed puts the names of columns in place of the contract's.
func renamed(m *rules.Mapping, e filter.Expr) filter.Expr {
	return filter.Map(e, func(e filter.Expr) filter.Expr {
		switch e := e.(type) {
		case *filter.Element:
			c := *e
			c.Name = fieldName(m, e.Name)
			return &c
		case *filter.Compare:
			c := *e
			c.Name = fieldName(m, e.Name)
			return &c
		}
		return e
	})
}

// fieldName is a field as the configuration names it.
func fieldName(m *rules.Mapping, field string) string { return trial.FieldName(m, field) }
