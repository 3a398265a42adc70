package provision_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// TestStatuses: E-05, E-06. Every kind of failure of a backend, in every operation,
// is its status; the backend's words and keys stay inside, and nothing changes.
func TestStatuses(t *testing.T) {
	kinds := []struct {
		kind   adapters.Kind
		field  string
		status int
		typ    scim.Keyword
		says   string
	}{
		{adapters.Internal, "", 502, "", "does not know"},
		{adapters.Kind(200), "", 502, "", "does not know"},
		{adapters.Defect, "", 500, "", "gateway failed"},
		{adapters.Exists, "login", 409, scim.Uniqueness, "userName"},
		{adapters.Exists, "secret_column", 409, scim.Uniqueness, ""},
		{adapters.Conflict, "", 409, "", "again"},
		{adapters.Invalid, "mail", 400, scim.InvalidValue, "emails"},
		{adapters.Invalid, "", 400, scim.InvalidValue, ""},
		{adapters.Denied, "", 502, "", "administrator"},
		{adapters.Unavailable, "", 503, "", "later"},
		{adapters.Unsupported, "", 501, "", ""},
	}
	var log bytes.Buffer
	r := newRig(t, settings{log: &log, groups: true})
	id := r.user(`{"userName":"ann","title":"x"}`)
	gid := r.group(`{"displayName":"g","members":[{"value":%q}]}`, id)
	before := r.snapshot()
	for _, k := range kinds {
		failing := func(ops string) func(string) error {
			return func(op string) error {
				if !strings.Contains(ops, op) {
					return nil
				}
				return &adapters.Error{Kind: k.kind, Op: op, Field: k.field, Err: errors.New(secret + " on row " + keyMark + "7")}
			}
		}
		for _, ops := range []string{"get list create update delete", "create update delete"} {
			r.users.hook(failing(ops), nil)
			r.groups.hook(failing(ops), nil)
			for what, do := range r.operations(id, gid) {
				if ops[0] == 'c' && strings.HasPrefix(what, "read") {
					continue
				}
				what = fmt.Sprintf("%s, %s fails with %d %s", what, ops, k.kind, k.field)
				e := refused(t, what, do(), k.status, k.typ)
				if !strings.Contains(e.Detail, k.says) && !(k.field != "" && strings.Contains(what, "group")) {
					t.Errorf("%s: detail %q", what, e.Detail)
				}
				if strings.Contains(e.Detail, "secret_column") {
					t.Errorf("%s: detail %q", what, e.Detail)
				}
				if traced := k.status == 500 || k.status == 502; e.Traced != traced {
					t.Errorf("%s: traced is %t", what, e.Traced)
				}
				if (k.status == 503) != (e.RetryAfter > 0) {
					t.Errorf("%s: Retry-After %d", what, e.RetryAfter)
				}
			}
		}
	}
	r.users.hook(nil, nil)
	r.groups.hook(nil, nil)
	equal(t, "backends", r.snapshot(), before)
	if strings.Contains(log.String(), keyMark) || strings.Contains(log.String(), secret) {
		t.Errorf("the log holds a backend's words: %s", log.String())
	}
}

// operations are all that can be asked about a user and a group.
func (r *rig) operations(id, gid string) map[string]func() error {
	c, gc := r.call(r.User), r.call(r.Group)
	ctx := context.Background()
	return map[string]func() error{
		"read":         func() error { _, err := r.svc.Get(ctx, c, id); return err },
		"read a list":  func() error { _, err := r.search(c, `userName eq "ann"`); return err },
		"read by scan": func() error { _, err := r.search(c, `userType eq "x"`); return err },
		"create":       func() error { _, err := r.tryCreate(c, `{"userName":"bob"}`); return err },
		"replace":      func() error { _, err := r.tryReplace(c, id, `{"userName":"ann","title":"y"}`); return err },
		"patch":        func() error { _, err := r.tryPatch(c, id, `{"op":"replace","path":"title","value":"z"}`); return err },
		"delete":       func() error { return r.svc.Delete(ctx, c, id) },
		"group patch": func() error {
			_, err := r.tryPatch(gc, gid, fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, id))
			return err
		},
		"group rename": func() error {
			_, err := r.tryPatch(gc, gid, `{"op":"replace","path":"displayName","value":"h"}`)
			return err
		},
	}
}

// TestDown: a backend that is down answers 503 with the Retry-After it gives, and
// what needs it not goes on.
func TestDown(t *testing.T) {
	r := newRig(t, settings{})
	id := r.user(`{"userName":"ann"}`)
	r.group(`{"displayName":"g"}`)
	r.users.hook(func(op string) error {
		return &adapters.Error{Kind: adapters.Unavailable, Op: op, RetryAfter: 1500 * time.Millisecond, Unsure: op == "update", Err: errors.New(secret)}
	}, nil)
	_, err := r.svc.Get(context.Background(), r.call(r.User), id)
	equal(t, "Retry-After", refused(t, "get", err, 503, "").RetryAfter, 2)
	equal(t, "groups", r.list(r.call(r.Group), "").Total, 1)
	if err := r.svc.Ready(context.Background()); err != nil {
		t.Error(err)
	}
	r.users.hook(func(op string) error {
		if op != "update" {
			return nil
		}
		return &adapters.Error{Kind: adapters.Unavailable, Op: op, Unsure: true, Err: errors.New(secret)}
	}, nil)
	_, err = r.tryPatch(r.call(r.User), id, `{"op":"add","path":"title","value":"x"}`)
	if e := refused(t, "unsure", err, 503, ""); !strings.Contains(e.Detail, "may have been made") {
		t.Errorf("detail %q", e.Detail)
	}
}

