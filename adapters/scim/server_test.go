package scim_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

type object = map[string]any

// A server is a small SCIM server with a resource type Things at /Things. What it
// cannot do, or does wrong, is data.
type server struct {
	v11      bool
	silent   bool // it says nothing of itself
	noPatch  bool
	noFilter bool   // it refuses filters
	ignores  bool   // it says that it filters, and does not
	noTotal  bool   // lists have no totalResults
	wrong    int    // that much is added to totalResults
	page     int    // of a list, at most; 0: no bound
	noStart  bool   // it ignores startIndex
	etags    bool   // it demands If-Match
	exact    bool   // it tells capitals from small letters
	bodyless bool   // writes answer nothing but Location
	shuffled bool   // it writes the names of attributes in other letters
	broken   string // what it answers to every list
	types    []any  // its resource types; nil: it has no /ResourceTypes
	down     int    // so often it does not say them yet

	most    int    // of the results of a filter, it says; 0: 50
	noOr    int    // with this status it answers filters with or
	noWord  string // and with this scimType
	orFirst bool   // of a filter with or it takes the first term for all of it
	orNone  bool   // a filter with or finds nobody
	orMore  bool   // a filter with or finds one more
	full    int    // a filter that finds more is refused as tooMany
	short   int    // URLs that are longer are refused

	mu      sync.Mutex
	last    int
	things  []object
	calls   []string // METHOD path?query
	between func()   // told before each write
}

func (s *server) start(t testing.TB) string {
	h := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(h.Close)
	return h.URL + "/base"
}

func (s *server) said(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.calls {
		if strings.Contains(c, what) {
			n++
		}
	}
	return n
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	if s.between != nil && r.Method != http.MethodGet {
		s.between()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, r.Method+" "+r.URL.RequestURI())
	var in object
	if r.Body != nil {
		d := json.NewDecoder(r.Body)
		d.UseNumber()
		_ = d.Decode(&in)
	}
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/base")
	switch {
	case path == "/ServiceProviderConfig" && !s.v11 && !s.silent, path == "/ServiceProviderConfigs" && s.v11 && !s.silent:
		s.answer(w, 200, object{"patch": object{"supported": !s.noPatch}, "filter": object{"supported": !s.noFilter, "maxResults": cmp.Or(s.most, 50)}, "etag": object{"supported": s.etags}})
	case path == "/Schemas" && !s.silent:
		attribute := func(name, typ string, sub ...any) any {
			return object{"name": name, "type": typ, "caseExact": s.exact, "subAttributes": sub}
		}
		s.answer(w, 200, object{"Resources": []any{object{"id": "urn:example:Thing", "attributes": []any{attribute("userName", "string"), attribute("nickName", "string"),
			attribute("name", "complex", attribute("givenName", "string")), attribute("age", "integer")}}}})
	case path == "/ResourceTypes" && s.down > 0:
		s.down--
		s.fail(w, 503, "")
	case path == "/ResourceTypes" && s.types != nil:
		s.answer(w, 200, object{"totalResults": len(s.types), "Resources": s.types})
	case path == "/Things" && r.Method == http.MethodGet:
		s.list(w, r)
	case path == "/Things" && r.Method == http.MethodPost:
		s.create(w, in)
	case strings.HasPrefix(path, "/Things/"):
		s.one(w, r, in)
	default:
		s.fail(w, 404, "")
	}
}

func (s *server) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/scim+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (s *server) fail(w http.ResponseWriter, status int, scimType string) {
	s.answer(w, status, object{"status": strconv.Itoa(status), "scimType": scimType, "detail": "the server's own words"})
}

var equal = regexp.MustCompile(`^(\S+) eq ("(?:[^"\\]|\\.)*")( or |$)`)

// A term is one comparison of a filter.
type term struct {
	attr, sub, value string
	complex          bool
}

func terms(filter string) (all []term, ok bool) {
	for filter != "" {
		m := equal.FindStringSubmatch(filter)
		if m == nil {
			return nil, false
		}
		filter = filter[len(m[0]):]
		var t term
		t.attr, t.sub, t.complex = strings.Cut(m[1], ".")
		if json.Unmarshal([]byte(m[2]), &t.value) != nil {
			return nil, false
		}
		all = append(all, t)
	}
	return all, true
}

func (s *server) matches(o object, t term) bool {
	v := o[t.attr]
	if holder, _ := v.(object); t.complex {
		v = holder[t.sub]
	}
	have, ok := v.(string)
	return ok && (have == t.value || !s.exact && strings.EqualFold(have, t.value))
}

// find is what a filter finds, or the status and the word with which it is refused.
func (s *server) find(filter string) (found []object, status int, word string) {
	all, ok := terms(filter)
	several := len(all) > 1
	switch {
	case s.noFilter || !ok:
		return nil, 400, "invalidFilter"
	case several && s.noOr != 0:
		return nil, s.noOr, s.noWord
	case several && s.orNone:
		return nil, 0, ""
	case several && s.orFirst:
		all = all[:1]
	}
	stranger := several && s.orMore
	for _, o := range s.things {
		matches := slices.ContainsFunc(all, func(t term) bool { return s.matches(o, t) })
		if matches || stranger {
			found = append(found, o)
		}
		stranger = stranger && matches
	}
	if s.full > 0 && len(found) > s.full {
		return nil, 400, "tooMany"
	}
	return found, 0, ""
}

