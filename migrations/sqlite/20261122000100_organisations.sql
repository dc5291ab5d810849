-- One tree of organisations: the provider, its resellers, their companies. What all three have stands here; `companies` and
-- `resellers` keep what is particular. `companies.name`, `name_folded` and `details` stay for hosts of the version before.

CREATE TABLE organizations (
    uid                  BLOB NOT NULL PRIMARY KEY,
    -- Provider, Reseller or Company.
    type                 TEXT NOT NULL,
    name                 TEXT NOT NULL,
    name_folded          TEXT NOT NULL,
    alias                TEXT,
    city                 TEXT,
    company_id           TEXT,
    country              INTEGER,
    country_name         TEXT,
    domain               TEXT,
    email                TEXT,
    legal_name           TEXT,
    location_admin0_code TEXT,
    location_admin1_code TEXT,
    location_admin2_code TEXT,
    notes                TEXT,
    phone                TEXT,
    region_name          TEXT,
    state                INTEGER,
    street               TEXT,
    tax_id               TEXT,
    veeam_tenant_id      TEXT,
    website              TEXT,
    zip_code             TEXT,
    created_at           INTEGER NOT NULL,
    UNIQUE (type, name_folded)
) STRICT;
CREATE INDEX organizations_by_name ON organizations (name_folded);

INSERT INTO organizations (uid, type, name, name_folded, created_at)
SELECT uid, 'Provider', 'Provider', 'provider', installed_at FROM installation;

INSERT INTO organizations (
    uid, type, name, name_folded, alias, city, company_id, country, country_name, domain, email, legal_name, location_admin0_code,
    location_admin1_code, location_admin2_code, notes, phone, region_name, state, street, tax_id, veeam_tenant_id, website, zip_code,
    created_at
)
SELECT
    uid, 'Company', name, name_folded, details ->> 'alias', details ->> 'city', details ->> 'companyId', details ->> 'country',
    details ->> 'countryName', details ->> 'domain', details ->> 'email', details ->> 'legalName', details ->> 'locationAdmin0Code',
    details ->> 'locationAdmin1Code', details ->> 'locationAdmin2Code', details ->> 'notes', details ->> 'phone',
    details ->> 'regionName', details ->> 'state', details ->> 'street', details ->> 'taxId', details ->> 'veeamTenantId',
    details ->> 'website', details ->> 'zipCode', created_at
FROM companies;

CREATE TABLE resellers (
    uid                 BLOB NOT NULL PRIMARY KEY REFERENCES organizations (uid),
    status              TEXT NOT NULL,
    rest_access_enabled INTEGER NOT NULL,
    owner_name          TEXT NOT NULL,
    pro_partner_id      TEXT,
    description         TEXT,
    -- What it may offer, as validated. JSON.
    services            TEXT NOT NULL
) STRICT;

ALTER TABLE companies ADD COLUMN reseller_uid BLOB REFERENCES resellers (uid);
ALTER TABLE companies ADD COLUMN subscription_plan_uid BLOB;
-- What it is offered, as validated. JSON.
ALTER TABLE companies ADD COLUMN services TEXT NOT NULL DEFAULT '{}';
CREATE INDEX companies_by_reseller ON companies (reseller_uid);
UPDATE companies SET services = coalesce(details -> 'companyServices', '{}');

ALTER TABLE locations ADD COLUMN name_folded TEXT NOT NULL DEFAULT '';
-- Default, Hosted or Custom.
ALTER TABLE locations ADD COLUMN type TEXT NOT NULL DEFAULT 'Default';
ALTER TABLE locations ADD COLUMN quota_gb INTEGER NOT NULL DEFAULT 0;
UPDATE locations SET name = 'Remote', name_folded = 'remote';
INSERT INTO locations (uid, company_uid, name, name_folded, type, quota_gb)
SELECT randomblob(16), uid, 'Hosted', 'hosted', 'Hosted', 0 FROM companies;

-- The organisation a user belongs to: the provider, a reseller or a company.
ALTER TABLE users ADD COLUMN organization_uid BLOB REFERENCES organizations (uid);
ALTER TABLE users ADD COLUMN title TEXT NOT NULL DEFAULT 'Unknown';
ALTER TABLE users ADD COLUMN first_name TEXT;
ALTER TABLE users ADD COLUMN last_name TEXT;
ALTER TABLE users ADD COLUMN email TEXT;
ALTER TABLE users ADD COLUMN phone TEXT;
ALTER TABLE users ADD COLUMN address TEXT;
ALTER TABLE users ADD COLUMN mfa_policy_status TEXT NOT NULL DEFAULT 'Disabled';
UPDATE users SET organization_uid = coalesce(company_uid, (SELECT uid FROM installation));
CREATE INDEX users_by_organization ON users (organization_uid);

-- Whose view is narrower than their organisation: location users see these locations, site administrators these sites.
CREATE TABLE user_locations (
    user_uid     BLOB NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
    location_uid BLOB NOT NULL REFERENCES locations (uid) ON DELETE CASCADE,
    PRIMARY KEY (user_uid, location_uid)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_sites (
    user_uid BLOB NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
    site_uid BLOB NOT NULL,
    PRIMARY KEY (user_uid, site_uid)
) STRICT, WITHOUT ROWID;

-- The sites that a reseller may use, and those where a company has something.
CREATE TABLE organization_sites (
    organization_uid BLOB NOT NULL REFERENCES organizations (uid) ON DELETE CASCADE,
    site_uid         BLOB NOT NULL,
    PRIMARY KEY (organization_uid, site_uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX organization_sites_by_site ON organization_sites (site_uid);
