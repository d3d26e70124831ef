-- What the archive keeps beside the reads, in the station's database, on any engine.

-- When a batch of each vehicle came last.
CREATE TABLE vehicles (
    vehicle       TEXT PRIMARY KEY,
    last_received INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What officers put down, as it came. What is about a read goes with it.
CREATE TABLE documents (
    vehicle     TEXT NOT NULL,
    id          BLOB NOT NULL CHECK (length(id) = 16),
    kind        TEXT NOT NULL,
    read        BLOB CHECK (length(read) = 16),
    sha256      BLOB NOT NULL CHECK (length(sha256) = 32),
    received    INTEGER NOT NULL,
    batch       BLOB NOT NULL,
    json        BLOB NOT NULL,              -- the exact bytes
    key         TEXT,                       -- match key of what a corrected read says
    finding     TEXT,                       -- of a disposition: what the hit was found to be
    PRIMARY KEY (vehicle, id)
) STRICT;
CREATE INDEX documents_by_key ON documents (key, read) WHERE key IS NOT NULL;
CREATE INDEX documents_by_kind ON documents (kind, received);
CREATE INDEX documents_by_read ON documents (read, received) WHERE read IS NOT NULL;

-- Rows of vehicles' audit logs, as they came. They stay when the reads go that they speak of (control P-22).
CREATE TABLE vehicle_audit (
    vehicle     TEXT NOT NULL,
    log         BLOB NOT NULL CHECK (length(log) = 16),
    number      INTEGER NOT NULL,
    prev        BLOB NOT NULL CHECK (length(prev) = 32),
    hash        BLOB NOT NULL CHECK (length(hash) = 32),
    received    INTEGER NOT NULL,
    json        BLOB NOT NULL,
    PRIMARY KEY (vehicle, log, number)
) STRICT, WITHOUT ROWID;

-- Parts of an archive in files, and how many reads were receipted of each: so one that is gone is noticed.
CREATE TABLE file_parts (
    day         TEXT NOT NULL,
    class       TEXT NOT NULL,
    reads       INTEGER NOT NULL,
    PRIMARY KEY (day, class)
) STRICT, WITHOUT ROWID;

-- Evidence holds (control P-15). Their copies lie in holds/ID.
CREATE TABLE holds (
    id             BLOB PRIMARY KEY CHECK (length(id) = 16),
    case_number    TEXT NOT NULL,
    reason         TEXT NOT NULL,
    by             TEXT NOT NULL,           -- JSON of audit::Who
    since          INTEGER NOT NULL,
    released       INTEGER,
    released_by    TEXT,
    release_reason TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE hold_reads (
    hold        BLOB NOT NULL REFERENCES holds (id),
    read        BLOB NOT NULL,
    PRIMARY KEY (hold, read)
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_reads_by_read ON hold_reads (read);

-- Certificates of deletion (control P-14).
CREATE TABLE certificates (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16),
    at          INTEGER NOT NULL,
    signed      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Counts of what was deleted.
CREATE TABLE past_days (
    day         TEXT NOT NULL,
    class       TEXT NOT NULL,
    vehicle     TEXT NOT NULL,
    camera      TEXT NOT NULL,
    reads       INTEGER NOT NULL,
    hits        INTEGER NOT NULL,
    PRIMARY KEY (day, class, vehicle, camera)
) STRICT, WITHOUT ROWID;

-- The station's own audit log: rows are only ever added.
CREATE TABLE audit_log (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16),
    head        TEXT NOT NULL               -- signed, as audit::Head::sign gives it
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
    log         BLOB NOT NULL REFERENCES audit_log (id),
    number      INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    action      TEXT NOT NULL,
    prev        BLOB NOT NULL,
    salt        BLOB NOT NULL,
    hash        BLOB NOT NULL,
    entry       TEXT NOT NULL,
    PRIMARY KEY (log, number)
) STRICT, WITHOUT ROWID;
