package provision_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

func may(a provision.Access) func(*provision.Call) {
	return func(c *provision.Call) { c.Caller.Access = a }
}

// writes are one change of every kind, of a user and a group.
func (r *rig) writes(id, gid string, opts ...func(*provision.Call)) map[string]func() (*scim.Resource, error) {
	user, group := r.call(r.User, opts...), r.call(r.Group, opts...)
	return map[string]func() (*scim.Resource, error){
		"create": func() (*scim.Resource, error) {
			return r.tryCreate(user, `{"userName":"new","externalId":"e5","title":"Dr"}`)
		},
		"replace": func() (*scim.Resource, error) {
			return r.tryReplace(user, id, `{"userName":"ada2","externalId":"e6","title":"Dr"}`)
		},
		"patch": func() (*scim.Resource, error) {
			return r.tryPatch(user, id, `{"op":"replace","path":"title","value":"Dr"}`)
		},
		"members": func() (*scim.Resource, error) {
			return r.tryPatch(group, gid, `{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`)
		},
		"delete": func() (*scim.Resource, error) { return nil, r.svc.Delete(context.Background(), user, id) },
	}
}

// TestReadingClient: a client that may only read changes nothing.
func TestReadingClient(t *testing.T) {
	r := newRig(t, settings{})
	id, gid := r.user(`{"userName":"ada"}`), r.group(`{"displayName":"staff"}`)
	before := r.snapshot()
	for name, write := range r.writes(id, gid, may(provision.Reading)) {
		_, err := write()
		refused(t, name, err, 403, "")
	}
	if got := r.get(r.call(r.User, may(provision.Reading)), id); got.ID() != id || r.snapshot() != before {
		t.Error("it may not read, or has changed something")
	}
}

// TestTryingClient: a dry run answers as the real one would, and changes nothing:
// neither a backend, nor the mapping table.
func TestTryingClient(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, settings{log: &log})
	id, gid := r.user(`{"userName":"ada","externalId":"e1"}`), r.group(`{"displayName":"staff"}`)
	before := r.snapshot()
	got := map[string]*scim.Resource{}
	for name, write := range r.writes(id, gid, may(provision.Trying)) {
		res, err := write()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got[name] = res
	}
	c := r.call(r.User)
	for name, wants := range map[string]map[string]any{
		"create":  {"userName": "new", "externalId": "e5", "title": "Dr", "active": true},
		"replace": {"userName": "ada2", "externalId": "e6", "title": "Dr"},
		"patch":   {"userName": "ada", "externalId": "e1", "title": "Dr"},
	} {
		for path, want := range wants {
			if is := value(t, c, got[name], path); is != want {
				t.Errorf("%s: %s is %v, want %v", name, path, is, want)
			}
		}
	}
	if r.snapshot() != before {
		t.Error("the backend has changed")
	}
	if now := r.get(c, id); value(t, c, now, "externalId") != "e1" || r.list(c, "").Total != 1 {
		t.Error("the mapping table has changed")
	}
	if id := got["create"].ID(); !strings.HasPrefix(id, "dry-run-") {
		t.Errorf("the id of what was not created is %q", id)
	}
	if n := strings.Count(log.String(), "dry run: nothing was changed"); n != 5 || strings.Contains(log.String(), keyMark) {
		t.Errorf("%d lines in the log: %s", n, &log)
	}
	left, err := r.ids.Intents(context.Background(), "")
	if err != nil || len(left) != 0 {
		t.Errorf("the journal has %d entries: %v", len(left), err)
	}
	_, err = r.tryCreate(r.call(r.User, may(provision.Trying)), `{"userName":"ADA"}`)
	refused(t, "what would be refused is refused", err, 409, scim.Uniqueness)
	err = r.svc.Delete(context.Background(), r.call(r.User, may(provision.Trying)), "nobody")
	refused(t, "an unknown id", err, 404, "")
}

// TestEnds: whoever's end date is past becomes inactive, in pages of any number, but
// for those who are not managed (GW-25).
func TestEnds(t *testing.T) {
	r := newRig(t, settings{ends: "meta.created", managed: `record.title != "Service"`, scope: `record.nick != "hidden"`})
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	want := 0
	for i := range 900 {
		values := map[string]any{"login": fmt.Sprint("u", i), "status": "A", "hired": "2026-05-01T12:00:00Z"}
		switch i % 5 {
		case 1:
			values["hired"] = "2026-05-01T12:00:01Z"
		case 2:
			values["title"] = "Service"
		case 3:
			values["nick"] = "hidden"
		case 4:
			delete(values, "hired")
		default:
			want++
		}
		r.raw(values)
	}
	if done, err := r.admin().End(context.Background(), now); done != want || err != nil {
		t.Errorf("GW-25: %d were ended, want %d: %v", done, want, err)
	}
	if l := r.list(r.call(r.User), `active eq false`); l.Total != want {
		t.Errorf("GW-25: %d are inactive, want %d", l.Total, want)
	}
	if done, err := r.admin().End(context.Background(), now); done != 0 || err != nil {
		t.Errorf("GW-25: %d were ended again: %v", done, err)
	}
}

// TestManaged: what is shown and not managed stays as it is, whoever asks (GW-25).
func TestManaged(t *testing.T) {
	r := newRig(t, settings{managed: `record.title != "Service"`})
	key := r.raw(map[string]any{"login": "backup", "status": "A", "title": "Service"})
	c := r.call(r.User)
	id := r.list(c, "").Resources[0].ID()
	gid := r.group(`{"displayName":"staff"}`)
	before := r.snapshot()
	writes := r.writes(id, gid)
	for _, name := range []string{"replace", "patch", "delete"} {
		_, err := writes[name]()
		refused(t, "GW-25 "+name, err, 403, "")
	}
	_, err := r.tryCreate(c, `{"userName":"x","title":"Service"}`)
	refused(t, "GW-25 create", err, 400, scim.InvalidValue)
	if r.snapshot() != before {
		t.Error("GW-25: something has changed")
	}
	ada := r.user(`{"userName":"ada"}`)
	_, err = r.tryPatch(c, ada, `{"op":"add","path":"title","value":"Service"}`)
	refused(t, "GW-25 a change that leads there", err, 400, scim.InvalidValue)
	r.patch(c, ada, `{"op":"add","path":"title","value":"Dr"}`)

	// A merge leaves the record alone, though it is not read any more.
	if _, err := r.admin().Merge(context.Background(), provision.MergeOrder{Keep: ada, Drop: []string{id}, Record: provision.RecordDelete, Reason: because()}); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.record(key); !ok {
		t.Error("GW-25: a merge has deleted it")
	}
	if err := r.svc.Delete(context.Background(), c, ada); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.record(key); !ok {
		t.Error("GW-25: a delete of the merged identity has deleted it")
	}
}
