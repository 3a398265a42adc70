package draft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/adapters/sql"
)

// A Database is what is known of one.
type Database struct {
	Tables []sql.Surveyed
	DSN    string // as it is written in the configuration
	// Few lists the values of a column, none if they are many.
	Few func(table, column string) []string
}

// Table finds a table, nil if there is none.
func (d *Database) Table(name string) *sql.Surveyed {
	i := slices.IndexFunc(d.Tables, func(t sql.Surveyed) bool { return strings.EqualFold(t.Name, name) })
	if i < 0 {
		return nil
	}
	return &d.Tables[i]
}

// People proposes the table that holds the users, "" if none looks like it.
func (d *Database) People() string {
	best, most := "", 1
	for _, t := range d.Tables {
		found, _ := matched(names(&t))
		score := 2 * len(found)
		if slices.Contains(peopleTables, bare(t.Name)) {
			score += 5
		}
		if len(found) > 0 && score > most {
			best, most = t.Name, score
		}
	}
	return best
}

// A Membership is a table of groups and the join table between it and the users.
type Membership struct{ Groups, Join, Group, User string } // the last two are columns of Join

// Memberships lists the tables that may hold groups of these users, the likeliest
// first.
func (d *Database) Memberships(users string) []Membership {
	var likely, others []Membership
	for _, t := range d.Tables {
		links := d.links(&t)
		for _, u := range links {
			if !strings.EqualFold(u.Table, users) {
				continue
			}
			for _, g := range links {
				if g.Column == u.Column || strings.EqualFold(g.Table, users) || len(t.Columns) > 6 {
					continue
				}
				m := Membership{Groups: g.Table, Join: t.Name, Group: g.Column, User: u.Column}
				if slices.Contains(groupTables, bare(g.Table)) {
					likely = append(likely, m)
				} else {
					others = append(others, m)
				}
			}
		}
	}
	return append(likely, others...)
}

// links are a table's foreign keys: those that are declared, or else the columns
// that are called like the key of another table.
func (d *Database) links(t *sql.Surveyed) []sql.Foreign {
	if len(t.Foreign) > 0 {
		return t.Foreign
	}
	var out []sql.Foreign
	for _, other := range d.Tables {
		if other.Name == t.Name || len(other.Key) != 1 {
			continue
		}
		for _, c := range t.Columns {
			n, key := bare(c.Name), bare(other.Key[0])
			if n == key && key != "id" || n == bare(other.Name)+key || n == strings.TrimSuffix(bare(other.Name), "s")+key {
				out = append(out, sql.Foreign{Column: c.Name, Table: other.Name, Target: other.Key[0]})
			}
		}
	}
	return out
}

func names(t *sql.Surveyed) []string {
	var out []string
	for _, c := range t.Columns {
		out = append(out, c.Name)
	}
	return out
}

// Propose writes a configuration for the users of a table, and groups if there are
// some.
func (d *Database) Propose(s Setting, users string, groups *Membership) string {
	p := &page{}
	t := d.Table(users)
	p.head(s, "SCIM in front of the table "+t.Name+".")
	p.line(0, "backends:")
	if strings.Contains(d.DSN, "@") && !strings.Contains(d.DSN, "${") {
		p.line(1, "# look: the password stands here for all to read; \"${env:NAME}\" would take the whole dsn from the environment")
	}
	p.line(1, "%s: {type: sql, dsn: %s, timeout: 5s}", scalar(s.Backend), quotedDSN(d.DSN))
	p.line(0, "")
	p.line(0, "resources:")
	d.users(p, s, t, groups)
	if groups != nil {
		d.groups(p, s, groups)
	}
	return p.String()
}

func quotedDSN(dsn string) string { return `"` + strings.ReplaceAll(dsn, `"`, `\"`) + `"` }

// fields are the columns that become attributes: no keys, and no secrets.
func (d *Database) fields(t *sql.Surveyed) []string {
	return slices.DeleteFunc(names(t), func(n string) bool {
		foreign := slices.ContainsFunc(t.Foreign, func(f sql.Foreign) bool { return f.Column == n })
		generated := slices.Contains(t.Key, n) && (!isText(t.Column(n)) || t.Column(n).Default != "")
		return foreign || generated || slices.Contains(secretNames, bare(n))
	})
}

