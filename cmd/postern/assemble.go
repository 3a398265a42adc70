package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/guard"
	"github.com/postern/postern/adapters/ldap"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/adapters/rest"
	"github.com/postern/postern/adapters/route"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/config"
	"github.com/postern/postern/gateway"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/rules"
)

// An assembly is a configuration come to life.
type assembly struct {
	cfg      *config.Config
	mappings []*rules.Mapping
	log      *slog.Logger
	trace    func(statement string)    // told every SQL statement, in tests
	traceIDs func(statement string)    // and those to the mapping table
	lookOnly bool                      // make no folder and no database
	trial    *trialRun                 // one request is tried out; nil when serving
	shared   *commons                  // with other tenants; nil: nothing is
	opened   map[string]*openedBackend // by name

	databases map[string]*sql.Database
	apis      map[string]*rest.Backend
	kinds     map[string]opened // backends of further types

	directories map[string]*ldap.Directory
	branches    map[*rules.Mapping]*ldap.Adapter

	guards  map[string]*guard.Guard // one per backend: its resource types share limit, breaker and cache
	targets []provision.Target
	units   [][]*unit          // by position of targets
	places  map[string][]*unit // of types with several
	ids     *identity.Store
	service *provision.Service
	paused  atomic.Pointer[gateway.Pause]
}

// open starts everything that serving needs.
func (a *assembly) open(ctx context.Context) error {
	if err := a.openBackends(); err != nil {
		return err
	}
	return a.openTable(ctx)
}

// openTable opens the mapping table, and makes the service of all that is open.
func (a *assembly) openTable(ctx context.Context) error {
	ids, err := a.trial.identities(ctx, a.cfg.Identities.Reveal(), a.traceIDs)
	if err != nil {
		return fmt.Errorf("identities: %w", err)
	}
	a.ids = ids
	a.service = a.newService()
	return nil
}

// newService makes the service of all that is open.
func (a *assembly) newService() *provision.Service {
	return provision.New(provision.Options{Targets: a.targets, IDs: a.ids, Scan: a.cfg.Gateway.Limits.Scan.Value,
		NoVersions: !a.cfg.Gateway.ETags.Value, Log: a.log})
}

// openBackends makes an adapter for every resource type.
func (a *assembly) openBackends() error {
	if err := a.makeFolders(); err != nil {
		return err
	}
	a.opened = map[string]*openedBackend{}
	a.databases, a.guards = map[string]*sql.Database{}, map[string]*guard.Guard{}
	a.apis, a.kinds = map[string]*rest.Backend{}, map[string]opened{}
	a.directories, a.branches = map[string]*ldap.Directory{}, map[*rules.Mapping]*ldap.Adapter{}
	for i := range a.cfg.Backends {
		b := &a.cfg.Backends[i]
		if err := a.openBackend(b); err != nil {
			return fmt.Errorf("backend %s: %w", b.Name.Value, err)
		}
	}
	a.places = map[string][]*unit{}
	for _, m := range a.mappings {
		bound := []*unit{{mapping: m, resource: a.cfg.Resource(m.Type.Name)}}
		if m.HasPlaces() {
			bound = placesUnits(a.cfg, m)
			a.places[m.Type.Name] = bound
		}
		for _, u := range bound {
			if err := a.bind(u.mapping, u.resource); err != nil {
				return fmt.Errorf("resource type %s: %w", m.Type.Name, err)
			}
		}
	}
	for _, m := range a.mappings {
		if err := a.addTarget(m); err != nil {
			return fmt.Errorf("resource type %s: %w", m.Type.Name, err)
		}
	}
	return nil
}

// bind tells a mapping what columns can do. Without that it does not know whether
// its scope can be part of statements, of its own table's and of those that refer
// to it.
func (a *assembly) bind(m *rules.Mapping, r *config.Resource) error {
	target := r.Target
	if a.directories[target.Backend.Value] != nil {
		attributes, err := a.branch(m, r, false)
		if err == nil {
			m.Bind(attributes.Capabilities())
		}
		return err
	}
	db := a.databases[target.Backend.Value]
	if db == nil {
		return nil
	}
	columns, err := db.Table(sql.Table{Name: target.SQL.Table.Value, Key: m.Key()}, m.Shape())
	if err != nil {
		return err
	}
	m.Bind(columns.Capabilities())
	return nil
}

// bindUnits tells the views of a mapping what it was told itself.
func (a *assembly) bindUnits(m *rules.Mapping, units []*unit) error {
	if len(units) == 1 || m.HasPlaces() {
		return nil
	}
	return a.bind(units[0].mapping, a.cfg.Resource(m.Type.Name))
}

