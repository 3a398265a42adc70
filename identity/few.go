package identity

// Most requests ask about one id, or about the handful of links that one resource
// has. Statements that take those one by one, without a JSON array to read, cost
// about two thirds. They answer what qLinks and qListed answer.
const (
	// qID is qIDs for the only id ?4 as if it were primary, with the number of the link
	// first, and in no order.
	qID query = `
SELECT l.nr, e.identity, e.type, e.is_primary, e.deletion_required, e.id, e.externalid, e.created,
    l.backend, l.key, l.is_primary, coalesce(l.birth, ''), l.created, coalesce(l.modified, 0)
FROM external_id AS e
CROSS JOIN link AS l ON l.identity = e.identity
WHERE e.tenant = ?1 AND e.id = ?4 AND e.client = ?2 AND (?3 = '' OR e.type = ?3) AND e.state = 'live'`

	// The statements for one, two, four and eight links: ?1 tenant, ?2 client, then
	// type, backend and key of each. Links that are too many have the key NULL.
	linksBegin = `
WITH g (n, type, backend, key) AS (VALUES (0, ?3, ?4, ?5)`
	linksTwo   = `, (1, ?6, ?7, ?8)`
	linksFour  = linksTwo + `, (2, ?9, ?10, ?11), (3, ?12, ?13, ?14)`
	linksEight = linksFour + `, (4, ?15, ?16, ?17), (5, ?18, ?19, ?20), (6, ?21, ?22, ?23), (7, ?24, ?25, ?26)`
	linksEnd   = `)
SELECT 0, g.n, l.identity, l.is_primary, coalesce(e.id, ''), coalesce(e.externalid, ''), coalesce(e.created, 0), coalesce(l.birth, ''),
    l.created, coalesce(l.modified, 0), CASE WHEN e.nr IS NULL THEN (SELECT state FROM identity WHERE id = l.identity) ELSE '' END
FROM g
CROSS JOIN link AS l ON l.tenant = ?1 AND l.type = g.type AND l.key = g.key AND l.backend = g.backend
LEFT JOIN external_id AS e ON e.identity = l.identity AND e.client = ?2 AND e.is_primary = 1 AND e.state = 'live'`

	qLinks1  query = linksBegin + linksEnd
	qLinks2  query = linksBegin + linksTwo + linksEnd
	qLinks4  query = linksBegin + linksFour + linksEnd
	qLinks8  query = linksBegin + linksEight + linksEnd
	qListed1       = qLinks1 + anyHidden
	qListed2       = qLinks2 + anyHidden
	qListed4       = qLinks4 + anyHidden
	qListed8       = qLinks8 + anyHidden
)

// The three inserts of qNewIdentities, qNewLinks and qNewIDs for one record, as of
// every POST.
const (
	qNewIdentity query = `
INSERT INTO identity (id, tenant, type, state, created, since) VALUES (?4, ?1, ?5, ?2, ?3, ?3)`

	// qNewPerson is qNewIdentity for a record with the key ?6 in backend ?7, unless it
	// is linked already.
	qNewPerson query = `
INSERT INTO identity (id, tenant, type, state, created, since) SELECT ?4, ?1, ?5, ?2, ?3, ?3
WHERE NOT EXISTS (SELECT 1 FROM link WHERE tenant = ?1 AND type = ?5 AND key = ?6 AND backend = ?7)`

	qNewLink query = `
INSERT INTO link (identity, tenant, type, backend, key, is_primary, created) VALUES (?3, ?1, ?4, ?5, ?6, 1, ?2)`
	qNewID query = `
INSERT INTO external_id (tenant, client, type, id, own, identity, state, is_primary, deletion_required, externalid, created, since)
VALUES (?1, ?2, ?5, ?6, ?7, ?4, 'live', 1, 0, nullif(?8, ''), ?3, ?3)`
)

// insert enters rows by the statement for one, which takes the columns of a row
// after the other arguments, or by that for many.
func (x *session) insert(one, many query, rows [][]any, args ...any) error {
	if len(rows) == 1 {
		_, err := x.exec(one, append(args, rows[0]...)...)
		return err
	}
	_, err := x.exec(many, append(args, list(rows))...)
	return err
}

// fewLinks is up to how many links there are such statements.
const fewLinks = 8

func fewQueries() []query {
	return []query{qID, qLinks1, qLinks2, qLinks4, qLinks8, qListed1, qListed2, qListed4, qListed8}
}

// few answers the statement that looks up links in place of q, qLinks or
// qListed, and how many it takes.
func (q query) few(links int) (query, int) {
	listed := q == qListed
	switch {
	case links == 1 && listed:
		return qListed1, 1
	case links == 1:
		return qLinks1, 1
	case links == 2 && listed:
		return qListed2, 2
	case links == 2:
		return qLinks2, 2
	case links <= 4 && listed:
		return qListed4, 4
	case links <= 4:
		return qLinks4, 4
	case listed:
		return qListed8, 8
	}
	return qLinks8, 8
}

// linkArguments are the parameters of q for links, and the groups in whose words
// its rows speak.
func (q query) linkArguments(d Domain, links []Link) (query, []any, []linkGroup) {
	if len(links) > fewLinks {
		groups := groupLinks(links)
		return q, []any{d.Tenant, d.Client, list(groups)}, groups
	}
	q, n := q.few(len(links))
	args := make([]any, 2, 2+3*n)
	args[0], args[1] = d.Tenant, d.Client
	only := linkGroup{at: make([]int, len(links))}
	for i, l := range links {
		args = append(args, l.Type, l.Backend, storedKey(l.Key))
		only.at[i] = i
	}
	return q, append(args, make([]any, 2+3*n-len(args))...), []linkGroup{only}
}

// lookups are the statements that each request sends: they find by indexes, and as
// many rows as a page has at most.
var lookups = func() map[query]bool {
	all := map[query]bool{qLinks: true, qListed: true, qIDs: true, qExternalID: true, qVeil: true}
	for _, q := range fewQueries() {
		all[q] = true
	}
	return all
}()
