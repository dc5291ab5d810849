-- Agents that came with a genuine token whose time or uses were over: they wait for an operator.

CREATE TABLE unverified_agents (
    uid              UUID NOT NULL PRIMARY KEY,
    -- The token's, until it is accepted into another.
    company_uid      UUID REFERENCES organizations (uid),
    location_uid     UUID REFERENCES locations (uid),
    account_uid      UUID,
    token_uid        UUID NOT NULL REFERENCES join_tokens (uid) ON DELETE CASCADE,
    machine_id       TEXT COLLATE "C" NOT NULL,
    host_name        TEXT COLLATE "C" NOT NULL,
    host_name_folded TEXT COLLATE "C" NOT NULL,
    platform         TEXT COLLATE "C" NOT NULL,
    door             TEXT COLLATE "C" NOT NULL,
    agent_label      TEXT COLLATE "C",
    -- Pending, Accepted or Rejected.
    status           TEXT COLLATE "C" NOT NULL,
    status_message   TEXT COLLATE "C",
    reject_reason    TEXT COLLATE "C",
    registered_at    BIGINT NOT NULL,
    -- When it was heard of last.
    seen_at          BIGINT NOT NULL,
    UNIQUE (token_uid, machine_id)
);
CREATE INDEX unverified_agents_by_company ON unverified_agents (company_uid);
CREATE INDEX unverified_agents_by_time ON unverified_agents (registered_at NULLS FIRST);
