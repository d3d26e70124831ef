-- Audits (control P-32): random samples of accesses and of reads, and what an auditor found about each. Nothing is
-- deleted here.

CREATE TABLE audits (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16),
    begun       INTEGER NOT NULL,
    begun_by    TEXT NOT NULL,
    first       TEXT NOT NULL,              -- days (UTC), both included
    last        TEXT NOT NULL,
    basis       TEXT NOT NULL,   -- JSON of audits::Basis
    report      TEXT                        -- signed, once it is closed
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_audit_goes_on ON audits ((report IS NULL)) WHERE report IS NULL;

CREATE TABLE audit_items (
    audit       BLOB NOT NULL REFERENCES audits (id),
    number      INTEGER NOT NULL,           -- from 1
    item        TEXT NOT NULL,    -- JSON of audits::Item
    judgement   TEXT, -- JSON of audits::Judgement
    PRIMARY KEY (audit, number)
) STRICT, WITHOUT ROWID;
