package main

import (
	"strings"

	"github.com/postern/postern/config"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

// This file is `attributes: all`: the rules for what another SCIM server has under the
// same names. They follow from the schemas of the configuration, so that a start does
// not depend on the other server; `check --online` tells what that server lacks.

// takeOver adds the rules of a resource type that takes over all other attributes.
func takeOver(cfg *config.Config, r *config.Resource, own map[string]*schema.Schema) {
	if !r.All.IsSet() {
		return
	}
	t := taker{cfg: cfg, r: r, mapped: map[string]bool{}}
	for _, rule := range r.Attributes {
		t.note(rule.Path.Value)
	}
	if s, ok := findSchema(r.SchemaURN, own); ok {
		t.schema("", s)
	}
	for _, e := range r.Extensions {
		if s, ok := findSchema(e.URN, own); ok && !t.mapped[strings.ToLower(e.URN)] {
			t.schema(e.URN+":", s)
		}
	}
	t.add("meta.created", "")
	t.add("meta.lastModified", "")
}

// A taker makes rules.
type taker struct {
	cfg    *config.Config
	r      *config.Resource
	mapped map[string]bool // paths in lower case, and what they are part of
}

// note remembers a path that the configuration maps.
func (t *taker) note(path string) {
	for _, e := range t.r.Extensions {
		if rest, ok := strings.CutPrefix(path, e.Prefix+":"); ok && e.Prefix != "" {
			path = e.URN + ":" + rest
		} else if path == e.Prefix {
			path = e.URN
		}
	}
	path = strings.ToLower(strings.TrimPrefix(path, t.r.SchemaURN+":"))
	path, _, _ = strings.Cut(path, "[")
	t.mapped[path] = true
}

func (t *taker) schema(prefix string, s *schema.Schema) {
	for _, a := range s.Attributes {
		path := prefix + a.Name
		switch {
		case t.mapped[strings.ToLower(path)], a.Nested():
		case a.MultiValued:
			t.list(path, a)
		case a.Type == scim.TypeComplex:
			t.parts(path+".", a, prefix != "" && a.Name == "manager")
		default:
			t.add(path, "")
		}
	}
}

// parts are those of one complex attribute.
func (t *taker) parts(path string, a *scim.Attribute, manager bool) {
	for _, s := range a.Sub {
		switch {
		case s.Name == "$ref", s.MultiValued:
		case manager && s.Name == "value":
			t.refer(path+s.Name, "User")
		case !manager:
			t.add(path+s.Name, "")
		}
	}
}

// list is an attribute with elements: references, or one element of each type. Others
// have no place of their own.
func (t *taker) list(path string, a *scim.Attribute) {
	var kind *scim.Attribute
	for _, s := range a.Sub {
		if s.Name == "type" {
			kind = s
		}
	}
	switch {
	case path == "members":
		t.refer(path, "User")
	case path == "groups":
		t.refer(path, "Group")
	case kind != nil:
		for _, word := range kind.CanonicalValues {
			for _, s := range a.Sub {
				if s.Name != "type" && s.Name != "$ref" && !s.MultiValued {
					t.add(path+"[type eq \""+word+"\"]."+s.Name, "")
				}
			}
		}
	}
}

// refer adds a rule for keys of another resource type, if that is of the same server.
func (t *taker) refer(path, to string) {
	other := t.cfg.Resource(to)
	if other != nil && other.Target.Backend.Value == t.r.Target.Backend.Value {
		t.add(path, to)
	}
}

func (t *taker) add(path, refers string) {
	bare, _, _ := strings.Cut(strings.ToLower(path), "[")
	if t.mapped[bare] {
		return
	}
	at := func(s string) config.Text {
		return config.Text{Value: s, Line: t.r.All.Line, Column: t.r.All.Column}
	}
	rule := config.Rule{Path: at(path), Name: at(path)}
	if refers != "" {
		rule.Refers = at(refers)
	}
	t.r.Attributes = append(t.r.Attributes, rule)
}
