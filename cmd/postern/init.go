package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/config"
	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/internal/draft"
)

type initCommand struct {
	SQL      string `name:"sql" help:"Start from this database, as in sqlite:legacy.db or postgres://user:password@host/name." placeholder:"DSN" xor:"from" required:""`
	JSON     string `name:"json" help:"Start from a sample of what an API answers to a list of users: a file, or - for standard input." placeholder:"FILE" xor:"from" required:""`
	URL      string `name:"url" help:"Start from what an API answers to a GET of this." placeholder:"URL" xor:"from" required:""`
	Header   string `short:"H" help:"With --url: a header with the credential; its value becomes \\${env:API_KEY}." placeholder:"NAME: VALUE"`
	Table    string `help:"The table that holds the users." placeholder:"NAME"`
	Groups   string `help:"The table that holds the groups, or none." placeholder:"NAME"`
	Client   string `help:"A name for the identity provider that will call." placeholder:"NAME"`
	Profile  string `help:"Its habits: rfc, strict, entra or okta." placeholder:"NAME"`
	TokenEnv string `help:"Take its token from this environment variable, instead of making one now." placeholder:"NAME"`
	Out      string `short:"o" help:"The file to write (default: ${default})." default:"postern.yaml" placeholder:"FILE"`
	Force    bool   `help:"Overwrite the file."`
	Yes      bool   `short:"y" help:"Ask nothing; take what is proposed."`
}

// Help is printed below the summary.
func (initCommand) Help() string {
	return `Tables, columns, types and foreign keys, or the names in a sample, decide what is proposed. Nothing is changed, and of the data only the
values of columns that look like a code are read. What was guessed is marked "look:" in the file.

Each question has a flag; --yes takes every proposal.

    postern init --sql sqlite:legacy.db
    postern init --sql "$HR_DSN" --table staff --groups none --yes
    postern init --url https://api.example.com/users -H "X-Key: $API_KEY"
    postern init --json users.json

Then: postern check --online, postern try GET /Users, postern serve.`
}

func (c initCommand) Run(ctx context.Context, m *Main) error {
	if _, err := os.Stat(c.Out); err == nil && !c.Force {
		return fmt.Errorf("%s is there already; --force overwrites it, -o FILE writes another", c.Out)
	}
	ask := &asker{m: m, in: bufio.NewReader(m.Stdin), quiet: c.Yes || c.JSON == "-"}
	var text string
	var err error
	if c.SQL != "" {
		text, err = c.fromSQL(ctx, ask)
	} else {
		text, err = c.fromSample(ctx, ask)
	}
	if err != nil {
		return err
	}
	text, token, err := c.withToken(text)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, []byte(text), 0o600); err != nil {
		return err
	}
	c.tell(m, text, token)
	return nil
}

// tell says what was made, and what comes next.
func (c initCommand) tell(m *Main, text, token string) {
	fmt.Fprintf(m.Stdout, "%s is written: %s to look at.\n", c.Out, count(strings.Count(text, "# look:"), "place"))
	if token != "" {
		fmt.Fprintf(m.Stdout, "The identity provider's token, shown now and never again: %s\n", token)
	}
	file := ""
	if c.Out != "postern.yaml" {
		file = " -c " + c.Out
	}
	fmt.Fprintf(m.Stdout, "Next: postern check --online%s; postern try%s GET /Users; postern serve%s\n", file, file, file)
}

// tokenMark stands for the client's token until the file is whole.
const tokenMark = "TOKEN"

// withToken puts in the hash of a new token, or the name of an environment variable.
func (c initCommand) withToken(text string) (whole, token string, err error) {
	if c.TokenEnv != "" {
		return strings.Replace(text, tokenMark, fmt.Sprintf(`token: "${env:%s}"`, c.TokenEnv), 1), "", nil
	}
	token, hash := auth.NewToken()
	expires := time.Now().AddDate(1, 0, 0).Format(time.DateOnly)
	return strings.Replace(text, tokenMark, fmt.Sprintf("tokens: [{hash: %q, expires: %s}]", hash, expires), 1), token, nil
}

func (c initCommand) setting(ask *asker, backend string) (draft.Setting, error) {
	s := draft.Setting{Token: tokenMark, Backend: backend}
	var err error
	if s.Client, err = ask.text("A name for the identity provider that will call?", c.Client, "idp", nil); err != nil {
		return s, err
	}
	s.Profile, err = ask.text("Its habits: rfc, strict, entra or okta?", c.Profile, "rfc", []string{"rfc", "strict", "entra", "okta"})
	return s, err
}

