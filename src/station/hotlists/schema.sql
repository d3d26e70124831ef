-- The lists that the station hands out. Times are
-- microseconds since 1970, UTC.

-- Versions of lists. A row stays when its file goes.
CREATE TABLE hotlist_versions (
    name        TEXT NOT NULL,
    version     INTEGER NOT NULL,         -- from 1, for each list
    sha256      BLOB NOT NULL,            -- over the file's bytes
    bytes       INTEGER NOT NULL,
    entries     INTEGER NOT NULL,
    published   INTEGER NOT NULL,
    by_user     TEXT NOT NULL,            -- system user who published it
    file_date   INTEGER,                  -- date of the source's file, if known
    confirmed   INTEGER NOT NULL,         -- when it was last known to be the newest at its source
    forced      TEXT,                     -- why it was let in past the checks, if it was
    kept        INTEGER NOT NULL,         -- 1 while the file is there
    current     INTEGER NOT NULL,         -- 1 for the version that vehicles are to have
    valid_from  INTEGER,                  -- when it comes into force, or came, where that was not at once
    coming      INTEGER NOT NULL,         -- 1 until then
    warn_h      INTEGER,                  -- age in hours at which it is stale, where the configuration says it
    critical_h  INTEGER,
    keep        INTEGER NOT NULL,         -- so many versions were to be kept when it was published
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX hotlist_one_current ON hotlist_versions (name) WHERE current = 1;

-- Manifests as they were signed, one for each change; the one with the greatest serial counts.
-- Rows are added, never changed: they tell who changed what, and when.
CREATE TABLE hotlist_manifests (
    serial      INTEGER PRIMARY KEY,
    made        INTEGER NOT NULL,
    by_user     TEXT NOT NULL,
    why         TEXT NOT NULL,            -- what was published, or withdrawn and the reason given
    signed      TEXT NOT NULL             -- JSON of wire::SignedManifest
) STRICT;

-- How the fetching of each configured source goes.
CREATE TABLE hotlist_sources (
    name        TEXT PRIMARY KEY,
    asked       INTEGER NOT NULL,         -- the last try
    answered    INTEGER,                  -- the last one that went well
    error       TEXT,                     -- why the last one failed
    failing     INTEGER,                  -- since when
    failures    INTEGER NOT NULL,         -- in a row
    settings    BLOB CHECK (length(settings) = 32), -- digest of how it was fetched and read
    etag        TEXT,                     -- by these two the source tells whether it has something new
    modified    TEXT,
    own_date    INTEGER,                  -- 1: the list gives itself a date, from which its age counts
    sha256      BLOB CHECK (length(sha256) = 32),   -- the version that they are about
    increments  TEXT                      -- JSON: what was fetched between looks at the whole list
) STRICT, WITHOUT ROWID;

-- Entries that were made inactive by hand: each version is published without them until they are made active again.
-- Rows are added and ended, never removed.
CREATE TABLE hotlist_inactive (
    number      INTEGER PRIMARY KEY,      -- by which people name it
    list        TEXT NOT NULL,
    plate       TEXT NOT NULL,            -- letters and digits
    state       TEXT NOT NULL,            -- or empty: of any
    entry_id    TEXT NOT NULL,            -- the source's id, or empty: any
    at          INTEGER NOT NULL,
    by_user     TEXT NOT NULL,
    reason      TEXT NOT NULL,
    ended       INTEGER,
    ended_by    TEXT,
    ended_why   TEXT
) STRICT;
