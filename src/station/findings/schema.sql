-- "Not this vehicle": findings that came from vehicles, each as it is newest, and what was decided about it here. Times
-- are microseconds since 1970, UTC.
CREATE TABLE findings (
    number        INTEGER PRIMARY KEY,    -- by which people name it
    id            BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    vehicle       TEXT NOT NULL,
    until         INTEGER NOT NULL,
    received      INTEGER NOT NULL,
    step          INTEGER NOT NULL,       -- 0 proposed, 1 approved, 2 withdrawn, in the vehicle
    record        TEXT NOT NULL,          -- the document as it came, signed by the vehicle
    decision      TEXT CHECK (decision IN ('approved', 'refused')),
    decided       INTEGER,
    decided_by    TEXT,                   -- JSON of core::user::Author
    decided_why   TEXT,
    decided_until INTEGER,                -- its end, of one that is approved
    CHECK ((decision IS NULL) = (decided IS NULL) AND (decision IS NULL) = (decided_by IS NULL))
) STRICT;

-- The key by which each vehicle signs what its officers found: the first that was seen.
CREATE TABLE finding_keys (
    vehicle       TEXT PRIMARY KEY,
    key           BLOB NOT NULL CHECK (length(key) = 32),
    first_seen    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What is handed out to all vehicles, as it was signed; the one with the greatest serial counts.
CREATE TABLE finding_sets (
    serial        INTEGER PRIMARY KEY,
    made          INTEGER NOT NULL,
    content       BLOB NOT NULL CHECK (length(content) = 32), -- digest of what is in it
    signed        TEXT NOT NULL
) STRICT;
