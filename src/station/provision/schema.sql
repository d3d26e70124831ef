-- What the station hands to vehicles beside lists. Times are microseconds since 1970, UTC.

-- What counts now of each kind, as it was signed: accounts for one vehicle, settings and models for all ('').
CREATE TABLE provisions (
    kind        TEXT NOT NULL CHECK (kind IN ('users', 'settings', 'models')),
    vehicle     TEXT NOT NULL,
    serial      INTEGER NOT NULL,         -- grows with each publication
    made        INTEGER NOT NULL,
    by_user     TEXT NOT NULL,
    signed      TEXT NOT NULL,
    digest      BLOB,                     -- of accounts: over what was handed out, to tell whether they changed
    PRIMARY KEY (kind, vehicle)
) STRICT, WITHOUT ROWID;
