package config

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A naming is what names of one sort may look like.
type naming struct {
	rule *regexp.Regexp // nil: anything
	hint string
}

func (n naming) pattern() string {
	if n.rule == nil {
		return ""
	}
	return n.rule.String()
}

func (n naming) check(r *reader, name Text, word string) {
	if n.rule != nil && !n.rule.MatchString(name.Value) {
		r.report.Errorf(name, n.hint, "the %s name %q is not possible", word, name.Value)
	}
}

var (
	plainName     = naming{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`), "letters, digits, dots, hyphens and underscores"}
	attributeName = naming{regexp.MustCompile(`^([A-Za-z][A-Za-z0-9$_-]*|\$ref)$`), "a letter, then letters, digits, hyphens and underscores (RFC 7643 section 2.1)"}
	typeName      = naming{regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`), "a letter, then letters, digits, hyphens and underscores"}
	anyName       = naming{}
)

// nameText is a text that follows a naming.
func nameText(n naming) form[Text] {
	s := &shape{word: "name", types: []string{"string"}, match: n.pattern()}
	return textForm(s, func(s string) (string, string) {
		if n.rule.MatchString(s) {
			return "", ""
		}
		return "this is no name", n.hint
	})
}

var urnText = regexp.MustCompile(`(?i)^urn:[a-z0-9][a-z0-9-]{0,31}:[a-z0-9()+,.:=@;$_!*'%/?#-]+$`)

// urn is the URN of a schema.
func urn() form[Text] {
	s := &shape{word: "URN", types: []string{"string"}, match: `^[uU][rR][nN]:`}
	return textForm(s, func(s string) (string, string) {
		if urnText.MatchString(s) {
			return "", ""
		}
		return "this is no URN", "as in urn:example:scim:schemas:Badge"
	})
}

// filePath is a path. With there, the file must exist.
func filePath(there bool) form[Path] {
	return scalar(&shape{word: "path", types: []string{"string"}}, func(r *reader, t *Tree) (Path, string, string) {
		p := Path{Text: t.Text, Resolved: r.resolve(t.Value)}
		if t.Value == "" {
			return p, "the path is empty", ""
		}
		if there {
			if info, err := os.Stat(p.Resolved); err != nil || info.IsDir() {
				return p, "there is no file " + quoted(t.Value), "paths start in the folder of this file"
			}
		}
		return p, "", ""
	}, func(v Path, _ *Tree) Path { return v })
}

// store is a database of Postern's own.
func store() form[Secret] {
	return secret(func(r *reader, value string) (string, string, string) {
		if isServer(value) && strings.HasPrefix(value, "postgres") {
			return value, "", ""
		}
		resolved, ok := r.resolveSQLite(value)
		if !ok {
			return "", "this is no database for the mapping table", "as in sqlite:state/postern.db or postgres://user:password@host:5432/database"
		}
		return resolved, "", ""
	})
}

// Store reads the place of a mapping table as it stands in a configuration in that
// folder. An error holds nothing of it.
func Store(text, dir string) (Secret, error) {
	r := &reader{report: NewReporter(NewSource("", nil)), env: os.LookupEnv, dir: dir}
	var s Secret
	store().read(r, &Tree{Kind: ScalarNode, Text: Text{Value: text, Line: 1, Column: 1}, label: "the mapping table"}, &s)
	if s.IsSet() {
		return s, nil
	}
	return s, errors.New("this is no mapping table: write sqlite:PATH or postgres://user:password@host:5432/database, or ${env:NAME} or ${file:/path} for one")
}

const sqliteScheme = "sqlite:"

// resolveSQLite makes the path in sqlite:path?options absolute. What is no
// path (:memory:) stays.
func (r *reader) resolveSQLite(dsn string) (string, bool) {
	rest, ok := strings.CutPrefix(dsn, sqliteScheme)
	if !ok || rest == "" {
		return dsn, false
	}
	if strings.HasPrefix(rest, ":memory:") || strings.HasPrefix(rest, "file:") {
		return dsn, true
	}
	path, options, found := strings.Cut(strings.TrimPrefix(rest, "//"), "?")
	if path == "" {
		return dsn, false
	}
	if found {
		options = "?" + options
	}
	return sqliteScheme + r.resolve(path) + options, true
}

// sqliteFolder is the folder of a resolved SQLite database, "" if it has none.
func sqliteFolder(dsn string) string {
	rest, ok := strings.CutPrefix(dsn, sqliteScheme)
	if !ok || strings.HasPrefix(rest, ":memory:") || strings.HasPrefix(rest, "file:") {
		return ""
	}
	path, _, _ := strings.Cut(rest, "?")
	return filepath.Dir(path)
}
