package ldap_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/ldap"
	"github.com/postern/postern/scim/filter"
)

func wantKind(t *testing.T, what string, err error, k adapters.Kind) {
	t.Helper()
	if !adapters.Is(err, k) {
		t.Errorf("%s: got %v, want %v", what, err, k)
	}
}

func eq(field, value string) filter.Expr {
	return &filter.Compare{Name: field, Op: filter.Eq, Match: filter.Folded, Value: filter.StringValue(value)}
}

// TestDangerEmptyDirectory: a credential that has lost its rights sees nothing, and
// that is no empty directory.
func TestDangerEmptyDirectory(t *testing.T) {
	for name, blind := range map[string]func(f *fake, kind ber.Tag, r request) []*ber.Packet{
		"nothing is found":    func(*fake, ber.Tag, request) []*ber.Packet { return []*ber.Packet{done(0)} },
		"the base is no more": func(*fake, ber.Tag, request) []*ber.Packet { return []*ber.Packet{done(goldap.LDAPResultNoSuchObject)} },
		"all but the proof": func(_ *fake, _ ber.Tag, r request) []*ber.Packet {
			if r.base == "dc=x" && strings.Contains(r.filter, "objectClass=*") {
				return []*ber.Packet{entry("dc=x"), done(0)}
			}
			return []*ber.Packet{done(0)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := pretend(t, blind).people([]string{"uid"}, func(c *ldap.Config) { c.Proof = "uid=postern,dc=x" })
			_, err := a.List(ctx, adapters.Query{Limit: 10})
			wantKind(t, "list", err, adapters.Unavailable)
			_, err = a.List(ctx, adapters.Query{Filter: eq("uid", "bob"), Limit: 10})
			wantKind(t, "list with a filter", err, adapters.Unavailable)
			_, err = a.Get(ctx, "bob", adapters.AllFields)
			wantKind(t, "get", err, adapters.Unavailable)
			wantKind(t, "probe", a.Probe(ctx), adapters.Unavailable)
			wantKind(t, "delete", a.Delete(ctx, "bob"), adapters.Unavailable)
		})
	}
}

// TestDangerIgnoredFilter: a server that answers everybody to every filter finds
// nobody for us but who was asked for.
func TestDangerIgnoredFilter(t *testing.T) {
	a := pretend(t, func(_ *fake, _ ber.Tag, r request) []*ber.Packet {
		return []*ber.Packet{entry("uid=alice,dc=x", "uid", "alice", "sn", "A"), entry("uid=bob,dc=x", "uid", "bob", "sn", "B"), done(0)}
	}).people([]string{"uid", "sn"})
	for value, want := range map[string]int{"bob": 1, "BOB": 1, "carol": 0, "*": 0} {
		page, err := a.List(ctx, adapters.Query{Filter: eq("uid", value), Limit: 10, Total: true, Want: adapters.AllFields})
		if err != nil || len(page.Records) != want || page.Total != want {
			t.Errorf("uid eq %q: %v, %v", value, page, err)
		}
	}
	if r, err := a.Get(ctx, "bob", adapters.AllFields); err != nil || r.Get("sn") != "B" {
		t.Errorf("get bob: %v, %v", r.Values(), err)
	}
	_, err := a.Get(ctx, "Bob", adapters.AllFields)
	wantKind(t, "another spelling of the key", err, adapters.NotFound)
}

// TestDangerFalseSuccess: a server that says yes and does nothing. What is answered is
// what it holds.
func TestDangerFalseSuccess(t *testing.T) {
	a := pretend(t, func(_ *fake, kind ber.Tag, r request) []*ber.Packet {
		switch kind {
		case goldap.ApplicationModifyRequest:
			return []*ber.Packet{result(goldap.ApplicationModifyResponse, 0)}
		case goldap.ApplicationAddRequest:
			return []*ber.Packet{result(goldap.ApplicationAddResponse, 0)}
		case goldap.ApplicationSearchRequest:
			if strings.Contains(r.filter, "carol") || strings.Contains(r.base, "carol") {
				return []*ber.Packet{done(0)}
			}
		}
		return []*ber.Packet{entry("uid=bob,dc=x", "uid", "bob", "sn", "B"), done(0)}
	}).people([]string{"uid", "sn"})
	bob, err := a.Get(ctx, "bob", adapters.AllFields)
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.Update(ctx, "bob", adapters.Delta{Before: bob, After: bob, Set: []adapters.Change{{Field: "sn", Old: "B", New: "Baker"}}}, adapters.AllFields)
	if err != nil || got.Get("sn") != "B" {
		t.Errorf("an update that did nothing: %v, %v", got.Values(), err)
	}
	carol := adapters.FromMap(a.Capabilities().Shape, "carol", map[string]any{"uid": "carol", "sn": "C"})
	_, err = a.Create(ctx, carol, adapters.AllFields)
	wantKind(t, "a create that did nothing", err, adapters.Internal)
}

