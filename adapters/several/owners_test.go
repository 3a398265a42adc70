package several_test

import (
	"context"
	"errors"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/adapters/several"
)

// alone makes a record without a part.
func (s *stage) alone(login string) (adapters.Record, error) {
	r := adapters.NewRecord(s.Capabilities().Shape, "")
	r.Set("login", login)
	return s.Create(s.ctx, r, adapters.AllFields)
}

// TestPartsOfWhoLeft: nobody comes to the part that stayed of somebody who has left,
// neither as a new record that gives it no value, nor by taking the login.
func TestPartsOfWhoLeft(t *testing.T) {
	s := newStage(t, func(p *several.Part) { p.Keep = true })
	ada := s.made("ada", "ada@x")
	if err := s.Delete(s.ctx, ada.Key); err != nil {
		t.Fatal(err)
	}
	taken := func(what string, err error) {
		t.Helper()
		var ae *adapters.Error
		if !errors.As(err, &ae) || ae.Kind != adapters.Exists || ae.Field != "login" || ae.Left {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := s.alone("ada")
	taken("a create without values of the part", err)
	bob, err := s.alone("bob")
	if err != nil {
		t.Fatal(err)
	}
	taken("a change of the login", s.change(bob, "login", "ada"))
	taken("a change of the login and the address", s.change(bob, "login", "ada", "mail.address", "bob@x"))
}

// A late adapter deletes, and says nothing.
type late struct{ *memory.Adapter }

func (l late) Delete(ctx context.Context, key adapters.Key) error {
	if err := l.Adapter.Delete(ctx, key); err != nil {
		return err
	}
	return silence
}

// TestFinishDeleteOfAnother: a part whose key is the login is somebody else's when the
// login is; what is left of the deletion of the former one does not delete it.
func TestFinishDeleteOfAnother(t *testing.T) {
	boxes := memory.New(memory.Options{GivenKeys: true, KeyFrom: "owner", Fields: []memory.Field{{Name: "owner", Unique: true}, {Name: "address", Unique: true}, {Name: "password"}, {Name: "size"}}})
	s := newStage(t, func(p *several.Part) { p.Adapter, p.ByKey = late{boxes}, true })
	ada := s.made("ada", "ada@x")
	if err := s.Delete(s.ctx, ada.Key); kind(err) != adapters.Unavailable {
		t.Fatal(err)
	}
	again := s.made("ada", "again@x")
	if _, err := s.Capabilities().Finish(t.Context(), ada.Key, s.notes[ada.Key].Text, true); err != nil {
		t.Fatal(err)
	}
	rec, err := s.Get(t.Context(), again.Key, adapters.AllFields)
	if err != nil || rec.Get("mail.address") != "again@x" {
		t.Errorf("%v %v", rec.Get("mail.address"), err)
	}
}

// TestFinishKeepsLater: what of the main record was changed back, while a part gave no
// answer, stays so.
func TestFinishKeepsLater(t *testing.T) {
	s := newStage(t)
	ada := s.made("ada", "ada@x")
	s.mail.fail["update"] = silence
	if err := s.change(ada, "title", "Dr", "mail.address", "new@x"); kind(err) != adapters.Unavailable {
		t.Fatal(err)
	}
	s.untitled(ada.Key)
}

// TestFinishIsNoted: and also if the main record was changed only when it was carried on.
func TestFinishIsNoted(t *testing.T) {
	s := newStage(t)
	ada := s.made("ada", "ada@x")
	s.main.fail["update"] = silence
	if err := s.change(ada, "title", "Dr", "mail.address", "new@x"); kind(err) != adapters.Unavailable {
		t.Fatal(err)
	}
	s.main.fail, s.mail.fail["update"] = map[string]error{}, silence
	if _, err := s.Capabilities().Finish(s.ctx, ada.Key, s.notes[ada.Key].Text, true); kind(err) != adapters.Unavailable {
		t.Fatal(err)
	}
	s.holds("ada Dr ada@x")
	s.untitled(ada.Key)
}

// untitled takes the title away while something is left to do, lets that be done, and
// sees to it that the title has not come back.
func (s *stage) untitled(key adapters.Key) {
	s.t.Helper()
	note := s.notes[key].Text
	now, _ := s.Get(s.ctx, key, s.Capabilities().Shape.FieldSet("login", "title"))
	if err := s.change(now, "title", ""); err != nil {
		s.t.Fatal(err)
	}
	s.mail.fail = map[string]error{}
	if _, err := s.Capabilities().Finish(s.t.Context(), key, note, true); err != nil {
		s.t.Fatal(err)
	}
	s.holds("ada - new@x")
}
