package provision

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// A ScanOrder says which records to look at, and what for.
type ScanOrder struct {
	Type    string
	Clients []string // that get ids ahead of time; none: all
	By      string   // the attribute by which records are known again; "": the unique one
	DryRun  bool     // look, and give no ids
	Anew    bool     // do not resume a scan that was broken off
	// Progress, if set, is told after each page.
	Progress func(identity.Scan)
}

// surveyChunk is how many records a scan looks at, and how many links it checks,
// at a time.
const surveyChunk = 500

// Scan walks the records of one type page by page: it gives ids ahead of time,
// and reports which records the table knows, which it did not know, which have
// the value of another one, and which it knows and the backend does not. Nothing
// is forgotten on the strength of a scan: a credential that has expired can look
// like an empty backend. A scan that fails is resumed by the next one.
func (n *Identities) Scan(ctx context.Context, o ScanOrder) (identity.Scan, error) {
	v, err := n.survey(o)
	if err != nil {
		return identity.Scan{}, err
	}
	ctx = adapters.WithoutCache(ctx)
	if err := v.t.Adapter.Probe(ctx); err != nil {
		return identity.Scan{}, n.fail(ctx, v.t, err)
	}
	want := identity.Scan{Type: v.t.name, Backend: v.t.Backend, Attribute: v.by.Path(), Gives: !o.DryRun, Total: -1}
	if v.sc, _, err = n.ids.BeginScan(ctx, n.tenant, want, o.Anew); err != nil {
		return v.sc, n.explain(ctx, err)
	}
	if v.sc.Stage == identity.ScanRecords {
		err = v.records(ctx)
	}
	if err == nil {
		err = v.links(ctx)
	}
	var ae *adapters.Error
	if errors.As(err, &ae) {
		return v.sc, n.fail(ctx, v.t, err)
	}
	return v.sc, n.explain(ctx, err)
}

// A survey is a scan under way.
type survey struct {
	*Identities
	o       ScanOrder
	t       *target
	by      *scim.Attribute
	plan    *rules.Plan
	clients []Caller
	sc      identity.Scan
}

func (n *Identities) survey(o ScanOrder) (*survey, error) {
	t, err := n.targetOf(o.Type)
	if err != nil {
		return nil, err
	}
	v := &survey{Identities: n, o: o, t: t}
	if v.clients, err = n.callers(o.Clients); err != nil {
		return nil, err
	}
	if v.by, err = t.telling(o.By); err != nil {
		return nil, err
	}
	v.plan = t.Mapping.Plan(func(a *scim.Attribute) bool { return a == v.by })
	return v, nil
}

// telling is the attribute by which records are told apart.
func (t *target) telling(path string) (*scim.Attribute, error) {
	l := t.Mapping.Type.Layout
	if path != "" {
		a := l.Resolve(path)
		if a == nil || a.Type != scim.TypeString || a.MultiValued || a.Parent() != nil && a.Parent().MultiValued {
			return nil, scim.Errorf(400, "", "%q is no single-valued text attribute of %s.", path, t.name)
		}
		if t.Mapping.KeptName(a) != "" {
			return nil, scim.Errorf(400, "", "%q is not in the backend: it is kept here, and goes with the id.", path)
		}
		return a, nil
	}
	for _, a := range append(t.unique[:len(t.unique):len(t.unique)], l.Find("displayName")) {
		if a != nil && t.Mapping.KeptName(a) == "" {
			return a, nil
		}
	}
	return nil, scim.Errorf(400, "", "A %s has no unique attribute; say by which its records are told apart.", t.name)
}

