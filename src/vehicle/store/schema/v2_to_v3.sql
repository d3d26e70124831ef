-- Hits are listed by time. Events may be of any word; the table is made anew, with all its rows.

CREATE INDEX hit_by_time ON hit (at, id);

CREATE TABLE event_v3 (
  -- From 1, without a gap.
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  -- The system user: the name as the system gave it then, or empty, and the number.
  user TEXT NOT NULL,
  uid INTEGER NOT NULL,
  -- A word of store::What. They are not listed here: this table should not have to be made anew
  -- for each new one.
  what TEXT NOT NULL CHECK (what <> ''),
  -- As given.
  reason TEXT NOT NULL CHECK (reason <> ''),
  -- JSON of what it was done to.
  subject TEXT NOT NULL CHECK (json_valid(subject))
) STRICT;
INSERT INTO event_v3 SELECT number, at, user, uid, what, reason, subject FROM event ORDER BY number;
DROP TABLE event;
ALTER TABLE event_v3 RENAME TO event;
CREATE TRIGGER event_is_not_changed BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'events are not changed'); END;
CREATE TRIGGER event_is_not_removed BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'events are not removed'); END;
