package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scalar is a form for a scalar: parse says what is wrong with a value, and how
// it should look, or gives the converted value.
func scalar[V any](s *shape, parse func(r *reader, t *Tree) (v V, wrong, hint string), put func(v V, t *Tree) V) form[V] {
	return form[V]{shape: s, read: func(r *reader, t *Tree, into *V) {
		if !r.checkScalar(t) {
			return
		}
		v, wrong, hint := parse(r, t)
		if wrong != "" && r.isMade(t) {
			return
		}
		if wrong != "" {
			r.report.Errorf(t.Text, hint, "%s: %s", t.label, wrong)
			return
		}
		*into = put(v, t)
	}}
}

// textForm is a scalar that stays text.
func textForm(s *shape, check func(text string) (wrong, hint string)) form[Text] {
	return scalar(s, func(_ *reader, t *Tree) (Text, string, string) {
		if check == nil {
			return t.Text, "", ""
		}
		wrong, hint := check(t.Value)
		return t.Text, wrong, hint
	}, func(v Text, _ *Tree) Text { return v })
}

// convertedForm is a scalar that becomes a V.
func convertedForm[V any](s *shape, parse func(t *Tree) (v V, wrong, hint string)) form[Scalar[V]] {
	return scalar(s, func(_ *reader, t *Tree) (Scalar[V], string, string) {
		v, wrong, hint := parse(t)
		return Scalar[V]{Value: v}, wrong, hint
	}, func(v Scalar[V], t *Tree) Scalar[V] {
		return Scalar[V]{Value: v.Value, Line: t.Line, Column: t.Column, Set: true}
	})
}

// checkScalar refuses lists, mappings and nothing where a scalar is wanted, and
// references to secrets where they are not expanded.
func (r *reader) checkScalar(t *Tree) bool {
	if !r.isScalar(t) {
		return false
	}
	if r.fills(t) {
		return r.fillIn(t)
	}
	if reference.MatchString(t.Value) {
		r.report.Errorf(t.Text, "it is expanded in token, hash and dsn, and in the secrets of a backend", "%s does not expand ${…}", t.label)
		return false
	}
	return true
}

func (r *reader) isScalar(t *Tree) bool {
	switch t.Kind {
	case ScalarNode:
		return true
	case NullNode:
		r.report.Errorf(t.place(), "write one, or delete the key", "%s has no value", t.label)
	default:
		r.report.Errorf(t.Text, "", "%s must be a single value", t.label)
	}
	return false
}

// text is any text but the empty one.
func text() form[Text] {
	return textForm(&shape{word: "text", types: anyScalar}, func(s string) (string, string) {
		if s == "" {
			return "the value is empty", "delete the key if nothing is meant"
		}
		return "", ""
	})
}

// anyText is any text, the empty one too.
func anyText() form[Text] { return textForm(&shape{word: "text", types: anyScalar}, nil) }

var anyScalar = []string{"string", "number", "boolean"}

// expression is a text in the expression language; package rules judges it.
func expression() form[Text] {
	f := text()
	f.shape = &shape{word: "expression", types: anyScalar}
	return f
}

// choice is one of some words.
func choice(words ...string) form[Text] {
	return textForm(&shape{word: "one of", types: []string{"string"}, enum: words}, func(s string) (string, string) {
		if slices.Contains(words, s) {
			return "", ""
		}
		hint := "one of " + strings.Join(words, ", ")
		if n := nearest(s, words); n != "" {
			hint = fmt.Sprintf("did you mean %q?", n)
		}
		return fmt.Sprintf("%q is not possible", s), hint
	})
}

// boolean is true or false and nothing else.
func boolean() form[Bool] {
	yes, no := []string{"yes", "Yes", "on", "On", "True", "TRUE", "1"}, []string{"no", "No", "off", "Off", "False", "FALSE", "0"}
	return convertedForm(&shape{word: "boolean", types: []string{"boolean"}}, func(t *Tree) (bool, string, string) {
		switch {
		case t.Value == "true" && !t.Quoted:
			return true, "", ""
		case t.Value == "false" && !t.Quoted:
			return false, "", ""
		case slices.Contains(yes, t.Value):
			return false, fmt.Sprintf("%q is no boolean", t.Value), "write true"
		case slices.Contains(no, t.Value):
			return false, fmt.Sprintf("%q is no boolean", t.Value), "write false"
		case t.Quoted && (t.Value == "true" || t.Value == "false"):
			return false, "a text is no boolean", "write " + t.Value + " without quotes"
		}
		return false, fmt.Sprintf("%q is no boolean", t.Value), "write true or false"
	})
}

// integer is a whole number within bounds.
func integer(least, most int) form[Int] {
	return convertedForm(&shape{word: "integer", types: []string{"integer"}}, func(t *Tree) (int, string, string) {
		n, err := strconv.Atoi(t.Value)
		switch {
		case err != nil:
			return 0, fmt.Sprintf("%q is no whole number", t.Value), ""
		case n < least || n > most:
			return 0, fmt.Sprintf("%d is out of bounds", n), fmt.Sprintf("from %d to %d", least, most)
		}
		return n, "", ""
	})
}

