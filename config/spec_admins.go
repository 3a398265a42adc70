package config

import "time"

// An Admin is a person or a program that may use the admin API.
type Admin struct {
	Name   Text
	Tokens []Token
	Scopes []Text // identities:read, identities:write, tenants:read, tenants:write

	token Secret // the short form
}

// A Housekeeping says what Postern does by itself from time to time.
type Housekeeping struct {
	Retire Duration // not Set: never
}

func admin() form[Admin] {
	type A = Admin
	return block[A]{
		title: "admin",
		doc: "Who may use the admin API, which is on the listener `gateway: admin`. Administrators see the keys of backends, and the ids of all clients. " +
			"`postern token` makes a token and its hash. The probes `/healthz` and `/readyz` need no token.",
		example: `
helpdesk:
  tokens:
    - {hash: "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", expires: 2027-01-31}
  scopes: [identities:read]
`,
		keys: []key[A]{
			field("token", token(), func(a *A) *Secret { return &a.token }).like(`"${env:ADMIN_TOKEN}"`).
				says("The only token. Postern keeps its hash."),
			field("tokens", list(tokenEntry()), func(a *A) *[]Token { return &a.Tokens }).
				like(`[{hash: "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", expires: 2027-01-31}]`).
				says("Instead of `token`: at most two that have not expired."),
			field("scopes", oneOrMore(choice("identities:read", "identities:write", "tenants:read", "tenants:write")), func(a *A) *[]Text { return &a.Scopes }).or("[identities:read]").
				says("`identities:read`: look. `identities:write`: look, merge, split, release, undo, rekey and scan. `tenants:read`: look at the tenants that were added at run time. `tenants:write`: add, change and remove them."),
		},
		check: func(r *reader, t *Tree, where string, a *A) {
			c := Client{Tokens: a.Tokens, token: a.token}
			checkClient(r, t, where, &c)
			a.Tokens = c.Tokens
		},
	}.form()
}

func housekeeping() form[Housekeeping] {
	return block[Housekeeping]{
		title: "housekeeping",
		doc:   "What `postern serve` does once an hour.",
		keys: []key[Housekeeping]{
			field("retire", duration(time.Minute), func(h *Housekeeping) *Duration { return &h.Retire }).like("720h").
				says("After a merge, a client is expected to delete the id that became superfluous. Ids that have waited for longer are given up: then the client gets 404. Default: they wait for ever."),
		},
	}.form()
}

// checkAdmins finds what admins need beside themselves.
func checkAdmins(r *reader, c *Config) {
	if len(c.Admins) > 0 && !c.Gateway.Admin.IsSet() {
		r.report.Warnf(c.Admins[0].Name, "as in gateway: {admin: 127.0.0.1:8081}", "there is no listener for administrators")
	}
}
