package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/patch"
	"github.com/postern/postern/scim/schema"
)

// A Provider carries out SCIM operations: provision.Service, or a stand-in in
// tests. Errors that a client may read are *scim.Error; of any other the client
// learns only the request's id.
type Provider interface {
	Create(ctx context.Context, c provision.Call, d *schema.Decoded) (*scim.Resource, error)
	Get(ctx context.Context, c provision.Call, id string) (*scim.Resource, error)
	List(ctx context.Context, c provision.Call, s provision.Search) (provision.List, error)
	// ListAll queries several resource types as one list.
	ListAll(ctx context.Context, parts []provision.Part, start, count int) (provision.List, error)
	// ListAfter and ListAllAfter go on behind a position, for cursors.
	ListAfter(ctx context.Context, c provision.Call, s provision.Search, position string) (provision.List, error)
	ListAllAfter(ctx context.Context, parts []provision.Part, count int, position string) (provision.List, error)
	Replace(ctx context.Context, c provision.Call, id string, d *schema.Decoded) (*scim.Resource, error)
	// Patch may answer without a resource: then the client gets 204.
	Patch(ctx context.Context, c provision.Call, id string, ops []patch.Operation) (*scim.Resource, error)
	Delete(ctx context.Context, c provision.Call, id string) error
	Ready(ctx context.Context) error
}

// An Authenticator finds out who calls. What it refuses is an *auth.Refusal.
type Authenticator interface {
	Authenticate(http.Header) (auth.Principal, error)
}

// Limits bound a request. Zero fields have defaults.
type Limits struct {
	Body     int64 // bytes of a request body: 2 MiB
	Depth    int   // nesting of a body's JSON: scim.Limits
	Elements int   // array elements and members in a body: scim.Limits
	Filter   int   // bytes of a filter: filter.Limits
	Page     int   // resources on a page when count is not given: 100
	PageMax  int   // resources on a page at most: 1000
	// A bulk request's operations and bytes at most: 1,000 and 4 MiB.
	BulkOperations int
	BulkBody       int64
	Time           time.Duration // for the whole of a request: 30 s, below the 60 s of clients (H-23)
}

func (l Limits) withDefaults() Limits {
	l.Body = cmp.Or(l.Body, 2<<20)
	l.PageMax = cmp.Or(l.PageMax, 1000)
	l.Page = min(cmp.Or(l.Page, 100), l.PageMax)
	l.BulkOperations, l.BulkBody = cmp.Or(l.BulkOperations, 1000), cmp.Or(l.BulkBody, 4<<20)
	l.Time = cmp.Or(l.Time, 30*time.Second)
	return l
}

// Options are what New needs.
type Options struct {
	// Base is where clients reach the service: "https://scim.example.org/scim/v2".
	// A path alone, "/scim/v2", leaves the rest to each request: then only
	// loopback names are answered, and what a proxy in Proxies forwards.
	Base    string
	Proxies []netip.Prefix

	Types         []*schema.ResourceType
	Provider      Provider
	Authenticator Authenticator
	Limits        Limits

	// CursorKey, 32 random bytes that all nodes share, seals cursors, which are good
	// for CursorTime: an hour if zero. Without a key there are none.
	CursorKey  []byte
	CursorTime time.Duration

	Proposals Proposals
	// Elements gives elements URLs of their own; nil: they have none.
	Elements Elements

	// Reads and Writes are how many requests a second all clients together may make;
	// 0: any number.
	Reads, Writes int

	// Pause says what is refused for now; nil: nothing ever.
	Pause func() Pause

	// Config is what /ServiceProviderConfig says. A zero FilterMaxResults becomes
	// Limits.PageMax.
	Config schema.ProviderConfig
	// ConfigNeedsCredentials closes /ServiceProviderConfig, which is otherwise
	// open so that a client can learn how to authenticate (D-04).
	ConfigNeedsCredentials bool
	// OpenSchemas opens /Schemas and /ResourceTypes, which otherwise need credentials.
	OpenSchemas bool

	// Profiles are how the bodies and filters of clients are read, by
	// Principal.Profile. A name that is missing stands for the zero Profile.
	Profiles map[string]Profile
	Logger   *slog.Logger
}

// A Pause is what clients get instead of an answer during maintenance: 503, and
// when to come again.
type Pause struct {
	Writes, All bool // what is refused
	RetryAfter  int  // seconds
}

// A Profile is the habits of one kind of client. The zero value is what most
// need.
type Profile struct {
	Schema        schema.Options
	Patch         patch.Options
	Bind          schema.BindOptions
	LenientFilter bool // strings in filters need no double quotes (F-11)
	// Brief lets a PATCH that only changes members answer 204, so that no member
	// is read (P-10, P-64).
	Brief bool
}

// New compiles the handler of the SCIM listener: every route, and for every
// resource type what its requests have in common.
func New(o Options) (http.Handler, error) {
	b, err := newSite(o.Base, o.Proxies)
	if o.Provider == nil || o.Authenticator == nil || o.Logger == nil {
		err = errors.Join(err, errors.New("gateway: a provider, an authenticator and a logger are needed"))
	}
	if len(o.Types) == 0 {
		err = errors.Join(err, errors.New("gateway: there is no resource type to serve"))
	}
	cursors, failed := newSealer(o.CursorKey, cmp.Or(o.CursorTime, time.Hour))
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	d := &door{
		cursors:   cursors,
		site:      b,
		provider:  o.Provider,
		auth:      o.Authenticator,
		limits:    o.Limits.withDefaults(),
		profiles:  o.Profiles,
		log:       o.Logger,
		pause:     o.Pause,
		proposals: o.Proposals,
		parts:     o.Elements,
		all:       rates{reads: limiter(o.Reads), writes: limiter(o.Writes)},
	}
	d.discovery.types, d.discovery.config = o.Types, o.Config
	d.discovery.config.FilterMaxResults = cmp.Or(o.Config.FilterMaxResults, d.limits.PageMax)
	for _, t := range o.Types {
		c, err := newCollection(t)
		if err != nil {
			return nil, fmt.Errorf("resource type %q: %w", t.Name, err)
		}
		d.collections = append(d.collections, c)
	}
	if b.fixed != "" {
		d.discovery.at(b.fixed)
	}
	if err := d.checkEndpoints(); err != nil {
		return nil, err
	}
	return d.routes(&o), nil
}

// A door is what all requests share. It does not change after New.
type door struct {
	site        site
	pause       func() Pause
	proposals   Proposals
	parts       Elements // nil: there are no URLs of elements
	cursors     *sealer  // nil: there are none
	rates       sync.Map // of *rates by tenant and client
	all         rates    // of all clients together
	provider    Provider
	auth        Authenticator
	limits      Limits
	profiles    map[string]Profile
	log         *slog.Logger
	collections []*collection
	discovery   discovery
	buffers     buffers
}
