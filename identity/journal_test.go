package identity

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

func create(value string) Intent {
	return Intent{Domain: d1, Type: "User", Backend: "hr", Kind: IntentCreate, Attribute: "userName", Value: value, ExternalID: "x-" + value, Sole: true}
}

// TestJournal: an intent is there until the table has followed.
func TestJournal(t *testing.T) { onBoth(t, testJournal) }

func testJournal(t *testing.T) {
	s := open(t, Options{})
	ctx := t.Context()
	in := must[Intent](t)(s.Begin(ctx, create("ada")))
	if _, err := s.Begin(ctx, create("ada")); !errors.Is(err, ErrPending) {
		t.Errorf("the same is created twice: %v", err)
	}
	must[Intent](t)(s.Begin(ctx, create("")))
	must[Intent](t)(s.Begin(ctx, create(""))) // nothing tells them apart
	if all := must[[]Intent](t)(s.Intents(ctx, d1.Tenant)); len(all) != 3 || all[0].Value != "ada" || s.Orphaned(all[0]) {
		t.Errorf("%+v", all)
	}
	e := must[Entry](t)(s.CreateFor(ctx, in, "1"))
	if all := must[[]Intent](t)(s.Intents(ctx, d1.Tenant)); len(all) != 2 || e.ExternalID != "x-ada" || e.Key != "1" {
		t.Errorf("%+v, %+v", e, all)
	}
	in = must[Intent](t)(s.Begin(ctx, Intent{Domain: d1, Type: "User", Backend: "hr", Kind: IntentRename, Identity: e.Identity, Keys: []string{"1"}}))
	_, err := s.ChangeFor(ctx, in, "2")
	noErr(t, err)
	if now := must[[]Entry](t)(s.Resolve(ctx, d1, "User", []string{e.ID})); now[0].Key != "2" {
		t.Errorf("%+v", now)
	}
	in = must[Intent](t)(s.Begin(ctx, Intent{Domain: d1, Type: "User", Backend: "hr", Kind: IntentDelete, Identity: e.Identity, Keys: []string{"2"}}))
	noErr(t, s.ForgetFor(ctx, in))
	if now := must[[]Entry](t)(s.Resolve(ctx, d1, "User", []string{e.ID})); now[0].ID != "" {
		t.Errorf("%+v", now)
	}
	if all := must[[]Intent](t)(s.Intents(ctx, d1.Tenant)); len(all) != 2 {
		t.Errorf("%+v", all)
	}
}

// TestJournalFound: a record that was linked before is not the one that a create
// made.
func TestJournalFound(t *testing.T) { onBoth(t, testJournalFound) }

func testJournalFound(t *testing.T) {
	now := time.Now()
	s := open(t, Options{Now: func() time.Time { return now }})
	ctx := t.Context()
	old := ensure(t, s, d1, user("1"))[0]
	now = now.Add(time.Second)
	in := must[Intent](t)(s.Begin(ctx, create("ada")))
	if _, ok, err := s.CreateFound(ctx, in, "1"); ok || err != nil {
		t.Errorf("took another's record: %v", err)
	}
	if ensure(t, s, d1, user("1"))[0].ID != old.ID {
		t.Error("another's id is gone")
	}
	in = must[Intent](t)(s.Begin(ctx, create("ada")))
	seen := ensure(t, s, d2, user("2"))[0] // another client sees it first
	e, ok, err := s.CreateFound(ctx, in, "2")
	if !ok || err != nil || e.Identity != seen.Identity || e.ExternalID != "x-ada" {
		t.Errorf("%+v %t %v", e, ok, err)
	}
}

// TestJournalTaken: one of those who want to carry an intent on does.
func TestJournalTaken(t *testing.T) { onBoth(t, testJournalTaken) }

func testJournalTaken(t *testing.T) {
	s := open(t, Options{})
	ctx := t.Context()
	in := must[Intent](t)(s.Begin(ctx, create("ada")))
	noErr(t, s.Put(ctx, in.Nr, IntentWaiting, "why"))
	in = must[[]Intent](t)(s.Intents(ctx, d1.Tenant))[0]
	if !s.Orphaned(in) || in.Note != "why" {
		t.Errorf("%+v", in)
	}
	if !must[bool](t)(s.Take(ctx, in)) || must[bool](t)(s.Take(ctx, in)) {
		t.Error("taken twice, or not at all")
	}
	for node, want := range map[string]bool{s.node: false, "elsewhere/1/x": false, strings.TrimSuffix(s.node, process) + "x": true,
		strings.Split(s.node, "/")[0] + "/99999999/x": true, "": false} {
		if dead(node, s.node) != want {
			t.Errorf("%q is dead: %t", node, !want)
		}
	}
}

// TestJournalTogether: those who begin at once share transactions, and each has a
// number of its own.
func TestJournalTogether(t *testing.T) { onBoth(t, testJournalTogether) }

func testJournalTogether(t *testing.T) {
	s := open(t, Options{})
	var all sync.WaitGroup
	var nrs sync.Map
	for n := range 100 {
		all.Go(func() {
			in, err := s.Begin(t.Context(), create(fmt.Sprint(n)))
			if _, twice := nrs.LoadOrStore(in.Nr, true); twice || err != nil {
				t.Errorf("%d: %v", in.Nr, err)
			}
			if n%2 == 0 {
				noErr(t, s.Drop(t.Context(), in.Nr))
			}
		})
	}
	all.Wait()
	if left := must[[]Intent](t)(s.Intents(t.Context(), d1.Tenant)); len(left) != 50 {
		t.Errorf("%d are left", len(left))
	}
}
