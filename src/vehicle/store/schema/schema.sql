-- The vehicle's store, schema version 1. No version has been shipped yet; from the first one that is,
-- a change here is also a file v<N>_to_v<N+1>.sql beside this one, named in schema/mod.rs, where a
-- test holds both ways equal. All times are microseconds since 1970, UTC.

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
  -- Class, main colour and make of the vehicle, or empty where they could not be told.
  class TEXT NOT NULL,
  confidence REAL NOT NULL,
  -- 1 when it matched an entry.
  has_hit INTEGER NOT NULL CHECK (has_hit IN (0, 1)),
  -- Incident number of the canvass that was open when it was made, or empty.
  canvass TEXT NOT NULL,
  -- Summary of the sightings: frames that showed the plate, and those that agree with `text`.
  looks INTEGER NOT NULL,
  agreeing INTEGER NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  -- Where the vehicle was, in degrees of WGS 84; none without a position.
  latitude REAL CHECK (latitude BETWEEN -90 AND 90),
  longitude REAL CHECK (longitude BETWEEN -180 AND 180),
  -- When this content was written here.
  stored INTEGER NOT NULL,
  -- Over `record`.
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  -- UTF-8 JSON of wire::ReadRecord.
  record BLOB NOT NULL,
  colour TEXT NOT NULL DEFAULT '',
  make TEXT NOT NULL DEFAULT '',
  CHECK ((latitude IS NULL) = (longitude IS NULL))
) STRICT;

-- Names this store, as long as it lives, to the station. A store that is begun anew, or copied and
-- used elsewhere, can be told from it there.
CREATE TABLE installation (
  id BLOB NOT NULL CHECK (length(id) = 16),
  -- The station holds breach indicators up to this id of `audit` (control P-26).
  breaches_reported INTEGER NOT NULL DEFAULT 0,
  -- 1: what waits is to be sent whatever the schedule says, until nothing is left: a shift ended, or somebody said so.
  send_all INTEGER NOT NULL DEFAULT 0 CHECK (send_all IN (0, 1))
) STRICT;
INSERT INTO installation (id) VALUES (randomblob(16));

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

-- Listed plates that a read matched, with list and priority of the most urgent entry; the
-- whole of each is in the read's record.
CREATE TABLE hit (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  read INTEGER NOT NULL REFERENCES read (number),
  at INTEGER NOT NULL,
  list TEXT NOT NULL,
  priority TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high')),
  -- The correction of the read that it is a hit of; its whole is in that one's record then.
  correction BLOB CHECK (length(correction) = 16)
) STRICT;
-- People name a hit by the end of its id, at least 6 digits.
CREATE INDEX hit_by_end ON hit (substr(id, 14));
CREATE INDEX hit_by_read ON hit (read);
CREATE INDEX hit_by_time ON hit (at, id);

-- Reads that the station has not confirmed. A read is either here or in `transferred`.
CREATE TABLE outbox (
  read INTEGER PRIMARY KEY REFERENCES read (number),
  -- open: the pass goes on and the content may change; not sent.
  -- pending: sealed, to be sent.
  -- refused: the station would not take it; tried again later, kept in any case.
  state TEXT NOT NULL CHECK (state IN ('open', 'pending', 'refused')),
  -- 1 when the read has a hit: these go first, the newest of them before the others.
  has_hit INTEGER NOT NULL CHECK (has_hit IN (0, 1)),
  -- 1 when it was made in a canvass: these go next (control P-03).
  in_canvass INTEGER NOT NULL CHECK (in_canvass IN (0, 1)),
  -- read.first_seen, so that the age of the oldest row is one look at an index.
  captured INTEGER NOT NULL,
  refused_at INTEGER,
  reason TEXT,
  CHECK ((state = 'refused') = (refused_at IS NOT NULL AND reason IS NOT NULL))
) STRICT;
-- Hits from the newest on: while a link carries little, the one that is news must not wait behind those of last week.
-- All others from the oldest on, whose days are counted (control P-10).
CREATE INDEX outbox_order
  ON outbox (has_hit DESC, (in_canvass AND NOT has_hit) DESC, CASE has_hit WHEN 1 THEN -read ELSE read END);
CREATE INDEX outbox_by_age ON outbox (captured);

-- What the station said it holds durably, or would not take.
CREATE TABLE receipt (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  batch BLOB NOT NULL CHECK (length(batch) = 16),
  station TEXT NOT NULL,
  -- When it was signed, by the station's clock, and when it came, by this one.
  at INTEGER NOT NULL,
  received INTEGER NOT NULL,
  -- Over `body`: the same receipt delivered twice is kept once.
  sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
  -- JSON of wire::batch::SignedReceipt, as it came.
  body BLOB NOT NULL
) STRICT;

