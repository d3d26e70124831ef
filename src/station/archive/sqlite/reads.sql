-- One day and class of reads, or what a hold keeps. Version 1. Times are microseconds since 1970, UTC.

-- What is searched for. Short rows: the exact bytes are in `records`.
CREATE TABLE reads (
    number      INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    key         TEXT NOT NULL,
    text        TEXT NOT NULL,
    state       TEXT NOT NULL,
    vehicle     TEXT NOT NULL,
    camera      TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    received    INTEGER NOT NULL,
    latitude    REAL,
    longitude   REAL,
    confidence  REAL NOT NULL,
    has_hit     INTEGER NOT NULL,
    class       TEXT NOT NULL,
    canvass     TEXT,
    position    TEXT                        -- JSON, with all that the receiver told
) STRICT;
CREATE INDEX reads_by_key ON reads (key, id);

-- The bytes as the vehicle sealed them.
CREATE TABLE records (
    number      INTEGER PRIMARY KEY REFERENCES reads (number),
    sha256      BLOB NOT NULL CHECK (length(sha256) = 32),
    batch       BLOB NOT NULL,
    record      BLOB NOT NULL
) STRICT;

-- Files of pictures beside this database.
CREATE TABLE packs (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16),
    bytes       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Pictures that reads name, and where they are; without a pack: deleted.
CREATE TABLE pictures (
    read        INTEGER NOT NULL REFERENCES reads (number),
    place       INTEGER NOT NULL,           -- in the record, from 0
    role        TEXT NOT NULL,
    sha256      BLOB NOT NULL CHECK (length(sha256) = 32),
    bytes       INTEGER NOT NULL,
    pack        BLOB,
    start       INTEGER,
    PRIMARY KEY (read, place)
) STRICT, WITHOUT ROWID;

-- How many reads of each camera.
CREATE TABLE counts (
    vehicle     TEXT NOT NULL,
    camera      TEXT NOT NULL,
    reads       INTEGER NOT NULL,
    hits        INTEGER NOT NULL,
    pictures    INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    PRIMARY KEY (vehicle, camera)
) STRICT, WITHOUT ROWID;

-- The times of all reads, to pass by what can't hold what is searched for.
CREATE TABLE span (
    oldest      INTEGER NOT NULL,           -- first look of the oldest
    youngest    INTEGER NOT NULL,           -- first look of the youngest, as far as it is not in the future
    newest      INTEGER NOT NULL            -- last look of the newest
) STRICT;

-- A deletion of this unit's pictures that has no certificate yet.
CREATE TABLE pictures_deleted (
    purge       BLOB NOT NULL,
    pictures    INTEGER NOT NULL
) STRICT;

-- Reads that were deleted one by one, where they are kept for minutes; the certificate of the day names them.
CREATE TABLE swept (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16),
    pictures    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
