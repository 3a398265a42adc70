package trace_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/adapters/trace"
	"github.com/postern/postern/scim/filter"
)

func open(t *testing.T, tape *trace.Tape) adapters.Adapter {
	t.Helper()
	a := memory.New(memory.Options{GivenKeys: true, Fields: []memory.Field{{Name: "login"}, {Name: "pw"}, {Name: "roles", Multi: true}}})
	return tape.Watch(a, "hr", "User", false, trace.SecretName)
}

func record(a adapters.Adapter, key adapters.Key, m map[string]any) adapters.Record {
	return adapters.FromMap(a.Capabilities().Shape, key, m)
}

// life is what the recordings of these tests hold.
func life(ctx context.Context, a adapters.Adapter) (out []any, err error) {
	made, err := a.Create(ctx, record(a, "7", map[string]any{"login": "ada", "pw": "geheim", "roles": []string{"x"}}), adapters.AllFields)
	if err != nil {
		return nil, err
	}
	changed, err := a.Update(ctx, "7", adapters.Delta{Set: []adapters.Change{{Field: "login", Old: "ada", New: "geheim-ada"}}}, adapters.AllFields)
	if err != nil {
		return nil, err
	}
	got, err := a.Get(ctx, "7", adapters.AllFields)
	if err != nil {
		return nil, err
	}
	page, err := a.List(ctx, adapters.Query{Limit: 10, Total: true, Want: adapters.AllFields,
		Filter: &filter.Compare{Name: "login", Op: filter.Co, Match: filter.Exact, Value: filter.StringValue("ada")}})
	if err != nil {
		return nil, err
	}
	_, missing := a.Get(ctx, "8", adapters.AllFields)
	return []any{made.Key, changed.Get("login"), got.Get("roles"), len(page.Records), page.Total, adapters.KindOf(missing), a.Delete(ctx, "7")}, nil
}

func TestReplay(t *testing.T) {
	tape := trace.New(trace.Options{})
	if _, err := life(t.Context(), open(t, tape)); err != nil {
		t.Fatal(err)
	}
	data, err := (&trace.Recording{Steps: tape.Steps()}).JSON()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "geheim") {
		t.Errorf("the recording holds the password:\n%s", data)
	}
	rec, err := trace.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	again := trace.New(trace.Options{Replay: rec})
	a := open(t, again)
	got, err := life(t.Context(), a)
	if err != nil {
		t.Fatalf("%v; missing: %v", err, again.Missing())
	}
	want := []any{adapters.Key("7"), "(hidden)-ada", []string{"x"}, 1, 1, adapters.NotFound, error(nil)}
	for i := range want {
		if list, ok := want[i].([]string); ok {
			if g, _ := got[i].([]string); strings.Join(g, " ") != strings.Join(list, " ") {
				t.Errorf("%d: %v", i, got[i])
			}
		} else if got[i] != want[i] {
			t.Errorf("%d: %v, want %v", i, got[i], want[i])
		}
	}
	if _, err := a.Get(t.Context(), "99", adapters.AllFields); err == nil || len(again.Missing()) != 1 || again.Missing()[0] != "get User 99" {
		t.Errorf("what is not recorded is answered: %v, %v", err, again.Missing())
	}
	if err := a.Delete(t.Context(), "7"); err == nil {
		t.Error("one deletion answered two")
	}
	if _, err := a.Get(t.Context(), "7", adapters.AllFields); err != nil {
		t.Errorf("a read was not answered twice: %v", err)
	}
}

func TestDryRun(t *testing.T) {
	tape := trace.New(trace.Options{DryRun: true})
	a := open(t, tape)
	if _, err := a.List(t.Context(), adapters.Query{Limit: 1}); err != nil || tape.Stopped() {
		t.Fatalf("a read was stopped: %v", err)
	}
	if _, err := a.Create(t.Context(), record(a, "7", map[string]any{"login": "ada", "pw": "geheim"}), adapters.AllFields); err == nil || !tape.Stopped() {
		t.Fatal("a change was not stopped")
	}
	if err := a.Delete(t.Context(), "7"); err == nil || adapters.Is(err, adapters.NotFound) {
		t.Fatalf("what follows was made: %v", err)
	}
	if _, err := a.Get(t.Context(), "7", adapters.AllFields); !adapters.Is(err, adapters.NotFound) {
		t.Errorf("the record is there: %v", err)
	}
	s := tape.Steps()[1]
	if !s.Stopped || s.Create["login"].V != "ada" || s.Create["pw"].V != trace.Hidden {
		t.Errorf("the change is shown as %+v", s)
	}
}

// TestDryRunOfStatements: reads of a change are made, the change itself is not.
func TestDryRunOfStatements(t *testing.T) {
	tape := trace.New(trace.Options{DryRun: true})
	watch := tape.Watcher("hr")
	sent := 0
	a := tape.Watch(fake{update: func(ctx context.Context) error {
		for _, e := range []*adapters.Exchange{{Request: "SELECT 1", Reads: true}, {Request: "UPDATE t", Parameters: []any{int64(7)}}, {Request: "DELETE"}} {
			if err := watch.Before(ctx, e); err != nil {
				return err
			}
			sent++
			watch.After(ctx, e)
		}
		return nil
	}}, "hr", "User", true, trace.SecretName)
	if _, err := a.Update(t.Context(), "7", adapters.Delta{}, adapters.AllFields); err == nil || sent != 1 {
		t.Fatalf("%d statements were sent, %v", sent, err)
	}
	s := tape.Steps()[0]
	if len(s.Exchanges) != 2 || s.Exchanges[0].Stopped || !s.Exchanges[1].Stopped || s.Exchanges[1].Request != "UPDATE t" {
		t.Errorf("it is shown as %+v", s)
	}
}

