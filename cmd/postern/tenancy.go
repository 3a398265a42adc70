package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern/postern/config"
	"github.com/postern/postern/gateway"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
)

// How many tenants are at work at a time, and for how long one stays so without a
// request. One that is not costs its name, its clients and its tokens' hashes.
const (
	mostAtWork = 256
	idleAfter  = 10 * time.Minute
)

// A tenancy is all tenants of one process. Who there is, and which token is whose,
// it knows at once; what serves a tenant is made at its first request, and dropped
// when nobody has asked for it for a while.
type tenancy struct {
	file     *assembly // the configuration, of no tenant in particular: it has no backend open
	commons  *commons
	cursors  []byte
	known    atomic.Pointer[roster]
	paused   atomic.Pointer[map[string]gateway.Pause]
	lock     sync.Mutex
	atWork   map[string]*worker
	building sync.Mutex // one tenant at a time, for each may take many connections
	most     int
	loading  sync.Mutex
	version  atomic.Int64 // of the tenants that are known
}

// A roster is the tenants that there are. It does not change.
type roster struct {
	tenants map[string]*tenantEntry
	tokens  map[string]string // by hash: whose client has it
}

// A tenantEntry is a tenant of the configuration, or one that was added at run time.
// What was said about that is read when it is needed.
type tenantEntry struct {
	file  *config.Tenant
	added *identity.Tenant
}

func (e *tenantEntry) read(cfg *config.Config) (*config.Tenant, error) {
	if e.file != nil {
		return e.file, nil
	}
	return readAdded(cfg, e.added.Name, e.added.Said)
}

// A worker is a tenant at work.
type worker struct {
	name   string
	tenant *tenantEntry
	ready  chan struct{} // closed once what follows is there
	a      *assembly
	door   http.Handler
	err    error

	users int // under tenancy.lock, as is what follows
	last  time.Time
	stays bool // it holds what would be lost
	gone  bool // it is not in tenancy.atWork any more
}

// newTenancy knows the tenants; the mapping table of the assembly is open.
func newTenancy(ctx context.Context, a *assembly) (*tenancy, error) {
	t := &tenancy{file: a, commons: &commons{open: map[[32]byte]*openedBackend{}}, atWork: map[string]*worker{}, most: mostAtWork}
	var err error
	if t.cursors, err = a.ids.Secret(ctx, "cursors"); err != nil {
		return nil, err
	}
	t.paused.Store(&map[string]gateway.Pause{})
	return t, t.reload(ctx)
}

// reload reads who there is. A tenant at work that is not what it was finishes its
// requests, and the next ones find the new one.
func (t *tenancy) reload(ctx context.Context) error {
	t.loading.Lock()
	defer t.loading.Unlock()
	version, err := t.file.ids.TenantsVersion(ctx) // what changes from here on is another one
	if err != nil {
		return err
	}
	added, err := t.file.ids.Tenants(ctx)
	if err != nil {
		return err
	}
	before := t.known.Load()
	if before == nil {
		before = &roster{}
	}
	r := &roster{tenants: map[string]*tenantEntry{}, tokens: map[string]string{}}
	for i := range t.file.cfg.Tenants {
		r.addOfFile(&t.file.cfg.Tenants[i], before)
	}
	for i := range added {
		if !r.addAdded(&added[i], before) {
			t.file.log.WarnContext(ctx, "a tenant of the configuration has the name or a token of one that was added at run time", "tenant", added[i].Name)
		}
	}
	t.lock.Lock() // so that nobody puts one to work as it was before
	defer t.lock.Unlock()
	t.known.Store(r)
	t.version.Store(version)
	for name, w := range t.atWork {
		if r.tenants[name] != w.tenant {
			t.dismiss(w)
		}
	}
	return nil
}

func (r *roster) addOfFile(t *config.Tenant, before *roster) {
	name := t.Name.Value
	if r.tenants[name] = before.tenants[name]; r.tenants[name] == nil || r.tenants[name].file != t {
		r.tenants[name] = &tenantEntry{file: t}
	}
	for _, c := range t.Clients {
		for _, tk := range c.Tokens {
			r.tokens[tk.Hash] = name
		}
	}
}

// addAdded adds a tenant of run time, unless the configuration says something else.
func (r *roster) addAdded(t *identity.Tenant, before *roster) bool {
	if r.tenants[t.Name] != nil {
		return false
	}
	old := before.tenants[t.Name]
	if old == nil || old.added == nil || old.added.Version != t.Version {
		old = &tenantEntry{added: t}
	}
	r.tenants[t.Name] = old
	whole := true
	for _, c := range t.Said.Clients {
		for _, tk := range c.Tokens {
			if _, taken := r.tokens[tk.Hash]; taken {
				whole = false
				continue
			}
			r.tokens[tk.Hash] = t.Name
		}
	}
	return whole
}

func (t *tenancy) find(hash string) (string, bool) {
	name, ok := t.known.Load().tokens[hash]
	return name, ok
}

var errNoTenant = gateway.ErrNoTenant

