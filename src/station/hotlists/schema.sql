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
