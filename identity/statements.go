package identity

// A query is the text of a statement, in SQLite's words; a dialect has its own for
// what others say otherwise. All of them are here; parameters are
// numbered, so that another dialect needs no new order of arguments. Lists go in
// as one JSON array, so that a batch of any size is one prepared statement.
type query string

// Reading. Every one of them is also prepared on the writer, for use in a transaction.
const (
	// qLinks: ?1 tenant, ?2 client, ?3 groups [{"t": type, "b": backend, "k": [key]}].
	qLinks query = `
WITH g AS MATERIALIZED (
    SELECT key AS n, value ->> 't' AS type, value ->> 'b' AS backend, value -> 'k' AS keys FROM json_each(?3))
SELECT g.n, k.key, l.identity, l.is_primary, coalesce(e.id, ''), coalesce(e.externalid, ''), coalesce(e.created, 0), coalesce(l.birth, ''),
    l.created, coalesce(l.modified, 0), CASE WHEN e.nr IS NULL THEN (SELECT state FROM identity WHERE id = l.identity) ELSE '' END
FROM g
CROSS JOIN json_each(g.keys) AS k
CROSS JOIN link AS l ON l.tenant = ?1 AND l.type = g.type AND l.key = k.value AND l.backend = g.backend
LEFT JOIN external_id AS e ON e.identity = l.identity AND e.client = ?2 AND e.is_primary = 1 AND e.state = 'live'`

	// qListed is qLinks with one row more, of group -1, if any record of the tenant
	// may have to stay out of a list.
	qListed = qLinks + anyHidden

	anyHidden = `
UNION ALL
SELECT -1, 0, '', 0, '', '', 0, '', 0, 0, ''
WHERE EXISTS (SELECT 1 FROM link WHERE tenant = ?1 AND is_primary = 0)
    OR EXISTS (SELECT 1 FROM identity WHERE tenant = ?1 AND state = 'held')`

	// qIDs: ?1 tenant, ?2 client, ?3 type or '', ?4 [id]. A row per link.
	qIDs query = `
SELECT k.key, e.identity, e.type, e.is_primary, e.deletion_required, p.id, p.externalid, p.created,
    l.backend, l.key, l.is_primary, coalesce(l.birth, ''), l.created, coalesce(l.modified, 0)
FROM json_each(?4) AS k
CROSS JOIN external_id AS e ON e.tenant = ?1 AND e.id = k.value AND e.client = ?2
    AND (?3 = '' OR e.type = ?3) AND e.state = 'live'
CROSS JOIN external_id AS p ON p.identity = e.identity AND p.client = ?2 AND p.is_primary = 1 AND p.state = 'live'
CROSS JOIN link AS l ON l.identity = e.identity
ORDER BY k.key, e.nr, l.is_primary DESC, l.nr`

	// qExternalID: ?1 tenant, ?2 client, ?3 type or '', ?4 externalId. Columns as qIDs.
	qExternalID query = `
SELECT p.nr, p.identity, p.type, p.is_primary, p.deletion_required, p.id, p.externalid, p.created,
    l.backend, l.key, l.is_primary, coalesce(l.birth, ''), l.created, coalesce(l.modified, 0)
FROM external_id AS p
CROSS JOIN link AS l ON l.identity = p.identity
WHERE p.tenant = ?1 AND p.client = ?2 AND p.externalid = ?4
    AND (?3 = '' OR p.type = ?3) AND p.is_primary = 1 AND p.state = 'live'
ORDER BY p.nr, l.is_primary DESC, l.nr`

	// qUnseen: which of the ids ?4 may be keys of records that the client ?2 has
	// not met: no id of this name was ever given, and no record of this key has
	// another id.
	qUnseen query = `
SELECT k.key FROM json_each(?4) AS k
WHERE NOT EXISTS (SELECT 1 FROM external_id AS e
        WHERE e.tenant = ?1 AND e.id = k.value AND e.client = ?2 AND (e.type = ?3 OR e.own = 0))
    AND NOT EXISTS (SELECT 1 FROM link AS l
        JOIN identity AS i ON i.id = l.identity
        WHERE l.tenant = ?1 AND l.type = ?3 AND l.key = k.value AND (i.state <> 'live' OR EXISTS (
            SELECT 1 FROM external_id AS e WHERE e.identity = i.id AND e.client = ?2 AND e.state = 'live')))`

	// qTaken: which of the ids ?4 were ever given to client ?2, so that an existing
	// id of type ?3 must differ.
	qTaken query = `
SELECT k.value FROM json_each(?4) AS k
WHERE EXISTS (SELECT 1 FROM external_id AS e
    WHERE e.tenant = ?1 AND e.id = k.value AND e.client = ?2 AND (e.type = ?3 OR e.own = 0))`

	// qVeil: the version of what merges keep out of lists of ?3 type, ?4 backend, and
	// the keys that client ?2 is not to see yet, as one JSON array.
	qVeil query = `
SELECT coalesce((SELECT version FROM veil WHERE tenant = ?1 AND type = ?3 AND backend = ?4), 0), (
    SELECT json_group_array(l.key) FROM identity AS i
    CROSS JOIN link AS l ON l.identity = i.id
    WHERE i.tenant = ?1 AND i.type = ?3 AND i.state = 'held' AND l.backend = ?4 AND l.is_primary = 1
        AND NOT EXISTS (SELECT 1 FROM external_id AS e
            WHERE e.identity = i.id AND e.client = ?2 AND e.is_primary = 1 AND e.state = 'live'))`

	// qMerged: the keys that merges keep out of lists, with the version that qVeil
	// tells. One JSON array: a row for each would cost more than all else.
	qMerged query = `
SELECT coalesce((SELECT version FROM veil WHERE tenant = ?1 AND type = ?2 AND backend = ?3), 0), (
    SELECT json_group_array(key) FROM link WHERE tenant = ?1 AND type = ?2 AND backend = ?3 AND is_primary = 0)`

	qIntents query = `
SELECT nr, tenant, client, existing, type, backend, kind, identity, keys, attribute, value, externalid, follow, node, state, tries, note, begun, since,
    coalesce((SELECT n.until FROM node AS n WHERE n.name = journal.node), 0)
FROM journal WHERE tenant = ?1 ORDER BY nr`

	// qRef: the identities that a reference ?2 names in tenant ?1.
	qRef query = `
SELECT id FROM identity WHERE id = ?2 AND tenant = ?1 AND state <> 'gone'
UNION
SELECT identity FROM external_id WHERE tenant = ?1 AND id = ?2 AND state = 'live'`

	qIdentities query = `SELECT id, tenant, type, state, created FROM identity WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id`
	qLinksOf    query = `SELECT nr, identity, backend, key, is_primary FROM link WHERE identity IN (SELECT value FROM json_each(?1)) ORDER BY nr`
	qIDsOf      query = `SELECT nr, identity, client, id, is_primary, deletion_required FROM external_id WHERE identity IN (SELECT value FROM json_each(?1)) AND state = 'live' ORDER BY nr`
	qLinkAt     query = `SELECT nr, identity, is_primary, created, coalesce(birth, '') FROM link WHERE tenant = ?1 AND type = ?2 AND key = ?3 AND backend = ?4`
	qPage       query = `SELECT id FROM identity WHERE tenant = ?1 AND (?2 = '' OR type = ?2) AND state <> 'gone' AND id > ?3 ORDER BY id LIMIT ?4`
	qPending    query = `
SELECT e.nr, e.client, e.type, e.id, e.identity, coalesce(p.id, ''), e.since
FROM external_id AS e
LEFT JOIN external_id AS p ON p.identity = e.identity AND p.client = e.client AND p.is_primary = 1 AND p.state = 'live'
WHERE e.tenant = ?1 AND (?2 = '' OR e.client = ?2) AND e.since < ?3 AND e.deletion_required = 1 AND e.state = 'live'
ORDER BY e.since, e.nr`

	// qTasks: the open tasks of tenant ?1, with the link as it is now.
	qTasks query = `
SELECT t.nr, t.move, t.kind, t.identity, i.type, t.tries, t.note, t.since, t.link,
    l.identity, coalesce(l.backend, ''), l.key, coalesce(l.is_primary, 0),
    (SELECT p.key FROM link AS p WHERE p.identity = l.identity AND p.backend = l.backend AND p.is_primary = 1),
    EXISTS (SELECT 1 FROM move AS u WHERE u.undoes = t.move)
FROM task AS t
JOIN identity AS i ON i.id = t.identity
LEFT JOIN link AS l ON l.nr = t.link
WHERE t.tenant = ?1 AND t.state = 'open'
ORDER BY t.nr`

	scanColumns = `nr, tenant, type, backend, attribute, gives, begun, ended, stage, cursor, steps, total, managed, unmanaged, conflicting, vanished, outside`

	qScanOpen query = `SELECT ` + scanColumns + ` FROM scan WHERE tenant = ?1 AND type = ?2 AND backend = ?3 AND stage IN ('records', 'links')`
	qScans    query = `SELECT ` + scanColumns + ` FROM scan WHERE tenant = ?1 AND nr < ?2 ORDER BY nr DESC LIMIT ?3`
	qFindings query = `
SELECT f.nr, f.situation, f.key, f.other, s.type, s.backend, coalesce(l.identity, '')
FROM scan AS s
CROSS JOIN finding AS f ON f.scan = s.nr AND f.nr > ?3
LEFT JOIN link AS l ON l.tenant = s.tenant AND l.type = s.type AND l.key = f.key AND l.backend = s.backend
WHERE s.nr = ?2 AND s.tenant = ?1
ORDER BY f.nr LIMIT ?4`
	// qLinked: which of the keys ?5 were linked before ?4.
	qLinked query = `
SELECT k.value FROM json_each(?5) AS k
CROSS JOIN link AS l ON l.tenant = ?1 AND l.type = ?2 AND l.key = k.value AND l.backend = ?3
WHERE l.created < ?4`
	// qMarked: where scan ?4 has met the marks ?5.
	qMarked query = `
SELECT s.mark, s.key FROM json_each(?5) AS k
CROSS JOIN sighting AS s INDEXED BY sighting_mark ON s.tenant = ?1 AND s.type = ?2 AND s.backend = ?3 AND s.mark = k.value AND s.mark <> ''
WHERE s.scan = ?4`
	// qUnmet: links after key ?4, older than ?5, that scan ?6 has not met.
	qUnmet query = `
SELECT l.key FROM link AS l
WHERE l.tenant = ?1 AND l.type = ?2 AND l.key > ?4 AND l.backend = ?3 AND l.created < ?5
    AND NOT EXISTS (SELECT 1 FROM sighting AS s
        WHERE s.tenant = ?1 AND s.type = ?2 AND s.backend = ?3 AND s.key = l.key AND s.scan = ?6)
ORDER BY l.key LIMIT ?7`
	// qMoved: links whose record scan ?4 has met under another key, by its mark.
	qMoved query = `
SELECT l.key, n.key FROM link AS l
CROSS JOIN sighting AS k ON k.tenant = ?1 AND k.type = ?2 AND k.backend = ?3 AND k.key = l.key AND k.known <> ''
CROSS JOIN sighting AS n INDEXED BY sighting_mark ON n.tenant = ?1 AND n.type = ?2 AND n.backend = ?3 AND n.mark = k.known AND n.mark <> ''
    AND n.scan = ?4 AND n.key <> l.key
WHERE l.tenant = ?1 AND l.type = ?2 AND l.backend = ?3 AND NOT (k.scan = ?4 AND k.mark = k.known)
ORDER BY l.key, n.key`

	qMove  query = `SELECT nr, kind, who, why, at, before, after, undoes, EXISTS (SELECT 1 FROM move AS u WHERE u.undoes = m.nr) FROM move AS m WHERE m.tenant = ?1 AND m.nr = ?2`
	qMoves query = `SELECT nr, kind, who, why, at, before, after, undoes, EXISTS (SELECT 1 FROM move AS u WHERE u.undoes = m.nr) FROM move AS m WHERE m.tenant = ?1 AND (?2 = '' OR EXISTS (SELECT 1 FROM move_identity AS t WHERE t.move = m.nr AND t.identity = ?2)) AND m.nr < ?3 ORDER BY m.nr DESC LIMIT ?4`
	// qLater: the first move after ?1 that stands and touches the same identities.
	qLater query = `
SELECT min(t.move) FROM move_identity AS mine
JOIN move_identity AS t ON t.identity = mine.identity AND t.move > mine.move
JOIN move AS m ON m.nr = t.move AND m.kind IN ('merge', 'split')
WHERE mine.move = ?1 AND NOT EXISTS (SELECT 1 FROM move AS u WHERE u.undoes = m.nr)`
)

