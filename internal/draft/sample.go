package draft

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// A Sample is what an API answered to a list of users.
type Sample struct {
	URL     string // of the list
	Header  string // the name of the header with the credential, "" for none
	records string // where the records are: body, body.users
	total   string // where their number is, "" if nothing says it
	item    map[string]any
}

// ReadSample finds the records in an answer: the longest list of objects.
func ReadSample(data []byte) (*Sample, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, errors.New("the sample is no JSON")
	}
	s := &Sample{}
	longest := 0
	var look func(path string, v any, depth int)
	look = func(path string, v any, depth int) {
		switch v := v.(type) {
		case []any:
			if first, ok := firstObject(v); ok && len(v) > longest {
				longest, s.records, s.item = len(v), path, first
			}
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				if depth < 3 {
					look(path+member(k), v[k], depth+1)
				}
			}
		}
	}
	look("body", v, 0)
	if s.item == nil {
		return nil, errors.New("the sample holds no list of objects; what is wanted is the answer to a list of users, with one at least")
	}
	if body, ok := v.(map[string]any); ok {
		s.total = totalIn(body)
	}
	return s, nil
}

// member is how an expression names a member.
func member(name string) string {
	if plainScalar.MatchString(name) && !strings.ContainsAny(name, " .-") {
		return "." + name
	}
	return `["` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"]`
}

// firstObject is the object of a list with the most members: others may lack some.
func firstObject(list []any) (map[string]any, bool) {
	var best map[string]any
	for _, e := range list {
		if o, ok := e.(map[string]any); ok && len(o) > len(best) {
			best = o
		}
	}
	return best, len(best) > 0
}

func totalIn(body map[string]any) string {
	name := called([]string{"total", "totalcount", "totalitems", "totalresults", "count"}, slices.Sorted(maps.Keys(body)))
	if _, ok := body[name].(json.Number); ok {
		return "body" + member(name)
	}
	for _, k := range slices.Sorted(maps.Keys(body)) {
		if inner, ok := body[k].(map[string]any); ok {
			n := called([]string{"total", "totalcount", "totalitems"}, slices.Sorted(maps.Keys(inner)))
			if _, ok := inner[n].(json.Number); ok {
				return "body" + member(k) + member(n)
			}
		}
	}
	return ""
}

// Propose writes a configuration for the users of the sample.
func (s *Sample) Propose(set Setting) string {
	p := &page{}
	base, path, query := parts(s.URL)
	p.head(set, "SCIM in front of "+base+".")
	p.line(0, "backends:")
	p.line(1, "%s:", scalar(set.Backend))
	p.line(2, "type: rest")
	note := ""
	if s.URL == "" {
		note = "      # look: where the API is"
	}
	p.line(2, "url: %s%s", base, note)
	if s.Header != "" {
		p.line(2, `headers: {%s: "${env:API_KEY}"}`, scalar(s.Header))
	} else {
		p.line(2, "# look: the credential, as in headers: {Authorization: \"Bearer ${env:API_KEY}\"}")
	}
	p.line(2, "timeout: 10s")
	p.line(0, "")
	p.line(0, "resources:")
	p.line(1, "User:")
	s.target(p, set, path, query)
	s.attributes(p)
	return p.String()
}

// parts divides the URL of a list: its host, its path, its query.
func parts(text string) (base, path, query string) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "https://api.example.com", "/users", ""
	}
	return u.Scheme + "://" + u.Host, strings.TrimSuffix(u.EscapedPath(), "/"), u.RawQuery
}

func (s *Sample) key() string {
	if k := called(identifiers, slices.Sorted(maps.Keys(s.item))); k != "" {
		return k
	}
	return slices.Sorted(maps.Keys(s.item))[0]
}

