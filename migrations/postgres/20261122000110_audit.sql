-- The activity log: who did, or was refused, what, from where, before and after. Each row's hash covers the row before it, so a
-- changed or missing row shows.

CREATE TABLE audit (
    position         BIGINT NOT NULL PRIMARY KEY,
    at               BIGINT NOT NULL,
    -- Absent: the host itself, or nobody known.
    user_uid         UUID,
    user_name        TEXT COLLATE "C" NOT NULL,
    -- Who acts in the user's place, when support does.
    actor_uid        UUID,
    address          TEXT COLLATE "C" NOT NULL,
    operation        TEXT COLLATE "C" NOT NULL,
    -- Succeeded or Denied.
    outcome          TEXT COLLATE "C" NOT NULL,
    organization_uid UUID,
    object_type      TEXT COLLATE "C" NOT NULL,
    object_uid       UUID,
    object_name      TEXT COLLATE "C" NOT NULL,
    message          TEXT COLLATE "C" NOT NULL,
    -- JSON, without secrets.
    before           TEXT COLLATE "C",
    after            TEXT COLLATE "C",
    hash             BYTEA NOT NULL
);
CREATE INDEX audit_by_time ON audit (at);

-- The last link of the chain; whoever writes the next one holds this row.
CREATE TABLE audit_head (
    singleton BIGINT NOT NULL PRIMARY KEY CHECK (singleton = 1),
    position  BIGINT NOT NULL,
    hash      BYTEA NOT NULL
);
INSERT INTO audit_head (singleton, position, hash) VALUES (1, 0, '');