// Writing.
const (
	// The three inserts of first sight take arrays of rows.
	qNewIdentities query = `
INSERT INTO identity (id, tenant, type, state, created, since)
SELECT value ->> 0, ?1, value ->> 1, ?2, ?3, ?3 FROM json_each(?4)`
	qNewLinks query = `
INSERT INTO link (identity, tenant, type, backend, key, is_primary, created)
SELECT value ->> 0, ?1, value ->> 1, value ->> 2, value ->> 3, 1, ?2 FROM json_each(?3)`
	qNewIDs query = `
INSERT INTO external_id (tenant, client, type, id, own, identity, state, is_primary, deletion_required, externalid, created, since)
SELECT ?1, ?2, value ->> 1, value ->> 2, CAST(value ->> 3 AS SMALLINT), value ->> 0, 'live', 1, 0, nullif(value ->> 4, ''), ?3, ?3 FROM json_each(?4)`

	qSetExternalID query = `
UPDATE external_id SET externalid = nullif(?5, '')
WHERE client = ?2 AND is_primary = 1 AND state = 'live' AND identity = (SELECT identity FROM external_id
    WHERE tenant = ?1 AND id = ?4 AND client = ?2 AND type = ?3 AND state = 'live')`
	qAcknowledge query = `
UPDATE external_id SET state = 'retired', since = ?5, externalid = NULL
WHERE tenant = ?1 AND id = ?4 AND client = ?2 AND type = ?3 AND state = 'live' AND is_primary = 0`
	qRetire query = `
UPDATE external_id SET state = 'retired', since = ?2, externalid = NULL
WHERE nr IN (SELECT CAST(value AS BIGINT) FROM json_each(?1)) AND state = 'live'`
	qRetireAll  query = `UPDATE external_id SET state = 'retired', since = ?2, externalid = NULL WHERE identity = ?1 AND state = 'live'`
	qSetState   query = `UPDATE identity SET state = ?2, since = ?3 WHERE id = ?1`
	qSetKey     query = `UPDATE link SET key = ?2 WHERE nr = ?1`
	qSetBirth   query = `UPDATE link SET birth = nullif(?2, '') WHERE nr = ?1`
	qSetLink    query = `UPDATE link SET identity = ?2, is_primary = ?3 WHERE nr = ?1`
	qDropLink   query = `DELETE FROM link WHERE nr = ?1`
	qInsertLink query = `INSERT INTO link (identity, tenant, type, backend, key, is_primary, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING nr`
	qSetID      query = `UPDATE external_id SET identity = ?2, is_primary = ?3, deletion_required = ?4, since = ?5 WHERE nr = ?1`
	// qPromote makes the oldest link in a backend primary if none is.
	qPromote query = `
UPDATE link SET is_primary = 1
WHERE nr = (SELECT min(nr) FROM link WHERE identity = ?1 AND backend = ?2)
    AND NOT EXISTS (SELECT 1 FROM link WHERE identity = ?1 AND backend = ?2 AND is_primary = 1)`
	qBegin query = `
INSERT INTO journal (tenant, client, existing, type, backend, kind, identity, keys, attribute, value, externalid, node, state, tries, note, begun, since, sole, follow)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 'running', 0, '', ?13, ?13, ?14, ?15)
ON CONFLICT DO NOTHING
RETURNING nr, EXISTS (SELECT 1 FROM node AS n WHERE n.until > ?16 AND n.name <> ?12)`
	qEnd query = `DELETE FROM journal WHERE nr = ?1`
	qPut query = `UPDATE journal SET state = ?2, note = ?3, since = ?4 WHERE nr = ?1`
	// qLeaveParts: of intent ?1 only what the adapter has to do is left. A change that
	// the table has nothing to follow is one of kind parts.
	qLeaveParts query = `
UPDATE journal SET kind = 'change', identity = ?2, keys = ?3, follow = ?4, since = ?5, attribute = '', value = '', externalid = '', sole = 0
WHERE nr = ?1`
	// qTake: intent ?1 from process ?2 for process ?5.
	qTake query = `
UPDATE journal SET node = ?5, state = 'running', tries = tries + 1, since = ?6
WHERE nr = ?1 AND node = ?2 AND state = ?3 AND tries = ?4`
	qDropScan   query = `UPDATE scan SET stage = 'dropped', ended = ?2 WHERE nr = ?1`
	qInsertScan query = `
INSERT INTO scan (tenant, type, backend, attribute, gives, begun, stage, cursor, steps, total, managed, unmanaged, conflicting, vanished, outside)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'records', '', 0, ?7, 0, 0, 0, 0, 0)
RETURNING nr`
	qSaveScan query = `
UPDATE scan SET ended = ?3, stage = ?4, cursor = ?5, total = ?6, managed = ?7, unmanaged = ?8, conflicting = ?9, vanished = ?10,
    outside = ?11, steps = steps + 1
WHERE nr = ?1 AND steps = ?2 AND stage IN ('records', 'links')`
	qInsertFindings query = `
INSERT INTO finding (scan, nr, situation, key, other)
SELECT ?1, coalesce((SELECT max(nr) FROM finding WHERE scan = ?1), 0) + key + 1, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?2)`
	qDropFindings query = `
DELETE FROM finding WHERE scan IN (SELECT nr FROM scan WHERE tenant = ?1 AND type = ?2 AND backend = ?3 AND nr < ?4)`
	// qSight: ?6 [[key, mark]]; ?5 whether the marks are to be known by.
	qSight query = `
INSERT INTO sighting (tenant, type, backend, key, scan, mark, known)
SELECT ?1, ?2, ?3, value ->> 0, ?4, value ->> 1, CASE WHEN ?5 = 1 THEN value ->> 1 ELSE '' END FROM json_each(?6) WHERE true
ON CONFLICT (tenant, type, backend, key) DO UPDATE SET scan = excluded.scan, mark = excluded.mark,
    known = CASE WHEN ?5 = 1 THEN excluded.mark ELSE sighting.known END`
	// qSettle makes the marks of scan ?4 those to know by; qForgetSightings drops
	// those of records that are gone and that nobody is linked to.
	qSettle          query = `UPDATE sighting SET known = mark WHERE tenant = ?1 AND type = ?2 AND backend = ?3 AND scan = ?4 AND known <> mark`
	qForgetSightings query = `
DELETE FROM sighting WHERE tenant = ?1 AND type = ?2 AND backend = ?3 AND scan < ?4
    AND NOT EXISTS (SELECT 1 FROM link AS l
        WHERE l.tenant = sighting.tenant AND l.type = sighting.type AND l.key = sighting.key AND l.backend = sighting.backend)`
	qInsertRelink query = `INSERT INTO relink (tenant, who, why, at, changes) VALUES (?1, ?2, ?3, ?4, ?5)`
	qInsertTask   query = `
INSERT INTO task (move, tenant, identity, link, kind, state, tries, note, since) VALUES (?1, ?2, ?3, ?4, ?5, 'open', 0, '', ?6) RETURNING nr`
	qInheritTasks       query = `UPDATE task SET identity = ?1 WHERE identity IN (SELECT value FROM json_each(?2)) AND state = 'open'`
	qEndTask            query = `UPDATE task SET state = ?2, note = ?3, since = ?4 WHERE nr = ?1 AND state = 'open'`
	qFailTask           query = `UPDATE task SET tries = tries + 1, note = ?2 WHERE nr = ?1 AND state = 'open'`
	qInsertMove         query = `INSERT INTO move (tenant, kind, who, why, at, before, after, undoes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING nr`
	qInsertMoveIdentity query = `INSERT INTO move_identity (identity, move) SELECT value, ?2 FROM json_each(?1)`
)

