package main

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern/postern/internal/testdb"
)

// TestDirectoryOnline: what of a configuration does not fit the directory is told where
// it stands, with the nearest name.
func TestDirectoryOnline(t *testing.T) {
	dir := testdb.Slapd(t)
	file := filepath.Join(t.TempDir(), "postern.yaml")
	write(t, file, `clients: {idp: {token: quickstart}}
backends: {dir: {type: ldap, url: "`+dir.URL+`", bind: {dn: "`+dir.BindDN+`", password: `+dir.Password+`}, base: "`+dir.Base+`"}}
resources:
  User:
    target: {backend: dir, classes: inetOrgPersn, rdn: uid, key: entryUUID}
    attributes: {userName: uid, name.familyName: surnam, meta.created: createTimestamp}
`)
	cfg, mappings, err := load(file)
	if err != nil {
		t.Fatal(err)
	}
	a := &assembly{cfg: cfg, mappings: mappings, log: slog.New(slog.DiscardHandler), lookOnly: true}
	err = a.probe(t.Context())
	if err == nil {
		t.Fatal("no problem was found")
	}
	for _, want := range []string{`:5:37: the directory has no object class "inetOrgPersn"`, `did you mean "inetOrgPerson"?`,
		`:6:50: the directory has no attribute "surnam"`, `did you mean "surname"?`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not told: %s\n%v", want, err)
		}
	}
}
