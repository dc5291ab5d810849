-- Requests that are remembered: those that a client gave an id, so that a repeat does not act twice, and those that were
-- answered with 202 and go on. An id is one user's own; another user's may be the same.

CREATE TABLE async_actions (
    user_uid    UUID NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
    id          UUID NOT NULL,
    -- Its operationId.
    operation   TEXT COLLATE "C" NOT NULL,
    -- Names and values of the query, and the body: JSON, without secrets.
    query       TEXT COLLATE "C" NOT NULL,
    body        TEXT COLLATE "C",
    -- What tells a repeat from another request under the same id. Sealed: it covers passwords.
    fingerprint BYTEA NOT NULL,
    -- running, succeed, canceled or failed.
    status      TEXT COLLATE "C" NOT NULL,
    -- Whether its change is in effect; written in the transaction of the change itself.
    committed   BOOLEAN NOT NULL,
    -- Status, headers and body, sealed; absent while it runs, and when the host died with it.
    answer      BYTEA,
    created_at  BIGINT NOT NULL,
    -- The host that works on it moves this on; one that has not for so long has died.
    lease_until BIGINT NOT NULL,
    -- When it is forgotten; absent while it runs.
    expires_at  BIGINT,
    PRIMARY KEY (user_uid, id)
);
CREATE INDEX async_actions_by_lease ON async_actions (lease_until) WHERE expires_at IS NULL;
CREATE INDEX async_actions_by_expiry ON async_actions (expires_at);
