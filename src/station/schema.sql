-- The station's database, version 1, with hotlists/schema.sql. No version has been shipped yet.
-- Times are microseconds since 1970, UTC. What the archive keeps stands in archive/own.sql.

-- By what the computers of a vehicle were told apart: the installation, made with the vehicle's store,
-- and the session, made at each start. One that comes back again and again after another had taken its
-- place is a second computer with the same certificate (computers.rs).
CREATE TABLE vehicle_computers (
    vehicle     TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('installation', 'session')),
    id          BLOB NOT NULL,            -- 16 bytes
    turn        INTEGER NOT NULL,         -- grows each time another id takes over; the greatest sent last
    returns     INTEGER NOT NULL,         -- how often it came back after another
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    PRIMARY KEY (vehicle, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX vehicle_computers_by_turn ON vehicle_computers (vehicle, kind, turn);

-- The key by which each vehicle signs the heads of its audit log: the first that was seen.
CREATE TABLE audit_keys (
    vehicle     TEXT PRIMARY KEY,
    key         BLOB NOT NULL CHECK (length(key) = 32),
    first_seen  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest heads of each vehicle's audit logs, as they were signed.
CREATE TABLE audit_heads (
    vehicle     TEXT NOT NULL,
    log         BLOB NOT NULL CHECK (length(log) = 16),
    number      INTEGER NOT NULL,         -- of the last row
    hash        BLOB NOT NULL CHECK (length(hash) = 32),
    at          INTEGER NOT NULL,         -- by the vehicle's clock
    received    INTEGER NOT NULL,
    signed      TEXT NOT NULL,            -- JSON, as audit::Head::sign gives it
    PRIMARY KEY (vehicle, log, number)
) STRICT, WITHOUT ROWID;

-- Signs of a breach, one row for each vehicle and kind.
CREATE TABLE security_events (
    vehicle     TEXT NOT NULL,
    indicator   TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    times       INTEGER NOT NULL,
    PRIMARY KEY (vehicle, indicator)
) STRICT, WITHOUT ROWID;

-- Signs of a breach that vehicles noticed themselves, each once: a row of the vehicle's audit log.
CREATE TABLE breaches (
    vehicle     TEXT NOT NULL,
    log         BLOB NOT NULL CHECK (length(log) = 16),
    number      INTEGER NOT NULL,         -- of the row in that log
    at          INTEGER NOT NULL,         -- by the vehicle's clock
    received    INTEGER NOT NULL,         -- by the station's clock
    indicator   TEXT NOT NULL,            -- a word
    text        TEXT NOT NULL,            -- the same as a sentence
    PRIMARY KEY (vehicle, log, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX breaches_by_arrival ON breaches (received);

-- Vehicles whose certificate several computers use. One row a vehicle.
CREATE TABLE cloned_vehicles (
    vehicle     TEXT PRIMARY KEY,
    first_seen  INTEGER NOT NULL,         -- when it was noticed first
    last_seen   INTEGER NOT NULL,         -- and last
    times       INTEGER NOT NULL          -- how often
) STRICT, WITHOUT ROWID;

-- Who looked into which signs of a breach last. Each time is a row of the audit log too.
CREATE TABLE acknowledged (
    vehicle     TEXT NOT NULL,
    indicator   TEXT NOT NULL,
    at          INTEGER NOT NULL,
    by_user     TEXT NOT NULL,
    reason      TEXT NOT NULL,
    PRIMARY KEY (vehicle, indicator)
) STRICT, WITHOUT ROWID;

-- When each vehicle was heard of last, and what it said that it still holds (control P-10).
CREATE TABLE vehicle_contacts (
    vehicle     TEXT PRIMARY KEY,
    last        INTEGER NOT NULL,
    reported    INTEGER,                  -- when it last said what waits, beside the batch that it sent
    waiting     INTEGER,                  -- reads
    oldest      INTEGER,                  -- when the oldest was made, by its clock; none when none waits
    late        INTEGER NOT NULL,         -- reads that came later than they may
    last_late   INTEGER                   -- when one came last
) STRICT, WITHOUT ROWID;

-- Batches that came on a medium (control P-11): one that comes again is told of.
CREATE TABLE medium_imports (
    batch       BLOB PRIMARY KEY CHECK (length(batch) = 16),
    vehicle     TEXT NOT NULL,
    at          INTEGER NOT NULL,
    reads       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