// TestDangerCutLists: a part is no list.
func TestDangerCutLists(t *testing.T) {
	bob := entry("uid=bob,dc=x", "uid", "bob")
	for what, c := range map[string]struct {
		answer []*ber.Packet
		want   adapters.Kind
	}{
		"size limit":         {[]*ber.Packet{bob, done(goldap.LDAPResultSizeLimitExceeded)}, adapters.TooMany},
		"administrative":     {[]*ber.Packet{bob, done(goldap.LDAPResultAdminLimitExceeded)}, adapters.TooMany},
		"time limit":         {[]*ber.Packet{bob, done(goldap.LDAPResultTimeLimitExceeded)}, adapters.Unavailable},
		"on another server":  {[]*ber.Packet{bob, referral("ldap://other/dc=y"), done(0)}, adapters.Unsupported},
		"all on another one": {[]*ber.Packet{done(goldap.LDAPResultReferral)}, adapters.Unsupported},
		"busy":               {[]*ber.Packet{done(goldap.LDAPResultBusy)}, adapters.Unavailable},
		"no rights":          {[]*ber.Packet{done(goldap.LDAPResultInsufficientAccessRights)}, adapters.Denied},
		"nobody knows":       {[]*ber.Packet{done(goldap.LDAPResultOther)}, adapters.Internal},
	} {
		answer := func(*fake, ber.Tag, request) []*ber.Packet { return c.answer }
		_, err := pretend(t, answer).people([]string{"uid"}).List(ctx, adapters.Query{Limit: 10})
		wantKind(t, what, err, c.want)
	}
	passing := pretend(t, func(*fake, ber.Tag, request) []*ber.Packet {
		return []*ber.Packet{bob, referral("ldap://other/dc=y"), done(0)}
	})
	page, err := passing.people([]string{"uid"}, func(c *ldap.Config) { c.Referrals = true }).List(ctx, adapters.Query{Limit: 10})
	if err != nil || len(page.Records) != 1 {
		t.Errorf("referrals that are to be passed over: %v, %v", page, err)
	}
	if slices.ContainsFunc(passing.seen, func(s string) bool { return strings.Contains(s, "other") }) {
		t.Error("a referral was followed")
	}
	many := pretend(t, func(*fake, ber.Tag, request) []*ber.Packet {
		var out []*ber.Packet
		for i := range 11 {
			out = append(out, entry(fmt.Sprintf("uid=u%d,dc=x", i), "uid", fmt.Sprintf("u%d", i)))
		}
		return append(out, done(0))
	})
	_, err = many.people([]string{"uid"}, func(c *ldap.Config) { c.Entries = 10 }).List(ctx, adapters.Query{Limit: 1})
	wantKind(t, "more entries than may be walked", err, adapters.TooMany)
}

// TestRanges: a list that is told a part at a time is read to its end.
func TestRanges(t *testing.T) {
	a := pretend(t, func(_ *fake, _ ber.Tag, r request) []*ber.Packet {
		part := "member;range=0-1"
		dns := "uid=a,dc=x;uid=b,dc=x"
		for _, want := range r.attributes {
			if rest, ok := strings.CutPrefix(want, "member;range="); ok {
				if part, dns = "member;range=2-3", "uid=c,dc=x;uid=d,dc=x"; rest == "4-*" {
					part, dns = "member;range=4-*", "uid=e,dc=x"
				}
			}
		}
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			if r.base == "uid="+name+",dc=x" {
				return []*ber.Packet{entry(r.base, "uid", name), done(0)}
			}
		}
		return []*ber.Packet{entry("uid=g,dc=x", "uid", "g", part, dns), done(0)}
	}).people([]string{"uid", "member"})
	g, err := a.Get(ctx, "g", adapters.AllFields)
	if want := []string{"a", "b", "c", "d", "e"}; err != nil || !slices.Equal(g.Get("member").([]string), want) {
		t.Errorf("%v, %v", g.Values(), err)
	}
}

// TestSilence: a server that does not answer.
func TestSilence(t *testing.T) {
	a := pretend(t, func(_ *fake, kind ber.Tag, _ request) []*ber.Packet {
		if kind == goldap.ApplicationSearchRequest {
			return []*ber.Packet{entry("uid=bob,dc=x", "uid", "bob", "sn", "B"), done(0)}
		}
		return nil
	}).people([]string{"uid", "sn"})
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	err := a.Delete(short, "bob")
	var e *adapters.Error
	if !errors.As(err, &e) || e.Kind != adapters.Unavailable || !e.Unsure || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a delete without an answer: %v, unsure %t", err, e != nil && e.Unsure)
	}
	if _, err := a.Get(ctx, "bob", adapters.AllFields); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestReconnect: connections that the server closes are opened again, for reads.
func TestReconnect(t *testing.T) {
	f := pretend(t, func(_ *fake, kind ber.Tag, _ request) []*ber.Packet {
		return []*ber.Packet{entry("uid=bob,dc=x", "uid", "bob"), done(0)}
	}, 4) // bind, root DSE, schema, and one more
	a := f.people([]string{"uid"})
	for range 10 {
		if _, err := a.Get(ctx, "bob", adapters.AllFields); err != nil {
			t.Fatal(err)
		}
	}
	down, err := ldap.Open(ldap.Config{URL: "ldap://127.0.0.1:1", Base: "dc=x"})
	if err != nil {
		t.Fatal(err)
	}
	wantKind(t, "no server", down.Ping(ctx), adapters.Unavailable)
}
