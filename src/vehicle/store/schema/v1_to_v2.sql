-- Events, states of lists, entries by officers, dispositions; reads found by key and by time.

-- Who did what, and why: each change of lists and entries, and each look that needs a reason.
-- Until there are logins, this is the record. A row is written in the transaction of the change
-- it speaks of, and never changed or removed after.
CREATE TABLE event (
  -- From 1, without a gap.
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  -- The system user: the name as the system gave it then, or empty, and the number.
  user TEXT NOT NULL,
  uid INTEGER NOT NULL,
  what TEXT NOT NULL CHECK (what IN ('list_imported', 'list_forced', 'list_refused', 'list_withdrawn',
    'list_exported', 'entry_added', 'pattern_added', 'entry_removed', 'plate_shown', 'search_back', 'disposition')),
  -- As given.
  reason TEXT NOT NULL CHECK (reason <> ''),
  -- JSON of what it was done to.
  subject TEXT NOT NULL CHECK (json_valid(subject))
) STRICT;
CREATE TRIGGER event_is_not_changed BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'events are not changed'); END;
CREATE TRIGGER event_is_not_removed BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'events are not removed'); END;

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
  created_by TEXT NOT NULL,
  created_uid INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  removed INTEGER,
  removed_by TEXT,
  removed_uid INTEGER,
  removed_why TEXT,
  CHECK ((removed IS NULL) = (removed_by IS NULL) AND (removed IS NULL) = (removed_uid IS NULL)
    AND (removed IS NULL) = (removed_why IS NULL))
) STRICT;
CREATE INDEX manual_entry_in_force ON manual_entry (expires) WHERE removed IS NULL;

-- What an officer found about a hit.
CREATE TABLE disposition (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  user TEXT NOT NULL,
  uid INTEGER NOT NULL,
  -- No references: it outlives the read it speaks of.
  read BLOB NOT NULL CHECK (length(read) = 16),
  hit BLOB NOT NULL CHECK (length(hit) = 16),
  word TEXT NOT NULL CHECK (word IN ('correct', 'misread', 'wrong_state', 'not_on_file', 'dismissed')),
  -- The pairing: match key of the read, and key or partial plate of the list.
  read_key TEXT NOT NULL,
  listed TEXT NOT NULL,
  -- Until then the pairing alerts nobody.
  quiet_until INTEGER
) STRICT;
CREATE INDEX disposition_by_read ON disposition (read);
CREATE INDEX disposition_quiet ON disposition (quiet_until) WHERE quiet_until IS NOT NULL;

-- Reads already made, searched back by key, or by partial plate within a window of time.
CREATE INDEX read_by_key ON read (key, last_seen);
CREATE INDEX read_by_time ON read (last_seen, key);
