package config

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Tenants that are added at run time say the same as those of the file, with three
// differences, for whoever adds them may not be who writes the file. Tokens are
// given as hashes. Parameters are plain texts, to be seen by administrators, in which
// nothing is expanded. What is secret is under `secrets`, which says where it is, in
// places that are meant for tenants: a reference must not read whatever Postern can,
// nor start a program.

// tenantsFolder, beside the file, and variables that begin with tenantsVariable, are
// for the secrets of tenants.
const (
	tenantsFolder   = "tenants"
	tenantsVariable = "TENANT_"
)

var (
	tenantSecret     = regexp.MustCompile(`^\$\{(env|file):([^${}]+)\}$`)
	tenantSecretHint = fmt.Sprintf("as in ${file:%s/acme.password}, in the folder of the configuration, or ${env:%sACME_PASSWORD}", tenantsFolder, tenantsVariable)
)

// AddedTenant reads what was said about a tenant at run time, as YAML or JSON. The
// error is Problems, whose file is what.
func (c *Config) AddedTenant(name, what string, said []byte) (*Tenant, error) {
	t, _, err := c.addedTenant(name, what, said, false)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// TenantDraft checks what somebody has written about a tenant, in which tokens are
// still to be made, and gives it as JSON.
func (c *Config) TenantDraft(name, what string, said []byte) ([]byte, error) {
	_, tree, err := c.addedTenant(name, what, said, true)
	if err != nil {
		return nil, err
	}
	return json.Marshal(tree.plain(false))
}

// plain is a tree in the words of JSON. texts: numbers are texts.
func (t *Tree) plain(texts bool) any {
	switch t.Kind {
	case NullNode:
		return nil
	case ListNode:
		out := []any{}
		for _, item := range t.Items {
			out = append(out, item.plain(texts))
		}
		return out
	case MappingNode:
		out := map[string]any{}
		for _, item := range t.Items {
			out[item.Key.Value] = item.plain(texts || item.Key.Value == "params" || item.Key.Value == "secrets")
		}
		return out
	}
	if n, err := strconv.Atoi(t.Value); err == nil && !texts && !t.Quoted {
		return n
	}
	return t.Value
}

func (c *Config) addedTenant(name, what string, said []byte, draft bool) (*Tenant, *Tree, error) {
	report := NewReporter(NewSource(what, said))
	at := Text{Value: name, Line: 1, Column: 1}
	tree := parseTree(said, report)
	if tree == nil {
		return nil, nil, report.Problems()
	}
	written := tree.clone()
	tree.Key, tree.label = at, "tenant"
	r := &reader{report: report, env: c.again.env, dir: c.again.dir, standIns: c.again.standIns, kinds: map[string]string{}, blocks: map[string]string{}, limits: c.again.limits, draft: draft}
	tenantName.check(r, at, "tenant")
	if tree.Kind == MappingNode {
		r.added(tree)
	}
	// What must not be referred to is not even looked at, nor run.
	r.literal = report.Err() != nil
	t := &Tenant{Name: at}
	tenant().read(r, tree, t)
	r.addedParams(c, t)
	r.addedTokens(c, t)
	for i := range c.Resources {
		r.checkIDs(&c.Resources[i], t.Clients)
	}
	return t, written, report.Err()
}

// added makes of what was said what a file would say: secrets become parameters.
func (r *reader) added(t *Tree) {
	for _, item := range itemsOf(t.Find("clients")) {
		r.onlyHashes(item.Find("token"))
		for _, tk := range itemsOf(item.Find("tokens")) {
			r.onlyHashes(tk.Find("token"))
		}
	}
	secrets := t.Find("secrets")
	r.noReferences(t, secrets)
	if secrets == nil {
		return
	}
	t.Items = slices.DeleteFunc(slices.Clone(t.Items), func(i *Tree) bool { return i == secrets })
	if secrets.Kind != MappingNode {
		if secrets.Kind != NullNode {
			r.report.Errorf(secrets.place(), "as in secrets: {password: \"${file:tenants/acme.password}\"}", "secrets must be a block of names, each with a colon")
		}
		return
	}
	params := t.Find("params")
	if params == nil || params.Kind == NullNode {
		t.Items = slices.DeleteFunc(t.Items, func(i *Tree) bool { return i == params })
		params = &Tree{Kind: MappingNode, Key: Text{Value: "params", Line: secrets.Line, Column: secrets.Column}, Text: secrets.Text, label: "params"}
		t.Items = append(t.Items, params)
	}
	for _, s := range secrets.Items {
		r.tenantSecret(s)
		if params.Find(s.Key.Value) != nil {
			r.report.Errorf(s.Key, "delete one of the two", "%q is in params and in secrets", s.Key.Value)
			continue
		}
		params.Items = append(params.Items, s)
	}
}

func itemsOf(t *Tree) []*Tree {
	if t == nil {
		return nil
	}
	return t.Items
}

// onlyHashes refuses a token itself.
func (r *reader) onlyHashes(token *Tree) {
	if token != nil {
		r.report.Source.blotTree(token)
		r.report.Errorf(token.Key, `as in tokens: [{hash: "sha256:..."}], or leave it out: a token is made, and shown once`, "a tenant that is added at run time has hashes of tokens, and no tokens")
	}
}

// noReferences refuses what would be expanded anywhere but in secrets.
func (r *reader) noReferences(t, secrets *Tree) {
	if t == secrets {
		return
	}
	if t.Kind == ScalarNode && reference.MatchString(t.Value) {
		r.report.Errorf(t.Text, "put it under secrets", "%s: a tenant that is added at run time refers to nothing, but for its secrets", t.label)
	}
	for _, item := range t.Items {
		r.noReferences(item, secrets)
	}
}

// tenantSecret refuses what is no reference, or one to what is not for tenants.
func (r *reader) tenantSecret(s *Tree) {
	m := tenantSecret.FindStringSubmatch(s.Value)
	switch {
	case s.Kind != ScalarNode || m == nil:
		r.report.Source.blotTree(s)
		r.report.Errorf(s.Key, tenantSecretHint, "the secret %q must say where it is, and nothing else", s.Key.Value)
	case m[1] == "env" && !strings.HasPrefix(m[2], tenantsVariable):
		r.report.Errorf(s.Text, tenantSecretHint, "the variable %s is not for tenants", m[2])
	case m[1] == "file" && !forTenants(m[2]):
		r.report.Errorf(s.Text, tenantSecretHint, "the file %q is not for tenants", m[2])
	}
}

// forTenants reports whether a path leads to a file in the folder for tenants, and
// not out of it.
func forTenants(path string) bool {
	return filepath.IsLocal(path) && strings.HasPrefix(path, tenantsFolder+"/") && filepath.ToSlash(filepath.Clean(path)) == path
}

// addedParams refuses parameters that nothing uses: a mistyped one would leave the
// value of all tenants in force.
func (r *reader) addedParams(c *Config, v *Tenant) {
	known := c.ParamNames()
	for _, p := range v.Params {
		if !slices.Contains(known, p.Name.Value) {
			r.report.Errorf(p.Name, didYouMean(p.Name.Value, known), "nothing uses the parameter %q", p.Name.Value)
		}
	}
}

// addedTokens refuses a token that somebody in the file has, or two clients.
func (r *reader) addedTokens(c *Config, t *Tenant) {
	taken := map[string]bool{}
	for _, a := range c.Admins {
		take(taken, a.Tokens)
	}
	for _, o := range c.Tenants {
		for _, cl := range o.Clients {
			take(taken, cl.Tokens)
		}
	}
	for _, cl := range t.Clients {
		for _, tk := range cl.Tokens {
			if tk.Hash != "" && taken[tk.Hash] {
				r.report.Errorf(Text{Line: tk.Line, Column: tk.Column}, "give everybody their own", "this token of client %q is somebody else's already", cl.Name.Value)
			}
			taken[tk.Hash] = true
		}
	}
}

func take(taken map[string]bool, tokens []Token) {
	for _, tk := range tokens {
		taken[tk.Hash] = true
	}
}
