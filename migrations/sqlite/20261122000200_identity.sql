-- What a user signs in with beside the password. API keys become one kind of login; the old table goes, not only its use: a key
-- that is taken back here must not live on there.

CREATE TABLE user_logins (
    id           INTEGER NOT NULL PRIMARY KEY,
    uid          BLOB NOT NULL UNIQUE,
    user_uid     BLOB NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
    -- AK: an API key. TOTP: a second factor.
    provider     TEXT NOT NULL,
    -- How its owner recognises it: the first characters of the key, the label in the authenticator.
    identifier   TEXT NOT NULL,
    -- Of a key: SHA-256.
    hash         BLOB UNIQUE,
    -- Of a second factor: sealed.
    secret       BLOB,
    -- Of a second factor: the last time step that was accepted; that one and those before it are spent.
    last_step    INTEGER,
    description  TEXT NOT NULL,
    description_folded TEXT NOT NULL,
    -- JSON: integration, rest, ui, unknown.
    scopes       TEXT NOT NULL,
    read_only    INTEGER NOT NULL,
    enabled      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
) STRICT;
CREATE INDEX user_logins_by_user ON user_logins (user_uid);

INSERT INTO user_logins (
    id, uid, user_uid, provider, identifier, hash, description, description_folded, scopes, read_only, enabled, created_at, expires_at,
    last_used_at
)
SELECT
    id, randomblob(16), user_uid, 'AK', 'kak_', hash, description, lower(description), '["rest"]', read_only, enabled, created_at, expires_at,
    last_used_at
FROM api_keys;

DROP TABLE api_keys;

-- The second factor that took part in the sign-in.
ALTER TABLE tokens ADD COLUMN login_id INTEGER;
-- Who acts in the user's place, when support does.
ALTER TABLE tokens ADD COLUMN actor_uid BLOB REFERENCES users (uid);
ALTER TABLE tokens ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0;
-- Codes that were tried with it.
ALTER TABLE tokens ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tokens_by_actor ON tokens (actor_uid) WHERE actor_uid IS NOT NULL;

-- What makes guessing slow, across restarts.
CREATE TABLE sign_in_failures (
    -- SHA-256 of what it counts for: people type passwords into the wrong field.
    subject BLOB NOT NULL PRIMARY KEY,
    count   INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_in_failures_by_time ON sign_in_failures (last_at);
