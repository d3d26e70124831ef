-- Agencies that reads may be released to, and what they asked for (controls P-40, P-41, P-42). Nothing is deleted here.

CREATE TABLE partners (
    id            BLOB PRIMARY KEY CHECK (length(id) = 16),
    partner       TEXT NOT NULL CHECK (json_valid(partner))     -- JSON of releases::Partner
) STRICT, WITHOUT ROWID;

CREATE TABLE releases (
    id            BLOB PRIMARY KEY CHECK (length(id) = 16),
    asked         INTEGER NOT NULL,
    request       TEXT NOT NULL CHECK (json_valid(request)),    -- JSON of releases::Request
    decision      TEXT CHECK (decision IS NULL OR json_valid(decision)),   -- JSON of releases::Decision
    given_out     TEXT CHECK (given_out IS NULL OR json_valid(given_out))  -- JSON of releases::GivenOut
) STRICT, WITHOUT ROWID;
CREATE INDEX releases_by_time ON releases (asked);
