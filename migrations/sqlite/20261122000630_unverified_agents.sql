-- Agents that came with a genuine token whose time or uses were over: they wait for an operator.

CREATE TABLE unverified_agents (
    uid              BLOB NOT NULL PRIMARY KEY,
    -- The token's, until it is accepted into another.
    company_uid      BLOB REFERENCES organizations (uid),
    location_uid     BLOB REFERENCES locations (uid),
    account_uid      BLOB,
    token_uid        BLOB NOT NULL REFERENCES join_tokens (uid) ON DELETE CASCADE,
    machine_id       TEXT NOT NULL,
    host_name        TEXT NOT NULL,
    host_name_folded TEXT NOT NULL,
    platform         TEXT NOT NULL,
    door             TEXT NOT NULL,
    agent_label      TEXT,
    -- Pending, Accepted or Rejected.
    status           TEXT NOT NULL,
    status_message   TEXT,
    reject_reason    TEXT,
    registered_at    INTEGER NOT NULL,
    -- When it was heard of last.
    seen_at          INTEGER NOT NULL,
    UNIQUE (token_uid, machine_id)
) STRICT;
CREATE INDEX unverified_agents_by_company ON unverified_agents (company_uid);
CREATE INDEX unverified_agents_by_time ON unverified_agents (registered_at);
