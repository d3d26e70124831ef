-- Agencies that reads may be released to, and what they asked for (controls P-40, P-41, P-42). Nothing is deleted here.

CREATE TABLE partners (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16),
    name        TEXT NOT NULL UNIQUE,
    partner     TEXT NOT NULL               -- JSON of releases::Partner
) STRICT, WITHOUT ROWID;

CREATE TABLE releases (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16),
    asked       INTEGER NOT NULL,
    asked_by    TEXT NOT NULL,
    request     TEXT NOT NULL,              -- JSON of releases::Request
    decision    TEXT,                       -- JSON of releases::Decision, written once
    given_out   TEXT                        -- JSON list of releases::GivenOut, which grows
) STRICT, WITHOUT ROWID;
CREATE INDEX releases_that_wait ON releases (asked) WHERE decision IS NULL;
CREATE INDEX releases_by_time ON releases (asked);