func (c initCommand) fromSQL(ctx context.Context, ask *asker) (string, error) {
	db, err := sql.Open(sql.Config{DSN: c.SQL, Timeout: 30 * time.Second})
	if err != nil {
		return "", err
	}
	defer db.Close()
	tables, err := db.Survey(ctx)
	if err != nil {
		return "", fmt.Errorf("the database does not answer: %w", errors.Unwrap(err))
	}
	d := &draft.Database{Tables: tables, DSN: dsnText(c.SQL), Few: func(table, column string) []string {
		few, err := db.Few(ctx, table, column, 6)
		if err != nil {
			return nil
		}
		return few
	}}
	table, groups, err := c.tables(ask, d)
	if err != nil {
		return "", err
	}
	s, err := c.setting(ask, "app")
	if err != nil {
		return "", err
	}
	return d.Propose(s, table, groups), nil
}

// tables asks for the tables of the users and of the groups.
func (c initCommand) tables(ask *asker, d *draft.Database) (string, *draft.Membership, error) {
	var all []string
	for _, t := range d.Tables {
		all = append(all, t.Name)
	}
	if len(all) == 0 {
		return "", nil, errors.New("the database has no tables that this user may see")
	}
	table, err := ask.text("Which table holds the users?", c.Table, d.People(), all)
	if err != nil {
		return "", nil, err
	}
	memberships := d.Memberships(table)
	choices, proposed := []string{}, "none"
	for _, m := range memberships {
		choices = append(choices, m.Groups)
	}
	if len(choices) > 0 {
		proposed = choices[0]
	} else if c.Groups == "" {
		return table, nil, nil
	}
	groups, err := ask.text("Which table holds the groups?", c.Groups, proposed, append(choices, "none"))
	for i := range memberships {
		if strings.EqualFold(memberships[i].Groups, groups) {
			return table, &memberships[i], err
		}
	}
	return table, nil, err
}

// dsnText is a dsn as the configuration writes it: a relative path stays one, and
// what an environment variable holds is taken from there.
func dsnText(dsn string) string {
	if strings.HasPrefix(dsn, "sqlite:") {
		return dsn
	}
	for _, e := range os.Environ() {
		if name, v, _ := strings.Cut(e, "="); v == dsn {
			return "${env:" + name + "}"
		}
	}
	return dsn
}

// An asker asks questions, unless a flag has answered them.
type asker struct {
	m     *Main
	in    *bufio.Reader
	quiet bool
}

// text answers the flag, or what is typed, or the proposal for an empty line. What
// is not among the choices is asked for again; a flag must be.
func (a *asker) text(question, flag, proposed string, choices []string) (string, error) {
	if flag != "" || a.quiet {
		answer := flag
		if answer == "" {
			answer = proposed
		}
		return a.pick(question, answer, choices)
	}
	for {
		if proposed != "" {
			fmt.Fprintf(a.m.Stdout, "%s [%s] ", question, proposed)
		} else {
			fmt.Fprintf(a.m.Stdout, "%s ", question)
		}
		line, err := a.in.ReadString('\n')
		answer := strings.TrimSpace(line)
		if answer == "" {
			answer = proposed
		}
		if err != nil {
			fmt.Fprintln(a.m.Stdout)
			return a.pick(question, answer, choices)
		}
		picked, wrong := a.pick(question, answer, choices)
		if wrong == nil {
			return picked, nil
		}
		fmt.Fprintf(a.m.Stdout, "%s\n", wrong)
	}
}

func (a *asker) pick(question, answer string, choices []string) (string, error) {
	if answer == "" {
		return "", fmt.Errorf("%s There is no proposal; choose of %s", question, strings.Join(choices, ", "))
	}
	if len(choices) == 0 {
		return answer, nil
	}
	if i := slices.IndexFunc(choices, func(c string) bool { return strings.EqualFold(c, answer) }); i >= 0 {
		return choices[i], nil
	}
	hint := "there is " + strings.Join(choices[:min(len(choices), 20)], ", ")
	if n := config.Nearest(answer, choices); n != "" {
		hint = fmt.Sprintf("did you mean %q?", n)
	}
	return "", fmt.Errorf("there is no %q; %s", answer, hint)
}