type fake struct {
	adapters.Adapter
	update func(context.Context) error
}

func (f fake) Capabilities() adapters.Capabilities {
	return adapters.Capabilities{Shape: adapters.NewShape("login")}
}

func (f fake) Update(ctx context.Context, _ adapters.Key, _ adapters.Delta, _ adapters.Fields) (adapters.Record, error) {
	return adapters.Record{}, f.update(ctx)
}

func call(t *testing.T, c *http.Client, op string, reads bool, method, to, body string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(adapters.WithPurpose(t.Context(), op, reads), method, to, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.Status + " " + resp.Header.Get("X-Total") + " " + string(data), err
}

func TestReplayOfHTTP(t *testing.T) {
	const key = "top/secret & more"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Total", "1")
		w.Header().Set("Set-Cookie", "s="+key)
		switch r.URL.Path {
		case "/login":
			_, _ = w.Write([]byte(`{"access_token": "abc.def", "scopes": ["a", "b", "c"], "expires_in": 60}`))
		case "/binary":
			_, _ = w.Write([]byte{0xff, 0})
		default:
			w.WriteHeader(201)
			_, _ = w.Write([]byte(`{"login": "ada", "password": "pw of ada", "pin": 1234, "echo": "` + r.URL.Query().Get("k") + `"}`))
		}
	}))
	defer server.Close()
	tape := trace.New(trace.Options{Secrets: []string{key}})
	c := &http.Client{Transport: tape.Transport("api")(http.DefaultTransport)}
	asked := func(c *http.Client) (all []string) {
		for _, q := range [][3]string{{"login", "/login", `{"user": "me", "pass": "w0rd"}`}, {"get", "/binary", ""},
			{"create", "/users?k=" + strings.ReplaceAll(strings.ReplaceAll(key, " ", "+"), "&", "%26"), `{"login": "ada", "secret_answer": "Mont-Tremblant"}`}} {
			got, err := call(t, c, q[0], q[0] == "get", "POST", server.URL+q[1], q[2])
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, got)
		}
		return all
	}
	was := asked(c)
	data, err := (&trace.Recording{Steps: tape.Steps()}).JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"top/secret", "top%2F", "abc.def", "w0rd", "pw of ada", "Tremblant"} {
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("the recording holds %q:\n%s", secret, data)
		}
	}
	rec, err := trace.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	again := trace.New(trace.Options{Replay: rec, Secrets: []string{key}})
	replayed := asked(&http.Client{Transport: again.Transport("api")(http.DefaultTransport)})
	if replayed[0] != `200 OK 1 {"access_token": "(hidden)", "scopes": ["(hidden)", "(hidden)", "(hidden)"], "expires_in": 60}` {
		t.Errorf("the log-in is replayed as %s", replayed[0])
	}
	if replayed[1] != was[1] {
		t.Errorf("bytes are replayed as %q", replayed[1])
	}
	if !strings.HasPrefix(replayed[2], `201 Created 1 {"login": "ada", "password": "(hidden)", "pin": 1234`) {
		t.Errorf("the create is replayed as %s", replayed[2])
	}
	if _, err := call(t, &http.Client{Transport: again.Transport("api")(nil)}, "get", true, "GET", server.URL+"/other", ""); err == nil || len(again.Missing()) != 1 {
		t.Errorf("what is not recorded is answered: %v", again.Missing())
	}
}

func TestValuesKeepTheirTypes(t *testing.T) {
	at := time.Date(2024, 2, 1, 13, 30, 0, 5000, time.UTC)
	for _, v := range []any{nil, "a<b>&\u2028", int64(1) << 60, 3.0, 0.1, 1e300, true, []byte{0xff}, at, []string{"a", ""}} {
		data, err := trace.Value{V: v}.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var got trace.Value
		if err := got.UnmarshalJSON(data); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if got.String() != (trace.Value{V: v}).String() {
			t.Errorf("%s became %s", trace.Value{V: v}, got)
		}
	}
}

func TestSecretName(t *testing.T) {
	for name, want := range map[string]bool{"password": true, "user_pwd": true, "API_KEY": true, "access_token": true, "pw_hash": true,
		"next_page_token": false, "login": false, "cursorToken": false} {
		if trace.SecretName(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

// FuzzParse: what can be read is written so that it reads the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"postern": 1, "request": {"method": "GET", "path": "/Users"}, "steps": [{"op": "get", "records": [{"key": "7", "fields": {"a": 1.5, "b": {"bytes": "AA=="}}}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := trace.Parse(data)
		if err != nil {
			return
		}
		first, err := r.JSON()
		if err != nil {
			return // a body that is no JSON
		}
		again, err := trace.Parse(first)
		if err != nil {
			t.Fatalf("%v\n%s", err, first)
		}
		second, err := again.JSON()
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%v\n%s\n%s", err, first, second)
		}
	})
}

// TestElementsAreKept: elements are shown, blotted, recorded and read back with their
// parts.
func TestElementsAreKept(t *testing.T) {
	shape := adapters.NewShape("address", "token")
	v := trace.Value{V: []adapters.Record{adapters.FromMap(shape, "", map[string]any{"address": "a@x", "token": int64(7)})}}
	data, err := json.Marshal(v)
	if err != nil || string(data) != `[{"address":"a@x","token":7}]` || v.String() != string(data) {
		t.Errorf("%s, %s, %v", data, v, err)
	}
	var back trace.Value
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(back); err != nil || string(again) != string(data) {
		t.Errorf("%s, %v", again, err)
	}
}
