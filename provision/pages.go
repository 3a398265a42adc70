package provision

import (
	"context"
	"strconv"
	"strings"

	"github.com/postern/postern/adapters"
)

// pages reads a list to its end. Where the backend has no cursors it goes on at
// an offset; where it has neither, the first page is all there is. f is told
// where the list goes on, "" at the end, which from takes up again.
func (t *target) pages(ctx context.Context, q adapters.Query, f func(pg adapters.Page, next string) error) error {
	return t.pagesFrom(ctx, t.Adapter, "", q, f)
}

func (t *target) pagesFrom(ctx context.Context, a adapters.Adapter, from string, q adapters.Query, f func(pg adapters.Page, next string) error) error {
	for {
		pg, next, err := t.step(ctx, a, from, q)
		if err != nil {
			return err
		}
		if err := f(pg, next); err != nil || next == "" {
			return err
		}
		from, q.Total = next, false
	}
}

// step reads one page from where an earlier one ended, "" for the beginning, and
// answers where it ends, "" if that is the end.
func (t *target) step(ctx context.Context, a adapters.Adapter, from string, q adapters.Query) (pg adapters.Page, next string, err error) {
	if cursor, ok := strings.CutPrefix(from, "cursor "); ok {
		q.Cursor, q.Offset = cursor, 0
	} else if offset, ok := strings.CutPrefix(from, "offset "); ok {
		q.Offset, _ = strconv.Atoi(offset) // our own
	}
	if pg, err = a.List(ctx, q); err != nil {
		return pg, "", err
	}
	switch {
	case pg.Next != "":
		next = "cursor " + pg.Next
	case q.Cursor == "" && len(pg.Records) == q.Limit && t.caps.Offset:
		next = "offset " + strconv.Itoa(q.Offset+len(pg.Records))
	}
	return pg, next, nil
}
