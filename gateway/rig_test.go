package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/patch"
	"github.com/postern/postern/scim/schema"
)

// A shelf is the smallest Provider: it keeps what it is given, in order.
type shelf struct {
	mu    sync.Mutex
	items []*scim.Resource
	next  int

	fail  error                           // answered instead of anything else
	hook  func(ctx context.Context) error // run before anything else
	empty bool                            // Patch answers without a resource
	call  provision.Call                  // the last one
	seen  provision.Search                // the last one
	ops   []patch.Operation               // the last ones
}

func (s *shelf) begin(ctx context.Context, c provision.Call) error {
	if s.hook != nil {
		if err := s.hook(ctx); err != nil {
			return err
		}
	}
	s.call = c
	return s.fail
}

func (s *shelf) find(c provision.Call, id string) (int, error) {
	i := slices.IndexFunc(s.items, func(r *scim.Resource) bool {
		return r.Layout() == c.Type.Layout && r.Get(c.Type.Layout.ID).String() == id
	})
	if i < 0 {
		return i, scim.Errorf(404, "", "There is no %s with the id %q.", c.Type.Name, id)
	}
	r := s.items[i]
	if version := r.Get(r.Layout().Meta.Find("version")).String(); !c.If.Holds(version) {
		return i, scim.Errorf(412, "", "another version")
	}
	return i, nil
}

func (s *shelf) stamp(c provision.Call, r *scim.Resource, id string) *scim.Resource {
	l := c.Type.Layout
	r.Set(l.ID, scim.Str(id))
	r.Set(l.Meta.Find("resourceType"), scim.Str(c.Type.Name))
	r.Set(l.Meta.Find("location"), scim.Str(c.Base+c.Type.Endpoint+"/"+id))
	return r
}

func (s *shelf) Create(ctx context.Context, c provision.Call, d *schema.Decoded) (*scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(ctx, c); err != nil {
		return nil, err
	}
	s.next++
	r := s.stamp(c, d.Resource, "id-"+strconv.Itoa(s.next))
	s.items = append(s.items, r)
	return r, nil
}

func (s *shelf) Get(ctx context.Context, c provision.Call, id string) (*scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(ctx, c); err != nil {
		return nil, err
	}
	i, err := s.find(c, id)
	if err != nil {
		return nil, err
	}
	return s.items[i], nil
}

func (s *shelf) List(ctx context.Context, c provision.Call, q provision.Search) (provision.List, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(ctx, c); err != nil {
		return provision.List{}, err
	}
	s.seen = q
	var all []*scim.Resource
	for _, r := range s.items {
		if r.Layout() == c.Type.Layout {
			all = append(all, r)
		}
	}
	from := min(q.StartIndex-1, len(all))
	return provision.List{Total: len(all), StartIndex: q.StartIndex, Resources: all[from:min(from+q.Count, len(all))]}, nil
}

func (s *shelf) ListAll(ctx context.Context, parts []provision.Part, start, count int) (out provision.List, err error) {
	out.StartIndex = start
	for _, p := range parts {
		p.Search.StartIndex, p.Search.Count = max(start-out.Total, 1), count-len(out.Resources)
		l, err := s.List(ctx, p.Call, p.Search)
		if err != nil {
			return l, err
		}
		out.Total, out.Resources = out.Total+l.Total, append(out.Resources, l.Resources...)
	}
	return out, nil
}

func (s *shelf) ListAfter(ctx context.Context, c provision.Call, q provision.Search, position string) (provision.List, error) {
	from, _ := strconv.Atoi(position)
	q.StartIndex = from + 1
	l, err := s.List(ctx, c, q)
	if end := from + q.Count; err == nil && end < l.Total {
		l.Next = strconv.Itoa(end)
	}
	return l, err
}

func (s *shelf) ListAllAfter(ctx context.Context, parts []provision.Part, count int, position string) (provision.List, error) {
	parts[0].Search.Count = count
	return s.ListAfter(ctx, parts[0].Call, parts[0].Search, position)
}

func (s *shelf) Replace(ctx context.Context, c provision.Call, id string, d *schema.Decoded) (*scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(ctx, c); err != nil {
		return nil, err
	}
	i, err := s.find(c, id)
	if err != nil {
		return nil, err
	}
	s.items[i] = s.stamp(c, d.Resource, id)
	return s.items[i], nil
}

func (s *shelf) Patch(ctx context.Context, c provision.Call, id string, ops []patch.Operation) (*scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(ctx, c); err != nil {
		return nil, err
	}
	s.ops = ops
	i, err := s.find(c, id)
	if err != nil || s.empty {
		return nil, err
	}
	after, err := patch.Apply(s.items[i], ops)
	if err == nil {
		s.items[i] = after
	}
	return after, err
}

func (s *shelf) Delete(ctx context.Context, c provision.Call, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(ctx, c); err != nil {
		return err
	}
	i, err := s.find(c, id)
	if err == nil {
		s.items = slices.Delete(s.items, i, i+1)
	}
	return err
}

func (s *shelf) Ready(context.Context) error { return s.fail }

