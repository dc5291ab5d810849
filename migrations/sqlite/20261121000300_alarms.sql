-- Templates (a rule with its parameters), and the alarms raised under them.

CREATE TABLE alarm_templates (
    uid               BLOB NOT NULL PRIMARY KEY,
    plugin            TEXT NOT NULL,
    rule              TEXT NOT NULL,
    subject           TEXT NOT NULL,
    internal_id       INTEGER NOT NULL,
    name              TEXT NOT NULL,
    name_folded       TEXT NOT NULL,
    category          TEXT NOT NULL,
    enabled           INTEGER NOT NULL,
    predefined        INTEGER NOT NULL,
    -- JSON, valid under the rule's schema.
    parameters        TEXT NOT NULL,
    summary           TEXT NOT NULL,
    cause             TEXT NOT NULL,
    resolution        TEXT NOT NULL,
    UNIQUE (plugin, rule)
) STRICT;

CREATE TABLE alarms (
    uid            BLOB NOT NULL PRIMARY KEY,
    template_uid   BLOB NOT NULL REFERENCES alarm_templates (uid),
    company_uid    BLOB NOT NULL REFERENCES companies (uid),
    location_uid   BLOB,
    agent_uid      BLOB,
    object_type    TEXT NOT NULL,
    object_uid     BLOB NOT NULL,
    object_name    TEXT NOT NULL,
    object_name_folded TEXT NOT NULL,
    computer_name  TEXT NOT NULL,
    -- The last activation, repeated here so that lists need no join.
    activation_uid BLOB NOT NULL,
    status         TEXT NOT NULL,
    message        TEXT NOT NULL,
    remark         TEXT NOT NULL,
    changed_at     INTEGER NOT NULL,
    repeat_count   INTEGER NOT NULL,
    UNIQUE (template_uid, object_uid)
) STRICT;
CREATE INDEX alarms_by_company ON alarms (company_uid);
CREATE INDEX alarms_by_object ON alarms (object_uid);
CREATE INDEX alarms_by_time ON alarms (changed_at);

CREATE TABLE alarm_activations (
    uid        BLOB NOT NULL PRIMARY KEY,
    alarm_uid  BLOB NOT NULL REFERENCES alarms (uid) ON DELETE CASCADE,
    status     TEXT NOT NULL,
    message    TEXT NOT NULL,
    remark     TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX alarm_activations_by_alarm ON alarm_activations (alarm_uid, created_at);
