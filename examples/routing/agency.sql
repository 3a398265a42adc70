CREATE TABLE contractor (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  user_name TEXT NOT NULL UNIQUE,
  given     TEXT,
  status    TEXT NOT NULL DEFAULT 'A',
  kind      TEXT NOT NULL
);
INSERT INTO contractor (user_name, given, kind) VALUES ('grace', 'Grace', 'Contractor');
