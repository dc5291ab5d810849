-- What a subtenant may use of their company's backup resources.

CREATE TABLE user_backup_resources (
    user_uid      UUID NOT NULL PRIMARY KEY REFERENCES users (uid) ON DELETE CASCADE,
    -- The company's backup resource of which this is a part.
    resource_uid  UUID NOT NULL,
    site_uid      UUID,
    name          TEXT COLLATE "C" NOT NULL,
    description   TEXT COLLATE "C",
    -- Bytes; absent: as much as the company has.
    storage_quota BIGINT,
    vcd_user_id   TEXT COLLATE "C",
    created_at    BIGINT NOT NULL
);
CREATE INDEX user_backup_resources_by_resource ON user_backup_resources (resource_uid);
