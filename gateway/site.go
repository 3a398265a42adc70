package gateway

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/postern/postern/scim"
)

// A site is where clients reach the service provider (RFC 7644 section 1.3).
type site struct {
	fixed   string // "https://scim.example.org/scim/v2"; "" to derive it from each request
	path    string // "/scim/v2", or "" at the root
	parent  string // the path without its version segment
	version string // "v2", or "" if the path ends in none
	proxies []netip.Prefix
}

var versionSegment = regexp.MustCompile(`^v[0-9]+(\.[0-9]+)*$`)

// newSite reads a configured base URL: a whole URL, or only a path when the rest
// follows from the request.
func newSite(text string, proxies []netip.Prefix) (site, error) {
	text = strings.TrimRight(text, "/")
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return site{}, fmt.Errorf("base URL: %w", err)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil:
		return site{}, fmt.Errorf("base URL %q: no user, query or fragment may be part of it (RFC 7644 section 1.3)", u.Redacted())
	case u.Host == "" && (u.Scheme != "" || text != "" && text[0] != '/'):
		return site{}, fmt.Errorf("base URL %q: either a path like /scim/v2 or a URL like https://host/scim/v2", text)
	case u.Host != "" && u.Scheme != "http" && u.Scheme != "https":
		return site{}, fmt.Errorf("base URL %q: the scheme must be http or https", text)
	case strings.ContainsAny(u.Path, ":*%"), strings.Contains(u.Path, "//"), u.RawPath != "":
		return site{}, fmt.Errorf("base URL %q: a plain path without : * %% and empty segments is needed", text)
	}
	s := site{path: u.Path, parent: u.Path, proxies: proxies}
	if u.Host != "" {
		s.fixed = text
	}
	if i := strings.LastIndexByte(u.Path, '/'); i >= 0 && versionSegment.MatchString(u.Path[i+1:]) {
		s.parent, s.version = u.Path[:i], u.Path[i+1:]
	}
	return s, nil
}

// of is the base URL that the client of this request sees. Without a configured
// one, only names that mean this machine itself are believed, and what a listed
// proxy says: anybody can write a Host header, and Locations are built from it.
func (s *site) of(r *http.Request) (string, error) {
	if s.fixed != "" {
		return s.fixed, nil
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if s.viaProxy(r) {
		if p := last(r.Header["X-Forwarded-Proto"]); p == "http" || p == "https" {
			scheme = p
		}
		if h := last(r.Header["X-Forwarded-Host"]); isAuthority(h) {
			return scheme + "://" + h + s.path, nil
		}
	}
	if !isLoopbackName(host) {
		return "", scim.Errorf(http.StatusMisdirectedRequest, "",
			"This gateway does not know that it is reached as %q; its operator sets the base URL in the configuration.", clip(host))
	}
	return scheme + "://" + host + s.path, nil
}

// viaProxy reports whether the peer is a proxy that the configuration lists.
func (s *site) viaProxy(r *http.Request) bool {
	if len(s.proxies) == 0 {
		return false
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	return s.listed(peer.Addr())
}

func (s *site) listed(a netip.Addr) bool {
	for _, p := range s.proxies {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

// client is the address for the log: the peer's, or behind listed proxies the
// last one in X-Forwarded-For that is none of them.
func (s *site) client(r *http.Request) string {
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		peer = r.RemoteAddr
	}
	if !s.viaProxy(r) {
		return peer
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		if peer = a.String(); !s.listed(a) {
			break
		}
	}
	return peer
}

// last is the last element of a header's list: the one that the nearest proxy,
// which is the one we trust, has written.
func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	v := values[len(values)-1]
	return strings.TrimSpace(v[strings.LastIndexByte(v, ',')+1:])
}

// isAuthority accepts a host name or address with an optional port.
func isAuthority(s string) bool {
	if s == "" || len(s) > 255 || strings.ContainsAny(s, "/\\?#@ \"<>%") {
		return false
	}
	u, err := url.Parse("http://" + s)
	return err == nil && u.Host == s && u.Hostname() != ""
}

func isLoopbackName(host string) bool {
	name := host
	if h, port, err := net.SplitHostPort(host); err == nil {
		if strings.Trim(port, "0123456789") != "" {
			return false
		}
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if strings.EqualFold(name, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(name)
	return err == nil && a.Zone() == "" && a.Unmap().IsLoopback()
}

// foreignVersion finds the version segment of a path that is under the base but
// for its version (H-06).
func (s *site) foreignVersion(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, s.parent+"/")
	if s.version == "" || !ok {
		return "", false
	}
	segment, _, _ := strings.Cut(rest, "/")
	return segment, segment != s.version && versionSegment.MatchString(segment)
}

// covers reports whether a path is at or under the base, with or without its
// version segment.
func (s *site) covers(path string) bool {
	rest, ok := strings.CutPrefix(path, s.parent)
	return ok && (rest == "" || rest[0] == '/')
}