// What processes say to each other.
const (
	qBeat   query = `INSERT INTO node (name, until) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET until = excluded.until`
	qBury   query = `DELETE FROM node WHERE until < ?1`
	qLeave  query = `DELETE FROM node WHERE name = ?1`
	qNodes  query = `SELECT name FROM node WHERE until > ?1`
	qOthers query = `SELECT EXISTS (SELECT 1 FROM node WHERE until > ?2 AND name <> ?1)`
	// qLease: work ?1 for process ?2 until ?3, if nobody has it at ?4 and it was not
	// done after ?5.
	qLease query = `
INSERT INTO lease (name, node, until, done) VALUES (?1, ?2, ?3, 0)
ON CONFLICT (name) DO UPDATE SET node = excluded.node, until = excluded.until
WHERE lease.until < ?4 AND lease.done <= ?5`
	qRenew    query = `UPDATE lease SET until = ?3 WHERE name = ?1 AND node = ?2 AND until >= ?4`
	qDone     query = `UPDATE lease SET until = 0, done = ?3 WHERE name = ?1 AND node = ?2`
	qYield    query = `UPDATE lease SET until = 0 WHERE name = ?1 AND node = ?2`
	qGiveBack query = `DELETE FROM lease WHERE name = ?1 AND node = ?2`
	qHolder   query = `SELECT l.node, coalesce(n.until, 0) FROM lease AS l LEFT JOIN node AS n ON n.name = l.node WHERE l.name = ?1`
	qTell     query = `
INSERT INTO change (topic, version) VALUES (?1, 1)
ON CONFLICT (topic) DO UPDATE SET version = change.version + 1 RETURNING version`
	qChanges query = `SELECT topic, version FROM change`
)

