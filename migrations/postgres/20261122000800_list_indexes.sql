-- The orders of lists: by name, byte by byte, and by time. An order that begins with nulls is served only by an index that does.

CREATE INDEX organizations_by_plain_name ON organizations (name NULLS FIRST, uid);
CREATE INDEX users_by_plain_name ON users (name NULLS FIRST, uid);
DROP INDEX organizations_by_name;
CREATE INDEX organizations_by_name ON organizations (name_folded NULLS FIRST, name NULLS FIRST, uid);
CREATE INDEX users_by_name ON users (name_folded NULLS FIRST, name NULLS FIRST, uid);
DROP INDEX alarms_by_time;
CREATE INDEX alarms_by_time ON alarms (changed_at NULLS FIRST, uid);
DROP INDEX audit_by_time;
CREATE INDEX audit_by_time ON audit (at NULLS FIRST, position);
