package config

import (
	"maps"
	"slices"
	"time"
)

// A Backend is one legacy system.
type Backend struct {
	Name        Text
	Type        Text
	Timeout     Duration
	Cache       Cache
	Concurrency Int
	Breaker     Breaker

	SQL     SQLBackend     // type sql
	REST    RESTBackend    // type rest
	Command CommandBackend // type command
	LDAP    LDAPBackend    // type ldap
	SCIM    SCIMBackend    // type scim, beside REST
	File    FileBackend    // type file

	// Options are the keys of the type, as written.
	Options *Tree
}

// A Cache says for how long, and how many, records are kept. No Time: none.
type Cache struct {
	Time    Duration
	Records Int
}

// A Breaker says when a backend counts as down.
type Breaker struct {
	Failures Int
	Open     Duration
}

// A SQLBackend is a database.
type SQLBackend struct {
	DSN    Secret // with the path resolved
	Init   Path
	Counts Duration
}

func backend() form[Backend] {
	type B = Backend
	kinds := backendKinds()
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.kind
	}
	return block[B]{
		title: "backend",
		doc:   "One legacy system. The guard around it (timeout, concurrency, cache, breaker) keeps Postern up when the system is not.",
		keys: []key[B]{
			field("type", choice(names...), func(b *B) *Text { return &b.Type }).required().like("sql").
				says("`sql`: a database. `rest`: an API over HTTP: JSON, XML, forms, JSON-RPC, SOAP. `ldap`: a directory. `command`: a program with a command line. `scim`: another SCIM server. `file`: CSV or JSON lines. `memory`: records that live as long as the process, for trying things out."),
			field("timeout", duration(time.Millisecond), func(b *B) *Duration { return &b.Timeout }).or("5s").
				says("How long one exchange with the system may take."),
			field("concurrency", integer(1, 10_000), func(b *B) *Int { return &b.Concurrency }).or("8").
				says("How many exchanges run at a time; more wait."),
			field("cache", cache(), func(b *B) *Cache { return &b.Cache }).or("{}").like("30s").
				says("How long a record that was read may be used again. What Postern writes is seen at once; what others write, after this time. Default: no cache."),
			field("breaker", breaker(), func(b *B) *Breaker { return &b.Breaker }).or("{}").
				says("When to stop asking a system that is down: clients then get 503 with Retry-After at once."),
		},
		kinds:   kinds,
		kindKey: "type",
		kindOf: func(r *reader, t *Tree) string {
			if item := t.Find("type"); item != nil && item.Kind == ScalarNode {
				r.kinds[t.Key.Value] = item.Value
				return item.Value
			}
			r.kinds[t.Key.Value] = ""
			return ""
		},
		options: func(b *B) **Tree { return &b.Options },
	}.form()
}

func backendKinds() []kindKeys[Backend] {
	return []kindKeys[Backend]{
		{"sql", []key[Backend]{
			field("dsn", dsn(), func(b *Backend) *Secret { return &b.SQL.DSN }).required().like(`"sqlite:state/legacy.db"`).
				says("Where the database is: `sqlite:` and a path, whose folder is created, `postgres://user:password@host:5432/database` or `mysql://user:password@host:3306/database`, which is MariaDB, too."),
			field("init", filePath(true), func(b *Backend) *Path { return &b.SQL.Init }).like("legacy.sql").
				says("SQL to run once, when the SQLite file does not exist yet. For examples and trials."),
			field("counts", duration(0), func(b *Backend) *Duration { return &b.SQL.Counts }).like("10s").
				says("How old `totalResults` may be: counting a large table costs more than a page of it. What Postern writes counts at once, what others write after this time. Default: totals are true."),
		}},
		{"rest", restBackend()},
		{"command", commandBackend()},
		{"ldap", ldapBackend()},
		{"scim", scimBackend()},
		{"file", fileBackend()},
		{"memory", nil},
	}
}

func cache() form[Cache] {
	long := block[Cache]{title: "cache", doc: "`cache: 30s` is short for `cache: {time: 30s}`.", keys: []key[Cache]{
		field("time", duration(0), func(c *Cache) *Duration { return &c.Time }).like("30s").says("How long a record may be used again."),
		field("records", integer(1, 10_000_000), func(c *Cache) *Int { return &c.Records }).or("10000").says("How many records are kept."),
	}}
	return abbreviated(long.form(), duration(0), func(d Duration, c *Cache) { c.Time = d })
}

func breaker() form[Breaker] {
	return block[Breaker]{title: "breaker", doc: "Only failures to answer count, not refusals.", keys: []key[Breaker]{
		field("failures", integer(1, 1_000_000), func(b *Breaker) *Int { return &b.Failures }).or("5").
			says("How many failures in a row open the breaker."),
		field("open", duration(time.Millisecond), func(b *Breaker) *Duration { return &b.Open }).or("10s").
			says("How long it stays open before one request may try again."),
	}}.form()
}

// backendNames are the backends that were declared.
func (r *reader) backendNames() []string { return slices.Sorted(maps.Keys(r.kinds)) }
