-- Reads that wait to be sent to the upstream station (control P-17), and to receivers of [[push]]. A row goes with its
-- receipt, or once the receiver has taken it.
CREATE TABLE forward_queue (
    receiver    TEXT NOT NULL,            -- name of a receiver; empty for the upstream station
    read        BLOB NOT NULL CHECK (length(read) = 16),
    has_hit     INTEGER NOT NULL,         -- these go first
    added       INTEGER NOT NULL,
    refused     INTEGER,                  -- when the other side did not take it
    reason      TEXT,                     -- and why
    PRIMARY KEY (receiver, read)
) STRICT, WITHOUT ROWID;
CREATE INDEX forward_queue_in_order ON forward_queue (receiver, has_hit DESC, read);

-- The newest receipts of the upstream station, as they were signed.
CREATE TABLE forward_receipts (
    batch       BLOB PRIMARY KEY CHECK (length(batch) = 16),
    received    INTEGER NOT NULL,
    signed      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