func (a *assembly) makeFolders() error {
	if a.lookOnly {
		return nil
	}
	for _, dir := range a.cfg.Folders() {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	return nil
}

func (a *assembly) database(b config.Backend) (*sql.Database, error) {
	cfg := sql.Config{DSN: b.SQL.DSN.Reveal(), Timeout: b.Timeout.Value, Connections: b.Concurrency.Value, Counts: b.SQL.Counts.Value, Trace: a.trace,
		Watch: a.trial.watcher(b.Name.Value)}
	if b.SQL.Init.Resolved != "" && !a.lookOnly {
		script, err := os.ReadFile(b.SQL.Init.Resolved)
		if err != nil {
			return nil, err
		}
		cfg.Init = string(script)
	}
	return sql.Open(cfg)
}

func (a *assembly) addTarget(m *rules.Mapping) error {
	r := a.cfg.Resource(m.Type.Name)
	b := a.cfg.Backend(r.Target.Backend.Value)
	units := a.places[m.Type.Name]
	if units == nil {
		units = unitsOf(a.cfg, m)
	}
	if a.trial.standsIn(b) {
		units = []*unit{{mapping: m, resource: r}}
	}
	if err := a.bindUnits(m, units); err != nil {
		return err
	}
	for _, u := range units {
		if err := a.openUnit(u); err != nil {
			return err
		}
	}
	whole, all, err := a.joined(m, r, units)
	if err != nil {
		return err
	}
	a.units = append(a.units, units)
	correlate := provision.Correlation{Adopt: policy(r, "adopt").IsSet(), Reactivate: policy(r, "reactivate").IsSet(), By: m.Correlates()}
	t := provision.Target{Mapping: m, Backend: b.Name.Value, Correlate: correlate,
		Adapter: whole, All: all, Alone: b.Type.Value != "sql" || len(units) > 1}
	if m.HasPlaces() {
		t.Further, t.Moving = further(r), moving(r)
	}
	a.targets = append(a.targets, t)
	return nil
}

// joined makes one adapter of the units of a resource type, and one that shows records
// out of scope too, where the first hides some.
func (a *assembly) joined(m *rules.Mapping, r *config.Resource, units []*unit) (whole, all adapters.Adapter, err error) {
	if m.HasPlaces() && len(units) > 1 {
		return a.joinPlaces(m, r, units)
	}
	if whole, err = a.join(m, units, units[0].adapter); err != nil {
		return nil, nil, err
	}
	all, err = a.unscoped(units[0].mapping, units[0].resource)
	if err == nil && all != nil {
		all, err = a.join(m, units, all)
	}
	return whole, all, err
}

// openUnit makes the adapter of a unit, with its guard.
func (a *assembly) openUnit(u *unit) error {
	b := a.cfg.Backend(u.resource.Target.Backend.Value)
	bare, table, err := a.bare(u.mapping, u.resource, b)
	if err != nil {
		return err
	}
	u.table = table
	u.adapter = a.guards[b.Name.Value].Wrap(a.trial.watch(bare, b, u.mapping))
	if !a.trial.standsIn(b) {
		u.adapter = route.Bind(u.adapter, a.bound(u))
	}
	return nil
}

// bare is the adapter of a resource type without its guard, also as what it is if
// it is a table's.
func (a *assembly) bare(m *rules.Mapping, r *config.Resource, b *config.Backend) (adapters.Adapter, *sql.Adapter, error) {
	switch {
	case a.trial.standsIn(b):
		own, _ := ownStatements(m, r, b)
		made, err := a.trial.standIn(m, r, own)
		return made, nil, err
	case b.Type.Value == restKind:
		made, problems := restAdapter(a.apis[b.Name.Value], m, r)
		return made, nil, faults(problems)
	case a.kinds[b.Name.Value] != nil:
		made, problems := a.kinds[b.Name.Value].adapter(m, r)
		return made, nil, faults(problems)
	case b.Type.Value == ldapKind:
		made, err := a.branch(m, r, true)
		a.branches[m] = made
		return made, nil, err
	case b.Type.Value == "sql":
		t, err := a.table(m, r)
		return t, t, err
	}
	return memoryAdapter(m, r), nil, nil
}

func (a *assembly) table(m *rules.Mapping, r *config.Resource) (*sql.Adapter, error) {
	return a.databases[r.Target.Backend.Value].Table(a.tableOf(m, r), m.Shape())
}

func (a *assembly) tableOf(m *rules.Mapping, r *config.Resource) sql.Table {
	t := sql.Table{Name: r.Target.SQL.Table.Value, Key: m.Key(), Generated: generated(m, r), Distinct: r.Target.SQL.Distinct.Value}
	if f, ok := m.ScopeFilter(); ok {
		t.Where = f
	}
	addTables(&t, m, r)
	t.Own, _ = ownStatements(m, r, a.cfg.Backend(r.Target.Backend.Value)) // load has reported problems
	for _, ref := range m.ReferenceFields() {
		if beside(r, ref.Field) {
			continue
		}
		if to := a.refers(r, ref.Refers); to != nil {
			t.References = append(t.References, sql.Reference{Field: ref.Field, Refers: *to})
		}
	}
	for _, x := range m.TextFields() {
		if to := a.cfg.Resource(x.Refers); to.Target.Backend.Value == r.Target.Backend.Value && len(to.Target.Key) == 1 {
			t.Texts = append(t.Texts, sql.Text{Field: x.Field, Separator: x.Separator, Table: to.Target.SQL.Table.Value, Key: to.Target.Key[0].Value})
		}
	}
	for _, rel := range m.Relations {
		own, other := held(r, rel)
		t.Relations = append(t.Relations, sql.Relation{Field: rel.Field, Table: rel.Table, Owner: rel.Owner, Member: rel.Member,
			Refers: a.refers(r, rel.Refers), OwnerHolds: own, MemberHolds: other})
	}
	return t
}

// unscoped is an adapter that shows records out of scope too, nil where the usual
// one does so.
func (a *assembly) unscoped(m *rules.Mapping, r *config.Resource) (adapters.Adapter, error) {
	db := a.databases[r.Target.Backend.Value]
	if db == nil || !m.HasScope() {
		return nil, nil
	}
	t := a.tableOf(m, r)
	t.Where = nil
	table, err := db.Table(t, m.Shape())
	if err != nil {
		return nil, err
	}
	b := a.cfg.Backend(r.Target.Backend.Value)
	return a.guards[b.Name.Value].Wrap(a.trial.watch(table, b, m)), nil
}

// refers tells the database about a relation's other end where it can see to it
// by itself that only visible records count: the same database, a single key,
// and a scope that it follows.
func (a *assembly) refers(r *config.Resource, typ string) *sql.Target {
	other, ok := a.endOf(r, typ)
	if !ok || other.resource.Target.Backend.Value != r.Target.Backend.Value || len(other.resource.Target.Key) != 1 {
		return nil
	}
	f, ok := other.mapping.ScopeFilter()
	if !ok {
		return nil
	}
	if f, ok = visible(other.resource, f); !ok {
		return nil
	}
	t := &other.resource.Target
	return &sql.Target{Table: t.SQL.Table.Value, Key: t.Key[0].Value, Where: f, Distinct: t.SQL.Distinct.Value}
}

// generated says who makes the key: the configuration, or else the backend
// unless an attribute is mapped to it.
func generated(m *rules.Mapping, r *config.Resource) *bool {
	for _, said := range []config.Bool{r.Target.SQL.Generated, r.Target.LDAP.Generated} {
		if g := said.Value; said.Set {
			return &g
		}
	}
	if k := r.Target.SQL.NewKey; k.Value.IsSet() || k.Sequence.IsSet() || k.Statement.IsSet() {
		g := !k.Value.IsSet()
		return &g
	}
	for _, k := range m.Key() {
		if m.Shape().Index(k) >= 0 {
			return nil
		}
	}
	g := true
	return &g
}

func memoryAdapter(m *rules.Mapping, r *config.Resource) adapters.Adapter {
	o := memory.Options{}
	for _, n := range m.Shape().Names() {
		f := memory.Field{Name: n}
		for _, rows := range m.Rows {
			if rows.Field == n {
				f.Parts = rows.Shape.Names()
			}
		}
		o.Fields = append(o.Fields, f)
	}
	if g := generated(m, r); g == nil || !*g {
		o.GivenKeys, o.KeyFrom = true, m.Key()[0]
	}
	return memory.New(o)
}

func guardOptions(b *config.Backend, log *slog.Logger, wrote func()) guard.Options {
	return guard.Options{
		Timeout:     b.Timeout.Value,
		Concurrency: b.Concurrency.Value,
		Cache:       b.Cache.Time.Value,
		CacheSize:   b.Cache.Records.Value,
		Breaker:     guard.Breaker{Failures: b.Breaker.Failures.Value, Open: b.Breaker.Open.Value},
		Log:         log,
		Wrote:       wrote,
	}
}

func (a *assembly) close() error {
	var errs []error
	for _, t := range a.targets {
		errs = append(errs, t.Adapter.Close())
	}
	for _, k := range a.kinds {
		k.close()
	}
	for _, o := range a.opened {
		errs = append(errs, a.shared.give(o))
	}
	if a.ids != nil && a.shared == nil {
		errs = append(errs, a.ids.Close())
	}
	return errors.Join(errs...)
}
