package file

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/postern/postern/adapters"
)

// Create implements adapters.Adapter. The pairs are written first: until the record
// is there, nobody sees them.
func (a *Adapter) Create(ctx context.Context, r adapters.Record, want adapters.Fields) (adapters.Record, error) {
	if err := ctx.Err(); err != nil {
		return adapters.Record{}, as("create", unavailable(err))
	}
	files := append(a.linkFiles(), a.main)
	var key adapters.Key
	err := a.b.alter(ctx, files, func(now holding) error {
		v, err := a.whole(now)
		if err != nil {
			return err
		}
		cells, lists, err := a.cells(r, "create")
		if err != nil {
			return err
		}
		var own []cell
		if key, own, err = a.newKey(v, r); err != nil {
			return err
		}
		if v.find(key) != nil {
			return fieldError(adapters.Exists, "create", a.keyName(), "the key is taken")
		}
		cells = slices.DeleteFunc(cells, func(c cell) bool { return slices.ContainsFunc(own, func(o cell) bool { return o.column == c.column }) })
		text, bad := v.c.form.write(v.c, nil, append(own, cells...))
		if bad != nil {
			return fieldError(adapters.Invalid, "create", a.fieldOf(bad.column), "%s", bad.why)
		}
		made := &row{text: text}
		e, err := a.made(v.c, made, "create")
		if err != nil {
			return err
		}
		if err := a.free(v, e, nil, "create"); err != nil {
			return err
		}
		next, err := v.c.with(nil, []*row{made})
		if err != nil {
			return err
		}
		a.becomes(v, next, nil, e)
		now.set(a.main, next)
		for _, l := range a.links {
			if err := l.rename(now, string(key), ""); err != nil { // left behind by another of that key
				return err
			}
			if err := l.relate(now, "create", string(key), lists[l.at], nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return adapters.Record{}, as("create", err)
	}
	return a.answer(ctx, "create", key, want)
}

// answer reads what was written.
func (a *Adapter) answer(ctx context.Context, op string, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	r, err := a.Get(context.WithoutCancel(ctx), key, want)
	if adapters.Is(err, adapters.NotFound) { // somebody else was faster
		return r, &adapters.Error{Kind: adapters.Conflict, Op: op, Err: err}
	}
	if err != nil {
		return r, &adapters.Error{Kind: adapters.Unavailable, Op: op, Err: err, Unsure: true}
	}
	return r, nil
}

// whole is what the file holds, if all of it can be read.
func (a *Adapter) whole(now holding) (*view, error) {
	v := a.viewOf(now.content(a.main))
	return v, v.whole()
}

// cells are the values of a record as its row holds them, and those of links.
func (a *Adapter) cells(r adapters.Record, op string) ([]cell, map[int][]string, error) {
	lists := map[int][]string{}
	var out []cell
	if r.IsZero() {
		return nil, lists, nil
	}
	for i, at := range a.positions {
		c, err := a.cell(at, a.columns[i], r.Get(a.columns[i]), op)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, c)
	}
	for _, l := range a.links {
		list, err := a.list(l.at, l.Field, r.Get(l.Field), op)
		if err != nil {
			return nil, nil, err
		}
		lists[l.at] = list
	}
	return out, lists, nil
}

// cell is a value for a field, or Invalid if it cannot be one.
func (a *Adapter) cell(at int, field string, v any, op string) (cell, error) {
	if a.caps.Fields[at].Multi {
		list, err := a.list(at, field, v, op)
		return cell{column: field, value: list}, err
	}
	switch v.(type) {
	case []string, []adapters.Record:
		if !adapters.NoValue(v) {
			return cell{}, fieldError(adapters.Invalid, op, field, "a list, where there is one value")
		}
		v = nil
	}
	return cell{column: field, value: v}, nil
}

// list is a value for a field that holds several: each once.
func (a *Adapter) list(_ int, field string, v any, op string) ([]string, error) {
	if adapters.NoValue(v) {
		return nil, nil
	}
	list, ok := v.([]string)
	if !ok {
		return nil, fieldError(adapters.Invalid, op, field, "no list, where there are several values")
	}
	var out []string
	for _, s := range list {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out, nil
}

// newKey is the key of a new record, and the cells that hold it.
func (a *Adapter) newKey(v *view, r adapters.Record) (adapters.Key, []cell, error) {
	switch a.t.Keys {
	case KeysNumber:
		n, left := a.next(v)
		if !left {
			return "", nil, adapters.Errorf(adapters.Internal, "create", "the highest key is the highest number that there is")
		}
		return adapters.Key(strconv.FormatInt(n, 10)), []cell{{column: a.t.Key[0], value: n, number: true}}, a.ungiven(r)
	case KeysUUID:
		id := uuid()
		return adapters.Key(id), []cell{{column: a.t.Key[0], value: id}}, a.ungiven(r)
	}
	parts := make([]string, len(a.t.Key))
	mapped := 0
	for i, k := range a.t.Key {
		if at := a.caps.Shape.Index(k); at >= 0 {
			parts[i] = adapters.Text(r.Get(k))
			mapped++
		}
	}
	if mapped < len(parts) {
		given, ok := adapters.SplitKey(r.Key, len(parts))
		if !ok {
			return "", nil, fieldError(adapters.Invalid, "create", adapters.KeyField, "the key has not the right number of parts")
		}
		parts = given
	}
	var own []cell
	for i, k := range a.t.Key {
		if parts[i] == "" {
			return "", nil, fieldError(adapters.Invalid, "create", a.fieldOf(k), "a record must have a key")
		}
		if a.caps.Shape.Index(k) < 0 {
			own = append(own, cell{column: k, value: parts[i]})
		}
	}
	return adapters.JoinKey(parts...), own, nil
}

func (a *Adapter) ungiven(r adapters.Record) error {
	if r.Key != "" {
		return adapters.Errorf(adapters.Invalid, "create", "keys are made here")
	}
	return nil
}

// next is a number that no record has, and that none has had since the start; false if
// there is none.
func (a *Adapter) next(v *view) (int64, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range v.sorted { // numbers come first
		n, ok := e.rank.Number()
		if !ok {
			break
		}
		a.highest = max(a.highest, n)
	}
	if a.highest == math.MaxInt64 {
		return 0, false
	}
	a.highest++
	return a.highest, true
}

// uuid is a UUID that begins with the time (RFC 9562, version 7), so that new records
// come last in the order of keys.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[8:]) // it never fails
	now := time.Now()
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16|0x7000|uint64(now.Nanosecond()%1e6)<<12/1e6)
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// made reads a row that was made: what is answered and compared is what will stand
// in the file.
func (a *Adapter) made(c *content, r *row, op string) (*entry, error) {
	e, err := a.entry(c, r)
	if err != nil {
		return nil, &adapters.Error{Kind: adapters.Invalid, Op: op, Err: err}
	}
	if _, err := encodeText(a.main.enc, r.text); err != nil {
		return nil, &adapters.Error{Kind: adapters.Invalid, Op: op, Err: err}
	}
	return e, nil
}

// free fails with Exists if another record has the key or a unique value of a new
// one. Values that the record had before are its own.
func (a *Adapter) free(v *view, e, before *entry, op string) error {
	for _, u := range a.t.Unique {
		at := a.caps.Shape.Index(u.Field)
		if at < 0 {
			continue
		}
		i := index{at, u.Folded}
		text := adapters.Text(e.rec.At(at))
		if text == "" || before != nil && i.text(adapters.Text(before.rec.At(at))) == i.text(text) {
			continue
		}
		if v.taken(i, text) {
			return fieldError(adapters.Exists, op, u.Field, "the value is taken")
		}
	}
	return nil
}

// Delete implements adapters.Adapter. Where others name the record in a list, it goes
// first, so that a later one of that key is not in it.
func (a *Adapter) Delete(ctx context.Context, key adapters.Key) error {
	if err := ctx.Err(); err != nil {
		return as("delete", unavailable(err))
	}
	files := append(a.referring(), append(a.linkFiles(), a.main)...)
	return as("delete", a.b.alter(ctx, files, func(now holding) error {
		v, err := a.whole(now)
		if err != nil {
			return err
		}
		e := v.find(key)
		if e == nil {
			return notFound("delete")
		}
		if err := a.follow(now, string(key), ""); err != nil {
			return err
		}
		v = a.viewOf(now.content(a.main)) // lists of the same file may have changed
		e = v.find(key)
		next, err := v.c.with(map[*row]*row{e.row: nil}, nil)
		if err != nil {
			return err
		}
		a.becomes(v, next, e, nil)
		now.set(a.main, next)
		return nil
	}))
}

// linkFiles are the files of pairs.
func (a *Adapter) linkFiles() []*source {
	var out []*source
	for _, l := range a.links {
		out = append(out, l.file)
	}
	return out
}

// fieldOf is the field to blame for a column.
func (a *Adapter) fieldOf(column string) string {
	if a.caps.Shape.Index(column) >= 0 {
		return column
	}
	return adapters.KeyField
}

// keyName is the field to blame for a key.
func (a *Adapter) keyName() string { return a.fieldOf(a.t.Key[0]) }
