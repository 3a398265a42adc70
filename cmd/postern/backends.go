package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/postern/postern/adapters/guard"
	"github.com/postern/postern/adapters/ldap"
	"github.com/postern/postern/adapters/rest"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/config"
)

// An openedBackend is what resource types of one backend have in common: the way to
// it, and what stands before it.
type openedBackend struct {
	guard     *guard.Guard
	database  *sql.Database
	api       *rest.Backend
	directory *ldap.Directory

	key   [sha256.Size]byte
	users int // in commons
}

func (o *openedBackend) close() error {
	var errs []error
	if o.database != nil {
		errs = append(errs, o.database.Close())
	}
	if o.api != nil {
		o.api.Close()
	}
	if o.directory != nil {
		errs = append(errs, o.directory.Close())
	}
	return errors.Join(errs...)
}

// openBackend opens a backend, or takes one that another tenant has open.
func (a *assembly) openBackend(b *config.Backend) error {
	name := b.Name.Value
	o, err := a.shared.take(a, b)
	if err != nil {
		return err
	}
	a.opened[name] = o
	a.guards[name] = o.guard
	if a.shared != nil {
		// Half of the turns at a backend leave room for the others.
		a.guards[name] = o.guard.For(guardOptions(b, a.log, a.wrote(name)), max(1, b.Concurrency.Value/2))
	}
	if o.api != nil {
		a.apis[name] = o.api
	}
	if o.directory != nil {
		a.directories[name] = o.directory
	}
	if o.database != nil {
		a.databases[name] = o.database
		if a.shared != nil {
			a.databases[name] = o.database.Share()
		}
	}
	if open := opener(b.Type.Value); open != nil && !a.trial.standsIn(b) {
		made, problems, err := open(a.cfg, b, a.trial)
		if err = errors.Join(err, faults(problems)); err != nil {
			return err
		}
		a.kinds[name] = made
	}
	return nil
}

// newBackend opens a backend. Nothing is sent.
func (a *assembly) newBackend(b *config.Backend) (o *openedBackend, err error) {
	o = &openedBackend{guard: guard.New(b.Name.Value, guardOptions(b, a.log, a.wrote(b.Name.Value)))}
	switch {
	case b.Type.Value == restKind:
		api, problems, failed := restBackend(a.cfg, b, a.trial.transport(b.Name.Value))
		o.api, err = api, errors.Join(failed, faults(problems))
	case b.Type.Value == ldapKind:
		o.directory, err = a.directory(b)
	case b.Type.Value == "sql" && !a.trial.standsIn(b):
		o.database, err = a.database(*b)
	}
	return o, err
}

// commons are the backends that tenants have open, each by all that its settings
// come to: tenants whose settings are the same, those that parameters give included,
// share connections, limit and breaker. Without commons nothing is shared.
type commons struct {
	mu   sync.Mutex
	open map[[sha256.Size]byte]*openedBackend
}

func (c *commons) take(a *assembly, b *config.Backend) (*openedBackend, error) {
	if c == nil {
		return a.newBackend(b)
	}
	key := settings(a.cfg, b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.open[key]; o != nil {
		o.users++
		return o, nil
	}
	o, err := a.newBackend(b)
	if err != nil {
		return nil, err
	}
	o.key, o.users = key, 1
	c.open[key] = o
	return o, nil
}

// give gives a backend back. Whoever is the last closes it.
func (c *commons) give(o *openedBackend) error {
	if c == nil {
		return o.close()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if o.users--; o.users > 0 {
		return nil
	}
	delete(c.open, o.key)
	return o.close()
}

// settings is a hash of all that the settings of a backend come to.
func settings(cfg *config.Config, b *config.Backend) (sum [sha256.Size]byte) {
	h := sha256.New()
	if described(b.Type.Value) && cfg.ParamsInSteps(b.Name.Value) {
		for _, name := range slices.Sorted(maps.Keys(cfg.Values)) {
			fmt.Fprintf(h, "%q=%q;", name, cfg.Values[name])
		}
		fmt.Fprintf(h, "%q", cfg.Tenant)
	}
	digest(h, reflect.ValueOf(*b))
	if strings.HasPrefix(b.Type.Value, "memory") {
		fmt.Fprintf(h, "%q", cfg.Tenant)
	}
	h.Sum(sum[:0])
	return sum
}

// digest writes a value, secrets included, so that two differ if the values do.
func digest(h hash.Hash, v reflect.Value) {
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case config.Secret:
			fmt.Fprintf(h, "%q", x.Reveal())
			return
		case config.Text:
			fmt.Fprintf(h, "%q", x.Value)
			return
		case fmt.Stringer: // such as an address, whose parts cannot be seen
			fmt.Fprintf(h, "%q", x.String())
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			io.WriteString(h, "-")
			return
		}
		digest(h, v.Elem())
	case reflect.Struct:
		io.WriteString(h, "{")
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				digest(h, v.Field(i))
			}
		}
		io.WriteString(h, "}")
	case reflect.Slice, reflect.Array:
		fmt.Fprintf(h, "[%d:", v.Len())
		for i := range v.Len() {
			digest(h, v.Index(i))
		}
	default:
		fmt.Fprintf(h, "%v;", v)
	}
}
