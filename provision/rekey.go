package provision

import (
	"context"
	"fmt"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// A RekeyOrder says how a backend has renumbered its records: by a list, or with
// Correlate by comparing an attribute of the records there are now with what the
// latest scan saw.
type RekeyOrder struct {
	Type      string
	Changes   []KeyChange
	Correlate bool
	By        string // as in ScanOrder
	Partial   bool   // make the changes that can be made, though others cannot
	Reason    identity.Reason
	Progress  func(identity.Scan)
}

// A KeyChange is one record's key before and after.
type KeyChange struct {
	Old string `json:"old"`
	New string `json:"new"`
}

// What becomes of a key.
const (
	RekeyReady     = "ready"     // it can be changed, or was
	RekeyUnknown   = "unknown"   // no identity has the old key
	RekeyTaken     = "taken"     // an identity has the new key
	RekeyMissing   = "missing"   // the backend has no record with the new key that provisioning may see
	RekeyAmbiguous = "ambiguous" // several records could be the one
	RekeyUnmatched = "unmatched" // the record is gone, and no other is like it
)

// A RekeyRow is what is known of one key.
type RekeyRow struct {
	KeyChange
	Situation string   `json:"situation"`
	Identity  string   `json:"identity,omitempty"` // taken: whose record it is
	Others    []string `json:"others,omitempty"`   // ambiguous: the keys it could be
}

// A RekeyReport says what became, or with DryRun would become, of every key.
type RekeyReport struct {
	Rows    []RekeyRow `json:"rows"`
	Ready   int        `json:"ready"`
	Applied bool       `json:"applied"`
}

// Rekey follows a backend that has renumbered its records, as after a migration:
// ids stay, and stand for the records under their new keys. All changes are made
// at once. A change of a list that cannot be made prevents all, unless the order
// is Partial; what correlation finds nothing for is left alone.
func (n *Identities) Rekey(ctx context.Context, o RekeyOrder) (RekeyReport, error) {
	if err := reasoned(o.Reason); err != nil {
		return RekeyReport{}, err
	}
	t, err := n.targetOf(o.Type)
	if err != nil {
		return RekeyReport{}, err
	}
	k := &rekeying{Identities: n, t: t}
	var sc identity.Scan
	if o.Correlate {
		if sc, err = k.correlate(ctx, o); err != nil {
			return RekeyReport{}, err
		}
	} else {
		for _, c := range o.Changes {
			k.rows = append(k.rows, RekeyRow{KeyChange: c, Situation: RekeyReady})
		}
	}
	if err := k.judge(ctx); err != nil {
		return RekeyReport{}, err
	}
	report := RekeyReport{Rows: k.rows, Ready: len(k.ready())}
	if o.Reason.DryRun {
		return report, nil
	}
	if blocked := len(k.rows) - report.Ready; !o.Correlate && !o.Partial && blocked > 0 {
		return report, scim.Errorf(409, "", "%d of %d changes cannot be made, and nothing was changed; see the report.", blocked, len(k.rows))
	}
	if report.Ready == 0 {
		return report, nil
	}
	if err := k.apply(ctx, o.Reason); err != nil {
		return report, err
	}
	report.Applied = true
	n.log.InfoContext(ctx, "records rekeyed", "type", t.name, "backend", t.Backend, "records", report.Ready, "by", o.Reason.Who)
	if o.Correlate {
		err = n.ids.Settle(ctx, sc)
	}
	return report, n.explain(ctx, err)
}

type rekeying struct {
	*Identities
	t    *target
	rows []RekeyRow
}

// correlate looks at all records, and pairs links with the records that have the
// mark by which they were known.
func (k *rekeying) correlate(ctx context.Context, o RekeyOrder) (identity.Scan, error) {
	sc, err := k.Scan(ctx, ScanOrder{Type: o.Type, By: o.By, DryRun: true, Anew: true, Progress: o.Progress})
	if err != nil {
		return sc, err
	}
	moved, err := k.ids.Moved(ctx, sc)
	if err != nil {
		return sc, k.explain(ctx, err)
	}
	found := make(map[string]bool, len(moved))
	for _, m := range moved {
		row := RekeyRow{KeyChange: KeyChange{Old: m.Key}, Situation: RekeyAmbiguous, Others: m.News}
		if len(m.News) == 1 {
			row = RekeyRow{KeyChange: KeyChange{Old: m.Key, New: m.News[0]}, Situation: RekeyReady}
		}
		found[m.Key] = true
		k.rows = append(k.rows, row)
	}
	k.twice()
	for after := int64(0); ; {
		page, err := k.Findings(ctx, sc.Nr, after, surveyChunk)
		if err != nil || len(page) == 0 {
			return sc, err
		}
		for _, f := range page {
			if after = f.Nr; f.Situation == "vanished" && !found[f.Key] {
				k.rows = append(k.rows, RekeyRow{KeyChange: KeyChange{Old: f.Key}, Situation: RekeyUnmatched})
			}
		}
	}
}

// twice takes back what would give one record to two links.
func (k *rekeying) twice() {
	aims := map[string]int{}
	for _, r := range k.rows {
		if r.Situation == RekeyReady {
			aims[r.New]++
		}
	}
	for i := range k.rows {
		if r := &k.rows[i]; r.Situation == RekeyReady && aims[r.New] > 1 {
			r.Situation, r.Others, r.New = RekeyAmbiguous, []string{r.New}, ""
		}
	}
}

// ready are the positions of the changes that can be made.
func (k *rekeying) ready() []int {
	var at []int
	for i, r := range k.rows {
		if r.Situation == RekeyReady {
			at = append(at, i)
		}
	}
	return at
}

// judge asks the backend and the table about every change. One that cannot be
// made may stand in the way of another, so it asks until nothing more changes.
func (k *rekeying) judge(ctx context.Context) error {
	if err := k.present(ctx); err != nil {
		return err
	}
	for {
		at := k.ready()
		unknown, taken, err := k.ids.Relink(ctx, k.tenant, k.changes(at), identity.Reason{DryRun: true})
		if err != nil {
			return k.explain(ctx, err)
		}
		if len(unknown)+len(taken) == 0 {
			return k.owners(ctx)
		}
		for _, i := range taken {
			k.rows[at[i]].Situation = RekeyTaken
		}
		for _, i := range unknown {
			k.rows[at[i]].Situation = RekeyUnknown
		}
	}
}

// present finds new keys under which the backend has no record.
func (k *rekeying) present(ctx context.Context) error {
	ctx = adapters.WithoutCache(ctx)
	for at := range slices.Chunk(k.ready(), fetchChunk) {
		keys := make([]adapters.Key, len(at))
		for i, row := range at {
			keys[i] = adapters.Key(k.rows[row].New)
		}
		there, err := k.t.present(ctx, keys)
		if err != nil {
			return k.fail(ctx, k.t, err)
		}
		for i, row := range at {
			if !there[keys[i]] {
				k.rows[row].Situation = RekeyMissing
			}
		}
	}
	return nil
}

// owners says whose record a key that is taken is.
func (k *rekeying) owners(ctx context.Context) error {
	var links []identity.Link
	var at []int
	for i, r := range k.rows {
		if r.Situation == RekeyTaken {
			links, at = append(links, k.t.link(adapters.Key(r.New))), append(at, i)
		}
	}
	entries, err := k.ids.Find(ctx, identity.Domain{Tenant: k.tenant}, links)
	for i, e := range entries {
		k.rows[at[i]].Identity = e.Identity
	}
	return k.explain(ctx, err)
}

func (k *rekeying) changes(at []int) []identity.Change {
	out := make([]identity.Change, len(at))
	for i, row := range at {
		r := k.rows[row]
		out[i] = identity.Change{Link: k.t.link(adapters.Key(r.Old)), NewKey: r.New}
	}
	return out
}

func (k *rekeying) apply(ctx context.Context, r identity.Reason) error {
	unknown, taken, err := k.ids.Relink(ctx, k.tenant, k.changes(k.ready()), r)
	if n := len(unknown) + len(taken); err == nil && n > 0 {
		return scim.Errorf(409, "", "%s, and nothing was changed: look at the report again.", fmt.Sprintf("The table changed meanwhile for %d records", n))
	}
	return k.explain(ctx, err)
}