// A rig is a running gateway with a shelf behind it.
type rig struct {
	*testing.T
	*shelf
	url string // of the server, with the base path
	log *safeBuffer
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func types(t testing.TB) []*schema.ResourceType {
	user, _ := schema.Builtin(scim.UserSchema)
	group, _ := schema.Builtin(scim.GroupSchema)
	enterprise, _ := schema.Builtin(scim.EnterpriseUserSchema)
	u, err := schema.NewResourceType("User", "/Users", "People", user, []schema.Extension{{Schema: enterprise}})
	if err != nil {
		t.Fatal(err)
	}
	g, err := schema.NewResourceType("Group", "/Groups", "Groups", group, nil)
	if err != nil {
		t.Fatal(err)
	}
	return []*schema.ResourceType{u, g}
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func authenticator(t testing.TB) *auth.Bearer {
	a, err := auth.NewBearer("scim", []auth.Client{
		{Principal: auth.Principal{Caller: provision.Caller{Tenant: "acme", Client: "entra"}, Profile: "entra"}, Tokens: []auth.Token{{Hash: auth.HashToken("right")}, {Hash: auth.HashToken("old"), Expires: noon}}},
		{Principal: auth.Principal{Caller: provision.Caller{Client: "strict", Reject: true}}, Tokens: []auth.Token{{Hash: auth.HashToken("strict")}}},
	}, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// newRig starts a gateway; change may alter its options.
func newRig(t *testing.T, change func(*Options)) *rig {
	r := &rig{T: t, shelf: &shelf{}, log: &safeBuffer{}}
	o := Options{
		Base: "/scim/v2", Types: types(t), Provider: r.shelf, Authenticator: authenticator(t),
		Config: schema.ProviderConfig{Patch: true, Filter: true, Sort: true, Authentication: []schema.AuthenticationScheme{{Type: "oauthbearertoken", Name: "token"}}},
		Logger: slog.New(slog.NewJSONHandler(r.log, nil)),
	}
	if change != nil {
		change(&o)
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	r.url = srv.URL
	return r
}

// An answer is a response that has been read.
type answer struct {
	*http.Response
	body string
	json map[string]any
}

// do sends a request as the client entra; headers come as "Name: value", and an
// empty value takes the header away. Whatever the answer is, it must be well-formed.
func (r *rig) do(method, path, body string, headers ...string) answer {
	r.Helper()
	if !strings.HasPrefix(path, "/scim") {
		path = "/scim/v2" + path
	}
	return r.raw(method, path, strings.NewReader(body), headers...)
}

func (r *rig) raw(method, path string, body io.Reader, headers ...string) answer {
	r.Helper()
	req, err := http.NewRequest(method, r.url+path, body)
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer right")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		if value = strings.TrimSpace(value); value == "" {
			req.Header.Del(name)
		} else if name == "Host" {
			req.Host = value
		} else {
			req.Header.Add(name, value)
		}
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		r.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		r.Fatal(err)
	}
	a := answer{Response: res, body: string(data)}
	if err := a.wellFormed(method); err != nil {
		r.Errorf("%s %s: %v\n%s", method, path, err, a.body)
	}
	return a
}

// wellFormed holds for every answer of the gateway (H-01, E-01, E-02, E-03).
func (a *answer) wellFormed(method string) error {
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if got := a.Header.Get(name); got != want {
			return fmt.Errorf("%s is %q", name, got)
		}
	}
	if a.Header.Get("X-Request-Id") == "" {
		return fmt.Errorf("no request id")
	}
	if a.StatusCode == 204 || a.StatusCode == 304 || method == "HEAD" {
		if a.body != "" || a.StatusCode == 204 && a.Header.Get("Content-Type") != "" {
			return fmt.Errorf("a body where none may be")
		}
		return nil
	}
	if got := a.Header.Get("Content-Type"); got != "application/scim+json" {
		return fmt.Errorf("H-01: Content-Type %q", got)
	}
	if err := json.Unmarshal([]byte(a.body), &a.json); err != nil {
		return err
	}
	if a.StatusCode < 400 {
		return nil
	}
	if detail, _ := a.json["detail"].(string); detail == "" {
		return fmt.Errorf("E-02: no detail")
	}
	if a.json["status"] != strconv.Itoa(a.StatusCode) || fmt.Sprint(a.json["schemas"]) != "["+scim.ErrorMessage+"]" {
		return fmt.Errorf("E-01, E-03: status %v, schemas %v", a.json["status"], a.json["schemas"])
	}
	if a.StatusCode == 401 && !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer realm=") {
		return fmt.Errorf("T-02: WWW-Authenticate %q", a.Header.Get("WWW-Authenticate"))
	}
	return nil
}

// want checks status and, if given, scimType.
func (r *rig) want(a answer, status int, kind ...scim.Keyword) {
	r.Helper()
	if a.StatusCode != status {
		r.Fatalf("status %d, want %d: %s", a.StatusCode, status, a.body)
	}
	if len(kind) == 1 && fmt.Sprint(a.json["scimType"]) != string(kind[0]) {
		r.Errorf("scimType %v, want %s", a.json["scimType"], kind[0])
	}
}

const bjensen = `{"schemas":["` + scim.UserSchema + `"],"userName":"bjensen","name":{"givenName":"Barbara","familyName":"Jensen"},"password":"t1meMa$heen"}`

func (r *rig) create(userName string) string {
	r.Helper()
	a := r.do("POST", "/Users", strings.ReplaceAll(bjensen, "bjensen", userName))
	r.want(a, 201)
	return a.json["id"].(string)
}