func (s *Sample) target(p *page, set Setting, path, query string) {
	total := ""
	if s.total != "" {
		total = ", total: " + s.total
	}
	one := strings.TrimSuffix(path, ".json") + "/{key}" + path[len(strings.TrimSuffix(path, ".json")):]
	if query != "" {
		query = "?" + query
	}
	item := "body"
	p.line(2, "target:")
	p.line(3, "backend: %s", scalar(set.Backend))
	p.line(3, "key: %s", scalar(s.key()))
	p.line(3, "# look: how is the next page asked for? As in query: {limit: page.limit, offset: page.offset}")
	p.line(3, "list: {get: %q, records: %s%s}", strings.NewReplacer("{", "{{", "}", "}}").Replace(path+query), quotedExpr(s.records), total)
	p.line(3, "# look: the calls below are guessed; record says where the answer holds the user")
	p.line(3, "get: {get: %q, record: %s}", one, item)
	p.line(3, "create: {post: %q, send: record, record: %s}", path, item)
	p.line(3, "update: {put: %q, send: record}", one)
	p.line(3, "delete: {delete: %q}", one)
}

func quotedExpr(e string) string {
	if strings.ContainsAny(e, "[]{},") {
		return "'" + e + "'"
	}
	return e
}

// attributes maps the members by their names, those of inner objects, as
// contact.email, where none of the record itself is called so.
func (s *Sample) attributes(p *page) {
	plain, inner := s.members()
	pairs, rest := matched(plain)
	within, more := matched(inner)
	for _, x := range within {
		if slices.ContainsFunc(pairs, func(done pair) bool { return done.attribute == x.attribute }) {
			more = append(more, x.field)
		} else {
			pairs = append(pairs, x)
		}
	}
	slices.SortStableFunc(pairs, func(x, y pair) int { return place(x) - place(y) })
	pairs, _ = withUserName(pairs)
	p.line(2, "attributes:")
	if len(pairs) == 0 || pairs[0].attribute != "userName" {
		p.line(3, "userName: %s      # look: nothing is called like a login", scalar(s.key()))
	}
	rest = append(rest, more...)
	for _, x := range pairs {
		if strings.HasPrefix(x.attribute, "enterprise:") {
			rest = append(rest, x.field)
			continue
		}
		p.line(3, "%s: %s", x.attribute, scalar(x.field))
	}
	rest = s.active(p, rest)
	rest = slices.DeleteFunc(rest, func(n string) bool { return n == s.key() || slices.Contains(secretNames, bare(n)) })
	if len(rest) > 0 {
		p.line(3, "# not mapped: %s", strings.Join(rest, ", "))
	}
}

// members lists the names of the scalars of a record, and the paths of those in
// inner objects.
func (s *Sample) members() (plain, inner []string) {
	for _, k := range slices.Sorted(maps.Keys(s.item)) {
		switch v := s.item[k].(type) {
		case map[string]any:
			for _, i := range slices.Sorted(maps.Keys(v)) {
				if !composed(v[i]) && !strings.Contains(k+i, ".") {
					inner = append(inner, k+"."+i)
				}
			}
		case []any:
		default:
			if k != s.key() || len(s.item) == 1 {
				plain = append(plain, k)
			}
		}
	}
	return plain, inner
}

func composed(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// at is the scalar under a name, or a path.
func (s *Sample) at(name string) any {
	if v, ok := s.item[name]; ok {
		return v
	}
	first, last, _ := strings.Cut(name, ".")
	inner, _ := s.item[first].(map[string]any)
	return inner[last]
}

func (s *Sample) active(p *page, rest []string) []string {
	name, on := called(activeNames, rest), true
	if name == "" {
		name, on = called(inactiveNames, rest), false
	}
	if name == "" {
		p.line(3, "# look: nothing says who is active; without it, nobody can be disabled but only deleted")
		return rest
	}
	_, ok := s.at(name).(bool)
	if ok && on {
		p.line(3, "active: {name: %s, default: true}", scalar(name))
	} else if ok {
		p.line(3, "active: {name: %s, values: {false: true, true: false}, default: true}", scalar(name))
	} else {
		codes, _ := codesOf([]string{codeText(s.at(name))}, on)
		p.line(3, "active: {name: %s, values: {%s}, default: true}      # look: what do its values mean?", scalar(name), codes)
	}
	return slices.DeleteFunc(rest, func(r string) bool { return r == name })
}

func codeText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return "1"
}
