-- The outbox: what agents are to do. A row is written in the transaction of the change that asks for it; the agents' sessions take
-- rows by lease, so that two hosts never send the same one at once.

CREATE TABLE commands (
    -- The order in which they were asked for.
    position        BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uid             UUID NOT NULL UNIQUE,
    agent_uid       UUID NOT NULL REFERENCES agents (uid) ON DELETE CASCADE,
    kind            TEXT COLLATE "C" NOT NULL,
    -- The API's word for the kind, and what it does to what, for people.
    task_type       TEXT COLLATE "C" NOT NULL,
    description     TEXT COLLATE "C" NOT NULL,
    -- What it is about: commands about the same thing are done one after the other.
    subject_uid     UUID,
    payload         TEXT COLLATE "C" NOT NULL,
    -- A secret that belongs to the payload, sealed for this command; gone when the command is over.
    sealed          BYTEA,
    idempotency_key TEXT COLLATE "C" NOT NULL,
    -- pending, leased, sent, running; succeeded, failed, canceled, expired.
    state           TEXT COLLATE "C" NOT NULL,
    -- How often it was leased; at the same time the number of the current lease.
    attempts        BIGINT NOT NULL,
    lease_until     BIGINT,
    created_at      BIGINT NOT NULL,
    deadline        BIGINT NOT NULL,
    sent_at         BIGINT,
    started_at      BIGINT,
    -- Absent: it is not over.
    finished_at     BIGINT,
    progress        BIGINT,
    message         TEXT COLLATE "C",
    result          TEXT COLLATE "C",
    -- Who asked for it, by which operation.
    user_uid        UUID,
    operation       TEXT COLLATE "C" NOT NULL,
    UNIQUE (agent_uid, idempotency_key)
);
CREATE INDEX commands_open ON commands (agent_uid, position) WHERE finished_at IS NULL;
CREATE INDEX commands_due ON commands (deadline) WHERE finished_at IS NULL;
CREATE INDEX commands_over ON commands (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX commands_by_subject ON commands (subject_uid, position);
CREATE INDEX commands_by_agent ON commands (agent_uid, created_at);
CREATE INDEX commands_by_time ON commands (created_at);
