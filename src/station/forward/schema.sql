-- Reads that wait to be sent to the upstream station (control P-17). A row goes with its receipt.
CREATE TABLE forward_queue (
    read        BLOB PRIMARY KEY CHECK (length(read) = 16),
    has_hit     INTEGER NOT NULL,         -- these go first
    added       INTEGER NOT NULL,
    refused     INTEGER,                  -- when the upstream station did not take it
    reason      TEXT                      -- and why
) STRICT, WITHOUT ROWID;
CREATE INDEX forward_queue_in_order ON forward_queue (has_hit DESC, read);

-- The newest receipts of the upstream station, as they were signed.
CREATE TABLE forward_receipts (
    batch       BLOB PRIMARY KEY CHECK (length(batch) = 16),
    received    INTEGER NOT NULL,
    signed      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
