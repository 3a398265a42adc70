package sql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql/named"
	"github.com/postern/postern/adapters/steps"
)

// InspectOwn has the database look at the statements of the configuration, without
// running them: it prepares each, and where that does not tell, asks whether what
// is called is there. The error says that the database does not answer.
func (a *Adapter) InspectOwn(ctx context.Context) ([]steps.Problem, error) {
	own := a.table.Own
	if own == nil {
		return nil, nil
	}
	var out []steps.Problem
	all := []steps.Operation{own.Create, own.Update, own.Delete}
	for _, name := range a.caps.Shape.Names() {
		if m := own.Members[name]; m != nil {
			all = append(all, m.Add, m.Remove, m.Change)
		}
	}
	for _, op := range all {
		for _, st := range op {
			c, ok := st.Call.(*ownCall)
			if !ok {
				continue
			}
			p, err := a.prepares(ctx, c)
			if err != nil {
				return nil, err
			}
			out = append(out, p...)
		}
	}
	return append(out, a.unlocked(ctx)...), nil
}

// unlocked warns where nothing keeps a record from being changed by others while it
// is compared.
func (a *Adapter) unlocked(ctx context.Context) []steps.Problem {
	p, err := a.plan(ctx, "probe")
	if err != nil || p.lock != "" || p.dialect.lock() == "" || p.isolation != nil || a.table.Own.Update == nil || a.db.readOnly {
		return nil
	}
	c, ok := a.table.Own.Update[0].Call.(*ownCall)
	if !ok {
		return nil
	}
	return []steps.Problem{{At: c.at, Warning: true, Message: "the rows of " + a.table.Name + " cannot be locked: a change that another program makes at the same moment may be lost",
		Hint: "grant UPDATE on it, or have the statement compare with the old values, as in with: {was: old.mail}"}}
}

// prepares asks the database whether it understands a statement.
func (a *Adapter) prepares(ctx context.Context, c *ownCall) ([]steps.Problem, error) {
	var problems []steps.Problem
	err := a.db.view(ctx, "probe", false, func(ctx context.Context, s session) error {
		problems = nil
		conn, err := a.db.write.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		prepared, err := conn.PrepareContext(ctx, c.sent)
		if err == nil {
			err = prepared.Close()
		} else if f := a.db.dialect.classify(err); f.kind != adapters.Unavailable || f.stale {
			problems, err = []steps.Problem{c.problem(err)}, nil
		}
		if err == nil && len(problems) == 0 {
			problems, err = a.called(ctx, s, c)
		}
		return err
	})
	return problems, err
}

// problem says what the database said, where it means.
func (c *ownCall) problem(err error) steps.Problem {
	_, _, said := codeOf(err)
	text, _ := said.(string)
	p := steps.Problem{At: c.at, Message: "the database does not take this statement: " + text}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		p.Hint = pg.Hint
		if pg.Position > 0 {
			at := len(string([]rune(c.sent)[:min(int(pg.Position)-1, len([]rune(c.sent)))]))
			p.Offset = min(c.statement.Origin(c.mark(), at), len(c.at.Value))
			p.Length = wordLength(c.at.Value[p.Offset:])
		}
		return p
	}
	p.Offset, p.Length = placeIn(c.at.Value, text)
	return p
}

// placeIn finds in a statement what the words of an engine name: what they quote, or
// what they end with.
func placeIn(statement, said string) (offset, length int) {
	var names []string
	for _, q := range quotedWord.FindAllString(said, -1) {
		q = q[1 : len(q)-1]
		names = append(names, q, q[strings.LastIndexByte(q, '.')+1:])
	}
	words := identifier.FindAllString(said, -1)
	slices.Reverse(words)
	for _, n := range append(names, words...) {
		if len(n) < 2 {
			continue
		}
		if at := strings.Index(strings.ToLower(statement), strings.ToLower(n)); at >= 0 && at+len(n) <= len(statement) {
			return at, len(n)
		}
	}
	return 0, 0
}

