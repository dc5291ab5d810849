-- Templates (a rule with its parameters), and the alarms raised under them.

CREATE TABLE alarm_templates (
    uid               UUID NOT NULL PRIMARY KEY,
    plugin            TEXT COLLATE "C" NOT NULL,
    rule              TEXT COLLATE "C" NOT NULL,
    subject           TEXT COLLATE "C" NOT NULL,
    internal_id       BIGINT NOT NULL,
    name              TEXT COLLATE "C" NOT NULL,
    name_folded       TEXT COLLATE "C" NOT NULL,
    category          TEXT COLLATE "C" NOT NULL,
    enabled           BOOLEAN NOT NULL,
    predefined        BOOLEAN NOT NULL,
    -- JSON, valid under the rule's schema.
    parameters        TEXT COLLATE "C" NOT NULL,
    summary           TEXT COLLATE "C" NOT NULL,
    cause             TEXT COLLATE "C" NOT NULL,
    resolution        TEXT COLLATE "C" NOT NULL,
    UNIQUE (plugin, rule)
);

CREATE TABLE alarms (
    uid            UUID NOT NULL PRIMARY KEY,
    template_uid   UUID NOT NULL REFERENCES alarm_templates (uid),
    company_uid    UUID NOT NULL REFERENCES companies (uid),
    location_uid   UUID,
    agent_uid      UUID,
    object_type    TEXT COLLATE "C" NOT NULL,
    object_uid     UUID NOT NULL,
    object_name    TEXT COLLATE "C" NOT NULL,
    object_name_folded TEXT COLLATE "C" NOT NULL,
    computer_name  TEXT COLLATE "C" NOT NULL,
    -- The last activation, repeated here so that lists need no join.
    activation_uid UUID NOT NULL,
    status         TEXT COLLATE "C" NOT NULL,
    message        TEXT COLLATE "C" NOT NULL,
    remark         TEXT COLLATE "C" NOT NULL,
    changed_at     BIGINT NOT NULL,
    repeat_count   BIGINT NOT NULL,
    UNIQUE (template_uid, object_uid)
);
CREATE INDEX alarms_by_company ON alarms (company_uid);
CREATE INDEX alarms_by_object ON alarms (object_uid);
CREATE INDEX alarms_by_time ON alarms (changed_at);

CREATE TABLE alarm_activations (
    uid        UUID NOT NULL PRIMARY KEY,
    alarm_uid  UUID NOT NULL REFERENCES alarms (uid) ON DELETE CASCADE,
    status     TEXT COLLATE "C" NOT NULL,
    message    TEXT COLLATE "C" NOT NULL,
    remark     TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX alarm_activations_by_alarm ON alarm_activations (alarm_uid, created_at);
