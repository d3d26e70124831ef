-- Misreads that a supervisor has looked at (control P-30): what was put down about a read, and by whom it was reviewed.

CREATE TABLE misread_reviews (
    vehicle     TEXT NOT NULL,
    document    BLOB NOT NULL CHECK (length(document) = 16),   -- documents.id
    at          INTEGER NOT NULL,
    by          TEXT NOT NULL,
    note        TEXT NOT NULL,
    PRIMARY KEY (vehicle, document)
) STRICT, WITHOUT ROWID;
