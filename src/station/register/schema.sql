-- The register of vehicles: each certificate that counts at this station, or did (control P-26). Times are
-- microseconds since 1970, UTC. A row is never removed.
CREATE TABLE vehicle_certificates (
    fingerprint BLOB PRIMARY KEY CHECK (length(fingerprint) = 32),  -- SHA-256 over the certificate
    vehicle     TEXT NOT NULL,
    serial      TEXT NOT NULL,            -- as the certificate has it, in hex digits
    not_before  INTEGER NOT NULL,
    not_after   INTEGER NOT NULL,
    added       INTEGER NOT NULL,
    added_by    TEXT NOT NULL,
    renews      BLOB,                     -- the certificate over which the vehicle renewed it
    certificate TEXT,                     -- of a renewed one: PEM, so that a request can be answered again
    request     BLOB,                     -- and the hash of the request
    first_used  INTEGER,
    state       TEXT NOT NULL CHECK (state IN ('active', 'retired', 'revoked')),
    ended       INTEGER,                  -- since when it is not active
    ended_by    TEXT,
    reason      TEXT,
    change      INTEGER NOT NULL UNIQUE   -- grows with each change of any row: what is new since a look
) STRICT, WITHOUT ROWID;
CREATE INDEX vehicle_certificates_by_vehicle ON vehicle_certificates (vehicle);
