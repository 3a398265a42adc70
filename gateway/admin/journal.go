package admin

import (
	"net/http"

	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// What is written down of writes, and not settled.

type journalOut struct {
	Entries []identity.Intent `json:"entries"`
}

func (a *API) journal(x *request) error {
	all, err := x.identities.Journal(x.ctx)
	if err != nil {
		return err
	}
	return x.send(http.StatusOK, journalOut{some(all)})
}

type settledOut struct {
	Settled bool `json:"settled"`
}

func (a *API) retry(x *request) error {
	nr, err := x.nr()
	if err != nil {
		return err
	}
	settled, err := x.identities.Retry(x.ctx, nr)
	if err != nil {
		return err
	}
	return x.send(http.StatusOK, settledOut{settled})
}

func (a *API) giveUp(x *request) error {
	nr, err := x.nr()
	if err != nil {
		return err
	}
	in, err := read[reasonIn](x)
	if err != nil {
		return err
	}
	if in.Why == "" && !in.DryRun {
		return scim.Errorf(http.StatusBadRequest, "", "Say why.")
	}
	if err := x.identities.GiveUp(x.ctx, nr, in.reason(x)); err != nil {
		return err
	}
	return a.journal(x)
}
