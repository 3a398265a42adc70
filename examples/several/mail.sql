-- The mail system: who has which address. It knows people by their logins.
CREATE TABLE mailbox (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    owner   TEXT NOT NULL UNIQUE,
    address TEXT NOT NULL,
    shown   TEXT,
    quota   INTEGER NOT NULL DEFAULT 1024
);
CREATE UNIQUE INDEX mailbox_address ON mailbox (address COLLATE NOCASE);

INSERT INTO mailbox (owner, address, shown) VALUES
('ada.lovelace', 'ada@example.com', 'Ada Lovelace'),
('alan.turing', 'turing@example.com', NULL);
