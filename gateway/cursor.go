package gateway

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

// A sealer makes cursors (RFC 9865): positions in lists, sealed so that they tell
// nothing, cannot be made up, and fit one client and one query only.
type sealer struct {
	aead cipher.AEAD
	time time.Duration // for which a cursor is good
	now  func() time.Time
}

// newSealer is nil without a key: then there are no cursors.
func newSealer(key []byte, good time.Duration) (*sealer, error) {
	if len(key) == 0 {
		return nil, nil
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &sealer{aead: aead, time: good, now: time.Now}, err
}

// A place is what a cursor holds.
type place struct {
	Position string `json:"p"`
	Total    int    `json:"t"` // as it was counted for the first page
	Count    int    `json:"c"`
	Expires  int64  `json:"e"`
}

func (s *sealer) seal(p place, about []byte) string {
	p.Expires = s.now().Add(s.time).Unix()
	plain, _ := json.Marshal(p) // never fails
	nonce := make([]byte, s.aead.NonceSize())
	rand.Read(nonce) // never fails
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, about))
}

func (s *sealer) open(cursor string, about []byte) (p place, err error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	n := s.aead.NonceSize()
	if err != nil || len(raw) < n {
		return p, foreignCursor()
	}
	plain, err := s.aead.Open(nil, raw[:n], raw[n:], about)
	if err != nil || json.Unmarshal(plain, &p) != nil {
		return p, foreignCursor()
	}
	if s.now().Unix() >= p.Expires {
		return p, scim.Bad(scim.ExpiredCursor, "The cursor has expired; begin again with an empty cursor.")
	}
	return p, nil
}

// foreignCursor is the answer to a cursor that somebody else got, that belongs to
// another query, or that nobody ever got: the three look alike (K-12).
func foreignCursor() error {
	return scim.Bad(scim.InvalidCursor, "The cursor does not belong to this query; repeat the query's parameters as they were, or begin again with an empty cursor.")
}

// about is what a cursor is bound to: who asks, and what (K-01).
func (x *exchange) about(endpoint string, q *query) []byte {
	h := sha256.New()
	for _, s := range []string{x.caller.Tenant, x.caller.Client, endpoint, q.filter.text, q.sortBy.text, strings.ToLower(q.sortOrder.text),
		strings.Join(q.attributes, ","), strings.Join(q.excluded, ",")} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	return h.Sum(nil)
}

// byCursor reports whether the client pages by cursor.
func (x *exchange) byCursor(q *query) (bool, error) {
	if x.cursors == nil || !q.cursor.given {
		return false, nil
	}
	if q.startIndex.given {
		return false, scim.Bad(scim.InvalidValue, "startIndex and cursor exclude each other; send one of them.") // K-14
	}
	return true, nil
}

// answerPage answers a page by cursor. list goes on at a position.
func (x *exchange) answerPage(endpoint string, q *query, selections []*scim.Selection, list func(count int, position string) (provision.List, error)) error {
	about := x.about(endpoint, q)
	at := place{Total: provision.UnknownTotal}
	var err error
	if q.cursor.text != "" {
		if at, err = x.cursors.open(q.cursor.text, about); err != nil {
			return err
		}
	}
	count, err := x.cursorCount(q, &at)
	if err != nil {
		return err
	}
	l, err := list(count, at.Position)
	if err != nil {
		return err
	}
	if q.cursor.text == "" {
		at.Total = l.Total
	}
	next := ""
	if l.Next != "" {
		next = x.cursors.seal(place{Position: l.Next, Total: at.Total, Count: count}, about)
	}
	x.write(http.StatusOK, func(dst []byte) []byte {
		return scim.AppendCursorList(dst, at.Total, l.Resources, next, selections...)
	})
	return nil
}

// cursorCount reads count. It may be left out after the first page, and must not
// change (K-06, K-07).
func (x *exchange) cursorCount(q *query, at *place) (int, error) {
	_, count, err := q.window(&Limits{Page: x.limits.Page, PageMax: int(^uint(0) >> 1)})
	switch {
	case err != nil:
		return 0, err
	case count > x.limits.PageMax:
		return 0, scim.Bad(scim.InvalidCount, "count may be %d at most.", x.limits.PageMax)
	case q.cursor.text == "":
		return count, nil
	case q.count.given && count != at.Count:
		return 0, scim.Bad(scim.InvalidCount, "count was %d for the first page and must stay so.", at.Count)
	}
	return at.Count, nil
}
