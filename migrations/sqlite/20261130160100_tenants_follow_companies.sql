-- A tenant that is mapped to a company is its company's reseller's: one that the company had before has no claim to it.

UPDATE cloud_tenants SET reseller_uid = (SELECT c.reseller_uid FROM companies c WHERE c.uid = cloud_tenants.company_uid)
WHERE company_uid IN (SELECT uid FROM companies);