func (s *server) list(w http.ResponseWriter, r *http.Request) {
	if s.broken != "" {
		fmt.Fprint(w, s.broken)
		return
	}
	if s.short > 0 && len(r.URL.RequestURI()) > s.short {
		s.fail(w, 414, "")
		return
	}
	found := s.things
	if f := r.FormValue("filter"); f != "" && !s.ignores {
		some, status, word := s.find(f)
		if status != 0 {
			s.fail(w, status, word)
			return
		}
		found = some
	}
	total := len(found) + s.wrong
	start, _ := strconv.Atoi(r.FormValue("startIndex"))
	count, _ := strconv.Atoi(r.FormValue("count"))
	if s.noStart {
		start = 1
	}
	if s.page > 0 {
		count = min(count, s.page)
	}
	found = found[min(max(start-1, 0), len(found)):]
	found = found[:min(count, len(found))]
	all := []any{}
	for _, o := range found {
		all = append(all, s.shown(o, r.FormValue("excludedAttributes")))
	}
	out := object{"totalResults": total, "Resources": all}
	if s.noTotal {
		delete(out, "totalResults")
	}
	if len(all) == 0 && !s.noTotal {
		delete(out, "Resources") // allowed by RFC 7644 section 3.4.2
	}
	s.answer(w, 200, out)
}

func (s *server) shown(o object, without string) object {
	out := object{}
	for n, v := range o {
		if s.shuffled {
			n = strings.ToUpper(n)
		}
		if !slices.Contains(strings.Split(without, ","), n) {
			out[n] = v
		}
	}
	return out
}

func (s *server) taken(name any, but string) bool {
	return slices.ContainsFunc(s.things, func(o object) bool { return o["userName"] == name && o["id"] != but })
}

func (s *server) create(w http.ResponseWriter, in object) {
	if s.taken(in["userName"], "") {
		s.fail(w, 409, "uniqueness")
		return
	}
	s.last++
	in["id"] = fmt.Sprintf("id %d/ä", s.last)
	s.touch(in)
	s.things = append(s.things, in)
	w.Header().Set("Location", "/base/Things/"+url.PathEscape(in["id"].(string)))
	if s.bodyless {
		w.WriteHeader(201)
		return
	}
	s.answer(w, 201, s.shown(in, ""))
}

// touch makes a new version.
func (s *server) touch(o object) {
	s.last++
	o["meta"] = object{"version": fmt.Sprintf(`W/"%d"`, s.last)}
}

func (s *server) one(w http.ResponseWriter, r *http.Request, in object) {
	id := strings.TrimPrefix(r.URL.Path, "/base/Things/")
	i := slices.IndexFunc(s.things, func(o object) bool { return o["id"] == id })
	if i < 0 {
		s.fail(w, 404, "")
		return
	}
	o := s.things[i]
	if r.Method != http.MethodGet && s.etags && r.Header.Get("If-Match") != o["meta"].(object)["version"] {
		s.fail(w, 412, "")
		return
	}
	switch r.Method {
	case http.MethodGet:
		s.answer(w, 200, s.shown(o, r.FormValue("excludedAttributes")))
	case http.MethodDelete:
		s.things = slices.Delete(s.things, i, i+1)
		w.WriteHeader(204)
	case http.MethodPut:
		if s.taken(in["userName"], id) {
			s.fail(w, 409, "uniqueness")
			return
		}
		in["id"] = id
		s.touch(in)
		s.things[i] = in
		s.answer(w, 200, in)
	case http.MethodPatch:
		if s.noPatch {
			s.fail(w, 501, "")
			return
		}
		after := clone(o)
		status, scimType := s.patch(after, in)
		if status == 200 && s.taken(after["userName"], id) {
			status, scimType = 409, "uniqueness"
		}
		if status != 200 {
			s.fail(w, status, scimType)
			return
		}
		s.touch(after)
		s.things[i] = after
		w.WriteHeader(204)
	}
}

func clone(o object) object {
	data, _ := json.Marshal(o)
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	var out object
	_ = d.Decode(&out)
	return out
}

var removed = regexp.MustCompile(`^members\[value eq (".*")\]$`)

func (s *server) patch(o, in object) (int, string) {
	if s.v11 {
		for _, e := range in["members"].([]any) {
			m := e.(object)
			drop(o, m["value"])
			if m["operation"] != "delete" {
				join(o, m)
			}
		}
		return 200, ""
	}
	for _, e := range in["Operations"].([]any) {
		op := e.(object)
		path := op["path"].(string)
		m := removed.FindStringSubmatch(path)
		switch {
		case m != nil:
			var v string
			_ = json.Unmarshal([]byte(m[1]), &v)
			if !drop(o, v) {
				return 400, "noTarget"
			}
		case op["op"] == "add":
			for _, x := range op["value"].([]any) {
				drop(o, x.(object)["value"])
				join(o, x.(object))
			}
		default:
			at, sub, has := strings.Cut(path, ".")
			holder := o
			if has {
				if holder, _ = o[at].(object); holder == nil {
					holder = object{}
					o[at] = holder
				}
				at = sub
			}
			if holder[at] = op["value"]; op["op"] == "remove" {
				delete(holder, at)
			}
		}
	}
	return 200, ""
}

func drop(o object, v any) bool {
	list, _ := o["members"].([]any)
	now := slices.DeleteFunc(slices.Clone(list), func(e any) bool { return e.(object)["value"] == v })
	o["members"] = now
	return len(now) < len(list)
}

func join(o, m object) {
	list, _ := o["members"].([]any)
	o["members"] = append(list, object{"value": m["value"]})
}
