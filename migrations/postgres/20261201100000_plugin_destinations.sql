-- What administrators let plugins reach. A plugin is known by its id alone: it may lie in a developer's folder, so that no table
-- lists them all, and what was bound stays for when it comes back.

-- Where the destinations of a plugin's manifest stand.
CREATE TABLE plugin_destinations (
    plugin_id        TEXT COLLATE "C" NOT NULL,
    -- Of the manifest's [[http]].
    label            TEXT COLLATE "C" NOT NULL,
    -- scheme://host[:port], and nothing behind it.
    origin           TEXT COLLATE "C" NOT NULL,
    -- Whether it may stand in the provider's own network.
    private_network  BOOLEAN NOT NULL,
    bound_at         BIGINT NOT NULL,
    PRIMARY KEY (plugin_id, label)
);

-- What was entered for the secrets of a plugin's manifest.
CREATE TABLE plugin_secrets (
    plugin_id   TEXT COLLATE "C" NOT NULL,
    -- Of the manifest's [[secrets]].
    label       TEXT COLLATE "C" NOT NULL,
    -- Opens for this plugin and this label only.
    sealed      BYTEA NOT NULL,
    -- token, password or oauth2-client, as it was when it was entered.
    kind        TEXT COLLATE "C" NOT NULL,
    -- Where that can be read from the secret.
    expires_at  BIGINT,
    set_at      BIGINT NOT NULL,
    PRIMARY KEY (plugin_id, label)
);

-- Every request of a plugin, those that were refused too. Written before it leaves, completed when it is over.
CREATE TABLE plugin_requests (
    uid           UUID NOT NULL PRIMARY KEY,
    plugin_id     TEXT COLLATE "C" NOT NULL,
    -- As in the plugin's log lines and in the request's x-keelson-call.
    call_id       TEXT COLLATE "C" NOT NULL,
    -- As the plugin named it.
    destination   TEXT COLLATE "C" NOT NULL,
    -- On whose behalf; absent: the provider's.
    company_uid   UUID,
    method        TEXT COLLATE "C" NOT NULL,
    -- Without the query, and without secrets.
    path          TEXT COLLATE "C" NOT NULL,
    -- Absent: there was no answer.
    status        BIGINT,
    -- ok, cut (it was under way when its call ended), or the error's code.
    outcome       TEXT COLLATE "C" NOT NULL,
    bytes_out     BIGINT NOT NULL,
    bytes_in      BIGINT NOT NULL,
    milliseconds  BIGINT NOT NULL,
    at            BIGINT NOT NULL
);
CREATE INDEX plugin_requests_by_plugin ON plugin_requests (plugin_id, at);
CREATE INDEX plugin_requests_by_at ON plugin_requests (at);
