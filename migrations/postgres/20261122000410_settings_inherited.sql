-- What settings are inherited from, and which are the API's words.

-- Where this host's portal is found; written at each start, and shown wherever no organisation has an address of its own.
CREATE TABLE portal (
    singleton BIGINT NOT NULL PRIMARY KEY CHECK (singleton = 1),
    uri       TEXT COLLATE "C" NOT NULL
);

-- Enabled or Disabled: whether its own users must have a second factor.
ALTER TABLE policy_settings ADD COLUMN mfa_status TEXT COLLATE "C" NOT NULL DEFAULT 'Disabled';
ALTER TABLE policy_settings DROP COLUMN mfa_enabled;