-- Reads that the station holds, each with the receipt that says so.
CREATE TABLE transferred (
  read INTEGER PRIMARY KEY REFERENCES read (number),
  receipt INTEGER NOT NULL REFERENCES receipt (number),
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX transferred_by_receipt ON transferred (receipt);
-- What may go (control P-13) is looked for by the age of its receipt.
CREATE INDEX transferred_by_time ON transferred (at);

-- Files that were written for a medium, each a batch, and the reads in them. They go when the receipt comes back.
CREATE TABLE medium_part (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  batch BLOB NOT NULL UNIQUE CHECK (length(batch) = 16),
  -- Over the encrypted file.
  sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
  at INTEGER NOT NULL
) STRICT;
CREATE TABLE medium_read (
  part INTEGER NOT NULL REFERENCES medium_part (id),
  read INTEGER NOT NULL REFERENCES read (number),
  PRIMARY KEY (read, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX medium_read_by_part ON medium_read (part);

-- The audit log (control P-22): who did what, and why; each change of lists, entries and accounts, each
-- login, each access to data. A row is written in the transaction of the change it speaks of, or before
-- anything is shown; the rows of a log are a chain (docs/decisions/0026-audit-chain.md). No foreign key to
-- `read`: rows outlive the reads they speak of.
CREATE TABLE audit_log (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  -- Name of the vehicle.
  vehicle TEXT NOT NULL,
  -- 1: it came over from a store that had to be set aside, or can't be gone on with.
  ended INTEGER NOT NULL CHECK (ended IN (0, 1)),
  -- JSON of its newest head with its signature, as audit::Head::sign gives it.
  head TEXT NOT NULL CHECK (json_valid(head))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX audit_log_in_use ON audit_log (ended) WHERE ended = 0;
CREATE TRIGGER audit_log_is_not_removed BEFORE DELETE ON audit_log
BEGIN SELECT raise(ABORT, 'audit logs are not removed'); END;
CREATE TABLE audit (
  -- Order in which rows came here.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- No reference: its head may have been lost.
  log BLOB NOT NULL CHECK (length(log) = 16),
  -- From 1 in each log, without a gap.
  number INTEGER NOT NULL,
  -- Copies of parts of `entry`, to find rows.
  at INTEGER NOT NULL,
  action TEXT NOT NULL CHECK (action <> ''),
  -- Hash of the row before it, secret salt, and hash over all of it.
  prev BLOB NOT NULL CHECK (length(prev) = 32),
  salt BLOB NOT NULL CHECK (length(salt) = 32),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  -- JSON of audit::Entry.
  entry TEXT NOT NULL CHECK (json_valid(entry)),
  UNIQUE (log, number)
) STRICT;
-- The last change of the clock is asked for at each status.
CREATE INDEX audit_by_action ON audit (action, id);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'rows of the audit log are not changed'); END;
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'rows of the audit log are not removed'); END;

-- Accounts, sessions and failed logins, as the crate `access` writes them (JSON of User and SessionRecord).
CREATE TABLE account (
  name TEXT NOT NULL PRIMARY KEY,
  user TEXT NOT NULL CHECK (json_valid(user))
) STRICT, WITHOUT ROWID;
CREATE TABLE session (
  -- Hash of its token, in hex digits.
  id TEXT NOT NULL PRIMARY KEY,
  record TEXT NOT NULL CHECK (json_valid(record))
) STRICT, WITHOUT ROWID;
CREATE TABLE failed_login (
  name TEXT NOT NULL PRIMARY KEY,
  count INTEGER NOT NULL,
  locked INTEGER NOT NULL CHECK (locked IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Programs that may ask for alerts, as the crate `access` writes them (JSON of SubscriberAccount).
CREATE TABLE subscriber (
  name TEXT NOT NULL PRIMARY KEY,
  -- Hash of its token.
  token BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
  record TEXT NOT NULL CHECK (json_valid(record))
) STRICT, WITHOUT ROWID;

-- What is known of each list. `version` is the pointer to what is in force.
CREATE TABLE list_state (
  name TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('file', 'station', 'folder')),
  priority TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high')),
  -- SHA-256 of the list in force in canonical form; its file is named by it. Empty before the
  -- first import.
  version BLOB CHECK (length(version) = 32),
  -- SHA-256 of the file as it came, so that the same one is not taken twice.
  origin BLOB CHECK (length(origin) = 32),
  -- The date the list gives itself, or of its file.
  dated INTEGER,
  imported INTEGER,
  entries INTEGER NOT NULL DEFAULT 0,
  -- When a list was last looked for, and what was wrong then, if anything.
  checked INTEGER,
  error TEXT,
  -- Ages in seconds from which on it is stale; 0 is never.
  warn_s INTEGER NOT NULL,
  critical_s INTEGER NOT NULL,
  -- SHA-256 of the content that was looked at last at the configured path. It is not taken again,
  -- whatever is in force.
  seen BLOB CHECK (length(seen) = 32),
  -- If it was refused: SHA-256 of the settings of that time. Under others it is tried again.
  seen_refused_by BLOB CHECK (length(seen_refused_by) = 32),
  -- When what is in force was last known to be the newest there is.
  confirmed INTEGER,
  -- Its hits and entries are shown to nobody; stays when the list is not configured any more.
  covert INTEGER NOT NULL DEFAULT 0 CHECK (covert IN (0, 1)),
  CHECK ((version IS NULL) = (imported IS NULL))
) STRICT, WITHOUT ROWID;

-- Plates and partial plates that officers entered. Rows stay when an entry is over.
CREATE TABLE manual_entry (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- As it was written; with ? and * when it is a partial plate.
  plate TEXT NOT NULL,
  partial INTEGER NOT NULL CHECK (partial IN (0, 1)),
  state TEXT NOT NULL,
  category TEXT NOT NULL,
  priority TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high')),
  reason TEXT NOT NULL CHECK (reason <> ''),
  -- Case or incident, or empty.
  case_number TEXT NOT NULL,
  created INTEGER NOT NULL,
  -- Login name; or system user and number.
  created_by TEXT NOT NULL,
  created_uid INTEGER,
  expires INTEGER NOT NULL,
  -- It ends so long after it was entered; otherwise at a time that was given.
  is_span INTEGER NOT NULL CHECK (is_span IN (0, 1)),
  removed INTEGER,
  removed_by TEXT,
  removed_uid INTEGER,
  removed_why TEXT,
  CHECK ((removed IS NULL) = (removed_by IS NULL) AND (removed IS NULL) = (removed_why IS NULL))
) STRICT;
CREATE INDEX manual_entry_in_force ON manual_entry (expires) WHERE removed IS NULL;

-- What an officer found about a hit.
CREATE TABLE disposition (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  -- Login name; or system user and number.
  user TEXT NOT NULL,
  uid INTEGER,
  -- No references: it outlives the read it speaks of.
  read BLOB NOT NULL CHECK (length(read) = 16),
  hit BLOB NOT NULL CHECK (length(hit) = 16),
  word TEXT NOT NULL CHECK (word IN ('correct', 'confirmed', 'misread', 'wrong_state', 'not_on_file',
    'could_not_verify', 'dismissed')),
  -- The pairing: match key of the read, and key or partial plate of the list.
  read_key TEXT NOT NULL,
  listed TEXT NOT NULL,
  -- Until then the pairing alerts nobody.
  quiet_until INTEGER
) STRICT;
CREATE INDEX disposition_by_read ON disposition (read);
CREATE INDEX disposition_quiet ON disposition (quiet_until) WHERE quiet_until IS NOT NULL;

-- Pairings that an officer muted by hand, each until the shift ends or that officer's session does.
CREATE TABLE mute (
  -- As in disposition.
  read_key TEXT NOT NULL,
  listed TEXT NOT NULL,
  hit BLOB NOT NULL CHECK (length(hit) = 16),
  -- session.id; none for a system user.
  session TEXT,
  until INTEGER NOT NULL,
  PRIMARY KEY (read_key, listed)
) STRICT, WITHOUT ROWID;

-- Programs that are sent alerts: of reads after the one that was the newest when the program was first configured.
CREATE TABLE webhook (
  name TEXT NOT NULL PRIMARY KEY,
  after INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Alerts that are done with, each for one of them. No reference: it outlives the read.
CREATE TABLE webhook_delivery (
  webhook TEXT NOT NULL,
  hit BLOB NOT NULL CHECK (length(hit) = 16),
  at INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('delivered', 'refused', 'not_theirs')),
  PRIMARY KEY (webhook, hit)
) STRICT, WITHOUT ROWID;

-- Reads that officers corrected (control P-30).
CREATE TABLE correction (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  -- UUIDv7.
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  -- No reference: it outlives the read it speaks of.
  read BLOB NOT NULL CHECK (length(read) = 16),
  at INTEGER NOT NULL,
  -- Match key of the corrected text, and read.last_seen: the read is found by both texts.
  key TEXT NOT NULL,
  last_seen INTEGER NOT NULL,
  -- JSON of core::officers::Correction, as it goes to the station.
  record TEXT NOT NULL CHECK (json_valid(record))
) STRICT;
CREATE INDEX correction_by_read ON correction (read);
CREATE INDEX correction_by_key ON correction (key, last_seen);
CREATE INDEX correction_by_time ON correction (at);

-- Canvasses (control P-03).
CREATE TABLE canvass (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  incident TEXT NOT NULL CHECK (incident <> ''),
  reason TEXT NOT NULL CHECK (reason <> ''),
  started INTEGER NOT NULL,
  -- Login name; or system user and number.
  started_by TEXT NOT NULL,
  started_uid INTEGER,
  ended INTEGER,
  ended_by TEXT,
  ended_uid INTEGER,
  ended_why TEXT,
  CHECK ((ended IS NULL) = (ended_by IS NULL) AND (ended IS NULL) = (ended_why IS NULL))
) STRICT;

-- "Not this vehicle": findings that a plate is not the vehicle that an entry wants.
CREATE TABLE vehicle_finding (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  -- UUIDv7.
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  until INTEGER NOT NULL,
  withdrawn INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
  -- JSON of core::officers::VehicleFinding with the vehicle's signature, as access::signed writes it and as it goes to
  -- the station.
  record TEXT NOT NULL CHECK (json_valid(record))
) STRICT;

-- Performance tests (control P-31). No plate is in them.
CREATE TABLE performance_test (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  -- UUIDv7.
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  -- JSON of core::performance::PerformanceTest with the vehicle's signature, as access::signed writes it.
  record TEXT NOT NULL CHECK (json_valid(record))
) STRICT;
-- The drive test that is going on, as JSON with the plates that its tester entered; it goes when it ends.
CREATE TABLE drive_test (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  record TEXT NOT NULL CHECK (json_valid(record))
) STRICT;

-- What officers put down that the station does not hold yet, as it is now. Each change puts it here again.
CREATE TABLE document_outbox (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  -- In the table of that kind.
  number INTEGER NOT NULL,
  -- The station would not take it; tried again later.
  refused_at INTEGER,
  reason TEXT,
  UNIQUE (kind, number)
) STRICT;
CREATE TRIGGER disposition_to_send AFTER INSERT ON disposition
BEGIN INSERT OR REPLACE INTO document_outbox (kind, number) VALUES ('disposition', new.number); END;
CREATE TRIGGER correction_to_send AFTER INSERT ON correction
BEGIN INSERT OR REPLACE INTO document_outbox (kind, number) VALUES ('correction', new.number); END;
CREATE TRIGGER vehicle_finding_to_send AFTER INSERT ON vehicle_finding
BEGIN INSERT OR REPLACE INTO document_outbox (kind, number) VALUES ('vehicle_finding', new.number); END;
CREATE TRIGGER vehicle_finding_to_send_again AFTER UPDATE ON vehicle_finding
BEGIN INSERT OR REPLACE INTO document_outbox (kind, number) VALUES ('vehicle_finding', new.number); END;
CREATE TRIGGER performance_test_to_send AFTER INSERT ON performance_test
BEGIN INSERT OR REPLACE INTO document_outbox (kind, number) VALUES ('performance_test', new.number); END;
-- Documents that the station holds, each with the receipt that says so.
CREATE TABLE document_transferred (
  -- Made of its content.
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  kind TEXT NOT NULL,
  number INTEGER NOT NULL,
  receipt INTEGER NOT NULL REFERENCES receipt (number),
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX document_transferred_by_receipt ON document_transferred (receipt);
-- How far the station holds each audit log, without a gap, and the receipt that says so.
CREATE TABLE audit_transferred (
  log BLOB NOT NULL PRIMARY KEY CHECK (length(log) = 16),
  number INTEGER NOT NULL,
  receipt INTEGER NOT NULL REFERENCES receipt (number)
) STRICT, WITHOUT ROWID;

-- People name a read by the end of its id, at least 6 digits.
CREATE INDEX read_by_end ON read (substr(id, 14));
-- Reads already made, searched back by key or the beginning of one, or by anything else within a window of
-- time. Both have all columns that a search compares, so that the table is read for what is found alone.
CREATE INDEX read_by_key ON read (key, last_seen, camera, state, latitude, longitude);
CREATE INDEX read_by_time ON read (last_seen, key, camera, state, latitude, longitude);
CREATE INDEX read_by_canvass ON read (canvass, last_seen) WHERE canvass <> '';
