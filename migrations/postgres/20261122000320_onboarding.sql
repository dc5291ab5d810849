-- Steps of a company's onboarding that an administrator let pass, and why. The steps themselves are worked out from what is there.

CREATE TABLE onboarding_overrides (
    company_uid UUID NOT NULL REFERENCES companies (uid),
    step        TEXT COLLATE "C" NOT NULL,
    reason      TEXT COLLATE "C" NOT NULL,
    user_uid    UUID NOT NULL,
    user_name   TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (company_uid, step)
);
