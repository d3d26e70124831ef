-- Who may log in at the station. JSON of the crate access.

CREATE TABLE accounts (
    name        TEXT PRIMARY KEY,
    account     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id          TEXT PRIMARY KEY,         -- hash of its token
    record      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE failed_logins (
    name        TEXT PRIMARY KEY,
    count       INTEGER NOT NULL,
    locked      INTEGER NOT NULL,
    at          INTEGER NOT NULL          -- of the last one
) STRICT, WITHOUT ROWID;