var quotedWord = regexp.MustCompile("'[^']+'|`[^`]+`|\"[^\"]+\"")

// derivable says which changes of a view the database does not take, where they would
// be derived: it prepares one of each kind.
func (in *inspection) derivable(ctx context.Context, t *schema) error {
	c := in.plainColumn(t)
	if !t.view || c == nil || in.a.db.readOnly || in.a.table.Distinct {
		return nil
	}
	d, view := in.a.db.dialect, in.a.db.dialect.relation(t.name)
	statements := map[string]string{"insert": "INSERT INTO " + view + " (" + c.quoted + ") VALUES (NULL)",
		"update": "UPDATE " + view + " SET " + c.quoted + " = NULL", "delete": "DELETE FROM " + view}
	var refused []string
	for _, what := range in.a.table.Own.needed([]string{"insert", "update", "delete"}) {
		prepared, err := in.a.db.write.PrepareContext(ctx, statements[what])
		if err == nil {
			err = prepared.Close()
		}
		if code, _, _ := codeOf(err); code == nil || d.classify(err).busy {
			if err != nil {
				return err
			}
			continue
		}
		if d.classify(err).kind != adapters.Denied { // which rights say
			refused = append(refused, what)
		}
	}
	if len(refused) > 0 {
		in.say(t.name, "", true, "this view does not take %s; say the statements for it, or [] where clients cannot", strings.Join(refused, ", "))
	}
	return nil
}

// plainColumn is a column of the view that a field is, other than its key.
func (in *inspection) plainColumn(t *schema) *column {
	for i, name := range in.a.caps.Shape.Names() {
		if c := t.column(name); c != nil && in.a.relations[i] == nil && in.a.children[i] == nil && !in.a.isKey(name) {
			return c
		}
	}
	return nil
}

func wordLength(text string) int {
	if found := identifier.FindStringIndex(text); found != nil && found[0] == 0 {
		return found[1]
	}
	return min(1, len(text))
}

// called asks MariaDB for a procedure and its parameters: it prepares a CALL of what is
// not there, and of too few values.
func (a *Adapter) called(ctx context.Context, s session, c *ownCall) ([]steps.Problem, error) {
	if c.kind != named.MariaDB || c.statement.Verb != "CALL" || c.statement.Target == "" {
		return nil, nil
	}
	parts := strings.Split(strings.ReplaceAll(c.statement.Target, "`", ""), ".")
	name := strings.TrimSpace(parts[len(parts)-1])
	where, args := "DATABASE()", []any{}
	if len(parts) > 1 {
		where, args = "?", append(args, strings.TrimSpace(parts[0]))
	}
	wants := map[string]int{}
	err := eachText(ctx, s, `SELECT r.routine_name, (SELECT count(*) FROM information_schema.parameters AS p WHERE p.specific_schema = r.routine_schema AND p.specific_name = r.specific_name)
	FROM information_schema.routines AS r WHERE r.routine_type = 'PROCEDURE' AND r.routine_schema = `+where, func(row []string) {
		wants[strings.ToLower(row[0])], _ = strconv.Atoi(row[1])
	}, args...)
	n, there := wants[strings.ToLower(name)]
	if err != nil || there && n == c.statement.Arguments {
		return nil, err
	}
	p := steps.Problem{At: c.at, Offset: max(strings.Index(c.at.Value, c.statement.Target), 0), Length: len(c.statement.Target)}
	if there {
		p.Message, p.Hint = fmt.Sprintf("the procedure %s takes %d values, and it is given %d", name, n, c.statement.Arguments), "a value that it gives back is one, too: @id"
	} else {
		p.Message = fmt.Sprintf("there is no procedure %s that this credential may call", name)
		p.Hint = strings.TrimPrefix(meant(name, slices.Sorted(maps.Keys(wants))), "; ")
	}
	return []steps.Problem{p}, nil
}
