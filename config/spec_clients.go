package config

import "time"

// A Client is an identity provider, or another program, that may call.
type Client struct {
	Name    Text
	Tokens  []Token
	Profile Text // rfc, entra, okta
	IDs     Text // allocate, existing
	Unknown Text // ignore, reject
	Access  Text // full, read, dryRun
	// Secondary is what a request on an id gets that a merge made superfluous:
	// follow, redirect, gone.
	Secondary Text
	Rate      Rate
	Removals  Removals

	token Secret // the short form
}

// A Rate is how many requests a second a client may make; 0: any number.
type Rate struct{ Reads, Writes Int }

func rateForm() form[Rate] {
	const most = 1_000_000
	return block[Rate]{
		title: "rate",
		doc:   "Twice as many may come at once. What is beyond gets 429 with Retry-After.",
		keys: []key[Rate]{
			field("reads", integer(1, most), func(r *Rate) *Int { return &r.Reads }).like("100").says("Reads and searches a second. Default: any number."),
			field("writes", integer(1, most), func(r *Rate) *Int { return &r.Writes }).like("25").says("Changes a second; a bulk request is one. Default: any number."),
		},
	}.form()
}

// A Removals is how many resources a client may delete or set inactive within a
// time; 0: any number.
type Removals struct {
	Most   Int
	Within Duration
}

func removalsForm() form[Removals] {
	return block[Removals]{
		title: "removals",
		doc:   "A client that goes further is stopped (403) until an administrator lets it go on: `postern removals allow`, or the admin API.",
		keys: []key[Removals]{
			field("most", integer(1, 1_000_000), func(r *Removals) *Int { return &r.Most }).like("50").
				says("Resources that it may delete or set inactive. Default: any number."),
			field("within", duration(time.Second), func(r *Removals) *Duration { return &r.Within }).or("1h").says("Counted from the first one on."),
		},
	}.form()
}

// A Token is one that a client may show.
type Token struct {
	Hash    string // sha256: and hex digits; the token itself is not kept
	Expires Date   // not Set: never
	Subject Text   // the userName that it stands for
	Line    int
	Column  int

	token, hash Secret
	dated       bool // expires is there, though it may be wrong
}

// maxTokens are two, so that a token can be replaced without an interruption.
const maxTokens = 2

func client() form[Client] {
	type C = Client
	subject := field("subject", text(), func(t *Token) *Text { return &t.Subject }).like("ada.lovelace").
		says("The `userName` of the user that the token stands for; `/Me` is that user. Default: none, and no `/Me`.")
	return block[C]{
		title: "client",
		doc: "A client shows a bearer token. `postern token` makes one and its hash. Two tokens may be live at a time, " +
			"so that one can be replaced without an interruption.",
		example: `
entra:
  token: "${env:ENTRA_TOKEN}"
  profile: entra
okta:
  tokens:
    - {hash: "sha256:b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c", expires: 2027-01-31}
  profile: okta
`,
		keys: []key[C]{
			field("token", token(), func(c *C) *Secret { return &c.token }).like(`"${env:ENTRA_TOKEN}"`).
				says("The only token. Postern keeps its hash."),
			field("tokens", list(tokenEntry(subject)), func(c *C) *[]Token { return &c.Tokens }).
				like(`[{hash: "sha256:b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c", expires: 2027-01-31}]`).
				says("Instead of `token`: at most two that have not expired."),
			field("profile", choice("rfc", "strict", "entra", "okta"), func(c *C) *Text { return &c.Profile }).or("rfc").
				says("Whose habits to expect where they differ from the RFCs."),
			field("ids", choice("allocate", "existing"), func(c *C) *Text { return &c.IDs }).or("allocate").
				says("`allocate`: ids are random and tell nothing. `existing`: the backend's key is the id, for everybody to see."),
			field("unknown", choice("ignore", "reject"), func(c *C) *Text { return &c.Unknown }).or("ignore").
				says("What happens to attributes that are not mapped: left out, or the request is refused."),
			field("access", choice("full", "read", "dryRun"), func(c *C) *Text { return &c.Access }).or("full").
				says("`read`: every change is refused with 403. `dryRun`: a change is checked, worked out, logged and answered as if it were made, and nothing is changed."),
			field("rate", rateForm(), func(c *C) *Rate { return &c.Rate }).or("{}").like("{reads: 100, writes: 25}").
				says("How many requests a second it may make."),
			field("removals", removalsForm(), func(c *C) *Removals { return &c.Removals }).or("{}").like("{most: 50, within: 1h}").
				says("How many resources it may delete or set inactive before somebody has to agree."),
			field("secondary", choice("follow", "redirect", "gone"), func(c *C) *Text { return &c.Secondary }).or("follow").
				says("What a request on an id gets that is superfluous since a merge. `follow`: it acts on the merged resource, and the answer carries the id that stays. " +
					"`redirect`: 308, with the address that stays. `gone`: 404. A DELETE is taken as the acknowledgement in any case: 204, the id is gone, the account stays."),
		},
		check: checkClient,
	}.form()
}

