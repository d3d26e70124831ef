-- The station's own audit log (control P-22): who did what at it, chained as in the crate access. Rows are only
-- ever added.

-- One log is gone on with; others are ended. The head is signed, as audit::Head::sign gives it.
CREATE TABLE station_audit_log (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16),
    station     TEXT NOT NULL,
    ended       INTEGER NOT NULL,
    head        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX station_audit_one_goes_on ON station_audit_log (ended) WHERE ended = 0;

CREATE TABLE station_audit (
    log         BLOB NOT NULL REFERENCES station_audit_log (id),
    number      INTEGER NOT NULL,         -- from 1, without a gap
    at          INTEGER NOT NULL,
    action      TEXT NOT NULL,
    prev        BLOB NOT NULL CHECK (length(prev) = 32),
    salt        BLOB NOT NULL CHECK (length(salt) = 32),
    hash        BLOB NOT NULL CHECK (length(hash) = 32),
    entry       TEXT NOT NULL,            -- JSON of audit::Entry
    PRIMARY KEY (log, number)
) STRICT, WITHOUT ROWID;
