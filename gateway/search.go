package gateway

import (
	"strings"

	"github.com/postern/postern/scim"
)

// postSearch answers POST .search under a resource type (RFC 7644 section
// 3.4.3): the query comes in the body, where no log of URLs sees it.
func (col *collection) postSearch(x *exchange) error {
	q, err := x.searchRequest()
	if err != nil {
		return err
	}
	return col.answerList(x, &q)
}

// searchRequest reads a SearchRequest. Its members mean what the parameters of a
// URL mean; null is "not given", and what is unknown is ignored.
func (x *exchange) searchRequest() (query, error) {
	n, err := x.body()
	if err != nil {
		return query{}, err
	}
	if n.Kind != scim.NodeObject {
		return query{}, scim.Bad(scim.InvalidSyntax, "A search is a JSON object, not %s.", n.Kind)
	}
	if err := listsURN(n, scim.SearchRequestMessage); err != nil {
		return query{}, err
	}
	var q query
	for _, m := range n.Members {
		if m.Value.Kind == scim.NodeNull {
			continue
		}
		if err := q.member(m.Name, m.Value); err != nil {
			return query{}, err
		}
	}
	return q, nil
}

// listsURN checks that a message says what it is.
func listsURN(n scim.Node, urn string) error {
	schemas, _ := n.Find("schemas")
	for _, u := range schemas.Items {
		if u.Kind == scim.NodeString && strings.EqualFold(u.Str, urn) {
			return nil
		}
	}
	return scim.Bad(scim.InvalidSyntax, "schemas must be an array that lists %q.", urn)
}

func (q *query) member(name string, v scim.Node) error {
	texts := map[string]*param{"filter": &q.filter, "sortby": &q.sortBy, "sortorder": &q.sortOrder, "cursor": &q.cursor}
	numbers := map[string]*param{"startindex": &q.startIndex, "count": &q.count}
	lists := map[string]*[]string{"attributes": &q.attributes, "excludedattributes": &q.excluded}
	low := strings.ToLower(name)
	if p := texts[low]; p != nil {
		return p.take(name, v, scim.NodeString)
	}
	if p := numbers[low]; p != nil {
		return p.take(name, v, scim.NodeNumber)
	}
	if l := lists[low]; l != nil {
		return takeNames(l, name, v)
	}
	return nil
}

func (p *param) take(name string, v scim.Node, kind scim.NodeKind) error {
	if v.Kind != kind {
		return scim.Bad(scim.InvalidSyntax, "%s must be %s, not %s.", name, kind, v.Kind)
	}
	p.text, p.given = v.Str, true
	return nil
}

// takeNames reads a list of attribute names. One string, as it would stand in a
// URL, is taken as well.
func takeNames(to *[]string, name string, v scim.Node) error {
	items := v.Items
	if v.Kind == scim.NodeString {
		items = nil
		for s := range strings.SplitSeq(v.Str, ",") {
			items = append(items, scim.Node{Kind: scim.NodeString, Str: strings.TrimSpace(s)})
		}
	} else if v.Kind != scim.NodeArray {
		return scim.Bad(scim.InvalidSyntax, "%s must be an array of attribute names, not %s.", name, v.Kind)
	}
	for _, i := range items {
		if i.Kind != scim.NodeString {
			return scim.Bad(scim.InvalidSyntax, "%s must be an array of attribute names; one of them is %s.", name, i.Kind)
		}
		if i.Str != "" {
			*to = append(*to, i.Str)
		}
	}
	return nil
}
