package admin

import (
	"net/http"
	"time"

	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// What keeps clients from doing harm.

func (a *API) maintenance(x *request) error {
	m, err := x.identities.Maintenance(x.ctx)
	if err != nil {
		return err
	}
	return x.send(http.StatusOK, m)
}

type maintenanceIn struct {
	Mode       string `json:"mode"`
	RetryAfter int    `json:"retryAfter"`
	Why        string `json:"why"`
}

// usualRetry is when clients may come again, in seconds, if nothing is said.
const usualRetry = 300

func (a *API) setMaintenance(x *request) error {
	in, err := read[maintenanceIn](x)
	if err != nil {
		return err
	}
	if in.Why == "" {
		return scim.Errorf(http.StatusBadRequest, "", "Say why.")
	}
	if in.RetryAfter == 0 {
		in.RetryAfter = usualRetry
	}
	m := identity.Maintenance{Mode: in.Mode, RetryAfter: in.RetryAfter, Who: x.who.Client + " (admin API)", Why: in.Why}
	if err := x.identities.SetMaintenance(x.ctx, m); err != nil {
		return err
	}
	return a.maintenance(x)
}

type removalsOut struct {
	Clients []identity.Removals `json:"clients"`
}

func (a *API) removals(x *request) error {
	all, err := x.identities.Removals(x.ctx)
	if err != nil {
		return err
	}
	return x.send(http.StatusOK, removalsOut{some(all)})
}

type allowIn struct {
	reasonIn
	Seconds int `json:"seconds"`
}

// mostFree is for how long a client may remove freely, in seconds.
const mostFree = 7 * 24 * 60 * 60

func (a *API) letRemove(x *request) error {
	in, err := read[allowIn](x)
	if err != nil {
		return err
	}
	switch {
	case in.Why == "" && !in.DryRun:
		return scim.Errorf(http.StatusBadRequest, "", "Say why.")
	case in.Seconds < 0 || in.Seconds > mostFree:
		return scim.Errorf(http.StatusBadRequest, "", "seconds is 0 to %d.", mostFree)
	}
	free := time.Duration(in.Seconds) * time.Second
	if err := x.identities.LetRemove(x.ctx, x.r.PathValue("client"), free, in.reason(x)); err != nil {
		return err
	}
	return a.removals(x)
}
