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
		if cursor, ok := strings.CutPrefix(from, "cursor "); ok {
			q.Cursor, q.Offset = cursor, 0
		} else if offset, ok := strings.CutPrefix(from, "offset "); ok {
			q.Offset, _ = strconv.Atoi(offset) // our own
		}
		pg, err := a.List(ctx, q)
		if err != nil {
			return err
		}
		switch {
		case pg.Next != "":
			from = "cursor " + pg.Next
		case q.Cursor == "" && len(pg.Records) == q.Limit && t.caps.Offset:
			from = "offset " + strconv.Itoa(q.Offset+len(pg.Records))
		default:
			from = ""
		}
		if err := f(pg, from); err != nil || from == "" {
			return err
		}
		q.Total = false
	}
}
