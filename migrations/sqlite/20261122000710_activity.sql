-- What the activity log is asked by: the latest first, of a user, of an organisation.
CREATE INDEX audit_latest ON audit (position DESC);
CREATE INDEX audit_by_user ON audit (user_uid, position DESC);
CREATE INDEX audit_by_organization ON audit (organization_uid, position DESC);
