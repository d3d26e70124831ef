-- Files that every station on this database hands out: lists and models, in pieces of a MiB. Only on PostgreSQL; a station
-- alone has them in its data folder.

CREATE TABLE shared_files (
    path        TEXT COLLATE "C" PRIMARY KEY,   -- within the data folder
    bytes       BIGINT NOT NULL,
    sha256      BYTEA NOT NULL
);
CREATE TABLE shared_pieces (
    path        TEXT COLLATE "C" NOT NULL REFERENCES shared_files (path) ON DELETE CASCADE,
    number      INTEGER NOT NULL,               -- from 0
    bytes       BYTEA NOT NULL,
    PRIMARY KEY (path, number)
);
