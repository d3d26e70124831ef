-- What was looked at at a list's path, and when a list was last known to be the newest.

ALTER TABLE list_state ADD COLUMN seen BLOB CHECK (length(seen) = 32);
ALTER TABLE list_state ADD COLUMN seen_refused_by BLOB CHECK (length(seen_refused_by) = 32);
ALTER TABLE list_state ADD COLUMN confirmed INTEGER;
ALTER TABLE list_state ADD COLUMN covert INTEGER NOT NULL DEFAULT 0 CHECK (covert IN (0, 1));