// duration is a number with a unit: 500ms, 2s, 1m30s, 24h.
func duration(least time.Duration) form[Duration] {
	s := &shape{word: "duration", types: []string{"string", "integer"}, match: `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$|^0$`}
	return convertedForm(s, func(t *Tree) (time.Duration, string, string) {
		d, err := time.ParseDuration(t.Value)
		switch {
		case err != nil:
			if _, err := strconv.Atoi(t.Value); err == nil {
				return 0, "the unit is missing", fmt.Sprintf("did you mean %ss?", t.Value)
			}
			return 0, fmt.Sprintf("%q is no duration", t.Value), "as in 500ms, 2s, 1m30s"
		case d < least:
			return 0, fmt.Sprintf("%s is too short", t.Value), fmt.Sprintf("at least %s", least)
		}
		return d, "", ""
	})
}

var sizeText = regexp.MustCompile(`^([0-9]{1,9}) ?(B|kB|KB|KiB|MB|MiB|GB|GiB)?$`)

// size is a number of bytes: 65536, 64KiB, 1MiB.
func size() form[Size] {
	units := map[string]int64{"": 1, "B": 1, "kB": 1e3, "KB": 1e3, "KiB": 1 << 10, "MB": 1e6, "MiB": 1 << 20, "GB": 1e9, "GiB": 1 << 30}
	s := &shape{word: "size", types: []string{"string", "integer"}, match: sizeText.String()}
	return convertedForm(s, func(t *Tree) (int64, string, string) {
		m := sizeText.FindStringSubmatch(t.Value)
		if m == nil {
			return 0, fmt.Sprintf("%q is no size", t.Value), "as in 65536, 64KiB, 1MiB"
		}
		n, _ := strconv.ParseInt(m[1], 10, 64) // at most nine digits
		if n == 0 {
			return 0, "nothing would fit", "as in 64KiB, 1MiB"
		}
		return n * units[m[2]], "", ""
	})
}

// address is host:port to listen on.
func address() form[Text] {
	return textForm(&shape{word: "address", types: []string{"string"}}, func(s string) (string, string) {
		if _, err := splitAddress(s); err != nil {
			return err.Error(), "write host:port, as in 127.0.0.1:8080"
		}
		return "", ""
	})
}

// splitAddress checks an address and gives its host.
func splitAddress(s string) (host string, err error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", fmt.Errorf("%q is no address", s)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return "", fmt.Errorf("%q is no port", port)
	}
	if host != "" && net.ParseIP(host) == nil && !hostName.MatchString(host) {
		return "", fmt.Errorf("%q is no host", host)
	}
	return host, nil
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)

// baseURL is an absolute http or https URL without query or fragment.
// serviceURL is a base URL in which the tenant may have a place.
func serviceURL() form[Text] {
	f := baseURL()
	return textForm(f.shape, func(s string) (string, string) { return wrongURL(strings.ReplaceAll(s, tenantMark, "tenant")) })
}

func baseURL() form[Text] {
	return textForm(&shape{word: "URL", types: []string{"string"}, match: "^https?://"}, wrongURL)
}

func wrongURL(s string) (wrong, hint string) {
	const like = "as in https://scim.example.com/scim/v2"
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return fmt.Sprintf("%q is no URL", s), like
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return fmt.Sprintf("%q is no http or https URL", s), like
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(s, "#"):
		return "a base URL has neither user, query nor fragment", like
	case u.RawPath != "" || strings.Contains(u.Path, "//") || strings.ContainsAny(u.Path, ":*"):
		return "the path must be plain", like
	}
	return "", ""
}

// network is an IP prefix, or one address.
func network() form[Prefix] {
	return convertedForm(&shape{word: "network", types: []string{"string"}}, func(t *Tree) (netip.Prefix, string, string) {
		if a, err := netip.ParseAddr(t.Value); err == nil && a.Zone() == "" {
			a = a.Unmap()
			return netip.PrefixFrom(a, a.BitLen()), "", ""
		}
		p, err := netip.ParsePrefix(t.Value)
		if err != nil {
			return p, fmt.Sprintf("%q is no network", t.Value), "as in 10.0.0.0/8, 192.0.2.7 or fd00::/8"
		}
		if p != p.Masked() {
			return p, fmt.Sprintf("%s has bits behind its length", t.Value), fmt.Sprintf("did you mean %s?", p.Masked())
		}
		return p, "", ""
	})
}

// date is a day, which ends as it begins (UTC), or a moment.
func date() form[Date] {
	return convertedForm(&shape{word: "date", types: []string{"string"}}, func(t *Tree) (time.Time, string, string) {
		if d, ok := Moment(t.Value); ok {
			return d, "", ""
		}
		return time.Time{}, fmt.Sprintf("%q is no date", t.Value), "as in 2027-01-31 or 2027-01-31T12:00:00Z"
	})
}

// Moment is what a date means.
func Moment(s string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if d, err := time.Parse(layout, s); err == nil {
			return d, true
		}
	}
	return time.Time{}, false
}
