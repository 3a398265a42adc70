package sql_test

import (
	"testing"

	"github.com/postern/postern/adapters/sql"
)

// TestMariaStamps is TestStamps on MariaDB.
func TestMariaStamps(t *testing.T) {
	dsn := myDatabase(t, `CREATE TABLE person (id integer AUTO_INCREMENT PRIMARY KEY, login varchar(100) UNIQUE, kind char(8), made_at datetime, made_by text, changed_at timestamp NULL, changed_by text, gone integer DEFAULT 0);
CREATE TABLE mail (id integer AUTO_INCREMENT PRIMARY KEY, person_id integer, address varchar(100));
INSERT INTO person (id, login, kind) VALUES (7, 'robot', 'machine');`)
	stamped(t, open(t, "", func(c *sql.Config) { c.DSN = dsn }))
}