// What is kept for records.
const (
	// qKept: of the records ?4 of tenant ?1, type ?2, backend ?3.
	qKept query = `
SELECT k.key, t.name, t.value FROM json_each(?4) AS k
CROSS JOIN link AS l ON l.tenant = ?1 AND l.type = ?2 AND l.key = k.value AND l.backend = ?3
CROSS JOIN kept AS t ON t.link = l.nr`
	qKeptBy query = `
SELECT l.key, t.value FROM kept AS t
CROSS JOIN link AS l ON l.nr = t.link AND l.tenant = ?1 AND l.type = ?2 AND l.backend = ?3
WHERE t.name = ?4 AND t.search = ?5 AND t.search <> '' LIMIT ?6`
	qKeep query = `
INSERT INTO kept (link, name, value, search) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (link, name) DO UPDATE SET value = excluded.value, search = excluded.search`
	// qKeepFirst keeps what nothing is kept for yet.
	qKeepFirst query = `INSERT INTO kept (link, name, value, search) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (link, name) DO NOTHING`

	qUnkeep  query = `DELETE FROM kept WHERE link = ?1 AND name = ?2`
	qEarlier query = `SELECT nr, follow FROM journal WHERE tenant = ?1 AND identity = ?2 AND nr < ?3 AND kind IN ('rename', 'change')`
	qFollow  query = `SELECT follow FROM journal WHERE nr = ?1`
	qAmend   query = `UPDATE journal SET follow = ?2 WHERE nr = ?1`
	qTouch   query = `UPDATE link SET modified = ?2 WHERE nr = ?1`
)

