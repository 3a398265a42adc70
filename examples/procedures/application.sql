-- An application that lets nobody write its tables: what is read are views, what is
-- changed goes through its procedures, which check and log.
CREATE TABLE staff (
	staff_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	login text NOT NULL UNIQUE,
	given text, family text,
	left_on date
);
CREATE TABLE address (staff_no integer NOT NULL REFERENCES staff ON DELETE CASCADE, kind char(1) NOT NULL, mail text NOT NULL, PRIMARY KEY (staff_no, kind));
CREATE TABLE team (team_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE seat (team_no integer NOT NULL REFERENCES team ON DELETE CASCADE, staff_no integer NOT NULL REFERENCES staff ON DELETE CASCADE, PRIMARY KEY (team_no, staff_no));
CREATE TABLE log (at timestamptz NOT NULL DEFAULT now(), who text NOT NULL, what text NOT NULL);

CREATE VIEW people AS
	SELECT s.staff_no, s.login, s.given, s.family, max(a.mail) FILTER (WHERE a.kind = 'W') AS work_mail, s.left_on IS NULL AS active
	FROM staff AS s LEFT JOIN address AS a USING (staff_no) GROUP BY s.staff_no;
CREATE VIEW teams AS SELECT team_no, name FROM team;
CREATE VIEW seats AS SELECT team_no, staff_no FROM seat;

CREATE FUNCTION hire(who text, new_login text, new_given text, new_family text) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE made integer;
BEGIN
	IF new_login ~ '\s' THEN RAISE EXCEPTION 'a login has no spaces' USING ERRCODE = 'HR001'; END IF;
	INSERT INTO staff (login, given, family) VALUES (new_login, new_given, new_family) RETURNING staff_no INTO made;
	INSERT INTO log (who, what) VALUES (who, 'hire ' || new_login);
	RETURN made;
END $$;
CREATE PROCEDURE rename_staff(who text, no integer, new_given text, new_family text) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	UPDATE staff SET given = new_given, family = new_family WHERE staff_no = no;
	INSERT INTO log (who, what) VALUES (who, 'rename ' || no);
END $$;
CREATE PROCEDURE set_mail(no integer, k text, new_mail text) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	DELETE FROM address WHERE staff_no = no AND kind = k;
	IF new_mail IS NOT NULL THEN INSERT INTO address VALUES (no, k, new_mail); END IF;
END $$;
CREATE PROCEDURE set_active(who text, no integer, is_active boolean) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	UPDATE staff SET left_on = CASE WHEN is_active THEN NULL ELSE current_date END WHERE staff_no = no;
	INSERT INTO log (who, what) VALUES (who, CASE WHEN is_active THEN 'return ' ELSE 'leave ' END || no);
END $$;
CREATE PROCEDURE forget(who text, no integer) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	IF EXISTS (SELECT 1 FROM staff WHERE staff_no = no AND login = 'root') THEN RAISE EXCEPTION 'never' USING ERRCODE = 'HR002'; END IF;
	DELETE FROM staff WHERE staff_no = no;
	INSERT INTO log (who, what) VALUES (who, 'forget ' || no);
END $$;
CREATE PROCEDURE make_team(new_name text, INOUT no integer) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN INSERT INTO team (name) VALUES (new_name) RETURNING team_no INTO no; END $$;
CREATE PROCEDURE rename_team(no integer, new_name text) LANGUAGE sql SECURITY DEFINER AS $$ UPDATE team SET name = new_name WHERE team_no = no $$;
CREATE PROCEDURE drop_team(no integer) LANGUAGE sql SECURITY DEFINER AS $$ DELETE FROM team WHERE team_no = no $$;
CREATE PROCEDURE take_seat(team integer, person integer) LANGUAGE sql SECURITY DEFINER AS $$ INSERT INTO seat VALUES (team, person) $$;
CREATE PROCEDURE leave_seat(team integer, person integer) LANGUAGE sql SECURITY DEFINER AS $$ DELETE FROM seat WHERE team_no = team AND staff_no = person $$;