// TestEnded: after the end of the request there is nothing to tell a client, and
// the door says what it knows.
func TestEnded(t *testing.T) {
	r := newRig(t, settings{})
	id := r.user(`{"userName":"ann"}`)
	before := r.snapshot()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := r.call(r.User)
	_, get := r.svc.Get(ctx, c, id)
	_, list := r.svc.List(ctx, c, provision.Search{StartIndex: 1, Count: 10})
	_, create := r.svc.Create(ctx, c, r.decode(r.User, `{"userName":"x"}`, false))
	_, patch := r.svc.Patch(ctx, c, id, r.ops(r.User, `{"op":"add","path":"title","value":"x"}`))
	for what, err := range map[string]error{"get": get, "list": list, "create": create, "patch": patch, "delete": r.svc.Delete(ctx, c, id)} {
		var e *scim.Error
		if !errors.Is(err, context.Canceled) || errors.As(err, &e) {
			t.Errorf("%s: %v", what, err)
		}
	}
	equal(t, "backend", r.snapshot(), before)
}

// TestUnplaced: values without a place are refused for clients that want to know,
// and left out for others; the log names attributes and no values.
func TestUnplaced(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, settings{log: &log})
	c := r.call(r.User)
	body := `{"userName":"ann","emails":[{"type":"other","value":"private@example.org"},{"type":"work","value":"a@example.org"}]}`
	res := r.create(c, "%s", body)
	equal(t, "emails", fmt.Sprint(value(t, c, res, "emails")), "[map[type:work value:a@example.org]]")
	if !strings.Contains(log.String(), "emails[0]") || strings.Contains(log.String(), "private") {
		t.Errorf("log: %s", log.String())
	}
	c.Caller.Reject = true
	_, err := r.tryCreate(c, strings.Replace(body, "ann", "bob", 1))
	refused(t, "reject", err, 400, scim.InvalidValue)
}

// TestOddRecords: what a rule makes nothing of is left out, once in the log, and
// without its value.
func TestOddRecords(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, settings{log: &log})
	for i := range 3 {
		r.raw(map[string]any{"login": fmt.Sprintf("u%d", i), "status": "SECRETSTATUS"})
	}
	c := r.call(r.User)
	l := r.list(c, "")
	equal(t, "total", l.Total, 3)
	equal(t, "active", value(t, c, l.Resources[0], "active"), any(nil))
	if n := strings.Count(log.String(), "active"); n != 1 || strings.Contains(log.String(), "SECRETSTATUS") {
		t.Errorf("log: %s", log.String())
	}
}

// TestScopeMismatch: a backend that shows what it was asked to leave out is not
// believed, and neither is its total.
func TestScopeMismatch(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, settings{scope: `record.kind != "builtin"`, log: &log})
	for i := range 5 {
		r.user(`{"userName":"u%d"}`, i)
	}
	r.raw(map[string]any{"login": "root", "kind": "builtin"})
	r.users.Adapter = blind{r.users.Adapter}
	l := r.list(r.call(r.User), "", page(4, 3))
	equal(t, "total", l.Total, 5)
	equal(t, "page", len(l.Resources), 2)
	if !strings.Contains(log.String(), "outside the scope") {
		t.Error("not logged")
	}
}

// blind is a backend that ignores filters on the scope's field.
type blind struct{ adapters.Adapter }

func (b blind) List(ctx context.Context, q adapters.Query) (adapters.Page, error) {
	if q.Filter != nil && strings.Contains(filter.Print(q.Filter), "kind") {
		q.Filter = nil
	}
	return b.Adapter.List(ctx, q)
}

// TestDetails: no error's detail holds a key (E-07), and every one says something.
func TestDetails(t *testing.T) {
	r := newRig(t, settings{groups: true})
	c, gc := r.call(r.User), r.call(r.Group)
	id := r.user(`{"userName":"ann"}`)
	key := string(r.keyOf(id))
	_, err := r.svc.Get(context.Background(), c, key)
	refused(t, "a key is no id", err, 404, "")
	_, err = r.tryPatch(gc, key, `{"op":"replace","path":"displayName","value":"x"}`)
	refused(t, "patch", err, 404, "")
	refused(t, "delete", r.svc.Delete(context.Background(), c, key), 404, "")
	equal(t, "filter by key", r.list(c, `id eq "`+key+`"`).Total, 0)
}
