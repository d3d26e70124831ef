-- Schema version 1 as it was shipped. Frozen: the tests migrate from here.

-- One vehicle pass. `record` is what is transferred, byte for byte; the other columns are
-- copies of parts of it, to find and order rows without parsing.
CREATE TABLE read (
  -- Order of first writing. Never used twice. "Older" and "newer" mean this number, so a
  -- jump of the wall clock reorders nothing.
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  -- UUIDv7, the read's name everywhere.
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  camera TEXT NOT NULL,
  -- Normal form of the registration number, and the same with the letter O folded to zero.
  text TEXT NOT NULL,
  key TEXT NOT NULL,
  -- Two letters, or empty.
  state TEXT NOT NULL,
  confidence REAL NOT NULL,
  -- Summary of the sightings: frames that showed the plate, and those that agree with `text`.
  looks INTEGER NOT NULL,
  agreeing INTEGER NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  -- When this content was written here.
  stored INTEGER NOT NULL,
  -- Over `record`.
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  -- UTF-8 JSON of wire::ReadRecord.
  record BLOB NOT NULL
) STRICT;

-- Pictures by content. Two plates in one frame share its overview.
CREATE TABLE image (
  sha256 BLOB NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
  jpeg BLOB NOT NULL
) STRICT;

-- Which pictures a read has, in the order of its record.
CREATE TABLE read_image (
  read INTEGER NOT NULL REFERENCES read (number),
  position INTEGER NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('plate', 'overview')),
  image BLOB NOT NULL REFERENCES image (sha256),
  PRIMARY KEY (read, position)
) STRICT, WITHOUT ROWID;
-- Is a picture still used by another read?
CREATE INDEX read_image_by_image ON read_image (image);

-- Hotlist entries that a read matched; the whole of each is in the read's record.
CREATE TABLE hit (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  read INTEGER NOT NULL REFERENCES read (number),
  at INTEGER NOT NULL,
  list TEXT NOT NULL,
  priority TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high'))
) STRICT;
CREATE INDEX hit_by_read ON hit (read);

-- Reads that the station has not confirmed. A read is either here or in `transferred`.
CREATE TABLE outbox (
  read INTEGER PRIMARY KEY REFERENCES read (number),
  -- held: the pass goes on and the content may change; not sent.
  -- pending: sealed, to be sent.
  -- refused: the station would not take it; tried again later, kept in any case.
  state TEXT NOT NULL CHECK (state IN ('held', 'pending', 'refused')),
  -- 1 when the read has a hit: these go first.
  has_hit INTEGER NOT NULL CHECK (has_hit IN (0, 1)),
  -- read.first_seen, so that the age of the oldest row is one look at an index.
  captured INTEGER NOT NULL,
  refused_at INTEGER,
  reason TEXT,
  CHECK ((state = 'refused') = (refused_at IS NOT NULL AND reason IS NOT NULL))
) STRICT;
CREATE INDEX outbox_order ON outbox (has_hit DESC, read);
CREATE INDEX outbox_by_age ON outbox (captured);

-- What the station said it holds durably, or would not take.
CREATE TABLE receipt (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  batch BLOB NOT NULL CHECK (length(batch) = 16),
  station TEXT NOT NULL,
  received INTEGER NOT NULL,
  -- Over `body`: the same receipt delivered twice is kept once.
  sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
  -- JSON of wire::Receipt.
  body BLOB NOT NULL
) STRICT;

-- Reads that the station holds, each with the receipt that says so.
CREATE TABLE transferred (
  read INTEGER PRIMARY KEY REFERENCES read (number),
  receipt INTEGER NOT NULL REFERENCES receipt (number),
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX transferred_by_receipt ON transferred (receipt);
