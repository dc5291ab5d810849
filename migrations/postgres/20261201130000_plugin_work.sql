-- What plugins keep, and what they do by the clock. No plugin has to be installed for it: one in the developer's folder works too.

CREATE TABLE plugin_entries (
    plugin_id    TEXT COLLATE "C" NOT NULL,
    -- '' for the plugin's own, else the company's uid.
    space        TEXT COLLATE "C" NOT NULL,
    -- The same as a reference: what is a company's goes with it.
    company_uid  UUID REFERENCES organizations (uid) ON DELETE CASCADE,
    name         TEXT COLLATE "C" NOT NULL,
    value        BYTEA NOT NULL,
    -- Unique within the plugin, so that a value that was there before never looks like this one.
    revision     BIGINT NOT NULL,
    -- From then on it is not there; NULL for never.
    expires_at   BIGINT,
    PRIMARY KEY (plugin_id, space, name)
);

CREATE INDEX plugin_entries_by_company ON plugin_entries (company_uid);
CREATE INDEX plugin_entries_by_expiry ON plugin_entries (expires_at) WHERE expires_at IS NOT NULL;

-- One row for each plugin that keeps something: whoever writes holds it, so that the quota is exact.
CREATE TABLE plugin_counters (
    plugin_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    revision  BIGINT NOT NULL,
    -- What the plugin has, or had before some of it expired or went with its company: counted anew when it reaches the quota.
    bytes     BIGINT NOT NULL,
    entries   BIGINT NOT NULL
);

CREATE TABLE plugin_tasks (
    plugin_id     TEXT COLLATE "C" NOT NULL,
    task          TEXT COLLATE "C" NOT NULL,
    -- What the turn was worked out from.
    schedule      TEXT COLLATE "C" NOT NULL,
    -- When its turn comes by the clock.
    cron_at       BIGINT NOT NULL,
    -- When it is to be looked at next: its turn, the next part of a run, another try.
    due_at        BIGINT NOT NULL,
    -- Whether a run is under way: at work, between two parts, or before another try.
    running       BOOLEAN NOT NULL,
    -- Who works on it. Whoever lost it writes nothing.
    lease         UUID,
    lease_until   BIGINT,
    attempt       BIGINT NOT NULL,
    arguments     TEXT COLLATE "C" NOT NULL,
    checkpoint    BYTEA,
    started_at    BIGINT,
    -- Of the run before.
    ended_at      BIGINT,
    -- Succeeded or Failed; NULL if it has never run.
    outcome       TEXT COLLATE "C",
    summary       TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (plugin_id, task)
);

CREATE INDEX plugin_tasks_by_due ON plugin_tasks (due_at);