func isText(c *sql.SurveyedColumn) bool {
	return strings.Contains(c.Type, "char") || strings.Contains(c.Type, "text") || strings.Contains(c.Type, "clob") || c.Type == "name" || c.Type == ""
}

func (d *Database) users(p *page, s Setting, t *sql.Surveyed, groups *Membership) {
	p.line(1, "User:")
	pairs, rest := matched(d.fields(t))
	pairs, mail := withUserName(pairs)
	manager := d.manager(t)
	if manager != "" || slices.ContainsFunc(pairs, func(x pair) bool { return strings.HasPrefix(x.attribute, "enterprise:") }) {
		p.line(2, "extensions: [EnterpriseUser]")
	}
	d.target(p, s, t)
	d.scope(p, t, rest)
	p.line(2, "attributes:")
	if len(pairs) == 0 || pairs[0].attribute != "userName" {
		p.line(3, "userName: %s      # look: no column is called like a login", scalar(d.anyText(t)))
	}
	for _, x := range pairs {
		note := ""
		if x.attribute == "userName" && mail {
			note = "      # look: no column is called like a login, so it is the address"
		}
		p.line(3, "%s: %s%s", x.attribute, scalar(x.field), note)
	}
	rest = d.active(p, t, rest)
	if manager != "" {
		p.line(3, "enterprise:manager.value: {name: %s, refers: User}", scalar(manager))
	}
	if groups != nil {
		p.line(3, "groups: {table: %s, owner: %s, member: %s, refers: Group}", scalar(groups.Join), scalar(groups.User), scalar(groups.Group))
	}
	d.left(p, t, rest, manager)
}

// withUserName puts an address in place of a login that is not there. The address
// stays what it is, too.
func withUserName(pairs []pair) ([]pair, bool) {
	if len(pairs) > 0 && pairs[0].attribute == "userName" {
		return pairs, false
	}
	for _, x := range pairs {
		if strings.HasPrefix(x.attribute, "emails") {
			return slices.Insert(pairs, 0, pair{"userName", x.field}), true
		}
	}
	return pairs, false
}

func (d *Database) anyText(t *sql.Surveyed) string {
	for _, c := range t.Columns {
		if isText(&c) {
			return c.Name
		}
	}
	return t.Columns[0].Name
}

func (d *Database) target(p *page, s Setting, t *sql.Surveyed) {
	key, note := t.Key, ""
	if len(key) == 0 {
		key = []string{t.Columns[0].Name}
		note = "      # look: the table has no primary key; what tells its rows apart?"
	}
	written := make([]string, len(key))
	for i, k := range key {
		written[i] = scalar(k)
	}
	one := strings.Join(written, ", ")
	if len(key) > 1 {
		one = "[" + one + "]"
	}
	p.line(2, "target:%s", note)
	p.line(3, "backend: %s", scalar(s.Backend))
	p.line(3, "table: %s", scalar(t.Name))
	p.line(3, "key: %s", one)
	if c := t.Column(key[0]); c != nil && isText(c) && c.Default == "" && len(t.Key) > 0 && !slices.Contains(d.fields(t), c.Name) {
		p.line(3, "# look: who makes the key of a new row? If the database does not: generated: false, and map an attribute to it")
	}
}

// scope proposes which rows to leave out, as a comment: nobody but the owner knows.
func (d *Database) scope(p *page, t *sql.Surveyed, rest []string) {
	for _, n := range scopeNames {
		c := called([]string{n}, rest)
		if c == "" {
			continue
		}
		if values := d.Few(t.Name, c); len(values) > 1 {
			p.line(3, "# look: %s holds %s. To leave some of these out of sight:", c, strings.Join(values, ", "))
			p.line(3, "# scope: %s", scalar(fmt.Sprintf("record.%s != %q", c, values[0])))
		}
	}
}

