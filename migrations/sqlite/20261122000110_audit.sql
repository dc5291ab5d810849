-- The activity log: who did, or was refused, what, from where, before and after. Each row's hash covers the row before it, so a
-- changed or missing row shows.

CREATE TABLE audit (
    position         INTEGER NOT NULL PRIMARY KEY,
    at               INTEGER NOT NULL,
    -- Absent: the host itself, or nobody known.
    user_uid         BLOB,
    user_name        TEXT NOT NULL,
    -- Who acts in the user's place, when support does.
    actor_uid        BLOB,
    address          TEXT NOT NULL,
    operation        TEXT NOT NULL,
    -- Succeeded or Denied.
    outcome          TEXT NOT NULL,
    organization_uid BLOB,
    object_type      TEXT NOT NULL,
    object_uid       BLOB,
    object_name      TEXT NOT NULL,
    message          TEXT NOT NULL,
    -- JSON, without secrets.
    before           TEXT,
    after            TEXT,
    hash             BLOB NOT NULL
) STRICT;
CREATE INDEX audit_by_time ON audit (at);

-- The last link of the chain; whoever writes the next one holds this row.
CREATE TABLE audit_head (
    singleton INTEGER NOT NULL PRIMARY KEY CHECK (singleton = 1),
    position  INTEGER NOT NULL,
    hash      BLOB NOT NULL
) STRICT;
INSERT INTO audit_head (singleton, position, hash) VALUES (1, 0, x'');
