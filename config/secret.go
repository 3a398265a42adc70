package config

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

// reference finds ${source:name}. A doubled dollar sign stands for itself.
var reference = regexp.MustCompile(`\$?\$\{[^}]*\}?`)

// secret is a text that must not be shown and may be taken from elsewhere.
// change adapts the value; it must not put it into what it says is wrong.
func secret(change func(r *reader, value string) (changed, wrong, hint string)) form[Secret] {
	s := &shape{word: "secret", types: []string{"string"}, secret: true}
	return form[Secret]{shape: s, read: func(r *reader, t *Tree, into *Secret) {
		if !r.isScalar(t) {
			r.report.Source.blotTree(t)
			return
		}
		value, clear, ok := r.expand(t, change != nil)
		if clear && !strings.HasPrefix(value, sqliteScheme) {
			r.report.Source.blot(t.Text)
		}
		if !ok {
			return
		}
		if value == "" {
			r.report.Errorf(t.Text, "", "%s: the value is empty", t.label)
			return
		}
		made := false
		if change != nil {
			var wrong, hint string
			given := value
			if value, wrong, hint = change(r, given); wrong != "" && (r.standIns || r.isMade(t)) && !clear {
				value, wrong = standIn(r, given, change)
				made = wrong == ""
			}
			if wrong != "" {
				r.report.Errorf(t.Text, hint, "%s: %s", t.label, wrong)
				return
			}
		}
		*into = Secret{value: value, Line: t.Line, Column: t.Column, Clear: clear, Made: made}
		if !clear && change == nil {
			into.again = r.rereading(t)
		}
	}}
}

// rereading reads a secret again, and tells nobody what is wrong with it.
func (r *reader) rereading(t *Tree) func() (string, bool) {
	q := reader{env: r.env, dir: r.dir, fill: r.fill, values: r.values}
	return func() (string, bool) {
		q := q
		q.report = NewReporter(NewSource("", nil))
		v, _, ok := q.expand(t, false)
		return v, ok && v != ""
	}
}

// standIn is a value that change accepts, in place of a secret that is not there.
func standIn(r *reader, given string, change func(r *reader, value string) (changed, wrong, hint string)) (value, wrong string) {
	for _, v := range []string{hashToken(given), sqliteScheme + "stand-in.db"} {
		if value, wrong, _ = change(r, v); wrong == "" {
			return value, ""
		}
	}
	return value, wrong
}

// expand replaces the references in a scalar. clear says that there were none. What
// they stand for is not looked at again: it is a value, whatever it looks like.
// located: the scalar says where something is.
func (r *reader) expand(t *Tree, located bool) (value string, clear, ok bool) {
	clear, ok = true, true
	if r.literal {
		return t.Value, true, true
	}
	var b strings.Builder
	last := 0
	for _, m := range reference.FindAllStringIndex(t.Value, -1) {
		b.WriteString(t.Value[last:m[0]])
		ref := t.Value[m[0]:m[1]]
		last = m[1]
		if strings.HasPrefix(ref, "$$") {
			b.WriteString(ref[1:])
			continue
		}
		clear = false
		v, wrong, hint := r.remember(ref, t, located)
		if wrong != "" && r.standIns {
			v, wrong = "stand-in"+hashToken(ref)[len("sha256:"):], ""
		}
		if wrong != "" {
			r.report.Inside(t.Text, m[0], m[1]-m[0], t.label+": "+wrong, hint, false)
			ok = false
		}
		b.WriteString(v)
	}
	b.WriteString(t.Value[last:])
	return b.String(), clear, ok
}

// remember is fetch, which it asks once where there is a memo.
func (r *reader) remember(ref string, t *Tree, located bool) (value, wrong, hint string) {
	if paramReference.MatchString(ref) && r.fill != fillNothing {
		return r.param(ref, t.Value, !located)
	}
	if m, ok := r.memo[ref]; ok {
		return m[0], m[1], m[2]
	}
	value, wrong, hint = r.fetch(ref)
	if r.memo != nil {
		r.memo[ref] = [3]string{value, wrong, hint}
	}
	return value, wrong, hint
}

