package admin

import (
	_ "embed"
	"net/http"
	"time"

	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

//go:embed openapi.yaml
var description []byte

func describe(_ *API, x *request) error {
	x.write(http.StatusOK, "application/yaml", description)
	return nil
}

// A reasonIn is part of every change.
type reasonIn struct {
	Why    string `json:"why"`
	DryRun bool   `json:"dryRun"`
}

func (in reasonIn) reason(x *request) identity.Reason {
	return identity.Reason{Who: x.who.Client + " (admin API)", Why: in.Why, DryRun: in.DryRun}
}

type identitiesOut struct {
	Identities []identity.Identity `json:"identities"`
	Next       string              `json:"next,omitempty"` // after: of the next page
}

func (a *API) list(x *request) error {
	q := x.r.URL.Query()
	_, limit, err := x.page("")
	if err != nil {
		return err
	}
	all, err := x.identities.ListIdentities(x.ctx, q.Get("type"), q.Get("after"), limit)
	if err != nil {
		return err
	}
	out := identitiesOut{Identities: some(all)}
	if len(all) == limit {
		out.Next = all[limit-1].ID
	}
	return x.send(http.StatusOK, out)
}

// some makes an empty list of none, so that JSON has [] and not null.
func some[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

func (a *API) show(x *request) error {
	it, err := x.identities.Show(x.ctx, x.r.PathValue("id"))
	if err != nil {
		return err
	}
	return x.send(http.StatusOK, it)
}

func (a *API) federation(x *request) error {
	f, err := x.identities.Federation(x.ctx, x.r.PathValue("id"))
	if err != nil {
		return err
	}
	x.answer(http.StatusOK, "application/scim+json", f)
	return nil
}

type movesOut struct {
	Moves []identity.Move `json:"moves"`
	Next  int64           `json:"next,omitempty"` // before: of the next page
}

func (a *API) moves(x *request) error {
	before, limit, err := x.page("before")
	if err != nil {
		return err
	}
	all, err := x.identities.Moves(x.ctx, x.r.PathValue("id"), before, limit)
	if err != nil {
		return err
	}
	for i := range all {
		whole(&all[i])
	}
	out := movesOut{Moves: some(all)}
	if len(all) == limit {
		out.Next = all[limit-1].Nr
	}
	return x.send(http.StatusOK, out)
}

func whole(m *identity.Move) { m.Before, m.After = some(m.Before), some(m.After) }

type mergeIn struct {
	reasonIn
	Keep        string   `json:"keep"`
	Drop        []string `json:"drop"`
	Record      string   `json:"record"`
	Memberships bool     `json:"memberships"`
}

func (a *API) merge(x *request) error {
	in, err := read[mergeIn](x)
	if err != nil {
		return err
	}
	if in.Keep == "" || len(in.Drop) == 0 {
		return scim.Errorf(http.StatusBadRequest, "", "Say which identity to keep, and which to drop.")
	}
	m, err := x.identities.Merge(x.ctx, provision.MergeOrder{Keep: in.Keep, Drop: in.Drop, Record: in.Record, Memberships: in.Memberships, Reason: in.reason(x)})
	if err != nil {
		return err
	}
	whole(&m.Move)
	m.Tasks, m.Failed = some(m.Tasks), some(m.Failed)
	return x.send(http.StatusOK, m)
}

type recordIn struct {
	Backend string `json:"backend"`
	Key     string `json:"key"`
}

type splitIn struct {
	reasonIn
	Links []recordIn `json:"links"`
	Each  bool       `json:"each"`
}

func (a *API) split(x *request) error {
	in, err := read[splitIn](x)
	if err != nil {
		return err
	}
	o := provision.SplitOrder{ID: x.r.PathValue("id"), Reason: in.reason(x)}
	for i, l := range in.Links {
		link := identity.IdentityLink{Backend: l.Backend, Key: l.Key}
		if in.Each || i == 0 {
			o.Into = append(o.Into, nil)
		}
		last := len(o.Into) - 1
		o.Into[last] = append(o.Into[last], link)
	}
	m, err := x.identities.Split(x.ctx, o)
	if err != nil {
		return err
	}
	whole(&m)
	return x.send(http.StatusOK, m)
}

type releaseIn struct {
	reasonIn
	Client string `json:"client"`
	All    bool   `json:"all"`
}

func (a *API) release(x *request) error {
	in, err := read[releaseIn](x)
	if err != nil {
		return err
	}
	if (in.Client == "") != in.All {
		return scim.Errorf(http.StatusBadRequest, "", "Say either to which client, or all.")
	}
	it, err := x.identities.Release(x.ctx, in.Client, x.r.PathValue("id"), in.reason(x))
	if err != nil {
		return err
	}
	return x.send(http.StatusOK, it)
}

func (a *API) undo(x *request) error {
	nr, err := x.nr()
	if err != nil {
		return err
	}
	in, err := read[reasonIn](x)
	if err != nil {
		return err
	}
	m, err := x.identities.Undo(x.ctx, nr, in.reason(x))
	if err != nil {
		return err
	}
	whole(&m)
	return x.send(http.StatusOK, m)
}

type pendingOut struct {
	Pending []identity.Pending `json:"pending"`
}

// older is the time before which something must have begun.
func older(text string) (time.Time, error) {
	if text == "" {
		return time.Now(), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return time.Time{}, scim.Errorf(http.StatusBadRequest, "", "older must be a duration, as in 720h.")
	}
	return time.Now().Add(-d), nil
}

func (a *API) pending(x *request) error {
	q := x.r.URL.Query()
	before, err := older(q.Get("older"))
	if err != nil {
		return err
	}
	all, err := x.identities.Pending(x.ctx, q.Get("client"), before)
	if err != nil {
		return err
	}
	return x.send(http.StatusOK, pendingOut{some(all)})
}

type retireIn struct {
	reasonIn
	Client string `json:"client"`
	Older  string `json:"older"`
}

func (a *API) retire(x *request) error {
	in, err := read[retireIn](x)
	if err != nil {
		return err
	}
	before, err := older(in.Older)
	if err != nil {
		return err
	}
	var all []identity.Pending
	switch {
	case in.DryRun:
		all, err = x.identities.Pending(x.ctx, in.Client, before)
	case in.Why == "":
		err = scim.Errorf(http.StatusBadRequest, "", "Say why.")
	default:
		all, err = x.identities.Retire(x.ctx, in.Client, before, in.reason(x).Who)
	}
	if err != nil {
		return err
	}
	return x.send(http.StatusOK, pendingOut{some(all)})
}

type tasksOut struct {
	Tasks []identity.Task `json:"tasks"`
}

func (a *API) tasks(x *request) error {
	all, err := x.identities.Tasks(x.ctx)
	if err != nil {
		return err
	}
	return x.send(http.StatusOK, tasksOut{some(all)})
}

type workOut struct {
	Done   int             `json:"done"`
	Failed []identity.Task `json:"failed"`
}

func (a *API) work(x *request) error {
	done, failed, err := x.identities.Work(x.ctx)
	if err != nil {
		return err
	}
	return x.send(http.StatusOK, workOut{done, some(failed)})
}

type rekeyIn struct {
	reasonIn
	Type      string                `json:"type"`
	Changes   []provision.KeyChange `json:"changes"`
	Correlate bool                  `json:"correlate"`
	By        string                `json:"by"`
	Partial   bool                  `json:"partial"`
}

func (a *API) rekey(x *request) error {
	in, err := read[rekeyIn](x)
	if err != nil {
		return err
	}
	if in.Correlate == (len(in.Changes) > 0) {
		return scim.Errorf(http.StatusBadRequest, "", "Send either changes, or correlate.")
	}
	report, err := x.identities.Rekey(x.ctx, provision.RekeyOrder{Type: in.Type, Changes: in.Changes, Correlate: in.Correlate, By: in.By,
		Partial: in.Partial, Reason: in.reason(x)})
	if err != nil {
		return err
	}
	report.Rows = some(report.Rows)
	return x.send(http.StatusOK, report)
}
