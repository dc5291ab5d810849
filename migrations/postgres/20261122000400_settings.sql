-- What an organisation is set to, and the mails that go out. An organisation without a row has the defaults.

CREATE TABLE notification_settings (
    organization_uid            UUID NOT NULL PRIMARY KEY REFERENCES organizations (uid) ON DELETE CASCADE,
    level                       TEXT COLLATE "C" NOT NULL,
    default_from                TEXT COLLATE "C",
    default_sender_name         TEXT COLLATE "C",
    -- The mail server, without secrets; JSON. Absent: the manager's.
    smtp                        TEXT COLLATE "C",
    -- The mail server's secrets, sealed.
    smtp_secrets                BYTEA,
    alarms_from                 TEXT COLLATE "C",
    alarms_sender_name          TEXT COLLATE "C",
    alarms_to                   TEXT COLLATE "C",
    alarms_daily_subject        TEXT COLLATE "C" NOT NULL,
    alarms_daily_time           TEXT COLLATE "C" NOT NULL,
    -- A JSON array; absent: every status.
    alarms_daily_status_filter  TEXT COLLATE "C",
    alarms_daily_sorting        TEXT COLLATE "C" NOT NULL,
    billing_from                TEXT COLLATE "C",
    billing_sender_name         TEXT COLLATE "C",
    billing_subject             TEXT COLLATE "C" NOT NULL,
    discovery_from              TEXT COLLATE "C",
    discovery_sender_name       TEXT COLLATE "C",
    discovery_to                TEXT COLLATE "C",
    discovery_subject           TEXT COLLATE "C" NOT NULL,
    discovery_daily_time        TEXT COLLATE "C",
    license_from                TEXT COLLATE "C",
    license_sender_name         TEXT COLLATE "C",
    license_to                  TEXT COLLATE "C",
    license_enabled             BOOLEAN,
    license_include_csv         BOOLEAN
);

CREATE TABLE branding_settings (
    organization_uid   UUID NOT NULL PRIMARY KEY REFERENCES organizations (uid) ON DELETE CASCADE,
    -- Absent: the manager's.
    portal_color_theme TEXT COLLATE "C",
    web_uri            TEXT COLLATE "C",
    -- What the organisations below may change: AllowCustomization or ForceInheritance.
    managed_policy     TEXT COLLATE "C" NOT NULL
);

CREATE TABLE policy_settings (
    organization_uid                  UUID NOT NULL PRIMARY KEY REFERENCES organizations (uid) ON DELETE CASCADE,
    -- Whether its own users must have a second factor; and whether those of the organisations below must.
    mfa_enabled                       BOOLEAN NOT NULL,
    enforce_mfa                       BOOLEAN,
    rest_api_proxying_enabled         BOOLEAN NOT NULL,
    power_shell_sessions_enabled      BOOLEAN NOT NULL,
    redirecting_to_vbr_wizard_enabled BOOLEAN NOT NULL,
    redirecting_to_vbr_web_ui_enabled BOOLEAN NOT NULL,
    webhooks_enabled                  BOOLEAN NOT NULL
);

CREATE TABLE mails (
    uid              UUID NOT NULL PRIMARY KEY,
    -- About whom; its settings, or its manager's, say how it goes out.
    organization_uid UUID NOT NULL REFERENCES organizations (uid) ON DELETE CASCADE,
    kind             TEXT COLLATE "C" NOT NULL,
    recipients       TEXT COLLATE "C" NOT NULL,
    -- Absent: the settings'.
    sender           TEXT COLLATE "C",
    sender_name      TEXT COLLATE "C",
    subject          TEXT COLLATE "C" NOT NULL,
    -- The words, sealed; deleted when it is out or given up.
    words            BYTEA,
    -- Queued, Sent or Dead.
    status           TEXT COLLATE "C" NOT NULL,
    attempts         BIGINT NOT NULL,
    max_attempts     BIGINT NOT NULL,
    -- When to try (again); while somebody sends it, when that lease is over. Absent: done.
    due_at           BIGINT,
    -- Whose lease; absent: nobody's.
    lease            UUID,
    last_error       TEXT COLLATE "C",
    created_at       BIGINT NOT NULL,
    finished_at      BIGINT
);
CREATE INDEX mails_by_due ON mails (due_at);
CREATE INDEX mails_by_organization ON mails (organization_uid, due_at);
CREATE INDEX mails_by_end ON mails (finished_at);

-- The time zones of the world as they are now; `changes_at` is when the first of them moves its clocks.
CREATE TABLE time_zones (
    time_zone_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    display_name TEXT COLLATE "C" NOT NULL,
    -- Minutes; absent where the API has no number for it.
    utc_offset   BIGINT,
    changes_at   BIGINT
);

-- The certificates that the host shows and signs with, as they are on its disk.
CREATE TABLE host_certificates (
    thumbprint    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- console or authority.
    purpose       TEXT COLLATE "C" NOT NULL UNIQUE,
    issued_to     TEXT COLLATE "C" NOT NULL,
    issued_by     TEXT COLLATE "C" NOT NULL,
    friendly_name TEXT COLLATE "C" NOT NULL,
    serial_number TEXT COLLATE "C" NOT NULL,
    expires_at    BIGINT NOT NULL
);