// records is the first stage: every record, page by page.
func (v *survey) records(ctx context.Context) error {
	q := adapters.Query{Want: v.plan.Want, Limit: surveyChunk, Total: v.t.caps.Total}
	return v.t.pagesFrom(ctx, v.t.all(), v.sc.Cursor, q, func(pg adapters.Page, next string) error {
		if pg.Total >= 0 && q.Total && v.sc.Cursor == "" {
			v.sc.Total = pg.Total
		}
		seen, links := v.see(ctx, pg.Records)
		if !v.o.DryRun {
			for _, c := range v.clients {
				if _, err := v.ids.Ensure(ctx, c.domain(), links); err != nil {
					return err
				}
			}
			if err := v.ids.Mark(ctx, v.tenant, v.births(pg.Records)...); err != nil {
				return err
			}
		}
		err := v.ids.ScanRecords(ctx, &v.sc, seen, next)
		if err == nil && v.o.Progress != nil {
			v.o.Progress(v.sc)
		}
		return err
	})
}

// see takes a page of records down: what is in scope can be linked.
func (v *survey) see(ctx context.Context, recs []adapters.Record) (seen []identity.Seen, links []identity.Link) {
	warn := v.warner(ctx, v.t)
	for _, rec := range recs {
		s := identity.Seen{Key: string(rec.Key), Outside: !v.t.inScope(rec)}
		if !s.Outside {
			links = append(links, v.t.link(rec.Key))
			res, _ := v.t.Mapping.Read(rec, v.plan, warn)
			s.Mark = mark(v.by, res.Get(v.by))
		}
		seen = append(seen, s)
	}
	return seen, links
}

// births are by what the records of a page are told from others with their keys.
func (v *survey) births(recs []adapters.Record) []identity.Born {
	var out []identity.Born
	for _, rec := range recs {
		if b := v.t.birth(rec); b != "" && v.t.inScope(rec) {
			out = append(out, identity.Born{Link: v.t.link(rec.Key), Birth: b})
		}
	}
	return out
}

// mark is a hash of an attribute's value, equal for values that the attribute
// takes for the same. The value itself does not get into the mapping table.
func mark(a *scim.Attribute, v scim.Value) string {
	text := v.String()
	if text == "" {
		return ""
	}
	if !a.CaseExact {
		text = scim.Fold(text)
	}
	sum := sha256.Sum256([]byte(a.Path() + "\x00" + text))
	return hex.EncodeToString(sum[:16])
}

// links is the second stage: every link that the walk has not met. The backend is
// asked about each once more.
func (v *survey) links(ctx context.Context) error {
	for v.sc.Stage == identity.ScanLinks {
		keys, next, err := v.ids.ScanUnmet(ctx, &v.sc, surveyChunk)
		if err != nil {
			return err
		}
		missing, err := v.t.missing(ctx, keys)
		if err != nil {
			return err
		}
		if err := v.ids.ScanVanished(ctx, &v.sc, missing, next); err != nil {
			return err
		}
		if v.o.Progress != nil {
			v.o.Progress(v.sc)
		}
	}
	return nil
}

// missing answers which of the keys the backend does not have, in scope or not.
func (t *target) missing(ctx context.Context, keys []string) ([]string, error) {
	all := make([]adapters.Key, len(keys))
	for i, k := range keys {
		all[i] = adapters.Key(k)
	}
	there, err := t.fetch(ctx, all, t.scope.Want)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, k := range all {
		if _, ok := there[k]; ok {
			continue
		}
		_, err := t.all().Get(ctx, k, t.scope.Want)
		switch {
		case adapters.Is(err, adapters.NotFound):
			out = append(out, string(k))
		case err != nil:
			return nil, err
		}
	}
	return out, nil
}

// Scans answers the scans, latest first: at most limit with a number below the
// given one (0: the latest).
func (n *Identities) Scans(ctx context.Context, before int64, limit int) ([]identity.Scan, error) {
	all, err := n.ids.Scans(ctx, n.tenant, before, limit)
	return all, n.explain(ctx, err)
}

// Findings answers what a scan found: at most limit after the given number.
func (n *Identities) Findings(ctx context.Context, scan, after int64, limit int) ([]identity.Finding, error) {
	all, err := n.ids.Findings(ctx, n.tenant, scan, after, limit)
	return all, n.explain(ctx, err)
}