// active maps the column that says who may work, by what it holds.
func (d *Database) active(p *page, t *sql.Surveyed, rest []string) []string {
	name, on := called(activeNames, rest), true
	if name == "" {
		name, on = called(inactiveNames, rest), false
	}
	if name == "" {
		p.line(3, "# look: no column says who is active; without one, nobody can be disabled but only deleted")
		return rest
	}
	rest = slices.DeleteFunc(rest, func(r string) bool { return r == name })
	c := t.Column(name)
	if on && strings.HasPrefix(c.Type, "bool") {
		p.line(3, "active: {name: %s, default: true}", scalar(name))
		return rest
	}
	if !on && strings.HasPrefix(c.Type, "bool") {
		p.line(3, "active: {name: %s, values: {false: true, true: false}, default: true}", scalar(name))
		return rest
	}
	values, note := d.Few(t.Name, name), ""
	codes, sure := codesOf(values, on)
	if !sure {
		note = "      # look: which of them means active?"
	}
	p.line(3, "active: {name: %s, values: {%s}, default: true}%s", scalar(name), codes, note)
	return rest
}

// codesOf says what each value means. At least one means each of the two.
func codesOf(values []string, on bool) (string, bool) {
	if len(values) == 0 {
		values = []string{"1", "0"}
	}
	sure, yes, no := true, "", ""
	var active, inactive []string
	for _, v := range values {
		is, known := meaning(v)
		if sure = sure && known; is == on {
			active = append(active, v)
			yes = v
		} else {
			inactive = append(inactive, v)
			no = v
		}
	}
	opposite := map[string]string{"A": "L", "1": "0", "0": "1", "Y": "N", "N": "Y", "y": "n", "active": "inactive", "enabled": "disabled"}
	if yes == "" {
		sure, active = false, append(active, other(opposite[no], "active"))
	}
	if no == "" {
		sure, inactive = false, append(inactive, other(opposite[yes], "inactive"))
	}
	var out []string
	for _, v := range active {
		out = append(out, scalar(v)+": true")
	}
	for _, v := range inactive {
		out = append(out, scalar(v)+": false")
	}
	return strings.Join(out, ", "), sure
}

func other(v, fallback string) string {
	if v == "" {
		return fallback
	}
	return v
}

// manager is the column that refers to another user.
func (d *Database) manager(t *sql.Surveyed) string {
	for _, f := range t.Foreign {
		if strings.EqualFold(f.Table, t.Name) {
			return f.Column
		}
	}
	return called(managerNames, names(t))
}

// left says what is not mapped, and what of it a new row cannot do without.
func (d *Database) left(p *page, t *sql.Surveyed, rest []string, manager string) {
	var needed, free []string
	for _, n := range rest {
		switch c := t.Column(n); {
		case n == manager || slices.Contains(t.Key, n):
		case c.Required:
			needed = append(needed, n)
		default:
			free = append(free, n)
		}
	}
	for _, c := range t.Columns {
		if slices.Contains(secretNames, bare(c.Name)) {
			p.line(3, "# look: %s seems to be a secret and is left alone; for a password the client sends: password: {name: %s, out: '...'}", c.Name, scalar(c.Name))
			if c.Required {
				needed = append(needed, c.Name)
			}
		}
	}
	if len(needed) > 0 {
		p.line(3, "# look: a new row must have %s; map them, or set them by constants: {%s: ...} of the target", strings.Join(needed, ", "), needed[0])
	}
	if len(free) > 0 {
		p.line(3, "# not mapped: %s", strings.Join(free, ", "))
	}
}

func (d *Database) groups(p *page, s Setting, m *Membership) {
	t := d.Table(m.Groups)
	p.line(1, "Group:")
	d.target(p, s, t)
	p.line(2, "attributes:")
	fields := slices.DeleteFunc(names(t), func(n string) bool { return slices.Contains(t.Key, n) && !isText(t.Column(n)) })
	title, note := called(titleNames, fields), ""
	if title == "" {
		title, note = d.anyText(t), "      # look: no column is called like a name"
	}
	p.line(3, "displayName: {name: %s, uniqueness: server}%s", scalar(title), note)
	p.line(3, "members: {table: %s, owner: %s, member: %s, refers: User}", scalar(m.Join), scalar(m.Group), scalar(m.User))
	rest := slices.DeleteFunc(fields, func(n string) bool { return n == title || slices.Contains(t.Key, n) })
	d.left(p, t, rest, "")
}