// tokenEntry is a token with what only tokens of this kind have.
func tokenEntry(more ...key[Token]) form[Token] {
	return block[Token]{
		title: "token",
		doc:   "Either `hash` or `token`.",
		example: `
- {hash: "sha256:b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c", expires: 2027-01-31}
- {token: "${file:/run/secrets/okta}", expires: 2027-07-31}
`,
		keys: append([]key[Token]{
			field("hash", hash(), func(t *Token) *Secret { return &t.hash }).
				like("sha256:b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c").says("The token's hash."),
			field("token", token(), func(t *Token) *Secret { return &t.token }).like(`"${file:/run/secrets/okta}"`).says("The token."),
			field("expires", date(), func(t *Token) *Date { return &t.Expires }).like("2027-01-31").
				says("The day on which, or the moment at which, the token stops to work. A day begins at midnight UTC."),
		}, more...),
		check: func(r *reader, t *Tree, where string, v *Token) {
			v.Line, v.Column, v.dated = t.Line, t.Column, t.has("expires")
			v.Hash = v.hash.Reveal() + v.token.Reveal()
			if t.has("hash") == t.has("token") && !r.draft {
				r.report.Errorf(t.Text, "as in {hash: \"sha256:...\", expires: 2027-01-31}", "%s needs either hash or token", where)
			}
			warnClear(r, v.token)
		},
	}.form()
}

func checkClient(r *reader, t *Tree, where string, c *Client) {
	one, many := t.Find("token"), t.Find("tokens")
	switch {
	case one != nil && many != nil:
		r.report.Errorf(many.Key, "move the token into the list", "%s has token and tokens", where)
	case r.draft && many == nil:
	case !t.has("token") && !t.has("tokens") || many != nil && len(many.Items) == 0 && many.Kind != ScalarNode:
		r.report.Errorf(t.place(), `as in token: "${env:TOKEN}"`, "%s has no token, and so could never call", where)
	case one != nil && c.token.IsSet():
		c.Tokens = []Token{{Hash: c.token.Reveal(), Line: one.Line, Column: one.Column, token: c.token}}
		warnClear(r, c.token)
	}
	checkExpiry(r, t, where, c)
}

// warnClear says that a token stands in the file for every reader.
func warnClear(r *reader, s Secret) {
	if s.Clear {
		r.report.Warnf(Text{Line: s.Line, Column: s.Column}, "postern token makes a token and its hash", "the token stands here in clear text")
	}
}

func checkExpiry(r *reader, t *Tree, where string, c *Client) {
	live, expired := 0, 0
	now := time.Now()
	for _, tk := range c.Tokens {
		place := Text{Line: tk.Line, Column: tk.Column}
		switch {
		case tk.Expires.Set && !tk.Expires.Value.After(now):
			r.report.Warnf(Text{Line: tk.Expires.Line, Column: tk.Expires.Column}, "delete it", "this token of %s has expired", where)
			expired++
			continue
		case tk.Hash == "":
			continue
		case !tk.dated && !tk.token.Clear:
			r.report.Warnf(place, "as in tokens: [{hash: ..., expires: 2027-01-31}]", "this token of %s never expires", where)
		}
		if live++; live == maxTokens+1 {
			r.report.Errorf(place, "delete the oldest", "%s has more than %d live tokens", where, maxTokens)
		}
	}
	if live == 0 && expired > 0 && expired == len(c.Tokens) {
		r.report.Warnf(t.place(), "postern token makes a new one", "every token of %s has expired", where)
	}
}

// checkTokens refuses one token for two: nobody could tell who calls.
func checkTokens(r *reader, c *Config) {
	hashes := map[string]bool{}
	once := func(tokens []Token, who, name string) {
		for _, tk := range tokens {
			if tk.Hash != "" && hashes[tk.Hash] {
				r.report.Errorf(Text{Line: tk.Line, Column: tk.Column}, "give everybody their own", "this token of %s %q stands here a second time", who, name)
			}
			hashes[tk.Hash] = true
		}
	}
	for _, cl := range c.Clients {
		once(cl.Tokens, "client", cl.Name.Value)
	}
	for _, t := range c.Tenants {
		for _, cl := range t.Clients {
			once(cl.Tokens, "client", cl.Name.Value)
		}
	}
	for _, a := range c.Admins {
		once(a.Tokens, "admin", a.Name.Value)
	}
}
