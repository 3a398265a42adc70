package scim

import (
	"context"
	"net/http"
	"strings"

	"github.com/postern/postern/adapters"
)

// A service is what a server says of itself.
type service struct {
	v11                 bool
	patch, filter, etag bool
	most                int // of a list's page; 0: not said

	// Of attributes, by their names in lower case: whether they tell capitals from small
	// letters, and whether they are texts, which alone can be compared with one.
	exact, texts map[string]bool

	kinds   []resourceType
	schemas map[string]*content // by URN in lower case
}

// ask reads what the server says of itself, once: what it could say cannot change
// what is true of the answers, only how they are got.
func (b *Backend) ask(ctx context.Context) (*service, error) {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return nil, &adapters.Error{Kind: adapters.Unavailable, Err: ctx.Err()}
	}
	if b.service != nil {
		return b.service, nil
	}
	s, err := b.discover(ctx)
	if err != nil {
		return nil, err
	}
	b.service = s
	return s, nil
}

func (b *Backend) discover(ctx context.Context) (*service, error) {
	for _, try := range []struct {
		path string
		v11  bool
	}{{"/ServiceProviderConfig", false}, {"/ServiceProviderConfigs", true}} {
		if b.cfg.Version == V2 && try.v11 || b.cfg.Version == V11 && !try.v11 {
			continue
		}
		r, err := b.exchange(ctx, request{method: http.MethodGet, path: try.path, v11: try.v11, reads: true})
		if err != nil {
			return nil, err
		}
		if doc := configOf(r.object()); r.status == http.StatusOK && doc != nil {
			return b.read(ctx, doc, try.v11)
		}
		if e := fault(r, "probe", true); e != nil && (e.Kind == adapters.Denied || e.Kind == adapters.Unavailable) {
			return nil, e
		}
	}
	return &service{v11: b.cfg.Version == V11}, nil // it says nothing: the least
}

// configOf is the document that says what a server can; some send it in a list.
func configOf(doc object) object {
	if list, ok := field(doc, "Resources").([]any); ok && len(list) == 1 {
		doc, _ = list[0].(object)
	}
	if _, ok := field(doc, "patch").(object); !ok {
		return nil
	}
	return doc
}

func (b *Backend) read(ctx context.Context, doc object, v11 bool) (*service, error) {
	supported := func(name string) bool {
		o, _ := field(doc, name).(object)
		yes, _ := field(o, "supported").(bool)
		return yes
	}
	s := &service{v11: v11, patch: supported("patch") && !b.cfg.NoPatch, filter: supported("filter") && !b.cfg.NoFind, etag: supported("etag"), exact: map[string]bool{}, texts: map[string]bool{}, schemas: map[string]*content{}}
	for _, name := range usual {
		s.texts[name] = true
	}
	o, _ := field(doc, "filter").(object)
	s.most, _ = field(o, "maxResults").(int)
	list, err := b.documents(ctx, "/Schemas", v11)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		schema, _ := e.(object)
		s.learn(field(schema, "attributes"), "")
		s.define(schema)
	}
	if !v11 { // version 1.1 has none
		err = b.readTypes(ctx, s)
	}
	return s, err
}

// usual are texts in every server, also in one without /Schemas.
var usual = []string{"username", "displayname", "nickname", "name.givenname", "name.familyname"}

// learn notes which attributes are caseExact.
func (s *service) learn(attributes any, parent string) {
	list, _ := attributes.([]any)
	for _, e := range list {
		a, _ := e.(object)
		name, _ := field(a, "name").(string)
		name = strings.ToLower(parent + name)
		s.exact[name] = s.exact[name] || field(a, "caseExact") == true
		s.texts[name] = s.texts[name] || field(a, "type") == "string"
		s.learn(field(a, "subAttributes"), name+".")
	}
}

// field is a member of an object by a name in any case (RFC 7643 section 2.1).
func field(o object, name string) any {
	_, v := member(o, name)
	return v
}

// member is the name as the object writes it, and the value; the name as it was asked
// for if there is none.
func member(o object, name string) (string, any) {
	if v, ok := o[name]; ok {
		return name, v
	}
	for n, v := range o {
		if strings.EqualFold(n, name) {
			return n, v
		}
	}
	return name, nil
}
