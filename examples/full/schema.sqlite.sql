PRAGMA journal_mode = WAL;
CREATE TABLE person_type (type_id INTEGER PRIMARY KEY, title TEXT NOT NULL UNIQUE);
CREATE TABLE unit (unit_id INTEGER PRIMARY KEY, level TEXT NOT NULL, title TEXT NOT NULL, UNIQUE (level, title));
CREATE TABLE person (
	person_id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind TEXT NOT NULL DEFAULT 'machine',
	login TEXT NOT NULL,
	external_ref TEXT,
	shown_as TEXT,
	status TEXT NOT NULL DEFAULT 'A' CHECK (status IN ('A', 'L')),
	secret TEXT,
	type_id INTEGER REFERENCES person_type,
	org_id INTEGER REFERENCES unit,
	division_id INTEGER REFERENCES unit,
	dept_id INTEGER REFERENCES unit,
	boss_id INTEGER REFERENCES person,
	created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
	changed_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX person_login ON person (login COLLATE NOCASE);
CREATE INDEX person_external ON person (external_ref);
CREATE TABLE person_name (person_id INTEGER PRIMARY KEY REFERENCES person ON DELETE CASCADE,
	whole TEXT, family TEXT, given TEXT, middle TEXT, prefix TEXT, suffix TEXT, nick TEXT);
CREATE TABLE employment (person_id INTEGER PRIMARY KEY REFERENCES person ON DELETE CASCADE,
	number TEXT UNIQUE, title TEXT, cost_centre TEXT, salary_band TEXT NOT NULL DEFAULT 'unset');
CREATE TABLE person_setting (person_id INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
	name TEXT NOT NULL, setting TEXT NOT NULL, PRIMARY KEY (person_id, name)) WITHOUT ROWID;
CREATE TABLE contact (
	contact_id INTEGER PRIMARY KEY,
	person_id INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
	medium TEXT NOT NULL CHECK (medium IN ('mail', 'phone', 'im')),
	position INTEGER NOT NULL,
	address TEXT NOT NULL,
	label TEXT,
	kind TEXT,
	preferred INTEGER,
	verified INTEGER NOT NULL DEFAULT 0,
	UNIQUE (person_id, medium, position)
);
CREATE INDEX contact_address ON contact (address COLLATE NOCASE);
CREATE TABLE photo (photo_id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
	url TEXT NOT NULL, caption TEXT, kind TEXT, preferred INTEGER);
CREATE INDEX photo_person ON photo (person_id);
CREATE TABLE address (address_id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
	whole TEXT, street TEXT, city TEXT, region TEXT, postcode TEXT, country TEXT, kind TEXT, preferred INTEGER);
CREATE INDEX address_person ON address (person_id);
CREATE TABLE entitlement (entitlement_id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
	code TEXT NOT NULL, label TEXT, kind TEXT, preferred INTEGER);
CREATE INDEX entitlement_person ON entitlement (person_id);
CREATE TABLE role (role_id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE);
CREATE TABLE person_role (person_id INTEGER NOT NULL REFERENCES person ON DELETE CASCADE, role_id INTEGER NOT NULL REFERENCES role,
	label TEXT, kind TEXT, preferred INTEGER, PRIMARY KEY (person_id, role_id));
CREATE TABLE certificate (certificate_id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
	der BLOB NOT NULL, label TEXT, kind TEXT, preferred INTEGER);
CREATE INDEX certificate_person ON certificate (person_id);
CREATE TABLE team (team_id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, external_ref TEXT,
	created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE team_member (team_id INTEGER NOT NULL REFERENCES team ON DELETE CASCADE, person_id INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
	PRIMARY KEY (team_id, person_id));
CREATE INDEX team_member_person ON team_member (person_id);
CREATE TRIGGER person_changed AFTER UPDATE ON person WHEN new.changed_at = old.changed_at BEGIN
	UPDATE person SET changed_at = CURRENT_TIMESTAMP WHERE person_id = new.person_id;
END;
INSERT INTO person (login) VALUES ('backup-robot');
