-- Requests that are remembered: those that a client gave an id, so that a repeat does not act twice, and those that were
-- answered with 202 and go on. An id is one user's own; another user's may be the same.

CREATE TABLE async_actions (
    user_uid    BLOB NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
    id          BLOB NOT NULL,
    -- Its operationId.
    operation   TEXT NOT NULL,
    -- Names and values of the query, and the body: JSON, without secrets.
    query       TEXT NOT NULL,
    body        TEXT,
    -- What tells a repeat from another request under the same id. Sealed: it covers passwords.
    fingerprint BLOB NOT NULL,
    -- running, succeed, canceled or failed.
    status      TEXT NOT NULL,
    -- Whether its change is in effect; written in the transaction of the change itself.
    committed   INTEGER NOT NULL,
    -- Status, headers and body, sealed; absent while it runs, and when the host died with it.
    answer      BLOB,
    created_at  INTEGER NOT NULL,
    -- The host that works on it moves this on; one that has not for so long has died.
    lease_until INTEGER NOT NULL,
    -- When it is forgotten; absent while it runs.
    expires_at  INTEGER,
    PRIMARY KEY (user_uid, id)
) STRICT;
CREATE INDEX async_actions_by_lease ON async_actions (lease_until) WHERE expires_at IS NULL;
CREATE INDEX async_actions_by_expiry ON async_actions (expires_at);