// The secrets of the table.
const (
	qSecret     query = `SELECT value FROM secret WHERE name = ?1`
	qMakeSecret query = `INSERT INTO secret (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING`
)

// Brakes.
const (
	// qRemove counts a removal at ?3, of at most ?5 since ?4, or changes nothing.
	qRemove query = `
INSERT INTO removal (tenant, client, begun, count, stopped, until, who, why) VALUES (?1, ?2, ?3, 1, 0, 0, '', '')
ON CONFLICT (tenant, client) DO UPDATE SET
    begun = CASE WHEN removal.begun <= ?4 THEN ?3 ELSE removal.begun END,
    count = CASE WHEN removal.begun <= ?4 THEN 1 ELSE removal.count + 1 END
WHERE removal.until > ?3 OR removal.stopped = 0 AND (removal.begun <= ?4 OR removal.count < ?5)`
	qStop   query = `UPDATE removal SET stopped = ?3 WHERE tenant = ?1 AND client = ?2 AND stopped = 0`
	qResume query = `
INSERT INTO removal (tenant, client, begun, count, stopped, until, who, why) VALUES (?1, ?2, ?3, 0, 0, ?4, ?5, ?6)
ON CONFLICT (tenant, client) DO UPDATE SET begun = ?3, count = 0, stopped = 0, until = ?4, who = ?5, why = ?6`
	qRemovals         query = `SELECT client, begun, count, stopped, until, who, why FROM removal WHERE tenant = ?1 ORDER BY client`
	qTenantsInJournal query = `SELECT DISTINCT tenant FROM journal ORDER BY tenant`
	qTenantsToKeep    query = `
SELECT tenant FROM task WHERE state = 'open'
UNION SELECT tenant FROM external_id WHERE deletion_required = 1 AND state = 'live'`
	qAllMaintenance query = `SELECT tenant, mode, retry, who, why, since FROM maintenance`
	qMaintenance    query = `SELECT mode, retry, who, why, since FROM maintenance WHERE tenant = ?1`
	qSetMaintenance query = `
INSERT INTO maintenance (tenant, mode, retry, who, why, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (tenant) DO UPDATE SET mode = ?2, retry = ?3, who = ?4, why = ?5, since = ?6`
)

