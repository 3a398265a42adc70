package sql

import (
	"context"

	"github.com/postern/postern/adapters"
)

// Most changes of a group add members and do nothing else. In a file, where nobody
// else writes meanwhile, one statement finds the group, finds the members, and adds
// those who are not there. On a server one does, if an index sees to it that nobody is
// added twice (share.go).

// joins adds members so, and reports whether all were added: that they all exist,
// that none was a member before, and that the record is there. If not, whatever was
// added may stay, and why not is found out one by one.
func (u *update) joins(ctx context.Context, s session) (bool, error) {
	l, array, n := u.joining()
	if l == nil {
		return false, nil
	}
	return u.join(ctx, s, l, array, n)
}

func (u *update) join(ctx context.Context, s session, l *link, array string, n int) (bool, error) {
	from, _, value := l.d.list(l.member)
	key := u.p.key[0].ref
	b := newBuilder().add("INSERT INTO ", l.table, " (", l.owner.quoted, ", ", l.member.quoted, ") SELECT ", key, ", ", l.d.put(value),
		" FROM ", u.p.from, " CROSS JOIN ", from)
	b.args = append(b.args, array)
	b.add(" CROSS JOIN ", l.others)
	u.p.at(b, u.key)
	b.add(" AND ", l.d.exactly(l.target), " = ", value, " AND ").include(l.within)
	if d, ok := l.d.(sharing); ok {
		b.add(d.share(u.p.key[0].alias()), d.unless(l.owner.quoted, l.member.quoted))
	} else {
		b.add(" AND NOT EXISTS (SELECT 1 FROM ", l.table, " AS j WHERE ", l.owner.ref, " = ", key, " AND ", l.d.exactly(l.member), " = ", value, ")")
	}
	added, err := s.few(n).exec(ctx, string(b.text), b.args...)
	return err == nil && added == int64(n), l.refused("update", err)
}

// joining is the relation of such a change, and who joins; nil if the change is
// more than that.
func (u *update) joining() (l *link, array string, n int) {
	if len(u.members) != 1 || len(u.members[0].Remove) > 0 || len(u.p.key) != 1 || u.changes() ||
		len(u.lists) > 0 || len(u.held) > 0 || len(u.sides) > 0 {
		return nil, "", 0
	}
	l = u.p.links[u.a.caps.Shape.Index(u.members[0].Field)]
	if u.a.table.Distinct || l.triggered || l.own != nil || l.target == nil || l.held != l.target ||
		l.owner.kind != u.p.key[0].kind || l.target.kind != l.member.kind || u.a.db.remote && !u.shares(l) {
		return nil, "", 0
	}
	list, bad := l.elements(u.members[0].Add)
	array, err := jsonArray(list)
	if bad || err != nil || len(list) == 0 {
		return nil, "", 0
	}
	return l, array, len(list)
}

// shares reports whether members may be added while others add some as well.
func (u *update) shares(l *link) bool {
	_, ok := l.d.(sharing)
	return ok && l.paired && !u.p.schema.view && plainKey(l.owner) && plainKey(l.member)
}

// plainKey reports whether a column takes what one of the same kind holds, and an
// index on it takes for the same what is the same.
func plainKey(c *column) bool { return c.kind == integerKind || c.pg.plain }

// changes reports whether the row itself is written.
func (u *update) changes() bool {
	return len(u.to.columns)+len(u.looks) > 0 || len(u.a.table.Stamps.Change) > 0 && len(u.to.fields) > 0
}

// joined is the record after joins: nothing of it needs to be read, if nothing of
// it is wanted.
func (u *update) joined(ctx context.Context, s session, want adapters.Fields) (adapters.Record, error) {
	if columns, lists := u.p.wanted(want); len(columns)+len(lists) > 0 {
		return u.a.find(ctx, s, u.p, u.key, want)
	}
	return adapters.NewRecord(u.a.caps.Shape, u.key), nil
}
