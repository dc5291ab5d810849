-- Steps of a company's onboarding that an administrator let pass, and why. The steps themselves are worked out from what is there.

CREATE TABLE onboarding_overrides (
    company_uid BLOB NOT NULL REFERENCES companies (uid),
    step        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    user_uid    BLOB NOT NULL,
    user_name   TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (company_uid, step)
) STRICT, WITHOUT ROWID;
