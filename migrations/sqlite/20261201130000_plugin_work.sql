-- What plugins keep, and what they do by the clock. No plugin has to be installed for it: one in the developer's folder works too.

CREATE TABLE plugin_entries (
    plugin_id    TEXT NOT NULL,
    -- '' for the plugin's own, else the company's uid.
    space        TEXT NOT NULL,
    -- The same as a reference: what is a company's goes with it.
    company_uid  BLOB REFERENCES organizations (uid) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    value        BLOB NOT NULL,
    -- Unique within the plugin, so that a value that was there before never looks like this one.
    revision     INTEGER NOT NULL,
    -- From then on it is not there; NULL for never.
    expires_at   INTEGER,
    PRIMARY KEY (plugin_id, space, name)
) STRICT;

CREATE INDEX plugin_entries_by_company ON plugin_entries (company_uid);
CREATE INDEX plugin_entries_by_expiry ON plugin_entries (expires_at) WHERE expires_at IS NOT NULL;

-- One row for each plugin that keeps something: whoever writes holds it, so that the quota is exact.
CREATE TABLE plugin_counters (
    plugin_id TEXT NOT NULL PRIMARY KEY,
    revision  INTEGER NOT NULL,
    -- What the plugin has, or had before some of it expired or went with its company: counted anew when it reaches the quota.
    bytes     INTEGER NOT NULL,
    entries   INTEGER NOT NULL
) STRICT;

CREATE TABLE plugin_tasks (
    plugin_id     TEXT NOT NULL,
    task          TEXT NOT NULL,
    -- What the turn was worked out from.
    schedule      TEXT NOT NULL,
    -- When its turn comes by the clock.
    cron_at       INTEGER NOT NULL,
    -- When it is to be looked at next: its turn, the next part of a run, another try.
    due_at        INTEGER NOT NULL,
    -- Whether a run is under way: at work, between two parts, or before another try.
    running       INTEGER NOT NULL,
    -- Who works on it. Whoever lost it writes nothing.
    lease         BLOB,
    lease_until   INTEGER,
    attempt       INTEGER NOT NULL,
    arguments     TEXT NOT NULL,
    checkpoint    BLOB,
    started_at    INTEGER,
    -- Of the run before.
    ended_at      INTEGER,
    -- Succeeded or Failed; NULL if it has never run.
    outcome       TEXT,
    summary       TEXT NOT NULL,
    PRIMARY KEY (plugin_id, task)
) STRICT;

CREATE INDEX plugin_tasks_by_due ON plugin_tasks (due_at);
