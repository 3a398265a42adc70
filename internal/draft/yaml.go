package draft

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A page is YAML as it is written.
type page struct{ strings.Builder }

func (p *page) line(indent int, format string, args ...any) {
	p.WriteString(strings.Repeat("  ", indent) + fmt.Sprintf(format, args...) + "\n")
}

var plainScalar = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_. -]*$`)

// scalar is a text as a YAML value in a block or between brackets.
func scalar(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n", "~", "":
		return strconv.Quote(s)
	}
	if plainScalar.MatchString(s) && strings.TrimSpace(s) == s {
		return s
	}
	if !strings.ContainsAny(s, "'\n\\") {
		return "'" + s + "'"
	}
	return strconv.Quote(s)
}

// A Setting is what a configuration says besides its mapping.
type Setting struct {
	Client, Profile string
	Token           string // `token: ...` or `tokens: [...]`, as YAML
	Backend         string // its name
}

func (p *page) head(s Setting, about string) {
	p.line(0, "# %s", about)
	p.line(0, "# Proposed by postern init; what it guessed is marked \"look:\".")
	p.line(0, "gateway:")
	p.line(1, "listen: 127.0.0.1:8080")
	p.line(0, "identities: sqlite:state/postern.db      # which id stands for which record; keep it safe")
	p.line(0, "")
	p.line(0, "clients:")
	profile := ""
	if s.Profile != "" && s.Profile != "rfc" {
		profile = ", profile: " + s.Profile
	}
	p.line(1, "%s: {%s%s}", scalar(s.Client), s.Token, profile)
	p.line(0, "")
}