// Tenants.
const (
	// qTenants: all, or the one with the name ?1.
	qTenants query = `
SELECT name, version, settings, created, since, who, why FROM tenant WHERE state = 'there' AND (?1 = '' OR name = ?1) ORDER BY name`
	qTenantChanges query = `SELECT kind, who, why, at FROM tenant_change WHERE tenant = ?1 ORDER BY nr DESC`
	qTenantsKnown  query = `SELECT DISTINCT tenant FROM identity WHERE state <> 'gone'`
	qVersion       query = `SELECT coalesce((SELECT version FROM change WHERE topic = ?1), 0)`
	qPutTenant     query = `
INSERT INTO tenant (name, state, version, settings, created, since, who, why) VALUES (?1, 'there', 1, ?2, ?3, ?3, ?4, ?5)
ON CONFLICT (name) DO UPDATE SET state = 'there', version = tenant.version + 1, settings = ?2, since = ?3, who = ?4, why = ?5,
    created = CASE WHEN tenant.state = 'there' THEN tenant.created ELSE ?3 END`
	qRemoveTenant query = `
UPDATE tenant SET state = 'removed', version = version + 1, settings = '{}', since = ?2, who = ?3, why = ?4 WHERE name = ?1`
	qDropTokens   query = `DELETE FROM tenant_token WHERE tenant = ?1`
	qPutToken     query = `INSERT INTO tenant_token (hash, tenant) VALUES (?1, ?2) ON CONFLICT (hash) DO NOTHING`
	qTenantChange query = `
INSERT INTO tenant_change (tenant, nr, kind, who, why, at)
SELECT ?1, coalesce((SELECT max(nr) FROM tenant_change WHERE tenant = ?1), 0) + 1, ?2, ?3, ?4, ?5`

	qPurgeJournal     query = `DELETE FROM journal WHERE tenant = ?1`
	qPurgeTasks       query = `UPDATE task SET state = 'cancelled', note = 'the tenant was purged', since = ?2 WHERE tenant = ?1 AND state = 'open'`
	qPurgeScans       query = `UPDATE scan SET stage = 'dropped', ended = ?2 WHERE tenant = ?1 AND stage IN ('records', 'links')`
	qPurgeSightings   query = `DELETE FROM sighting WHERE tenant = ?1`
	qPurgeLinks       query = `DELETE FROM link WHERE tenant = ?1`
	qPurgeIDs         query = `UPDATE external_id SET state = 'retired', since = ?2, externalid = NULL WHERE tenant = ?1 AND state = 'live'`
	qPurgeIdentities  query = `UPDATE identity SET state = 'gone', since = ?2 WHERE tenant = ?1 AND state <> 'gone'`
	qPurgeRemovals    query = `DELETE FROM removal WHERE tenant = ?1`
	qPurgeMaintenance query = `DELETE FROM maintenance WHERE tenant = ?1`
)

