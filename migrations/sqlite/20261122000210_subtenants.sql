-- What a subtenant may use of their company's backup resources.

CREATE TABLE user_backup_resources (
    user_uid      BLOB NOT NULL PRIMARY KEY REFERENCES users (uid) ON DELETE CASCADE,
    -- The company's backup resource of which this is a part.
    resource_uid  BLOB NOT NULL,
    site_uid      BLOB,
    name          TEXT NOT NULL,
    description   TEXT,
    -- Bytes; absent: as much as the company has.
    storage_quota INTEGER,
    vcd_user_id   TEXT,
    created_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX user_backup_resources_by_resource ON user_backup_resources (resource_uid);
