package config

import (
	"net"
	"net/url"
	"strings"
	"time"
)

// A Gateway is the door.
type Gateway struct {
	Listen    Text
	Base      Text // as written; BaseURL gives the one to use
	TLS       *TLS // nil: plain HTTP
	Insecure  Bool
	Proxies   []Prefix
	Admin     Text // "": no second listener
	ETags     Bool
	Proposals []Text
	Limits    Limits
	Log       Log
}

// A TLS is a certificate and its key, both PEM files.
type TLS struct{ Certificate, Key Path }

// Limits bound what one request may cost.
type Limits struct {
	Body     Size
	Depth    Int
	Elements Int
	Page     Int
	PageMax  Int
	Scan     Int
	Filter   Size
	Time     Duration
	Cursor   Duration
	Bulk     Bulk
}

// A Bulk bounds a bulk request.
type Bulk struct {
	Operations Int
	Body       Size
}

// A Log says what is logged and how.
type Log struct{ Level, Format Text }

// BaseURL is the URL under which clients reach Postern, without a slash at its
// end.
func (g *Gateway) BaseURL() string {
	if g.Base.IsSet() {
		return strings.TrimRight(g.Base.Value, "/")
	}
	if g.TLS != nil {
		return "https://" + g.Listen.Value + "/scim/v2"
	}
	return "http://" + g.Listen.Value + "/scim/v2"
}

// SetListen listens elsewhere than the file says, by the same rules.
func (c *Config) SetListen(address string) error {
	report := NewReporter(NewSource("--listen", nil))
	at := Text{Value: address}
	if _, err := splitAddress(address); err != nil {
		report.Errorf(at, "write host:port, as in 127.0.0.1:8080", "%s", err)
		return report.Err()
	}
	c.Gateway.Listen = at
	checkListen(report, &c.Gateway)
	return report.Err()
}

func gateway() form[Gateway] {
	type G = Gateway
	tls := block[TLS]{title: "tls", doc: "TLS 1.2 and later are spoken.", keys: []key[TLS]{
		field("certificate", filePath(true), func(t *TLS) *Path { return &t.Certificate }).required().like("server.pem").
			says("The certificate and its chain, PEM."),
		field("key", filePath(true), func(t *TLS) *Path { return &t.Key }).required().like("server.key").
			says("The private key, PEM."),
	}}
	return block[G]{
		title: "gateway",
		doc:   "Where Postern listens, and what it lets in.",
		keys: []key[G]{
			field("listen", address(), func(g *G) *Text { return &g.Listen }).or("127.0.0.1:8080").like("0.0.0.0:8443").
				says("Where clients connect. Other than a loopback address needs `tls`, or `insecure: true`."),
			field("base", serviceURL(), func(g *G) *Text { return &g.Base }).like("https://scim.example.com/scim/v2").
				says("The URL under which clients reach Postern; it begins every `meta.location`. Default: `http://` or `https://`, the address of `listen`, `/scim/v2`. With `tenants`, `{tenant}` may stand in it: as a part of the path or of the host's name, by which every request then names its tenant."),
			field("tls", optional(tls.form()), func(g *G) **TLS { return &g.TLS }).
				says("Speak HTTPS."),
			field("insecure", boolean(), func(g *G) *Bool { return &g.Insecure }).or("false").
				says("Allow plain HTTP on an address other than loopback: only behind a proxy that speaks TLS."),
			field("proxies", list(network()), func(g *G) *[]Prefix { return &g.Proxies }).like("[10.0.0.0/8]").
				says("The proxies whose `X-Forwarded-*` headers are believed."),
			field("admin", address(), func(g *G) *Text { return &g.Admin }).like("127.0.0.1:8081").
				says("A second listener: `/healthz` and `/readyz`, which need no token, and the admin API, which does (`admins`). Default: none."),
			field("etags", boolean(), func(g *G) *Bool { return &g.ETags }).or("true").
				says("Whether resources have versions: ETag, `meta.version`, If-Match and If-None-Match."),
			field("proposals", list(choice("multiStatus", "elementKeys")), func(g *G) *[]Text { return &g.Proposals }).like("[multiStatus]").
				says("What is no standard, and off by default. `multiStatus`: a PATCH with the header `Prefer: multi-status` has each operation carried out by itself, and is answered with 207 and a status for each. `elementKeys`: each element of a complex multi-valued attribute has a [key and a URL](resources.md#elements) of its own, `/Users/{id}/emails/{key}`."),
			field("limits", limits(), func(g *G) *Limits { return &g.Limits }).or("{}").
				says("What one request may cost."),
			field("log", logging(), func(g *G) *Log { return &g.Log }).or("{}").
				says("What is logged, to standard error."),
		},
		check: checkGateway,
	}.form()
}

func bulkLimits() form[Bulk] {
	return block[Bulk]{
		title: "bulk",
		doc:   "/ServiceProviderConfig tells clients both.",
		keys: []key[Bulk]{
			field("operations", integer(1, 100_000), func(b *Bulk) *Int { return &b.Operations }).or("1000").says("Operations at most."),
			field("body", size(), func(b *Bulk) *Size { return &b.Body }).or("4MiB").says("Bytes at most."),
		},
	}.form()
}