// readQueries are prepared on both pools, writeQueries on the writer only, at
// start, so that a statement that does not fit the schema stops Postern there.
func readQueries() []query {
	return append(fewQueries(), qLinks, qListed, qIDs, qExternalID, qUnseen, qTaken, qVeil, qMerged, qIntents, qRef, qIdentities, qLinksOf, qIDsOf,
		qLinkAt, qPage, qPending, qTasks, qScanOpen, qScans, qFindings, qLinked, qMarked, qUnmet, qMoved,
		qMove, qMoves, qLater, qSecret, qOthers, qNodes, qHolder, qChanges, qRemovals, qMaintenance, qKept, qKeptBy, qEarlier, qFollow,
		qTenants, qTenantChanges, qTenantsKnown, qVersion, qTenantsInJournal, qTenantsToKeep, qAllMaintenance)
}

func writeQueries() []query {
	return []query{qRemove, qStop, qResume, qSetMaintenance, qNewIdentity, qNewPerson, qNewLink, qNewID, qNewIdentities, qNewLinks, qNewIDs, qSetExternalID, qAcknowledge, qRetire, qRetireAll, qSetState,
		qSetKey, qSetBirth, qSetLink, qDropLink, qInsertLink, qSetID, qPromote, qInsertMove,
		qInsertMoveIdentity, qInsertRelink, qInsertTask, qInheritTasks, qEndTask, qFailTask,
		qBegin, qEnd, qPut, qLeaveParts, qTake, qDropScan, qInsertScan, qSaveScan, qInsertFindings, qDropFindings, qSight, qSettle, qForgetSightings,
		qMakeSecret, qBeat, qBury, qLeave, qLease, qRenew, qDone, qYield, qGiveBack, qTell, qKeep, qKeepFirst, qUnkeep, qTouch, qAmend,
		qPutTenant, qRemoveTenant, qDropTokens, qPutToken, qTenantChange, qPurgeJournal, qPurgeTasks, qPurgeScans, qPurgeSightings, qPurgeLinks, qPurgeIDs,
		qPurgeIdentities, qPurgeRemovals, qPurgeMaintenance}
}