// enter gives a tenant at work, until leave is called for it. passing: it does not
// count as asked for, and one that was not at work does not stay so.
func (t *tenancy) enter(ctx context.Context, name string, passing bool) (*worker, error) {
	t.lock.Lock()
	tenant := t.known.Load().tenants[name]
	if tenant == nil {
		t.lock.Unlock()
		return nil, errNoTenant
	}
	w := t.atWork[name]
	fresh := w == nil
	if fresh {
		w = &worker{name: name, tenant: tenant, ready: make(chan struct{})}
		t.atWork[name] = w
	}
	w.users++
	if !passing {
		w.last = time.Now()
	}
	t.lock.Unlock()
	if fresh {
		t.build(ctx, w)
	}
	select {
	case <-w.ready:
	case <-ctx.Done():
		t.leave(w)
		return nil, ctx.Err()
	}
	if w.err != nil {
		t.leave(w)
		return nil, w.err
	}
	return w, nil
}

// build makes what serves a tenant. Nothing is sent to a backend.
func (t *tenancy) build(ctx context.Context, w *worker) {
	defer close(w.ready)
	t.building.Lock()
	defer t.building.Unlock()
	var tenant *config.Tenant
	if tenant, w.err = w.tenant.read(t.file.cfg); w.err == nil {
		w.a, w.err = t.assemble(tenant)
	}
	if w.err == nil {
		w.door, w.err = t.door(w.a)
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	if w.err != nil {
		t.file.log.ErrorContext(ctx, "a tenant cannot be served", "tenant", w.name, "error", w.err.Error())
		t.dismiss(w)
		return
	}
	w.stays = slices.ContainsFunc(w.a.cfg.Backends, func(b config.Backend) bool { return b.Type.Value == "memory" })
	t.bound(w)
}

// bound sends the one home that nobody has asked for longest, if there are too many.
func (t *tenancy) bound(but *worker) {
	for len(t.atWork) > t.most {
		var oldest *worker
		for _, w := range t.atWork {
			if w != but && w.users == 0 && !w.stays && (oldest == nil || w.last.Before(oldest.last)) {
				oldest = w
			}
		}
		if oldest == nil {
			return
		}
		t.dismiss(oldest)
	}
}

func (t *tenancy) leave(w *worker) {
	t.lock.Lock()
	defer t.lock.Unlock()
	w.users--
	switch {
	case w.gone && w.users == 0:
		t.close(w)
	case w.users == 0 && w.last.IsZero() && !w.stays:
		t.dismiss(w)
	}
}

// dismiss takes a worker out; whoever leaves it last closes it.
func (t *tenancy) dismiss(w *worker) {
	if t.atWork[w.name] == w {
		delete(t.atWork, w.name)
	}
	w.gone = true
	if w.users == 0 {
		t.close(w)
	}
}

func (t *tenancy) close(w *worker) {
	if w.a == nil {
		return
	}
	if err := w.a.close(); err != nil {
		t.file.log.Warn("closing what served a tenant", "tenant", w.name, "error", err)
	}
	w.a = nil
}

// sweep sends those home who have had nothing to do, until ctx ends.
func (t *tenancy) sweep(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		t.lock.Lock()
		for _, w := range t.atWork {
			if w.users == 0 && !w.stays && time.Since(w.last) > idleAfter {
				t.dismiss(w)
			}
		}
		t.lock.Unlock()
	}
}

// end closes everything once no request is under way.
func (t *tenancy) end() {
	t.lock.Lock()
	defer t.lock.Unlock()
	for _, w := range t.atWork {
		t.dismiss(w)
	}
}

// assemble makes the assembly of a tenant, with the mapping table of all.
func (t *tenancy) assemble(tenant *config.Tenant) (*assembly, error) {
	cfg, mappings, err := configurationOf(t.file.cfg, t.file.mappings, tenant)
	if err != nil {
		return nil, err
	}
	f := t.file
	a := &assembly{cfg: cfg, mappings: mappings, log: f.log.With("tenant", cfg.Tenant), trace: f.trace, traceIDs: f.traceIDs, shared: t.commons, ids: f.ids}
	if err := a.openBackends(); err != nil {
		return nil, errors.Join(err, a.close())
	}
	a.service = a.newService()
	return a, nil
}

// configurationOf is the configuration of a tenant and the rules for it. Rules that
// are the same for all tenants are compiled once.
func configurationOf(file *config.Config, mappings []*rules.Mapping, tenant *config.Tenant) (*config.Config, []*rules.Mapping, error) {
	cfg, err := file.For(tenant)
	if err != nil {
		return nil, nil, err
	}
	if !cfg.OwnResources() && !slices.ContainsFunc(mappings, (*rules.Mapping).Depends) {
		own := make([]*rules.Mapping, len(mappings))
		for i, m := range mappings {
			own[i] = m.Clone()
		}
		return cfg, own, nil
	}
	own := compile(cfg)
	if err := cfg.Report.Err(); err != nil {
		return nil, nil, fmt.Errorf("tenant %q: %w", tenant.Name.Value, err)
	}
	return cfg, own, nil
}

// everyTenant stands in the mapping table for all of them. No tenant has the name.
const everyTenant = ""