func limits() form[Limits] {
	const most = 1_000_000_000
	type L = Limits
	return block[L]{
		title: "limits",
		doc:   "A request beyond a limit is refused as a whole, with a SCIM error that names the limit.",
		keys: []key[L]{
			field("body", size(), func(l *L) *Size { return &l.Body }).or("1MiB").says("A request's body."),
			field("depth", integer(2, 64), func(l *L) *Int { return &l.Depth }).or("16").says("How deep JSON may nest."),
			field("elements", integer(1, most), func(l *L) *Int { return &l.Elements }).or("200000").says("How many array elements and object members the JSON of one request may hold."),
			field("page", integer(1, most), func(l *L) *Int { return &l.Page }).or("100").says("Resources in a page when the client says no `count`."),
			field("pageMax", integer(1, most), func(l *L) *Int { return &l.PageMax }).or("1000").says("Resources in a page at most, whatever `count` says."),
			field("scan", integer(1, most), func(l *L) *Int { return &l.Scan }).or("20000").
				says("How many records Postern reads for a filter that the backend cannot evaluate, before it answers `tooMany`."),
			field("filter", size(), func(l *L) *Size { return &l.Filter }).or("8KiB").says("A filter's length."),
			field("time", duration(time.Millisecond), func(l *L) *Duration { return &l.Time }).or("30s").says("A request's time, the backends' included."),
			field("bulk", bulkLimits(), func(l *L) *Bulk { return &l.Bulk }).or("{}").says("A bulk request."),
			field("cursor", duration(time.Second), func(l *L) *Duration { return &l.Cursor }).or("1h").says("How long a client may take from one page to the next when it pages by cursor (RFC 9865)."),
		},
		check: func(r *reader, t *Tree, _ string, l *L) {
			if l.Page.Set && l.PageMax.Set && l.Page.Value > l.PageMax.Value {
				r.report.Errorf(at(t, "page", "pageMax"), "", "page is %d, and so more than pageMax, %d", l.Page.Value, l.PageMax.Value)
			}
		},
	}.form()
}

func logging() form[Log] {
	return block[Log]{title: "log", doc: "Secrets and the backends' keys are not logged.", keys: []key[Log]{
		field("level", choice("debug", "info", "warn", "error"), func(l *Log) *Text { return &l.Level }).or("info").
			says("The least important that is logged. `debug` shows backends' own error texts."),
		field("format", choice("json", "text"), func(l *Log) *Text { return &l.Format }).or("text").says("For machines, or for people."),
	}}.form()
}

// at is where the first of some keys of a block stands, or the block itself.
func at(t *Tree, keys ...string) Text {
	for _, k := range keys {
		if item := t.Find(k); item != nil {
			return item.Text
		}
	}
	return t.place()
}

func checkGateway(r *reader, t *Tree, _ string, g *Gateway) {
	checkListen(r.report, g)
	if g.TLS != nil && g.Insecure.Value {
		r.report.Warnf(at(t, "insecure"), "delete one of the two", "insecure has no meaning beside tls")
	}
	if g.Admin.IsSet() {
		if port := g.Admin.Value; port == g.Listen.Value {
			r.report.Errorf(g.Admin, "choose another port", "admin and listen are the same address")
		} else if !isLoopback(g.Admin.Value) {
			r.report.Warnf(g.Admin, "keep the port out of reach of strangers", "the admin listener speaks plain HTTP and is no loopback address")
		}
	}
	checkBase(r, g)
}

// checkListen keeps tokens off the wire in clear, and clients from getting URLs
// that lead nowhere.
func checkListen(r *Reporter, g *Gateway) {
	host, err := splitAddress(g.Listen.Value)
	if err != nil {
		return // said already
	}
	if g.TLS == nil && !isLoopback(g.Listen.Value) {
		if !g.Insecure.Value {
			r.Errorf(g.Listen, "add tls, or insecure: true behind a proxy that speaks TLS", "plain HTTP on %s would show tokens to the network", g.Listen.Value)
		} else {
			r.Warnf(g.Listen, "let only a proxy that speaks TLS reach it", "plain HTTP on %s, as insecure allows", g.Listen.Value)
		}
	}
	if ip := net.ParseIP(host); !g.Base.IsSet() && (host == "" || ip != nil && ip.IsUnspecified()) {
		r.Errorf(g.Listen, "add base, as in base: https://scim.example.com/scim/v2", "%s is no address that clients can be told", g.Listen.Value)
	}
}

func isLoopback(address string) bool {
	host, err := splitAddress(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

func checkBase(r *reader, g *Gateway) {
	u, err := url.Parse(strings.ReplaceAll(g.Base.Value, tenantMark, "tenant"))
	if !g.Base.IsSet() || err != nil {
		return
	}
	if strings.Contains(u.Host, "_") || strings.Contains(u.Path, "_") {
		r.report.Warnf(g.Base, "use a hyphen", "Okta accepts no underscore in a base URL")
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		r.report.Warnf(g.Base, "identity providers want https", "clients are told to send their tokens in clear")
	}
}
