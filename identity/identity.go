package identity

import (
	"errors"
	"time"
)

// A Domain is the space in which external ids live: one client of one tenant.
type Domain struct {
	Tenant string
	Client string
	// Existing makes new external ids from the record's key instead of at random
	// (`ids: existing`). A key whose id was retired, and so may not be given again,
	// gets the suffix ~2, ~3 and so on; one that cannot be an id gets a random one.
	Existing bool
}

// A Link names one record of a backend.
type Link struct {
	Type    string // resource type
	Backend string
	Key     string
}

// An Entry is what the table answers about one id or one link. Its ID is empty
// where there is nothing for this client: the rest then says nothing either,
// except as documented at the method that returned it.
type Entry struct {
	ID       string // the client's primary external id: the only one that may be sent
	Identity string // internal, never sent
	Type     string
	// Backend and Key are, of Ensure, Find and Create, those of the link asked
	// about; of Resolve and ByExternalID those of the identity's first primary link.
	Backend, Key string
	Birth        Birth  // of that link's record, as far as it is known
	ExternalID   string // the attribute externalId as this client set it
	// Primary says that what was asked about, the id or the link, is the primary
	// one. A link that is not primary stays out of lists; an id that is not is
	// subject to the client's policy and may be acknowledged.
	Primary          bool
	DeletionRequired bool // of the id asked about: the client is expected to delete it
	Created          time.Time
	// Made and Modified are of that link's record: when the table first heard of it,
	// and when it was last changed through Postern, as far as that is kept.
	Made, Modified time.Time
	// Held says, of Ensure and Find, that the identity was split off and not yet
	// released to this client: then ID is empty.
	Held   bool
	Others []Linked // of Resolve and ByExternalID: the further links
}

// A Linked is a link of an identity.
type Linked struct {
	Link
	Primary bool // in its backend
	Birth   Birth

	Made, Modified time.Time
}

// KeyIn answers the key of the record to read and write in a backend.
func (e Entry) KeyIn(backend string) (string, bool) {
	if e.Backend == backend {
		return e.Key, e.ID != ""
	}
	for _, o := range e.Others {
		if o.Backend == backend && o.Primary {
			return o.Key, true
		}
	}
	return "", false
}

// BirthIn answers what is known of the birth of the record that KeyIn answers.
func (e Entry) BirthIn(backend string) Birth {
	if e.Backend == backend {
		return e.Birth
	}
	for _, o := range e.Others {
		if o.Backend == backend && o.Primary {
			return o.Birth
		}
	}
	return ""
}

// TimesIn answers when the record that KeyIn answers was first heard of and last
// changed.
func (e Entry) TimesIn(backend string) (made, modified time.Time) {
	for _, o := range e.Others {
		if e.Backend != backend && o.Backend == backend && o.Primary {
			return o.Made, o.Modified
		}
	}
	return e.Made, e.Modified
}

// ModifiedIn is the entry after a change of that record.
func (e Entry) ModifiedIn(backend string, at time.Time) Entry {
	if e.Backend == backend {
		e.Modified = at
		return e
	}
	e.Others = append([]Linked(nil), e.Others...)
	for i, o := range e.Others {
		if o.Backend == backend && o.Primary {
			e.Others[i].Modified = at
		}
	}
	return e
}

// Links answers all links, those of Others after the first.
func (e Entry) Links() []Link {
	links := []Link{{e.Type, e.Backend, e.Key}}
	for _, o := range e.Others {
		links = append(links, o.Link)
	}
	return links
}

// The errors that callers tell apart. What wraps them says more, but never a key
// or an external id.
var (
	ErrUnknown   = errors.New("no such id or link in the mapping table")
	ErrAmbiguous = errors.New("the id belongs to several identities; name the identity's own id")
	ErrConflict  = errors.New("the move contradicts the mapping table")
	ErrBusy      = errors.New("the mapping table is locked by another process")
	ErrAway      = errors.New("the mapping table's database does not answer")
	ErrUnsure    = errors.New("the mapping table's database gave no answer to a change, which may have been made")
)
