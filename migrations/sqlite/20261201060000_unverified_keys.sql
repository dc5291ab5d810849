-- Which key a machine came with that waits: SHA-256 of its public key. Names and machine ids can be copied, and some systems have
-- no machine id. Rows of before have none and let nobody in, as nobody can tell whose they are.
CREATE TABLE new_unverified_agents (
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
    key_hash         BLOB,
    UNIQUE (token_uid, key_hash)
) STRICT;
INSERT INTO new_unverified_agents (uid, company_uid, location_uid, account_uid, token_uid, machine_id, host_name, host_name_folded,
        platform, door, agent_label, status, status_message, reject_reason, registered_at, seen_at)
    SELECT uid, company_uid, location_uid, account_uid, token_uid, machine_id, host_name, host_name_folded,
        platform, door, agent_label, status, status_message, reject_reason, registered_at, seen_at FROM unverified_agents;
DROP TABLE unverified_agents;
ALTER TABLE new_unverified_agents RENAME TO unverified_agents;
CREATE INDEX unverified_agents_by_company ON unverified_agents (company_uid);
CREATE INDEX unverified_agents_by_time ON unverified_agents (registered_at);
UPDATE unverified_agents SET status = 'Pending', status_message = 'it must come again, as its key is not known'
    WHERE status <> 'Rejected';
