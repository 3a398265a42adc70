CREATE TABLE person_type (type_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL UNIQUE);
CREATE TABLE unit (unit_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, level text NOT NULL, title text NOT NULL, UNIQUE (level, title));
CREATE TABLE person (
	person_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind text NOT NULL DEFAULT 'machine',
	login text NOT NULL,
	external_ref text,
	shown_as text,
	status text NOT NULL DEFAULT 'A' CHECK (status IN ('A', 'L')),
	secret text,
	type_id integer REFERENCES person_type,
	org_id integer REFERENCES unit,
	division_id integer REFERENCES unit,
	dept_id integer REFERENCES unit,
	boss_id integer REFERENCES person,
	created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
	changed_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX person_login ON person (lower(login));
CREATE INDEX person_external ON person (external_ref);
CREATE TABLE person_name (person_id integer PRIMARY KEY REFERENCES person ON DELETE CASCADE,
	whole text, family text, given text, middle text, prefix text, suffix text, nick text);
CREATE TABLE employment (person_id integer PRIMARY KEY REFERENCES person ON DELETE CASCADE,
	number text UNIQUE, title text, cost_centre text, salary_band text NOT NULL DEFAULT 'unset');
CREATE TABLE person_setting (person_id integer NOT NULL REFERENCES person ON DELETE CASCADE,
	name text NOT NULL, setting text NOT NULL, PRIMARY KEY (person_id, name));
CREATE TABLE contact (
	contact_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	person_id integer NOT NULL REFERENCES person ON DELETE CASCADE,
	medium text NOT NULL CHECK (medium IN ('mail', 'phone', 'im')),
	position integer NOT NULL,
	address text NOT NULL,
	label text,
	kind text,
	preferred boolean,
	verified boolean NOT NULL DEFAULT false,
	UNIQUE (person_id, medium, position)
);
CREATE INDEX contact_address ON contact (lower(address));
CREATE TABLE photo (photo_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person_id integer NOT NULL REFERENCES person ON DELETE CASCADE,
	url text NOT NULL, caption text, kind text, preferred boolean);
CREATE INDEX photo_person ON photo (person_id);
CREATE TABLE address (address_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person_id integer NOT NULL REFERENCES person ON DELETE CASCADE,
	whole text, street text, city text, region text, postcode text, country text, kind text, preferred boolean);
CREATE INDEX address_person ON address (person_id);
CREATE TABLE entitlement (entitlement_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person_id integer NOT NULL REFERENCES person ON DELETE CASCADE,
	code text NOT NULL, label text, kind text, preferred boolean);
CREATE INDEX entitlement_person ON entitlement (person_id);
CREATE TABLE role (role_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL UNIQUE);
CREATE TABLE person_role (person_id integer NOT NULL REFERENCES person ON DELETE CASCADE, role_id integer NOT NULL REFERENCES role,
	label text, kind text, preferred boolean, PRIMARY KEY (person_id, role_id));
CREATE TABLE certificate (certificate_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person_id integer NOT NULL REFERENCES person ON DELETE CASCADE,
	der bytea NOT NULL, label text, kind text, preferred boolean);
CREATE INDEX certificate_person ON certificate (person_id);
CREATE TABLE team (team_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, external_ref text,
	created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE team_member (team_id integer NOT NULL REFERENCES team ON DELETE CASCADE, person_id integer NOT NULL REFERENCES person ON DELETE CASCADE,
	PRIMARY KEY (team_id, person_id));
CREATE INDEX team_member_person ON team_member (person_id);
CREATE FUNCTION person_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.changed_at := now(); RETURN new; END $$;
CREATE TRIGGER person_changed BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION person_changed();
INSERT INTO person (login) VALUES ('backup-robot');