// fetch gets what a reference stands for.
func (r *reader) fetch(ref string) (value, wrong, hint string) {
	const forms = "${env:NAME}, ${file:/path} or ${command:program argument}"
	inner, closed := strings.CutSuffix(ref[2:], "}")
	from, name, found := strings.Cut(inner, ":")
	switch {
	case !closed:
		return "", "the closing } is missing", "as in " + forms
	case found && from == "env" && name != "":
		v, set := r.env(name)
		if !set || v == "" {
			return "", "the environment variable " + name + " is not set", "set it before Postern starts"
		}
		return v, "", ""
	case found && from == "file" && name != "":
		return r.fetchFile(name)
	case found && from == "command" && strings.TrimSpace(name) != "":
		return r.fetchOutput(strings.Fields(name))
	}
	if found && from == "param" {
		return "", "a parameter cannot stand here", "parameters stand in the settings of backends, and in constants"
	}
	return "", fmt.Sprintf("%s refers to nothing", ref), "known are " + forms
}

// maxSecretFile is more than any secret needs.
const maxSecretFile = 64 << 10

// fetchFile reads a secret from a file, without the line break at its end.
func (r *reader) fetchFile(name string) (value, wrong, hint string) {
	path := r.resolve(name)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return "", "there is no file " + quoted(name), "paths start in the folder of this file"
	}
	f, err := os.Open(path)
	if err != nil {
		return "", "the file " + quoted(name) + " cannot be opened", "Postern's user must be allowed to read it"
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil || len(data) > maxSecretFile {
		return "", "the file " + quoted(name) + " holds no secret", "it must hold the secret and nothing else"
	}
	value = strings.TrimRight(string(data), "\r\n")
	if value == "" {
		return "", "the file " + quoted(name) + " is empty", ""
	}
	return value, "", ""
}

// commandTime is how long a program may take to tell a secret.
const commandTime = 10 * time.Second

// fetchOutput takes what a program prints, without the line break at its end. No
// shell reads its arguments, and what it says goes nowhere else.
func (r *reader) fetchOutput(args []string) (value, wrong, hint string) {
	program := quoted(args[0])
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.WaitDelay = r.dir, time.Second
	out := limited{left: maxSecretFile}
	cmd.Stdout = &out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", "the program " + program + " does not end", "it has " + commandTime.String()
	case errors.As(err, &exit):
		return "", fmt.Sprintf("the program %s fails with status %d", program, exit.ExitCode()), "run it by hand, as Postern's user"
	case err != nil || out.left < 0:
		return "", "the program " + program + " tells no secret", "it is started without a shell, in the folder of this file"
	}
	if value = strings.TrimRight(out.text.String(), "\r\n"); value == "" {
		return "", "the program " + program + " prints nothing", ""
	}
	return value, "", ""
}

// limited keeps so many bytes of what is written, and notes when there are more.
type limited struct {
	text strings.Builder
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left >= 0 {
		l.text.Write(p)
	}
	return len(p), nil
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }

var hashText = regexp.MustCompile(`^sha256:[0-9a-fA-F]{64}$`)

// hashStart is how the hash of a token is shown.
var hashStart = regexp.MustCompile(`^sha256:[0-9a-f]{12}…?$`)

// hash is a token's hash, as `postern token` prints it.
func hash() form[Secret] {
	return secret(func(r *reader, value string) (string, string, string) {
		if r.draft && hashStart.MatchString(value) {
			return value, "", ""
		}
		if !hashText.MatchString(value) {
			return "", "this is no hash of a token", "sha256: and 64 hex digits; postern token prints one"
		}
		return strings.ToLower(value), "", ""
	})
}

// b64token is what can stand behind Bearer in a header (RFC 6750 section 2.1).
var b64token = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// token is a token itself; what is kept is its hash.
func token() form[Secret] {
	return secret(func(_ *reader, value string) (string, string, string) {
		if !b64token.MatchString(value) {
			return "", "a header cannot carry this token", "letters, digits and - . _ ~ + / only (RFC 6750 section 2.1)"
		}
		return hashToken(value), "", ""
	})
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// dsn is where a database of an application is.
func dsn() form[Secret] {
	return secret(func(r *reader, value string) (string, string, string) {
		if isServer(value) {
			return value, "", ""
		}
		resolved, ok := r.resolveSQLite(value)
		if !ok {
			return "", "this is no database that Postern knows", "as in sqlite:state/legacy.db, postgres://user:password@host:5432/database or mysql://user:password@host:3306/database"
		}
		return resolved, "", ""
	})
}

// isServer reports whether a dsn is the URL of a database on a server.
func isServer(dsn string) bool {
	u, err := url.Parse(dsn)
	return err == nil && slices.Contains([]string{"postgres", "postgresql", "mysql", "mariadb"}, u.Scheme) && u.Host != "" && len(u.Path) > 1
}
