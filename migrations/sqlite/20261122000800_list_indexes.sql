-- The orders of lists: by name, byte by byte, and by time.

CREATE INDEX organizations_by_plain_name ON organizations (name, uid);
CREATE INDEX users_by_plain_name ON users (name, uid);
DROP INDEX organizations_by_name;
CREATE INDEX organizations_by_name ON organizations (name_folded, name, uid);
CREATE INDEX users_by_name ON users (name_folded, name, uid);
