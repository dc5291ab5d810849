-- What an organisation is set to, and the mails that go out. An organisation without a row has the defaults.

CREATE TABLE notification_settings (
    organization_uid            BLOB NOT NULL PRIMARY KEY REFERENCES organizations (uid) ON DELETE CASCADE,
    level                       TEXT NOT NULL,
    default_from                TEXT,
    default_sender_name         TEXT,
    -- The mail server, without secrets; JSON. Absent: the manager's.
    smtp                        TEXT,
    -- The mail server's secrets, sealed.
    smtp_secrets                BLOB,
    alarms_from                 TEXT,
    alarms_sender_name          TEXT,
    alarms_to                   TEXT,
    alarms_daily_subject        TEXT NOT NULL,
    alarms_daily_time           TEXT NOT NULL,
    -- A JSON array; absent: every status.
    alarms_daily_status_filter  TEXT,
    alarms_daily_sorting        TEXT NOT NULL,
    billing_from                TEXT,
    billing_sender_name         TEXT,
    billing_subject             TEXT NOT NULL,
    discovery_from              TEXT,
    discovery_sender_name       TEXT,
    discovery_to                TEXT,
    discovery_subject           TEXT NOT NULL,
    discovery_daily_time        TEXT,
    license_from                TEXT,
    license_sender_name         TEXT,
    license_to                  TEXT,
    license_enabled             INTEGER,
    license_include_csv         INTEGER
) STRICT;

CREATE TABLE branding_settings (
    organization_uid   BLOB NOT NULL PRIMARY KEY REFERENCES organizations (uid) ON DELETE CASCADE,
    -- Absent: the manager's.
    portal_color_theme TEXT,
    web_uri            TEXT,
    -- What the organisations below may change: AllowCustomization or ForceInheritance.
    managed_policy     TEXT NOT NULL
) STRICT;

CREATE TABLE policy_settings (
    organization_uid                  BLOB NOT NULL PRIMARY KEY REFERENCES organizations (uid) ON DELETE CASCADE,
    -- Whether its own users must have a second factor; and whether those of the organisations below must.
    mfa_enabled                       INTEGER NOT NULL,
    enforce_mfa                       INTEGER,
    rest_api_proxying_enabled         INTEGER NOT NULL,
    power_shell_sessions_enabled      INTEGER NOT NULL,
    redirecting_to_vbr_wizard_enabled INTEGER NOT NULL,
    redirecting_to_vbr_web_ui_enabled INTEGER NOT NULL,
    webhooks_enabled                  INTEGER NOT NULL
) STRICT;

CREATE TABLE mails (
    uid              BLOB NOT NULL PRIMARY KEY,
    -- About whom; its settings, or its manager's, say how it goes out.
    organization_uid BLOB NOT NULL REFERENCES organizations (uid) ON DELETE CASCADE,
    kind             TEXT NOT NULL,
    recipients       TEXT NOT NULL,
    -- Absent: the settings'.
    sender           TEXT,
    sender_name      TEXT,
    subject          TEXT NOT NULL,
    -- The words, sealed; deleted when it is out or given up.
    words            BLOB,
    -- Queued, Sent or Dead.
    status           TEXT NOT NULL,
    attempts         INTEGER NOT NULL,
    max_attempts     INTEGER NOT NULL,
    -- When to try (again); while somebody sends it, when that lease is over. Absent: done.
    due_at           INTEGER,
    -- Whose lease; absent: nobody's.
    lease            BLOB,
    last_error       TEXT,
    created_at       INTEGER NOT NULL,
    finished_at      INTEGER
) STRICT;
CREATE INDEX mails_by_due ON mails (due_at);
CREATE INDEX mails_by_organization ON mails (organization_uid, due_at);
CREATE INDEX mails_by_end ON mails (finished_at);

-- The time zones of the world as they are now; `changes_at` is when the first of them moves its clocks.
CREATE TABLE time_zones (
    time_zone_id TEXT NOT NULL PRIMARY KEY,
    display_name TEXT NOT NULL,
    -- Minutes; absent where the API has no number for it.
    utc_offset   INTEGER,
    changes_at   INTEGER
) STRICT;

-- The certificates that the host shows and signs with, as they are on its disk.
CREATE TABLE host_certificates (
    thumbprint    TEXT NOT NULL PRIMARY KEY,
    -- console or authority.
    purpose       TEXT NOT NULL UNIQUE,
    issued_to     TEXT NOT NULL,
    issued_by     TEXT NOT NULL,
    friendly_name TEXT NOT NULL,
    serial_number TEXT NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;
