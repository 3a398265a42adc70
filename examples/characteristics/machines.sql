CREATE TABLE machine (
	machine_id INTEGER PRIMARY KEY AUTOINCREMENT,
	serial TEXT NOT NULL UNIQUE,
	label TEXT NOT NULL UNIQUE COLLATE NOCASE,
	ports INTEGER, weight REAL, online INTEGER, bought TEXT, firmware TEXT, manual TEXT,
	state TEXT, colour TEXT, pin TEXT, note TEXT, model TEXT,
	started INTEGER NOT NULL DEFAULT 0,
	tags TEXT, room TEXT, rack INTEGER,
	replaces_id INTEGER REFERENCES machine,
	warranty_until TEXT NOT NULL, warranty_by TEXT
);
CREATE TABLE link (
	link_id INTEGER PRIMARY KEY,
	machine_id INTEGER NOT NULL REFERENCES machine ON DELETE CASCADE,
	url TEXT NOT NULL, kind TEXT, preferred INTEGER
);
