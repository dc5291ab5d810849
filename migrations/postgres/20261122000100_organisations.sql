-- One tree of organisations: the provider, its resellers, their companies. What all three have stands here; `companies` and
-- `resellers` keep what is particular. `companies.name`, `name_folded` and `details` stay for hosts of the version before.

CREATE TABLE organizations (
    uid                  UUID NOT NULL PRIMARY KEY,
    -- Provider, Reseller or Company.
    type                 TEXT COLLATE "C" NOT NULL,
    name                 TEXT COLLATE "C" NOT NULL,
    name_folded          TEXT COLLATE "C" NOT NULL,
    alias                TEXT COLLATE "C",
    city                 TEXT COLLATE "C",
    company_id           TEXT COLLATE "C",
    country              BIGINT,
    country_name         TEXT COLLATE "C",
    domain               TEXT COLLATE "C",
    email                TEXT COLLATE "C",
    legal_name           TEXT COLLATE "C",
    location_admin0_code TEXT COLLATE "C",
    location_admin1_code TEXT COLLATE "C",
    location_admin2_code TEXT COLLATE "C",
    notes                TEXT COLLATE "C",
    phone                TEXT COLLATE "C",
    region_name          TEXT COLLATE "C",
    state                BIGINT,
    street               TEXT COLLATE "C",
    tax_id               TEXT COLLATE "C",
    veeam_tenant_id      TEXT COLLATE "C",
    website              TEXT COLLATE "C",
    zip_code             TEXT COLLATE "C",
    created_at           BIGINT NOT NULL,
    UNIQUE (type, name_folded)
);
CREATE INDEX organizations_by_name ON organizations (name_folded);

INSERT INTO organizations (uid, type, name, name_folded, created_at)
SELECT uid, 'Provider', 'Provider', 'provider', installed_at FROM installation;

INSERT INTO organizations (
    uid, type, name, name_folded, alias, city, company_id, country, country_name, domain, email, legal_name, location_admin0_code,
    location_admin1_code, location_admin2_code, notes, phone, region_name, state, street, tax_id, veeam_tenant_id, website, zip_code,
    created_at
)
SELECT
    uid, 'Company', name, name_folded, details::jsonb ->> 'alias', details::jsonb ->> 'city', details::jsonb ->> 'companyId', (details::jsonb ->> 'country')::bigint,
    details::jsonb ->> 'countryName', details::jsonb ->> 'domain', details::jsonb ->> 'email', details::jsonb ->> 'legalName', details::jsonb ->> 'locationAdmin0Code',
    details::jsonb ->> 'locationAdmin1Code', details::jsonb ->> 'locationAdmin2Code', details::jsonb ->> 'notes', details::jsonb ->> 'phone',
    details::jsonb ->> 'regionName', (details::jsonb ->> 'state')::bigint, details::jsonb ->> 'street', details::jsonb ->> 'taxId', details::jsonb ->> 'veeamTenantId',
    details::jsonb ->> 'website', details::jsonb ->> 'zipCode', created_at
FROM companies;

CREATE TABLE resellers (
    uid                 UUID NOT NULL PRIMARY KEY REFERENCES organizations (uid),
    status              TEXT COLLATE "C" NOT NULL,
    rest_access_enabled BOOLEAN NOT NULL,
    owner_name          TEXT COLLATE "C" NOT NULL,
    pro_partner_id      TEXT COLLATE "C",
    description         TEXT COLLATE "C",
    -- What it may offer, as validated. JSON.
    services            TEXT COLLATE "C" NOT NULL
);

ALTER TABLE companies ADD COLUMN reseller_uid UUID REFERENCES resellers (uid);
ALTER TABLE companies ADD COLUMN subscription_plan_uid UUID;
-- What it is offered, as validated. JSON.
ALTER TABLE companies ADD COLUMN services TEXT COLLATE "C" NOT NULL DEFAULT '{}';
CREATE INDEX companies_by_reseller ON companies (reseller_uid);
UPDATE companies SET services = coalesce((details::jsonb -> 'companyServices')::text, '{}');

ALTER TABLE locations ADD COLUMN name_folded TEXT COLLATE "C" NOT NULL DEFAULT '';
-- Default, Hosted or Custom.
ALTER TABLE locations ADD COLUMN type TEXT COLLATE "C" NOT NULL DEFAULT 'Default';
ALTER TABLE locations ADD COLUMN quota_gb BIGINT NOT NULL DEFAULT 0;
UPDATE locations SET name = 'Remote', name_folded = 'remote';
INSERT INTO locations (uid, company_uid, name, name_folded, type, quota_gb)
SELECT gen_random_uuid(), uid, 'Hosted', 'hosted', 'Hosted', 0 FROM companies;

-- The organisation a user belongs to: the provider, a reseller or a company.
ALTER TABLE users ADD COLUMN organization_uid UUID REFERENCES organizations (uid);
ALTER TABLE users ADD COLUMN title TEXT COLLATE "C" NOT NULL DEFAULT 'Unknown';
ALTER TABLE users ADD COLUMN first_name TEXT COLLATE "C";
ALTER TABLE users ADD COLUMN last_name TEXT COLLATE "C";
ALTER TABLE users ADD COLUMN email TEXT COLLATE "C";
ALTER TABLE users ADD COLUMN phone TEXT COLLATE "C";
ALTER TABLE users ADD COLUMN address TEXT COLLATE "C";
ALTER TABLE users ADD COLUMN mfa_policy_status TEXT COLLATE "C" NOT NULL DEFAULT 'Disabled';
UPDATE users SET organization_uid = coalesce(company_uid, (SELECT uid FROM installation));
CREATE INDEX users_by_organization ON users (organization_uid);

-- Whose view is narrower than their organisation: location users see these locations, site administrators these sites.
CREATE TABLE user_locations (
    user_uid     UUID NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
    location_uid UUID NOT NULL REFERENCES locations (uid) ON DELETE CASCADE,
    PRIMARY KEY (user_uid, location_uid)
);

CREATE TABLE user_sites (
    user_uid UUID NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
    site_uid UUID NOT NULL,
    PRIMARY KEY (user_uid, site_uid)
);

-- The sites that a reseller may use, and those where a company has something.
CREATE TABLE organization_sites (
    organization_uid UUID NOT NULL REFERENCES organizations (uid) ON DELETE CASCADE,
    site_uid         UUID NOT NULL,
    PRIMARY KEY (organization_uid, site_uid)
);
CREATE INDEX organization_sites_by_site ON organization_sites (site_uid);
