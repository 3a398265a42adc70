package gateway

import (
	"net/http"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// meType and meName say whom a token's subject means: the User with that name.
const (
	meType = "User"
	meName = "userName"
)

// me makes the handler of /Me of one that acts on a resource (RFC 7644 section
// 3.11): the request is carried out on the resource of the token's subject, and
// the answer's Location is the resource's own (M-02).
func me(col *collection, act handler) handler {
	return func(x *exchange) error {
		if x.caller.Subject == "" {
			return scim.Errorf(http.StatusNotImplemented, "", "This token stands for no user, so that there is no /Me; use the resource's own URL.")
		}
		id, err := x.myself(col)
		if err != nil {
			return err
		}
		x.me = id
		return act(x)
	}
}

// myself looks the subject up. Nobody and several are the same: there is no one
// resource to act on (M-04).
func (x *exchange) myself(col *collection) (string, error) {
	expr, err := schema.Bind(col.t.Layout, &filter.Compare{Name: meName, Op: filter.Eq, Value: filter.StringValue(x.caller.Subject)}, schema.BindOptions{})
	if err != nil {
		return "", err
	}
	sel, err := scim.Select(col.t.Layout, []string{"id"}, nil)
	if err != nil {
		return "", err
	}
	l, err := x.provider.List(x.ctx, x.call(col, sel), provision.Search{Filter: expr, StartIndex: 1, Count: 2})
	if err != nil {
		return "", err
	}
	if l.Total != 1 || len(l.Resources) != 1 {
		return "", scim.Errorf(http.StatusNotFound, "", "There is no %s that this token stands for.", col.t.Name)
	}
	return l.Resources[0].Get(col.id).String(), nil
}

// me adds the routes of /Me. Without a User type there is none.
func (t *table) me() {
	var user *collection
	for _, col := range t.d.collections {
		if col.t.Name == meType && col.t.Layout.Find(meName) != nil {
			user = col
		}
	}
	acts := map[string]handler{http.MethodPost: notYet, http.MethodGet: notYet, http.MethodPut: notYet, http.MethodPatch: notYet, http.MethodDelete: notYet}
	if user != nil {
		acts[http.MethodGet], acts[http.MethodPut] = me(user, user.get), me(user, user.replace)
		acts[http.MethodPatch], acts[http.MethodDelete] = me(user, user.patch), me(user, user.remove)
	}
	for method, act := range acts {
		t.add(method, "/Me", closed, act)
	}
}
