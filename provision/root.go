package provision

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/postern/postern/scim"
)

// A Part is what a query over several resource types means for one of them. The
// window of its Search is not used.
type Part struct {
	Call   Call
	Search Search
}

// ListAll queries several resource types as if they were one list (RFC 7644
// section 3.4.2.1). Without a sort the types follow one another.
func (s *Service) ListAll(ctx context.Context, parts []Part, start, count int) (List, error) {
	start, count = max(start, 1), max(count, 0)
	out, err := List{}, error(nil)
	if slices.ContainsFunc(parts, func(p Part) bool { return p.Search.SortBy != nil }) {
		out, err = s.merged(ctx, parts, start, count)
	} else {
		out, err = s.joined(ctx, parts, start, count)
	}
	out.StartIndex = start
	return out, err
}

// joined lists one type after the other. The window of each begins where the
// types before it end.
func (s *Service) joined(ctx context.Context, parts []Part, start, count int) (out List, err error) {
	for _, p := range parts {
		q := p.Search
		q.StartIndex, q.Count = max(start-out.Total, 1), count-len(out.Resources)
		l, err := s.List(ctx, p.Call, q)
		if err != nil {
			return List{}, err
		}
		out.Total += l.Total
		out.Resources = append(out.Resources, l.Resources...)
	}
	return out, nil
}

// merged sorts over all types: the first so many of each type are enough to know
// the first so many of all.
func (s *Service) merged(ctx context.Context, parts []Part, start, count int) (out List, err error) {
	most := start - 1 + count
	if count == 0 {
		most = 0
	}
	if most > s.scan {
		return List{}, scim.Bad(scim.TooMany, "A sorted query over all resource types reaches no further than %d resources; ask one type at a time.", s.scan)
	}
	var all []sorted
	for _, p := range parts {
		q := p.Search
		q.StartIndex, q.Count = 1, most
		p.Call.Sorts = q.SortBy
		l, err := s.List(ctx, p.Call, q)
		if err != nil {
			return List{}, err
		}
		out.Total += l.Total
		for _, r := range l.Resources {
			n := sorted{resource: r}
			if q.SortBy != nil {
				n.key = scim.SortKeyOf(r, q.SortBy)
			}
			all = append(all, n)
		}
	}
	descending := parts[0].Search.Descending
	slices.SortStableFunc(all, func(a, b sorted) int {
		if descending {
			return b.key.Compare(a.key)
		}
		return a.key.Compare(b.key)
	})
	all = all[min(start-1, len(all)):]
	for _, n := range all[:min(count, len(all))] {
		out.Resources = append(out.Resources, n.resource)
	}
	return out, nil
}

// A sorted is a resource and what it is sorted by.
type sorted struct {
	resource *scim.Resource
	key      scim.SortKey
}

// ListAllAfter is ListAll by cursor (RFC 9865), as ListAfter is List.
func (s *Service) ListAllAfter(ctx context.Context, parts []Part, count int, position string) (List, error) {
	if slices.ContainsFunc(parts, func(p Part) bool { return p.Search.SortBy != nil }) {
		return s.mergedAfter(ctx, parts, count, position)
	}
	at, inner, _ := strings.Cut(position, " ")
	first := 0
	out := List{Total: UnknownTotal}
	if position == "" {
		total, err := s.totalOf(ctx, parts)
		if err != nil {
			return List{}, err
		}
		out.Total = total
	} else if n, err := strconv.Atoi(at); err != nil || n < 0 || n >= len(parts) {
		return List{}, badCursor()
	} else {
		first = n
	}
	for i := first; i < len(parts) && len(out.Resources) < count; i++ {
		p := parts[i]
		p.Search.Count = count - len(out.Resources)
		l, err := s.continued(ctx, p, inner)
		if err != nil {
			return List{}, err
		}
		out.Resources = append(out.Resources, l.Resources...)
		switch inner = ""; {
		case l.Next != "":
			out.Next = strconv.Itoa(i) + " " + l.Next
			return out, nil
		case i+1 < len(parts):
			out.Next = strconv.Itoa(i+1) + " "
		default:
			out.Next = ""
		}
	}
	return out, nil
}

// continued is ListAfter without a total.
func (s *Service) continued(ctx context.Context, p Part, position string) (List, error) {
	t := s.target(p.Call)
	kind, at, _ := strings.Cut(position, " ")
	if position != "" && kind != atCursor {
		return List{}, badCursor()
	}
	out, err := s.walkList(ctx, p.Call, t, p.Search, at)
	if err != nil {
		return List{}, s.fail(ctx, t, err)
	}
	t.stamp(t.plan(p.Call), out.Resources...)
	return out, nil
}

func (s *Service) totalOf(ctx context.Context, parts []Part) (int, error) {
	total := 0
	for _, p := range parts {
		p.Search.StartIndex, p.Search.Count = 1, 0
		l, err := s.List(ctx, p.Call, p.Search)
		if isTooMany(err) {
			return UnknownTotal, nil
		}
		if err != nil {
			return 0, err
		}
		total += l.Total
	}
	return total, nil
}

func (s *Service) mergedAfter(ctx context.Context, parts []Part, count int, position string) (List, error) {
	from := 0
	if kind, at, _ := strings.Cut(position, " "); position != "" {
		n, err := strconv.Atoi(at)
		if kind != atOffset || err != nil || n < 0 {
			return List{}, badCursor()
		}
		from = n
	}
	out, err := s.merged(ctx, parts, from+1, count)
	if end := from + count; err == nil && count > 0 && end < out.Total {
		out.Next = atOffset + " " + strconv.Itoa(end)
	}
	return out, err
}
