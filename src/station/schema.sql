-- The station's database, version 1; hotlists/schema.sql is what version 2 added. Times are microseconds since 1970, UTC.
-- Everything here is evidence: rows are added, never changed.

-- Reads, each once, as the vehicle sealed them.
CREATE TABLE reads (
    id          BLOB PRIMARY KEY,         -- UUIDv7, 16 bytes
    sha256      BLOB NOT NULL,            -- over the bytes of record, 32 bytes
    vehicle     TEXT NOT NULL,            -- as its certificate names it
    first_seen  INTEGER NOT NULL,         -- by the vehicle's clock
    received    INTEGER NOT NULL,         -- by the station's clock
    batch       BLOB NOT NULL,            -- the batch that brought it, for tracing
    record      BLOB NOT NULL             -- the exact bytes; JSON of wire::ReadRecord
) STRICT, WITHOUT ROWID;
CREATE INDEX reads_by_vehicle ON reads (vehicle, received);

-- Images whose file is durable: written, synced, renamed, folder synced, and only then a row.
CREATE TABLE images (
    sha256      BLOB PRIMARY KEY,         -- over the file's bytes
    bytes       INTEGER NOT NULL,
    received    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
