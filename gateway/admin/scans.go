package admin

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync"

	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

type scansOut struct {
	Scans []identity.Scan `json:"scans"`
	Next  int64           `json:"next,omitempty"` // before: of the next page
}

func (a *API) scans(x *request) error {
	before, limit, err := x.page("before")
	if err != nil {
		return err
	}
	all, err := x.identities.Scans(x.ctx, before, limit)
	if err != nil {
		return err
	}
	out := scansOut{Scans: some(all)}
	if len(all) == limit {
		out.Next = all[limit-1].Nr
	}
	return x.send(http.StatusOK, out)
}

func (a *API) oneScan(x *request) error {
	nr, err := x.nr()
	if err != nil {
		return err
	}
	all, err := x.identities.Scans(x.ctx, nr+1, 1)
	if err != nil {
		return err
	}
	if len(all) == 0 || all[0].Nr != nr {
		return scim.Errorf(http.StatusNotFound, "", "There is no scan with this number.")
	}
	return x.send(http.StatusOK, all[0])
}

type findingsOut struct {
	Findings []identity.Finding `json:"findings"`
	Next     int64              `json:"next,omitempty"` // after: of the next page
}

func (a *API) findings(x *request) error {
	nr, err := x.nr()
	if err != nil {
		return err
	}
	after, limit, err := x.page("after")
	if err != nil {
		return err
	}
	all, err := x.identities.Findings(x.ctx, nr, after, limit)
	if err != nil {
		return err
	}
	out := findingsOut{Findings: some(all)}
	if len(all) == limit {
		out.Next = all[limit-1].Nr
	}
	return x.send(http.StatusOK, out)
}

type scanIn struct {
	Type    string   `json:"type"`
	Clients []string `json:"clients"`
	By      string   `json:"by"`
	DryRun  bool     `json:"dryRun"`
	Anew    bool     `json:"anew"`
}

// scan starts a scan, and answers once its first page is done: until then most of
// what can be wrong has shown.
func (a *API) scan(x *request) error {
	in, err := read[scanIn](x)
	if err != nil {
		return err
	}
	if a.Run == nil {
		return scim.Errorf(http.StatusNotImplemented, "", "Scans cannot be started here.")
	}
	what := x.tenant + " " + in.Type
	if !a.begin(what) {
		return scim.Errorf(http.StatusConflict, "", "A scan of %s is under way; GET /v1/scans shows how far it is.", in.Type)
	}
	started := make(chan identity.Scan, 1)
	failed := make(chan error, 1)
	var first sync.Once
	order := provision.ScanOrder{Type: in.Type, Clients: in.Clients, By: in.By, DryRun: in.DryRun, Anew: in.Anew,
		Progress: func(sc identity.Scan) { first.Do(func() { started <- sc }) }}
	n, leave := x.identities, x.leave
	x.leave = func() {}
	a.Run(func(ctx context.Context) {
		defer leave()
		defer a.end(what)
		sc, err := n.Scan(ctx, order)
		if err != nil {
			failed <- err
			a.log.LogAttrs(ctx, slog.LevelWarn, "a scan was broken off; starting it again goes on", slog.String("type", in.Type), slog.Int64("scan", sc.Nr))
			return
		}
		first.Do(func() { started <- sc })
		a.log.LogAttrs(ctx, slog.LevelInfo, "scanned", slog.String("type", in.Type), slog.Int64("scan", sc.Nr),
			slog.Int("managed", sc.Managed), slog.Int("unmanaged", sc.Unmanaged), slog.Int("conflicting", sc.Conflicting), slog.Int("vanished", sc.Vanished))
	})
	select {
	case sc := <-started:
		x.w.Header().Set("Location", "/v1/scans/"+strconv.FormatInt(sc.Nr, 10))
		return x.send(http.StatusAccepted, sc)
	case err := <-failed:
		return err
	case <-x.ctx.Done():
		return x.ctx.Err()
	}
}

func (a *API) begin(typ string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running[typ] {
		return false
	}
	a.running[typ] = true
	return true
}

func (a *API) end(typ string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.running, typ)
}
