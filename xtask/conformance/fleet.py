"""What stands in the host: real ids for the parameters of operations, read through the API itself."""

import itertools
import re
import uuid

import requests

# A kind of object: the list that has it, the property with its id, and the kinds that its row also names. What
# stands under `where` must hold of the row.
KINDS = {
    "company": ("GetCompanies", "instanceUid", {}, {}),
    "organization": ("GetOrganizations", "instanceUid", {}, {}),
    "reseller": ("GetResellers", "instanceUid", {}, {}),
    "location": ("GetLocations", "instanceUid", {"organization": "organizationUid"}, {}),
    "user": ("GetUsers", "instanceUid", {"organization": "organizationUid"}, {}),
    "plainUser": ("GetUsers", "instanceUid", {}, {"role": "CompanySubtenant"}),
    "login": ("GetLogins", "id", {"user": "userUid"}, {}),
    "action": ("GetAsyncActionsInfo", "id", {}, {}),
    "site": ("GetSites", "siteUid", {}, {}),
    "tenant": ("GetTenants", "instanceUid", {"site": "siteUid"}, {}),
    "tenantResource": ("GetTenantsBackupResources", "instanceUid", {"tenant": "tenantUid", "site": "siteUid"}, {}),
    "backupServer": ("GetBackupServers", "instanceUid", {}, {}),
    "hostedServer": ("GetBackupServers", "instanceUid", {}, {"backupServerRoleType": "Hosted"}),
    "siteServer": ("GetBackupServers", "instanceUid", {}, {"backupServerRoleType": "CloudConnect"}),
    "repository": ("GetBackupRepositories", "instanceUid", {"backupServer": "backupServerUid"}, {}),
    "job": ("GetBackupServerJobs", "instanceUid", {"backupServer": "backupServerUid"}, {}),
    "vmJob": ("GetBackupServerBackupVmJobs", "instanceUid", {}, {}),
    "agent": ("GetManagementAgents", "instanceUid", {}, {"type": "Client"}),
    "unverifiedAgent": ("GetUnverifiedAgents", "instanceUid", {}, {}),
    "hostedResource": ("GetCompaniesHostedVbrResources", "instanceUid",
                       {"company": "companyUid", "hostedServer": "serverUid"}, {}),
    # Repositories that a site's shares may be of: taken from shares that there are.
    "siteRepository": ("GetTenantsBackupResources", "repositoryUid", {"tenant": "tenantUid", "site": "siteUid"}, {}),
    # Repositories of a hosted server that a company on it has no share of: see Fleet.unshared.
    "hostedRepository": ("GetCompaniesHostedVbrResources", "",
                         {"hostedResource": "instanceUid", "company": "companyUid"}, {}),
    # Jobs of hosted servers, each with a company that has a share of its server: see Fleet.assignable.
    "hostedJob": ("GetBackupServerJobs", "instanceUid", {"company": "mappedOrganizationUid"}, {}),
    # Jobs in the states that some calls want them in.
    "failedJob": ("GetBackupServerJobs", "instanceUid", {}, {"status": "Failed"}),
    "waitingTask": ("GetManagementAgentTasks", "instanceUid", {}, {"status": "Scheduled"}),
    "virtualMachine": ("GetProtectedVirtualMachines", "instanceUid", {}, {}),
}  # fmt: skip

PLACE = re.compile(r"\{\{(\w+)\}\}")


# What the provider says of itself, so that its own properties have values, too.
ABOUT_PROVIDER = {
    "alias": "provider", "city": "London", "companyId": "P-1", "domain": "provider.test",
    "email": "desk@provider.test", "legalName": "Provider Ltd", "locationAdmin0Code": "GB", "locationAdmin1Code": "ENG",
    "locationAdmin2Code": "GLA", "notes": "Open from eight to six", "phone": "+44 20 7946 0000", "state": 1,
    "street": "Quay Street 1", "taxId": "GB000000000", "veeamTenantId": "T-1", "website": "https://provider.test",
    "zipCode": "E1 6AN", "countryName": "United Kingdom", "regionName": "England",
}  # fmt: skip


class Missing(Exception):
    """The host has no object that a call needs."""


class Fleet:
    """The host, as one caller sees it."""

    def __init__(self, url, authority, key, vendor, words):
        self.url = url.rstrip("/")
        self.session = requests.Session()
        self.session.verify = authority
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {key}"
        self.session.headers["X-Client-Version"] = vendor.version
        self.paths = {operation.id: operation.path for operation in vendor.operations}
        self.words = words
        self.numbers = itertools.count(1)
        self.run = uuid.uuid4().hex[:8]
        self.rows = {}
        self.own = self.get("GetCurrentUser").json()["data"]
        self.act()

    def act(self):
        """Changes something under an id, so that there is an action to be asked for."""
        self.patch(f"/users/{self.own['instanceUid']}", {"profile/firstName": "Conformance"})
        # The only one with states.
        country = next(one["id"] for one in self.get("GetCountries").json()["data"] if one["code"] == "US")
        self.patch(f"/organizations/{self.own['organizationUid']}", {**ABOUT_PROVIDER, "country": country})
        smtp = {"serverAddress": f"127.0.0.1:{self.words['mailPort']}", "timeout": "00:00:10", "tlsMode": "none"}
        self.patch(f"/organizations/{self.own['organizationUid']}/configuration/notification", {"smtp": smtp})

    def patch(self, path, values):
        """Sets some properties of an object."""
        steps = [{"op": "replace", "path": f"/{name}", "value": value} for name, value in values.items()]
        header = {"X-Request-id": str(uuid.uuid4())}
        select = {"select": '[{"propertyPath":"name"}]'} if path.count("/") == 2 and "organizations" in path else {}
        answer = self.session.patch(f"{self.url}/api/v3{path}", json=steps, headers=header, params=select, timeout=60)
        if answer.status_code not in (200, 202):
            raise SystemExit(f"PATCH {path} answered {answer.status_code}: {answer.text}")

    def get(self, id, **query):
        """Reads an operation without path parameters."""
        return self.session.get(f"{self.url}/api/v3{self.paths[id]}", params=query, timeout=60)

    def everything(self, path, most=5000, **query):
        """All rows of a list, page by page."""
        rows = []
        while len(rows) < most:
            answer = self.session.get(
                f"{self.url}/api/v3{path}", params={**query, "limit": 500, "offset": len(rows)}, timeout=120
            )
            if answer.status_code != 200:
                raise Missing(f"GET {path} answered {answer.status_code}: {answer.text[:200]}")
            body = answer.json()
            rows += body["data"]
            total = ((body.get("meta") or {}).get("pagingInfo") or {}).get("total")
            if not body["data"] or total is None or len(rows) >= total:
                break
        return rows

    def refresh(self):
        """Forgets what was read."""
        self.rows.clear()

    def of(self, kind):
        """The rows of a kind: which id it has, and those of the kinds it names."""
        if kind not in KINDS:
            raise Missing(f"there is no kind of object called {kind}")
        if kind == "hostedRepository" and kind not in self.rows:
            self.rows[kind] = self.unshared()
        if kind == "hostedJob" and kind not in self.rows:
            self.rows[kind] = self.assignable()
        if kind not in self.rows:
            id, key, beside, where = KINDS[kind]
            found = []
            for row in self.everything(self.paths[id], most=500):
                if all(self.holds(row.get(name), value) for name, value in where.items()) and self.usable(kind, row):
                    parents = {other: row.get(name) for other, name in beside.items()}
                    if all(parents.values()):
                        found.append({kind: row[key], **parents})
            self.rows[kind] = found
        return self.rows[kind]

    def unshared(self):
        """For every hosted resource, the repositories of its server that its company has no share of."""
        shares = self.everything(self.paths["GetCompaniesHostedVbrBackupResources"])
        taken = {(share["companyUid"], share["repositoryUid"]) for share in shares}
        repositories = self.everything(self.paths["GetBackupRepositories"])
        return [
            {"hostedRepository": repository["instanceUid"], "hostedResource": resource["instanceUid"],
             "company": resource["companyUid"]}
            for resource in self.everything(self.paths["GetCompaniesHostedVbrResources"])
            for repository in repositories
            if repository.get("backupServerUid") == resource["serverUid"]
            and (resource["companyUid"], repository["instanceUid"]) not in taken
        ]  # fmt: skip

    def assignable(self):
        """The jobs of hosted servers that a company with a share of the server has or may have."""
        shares = self.everything(self.paths["GetCompaniesHostedVbrResources"])
        jobs = self.everything(self.paths["GetBackupServerJobs"])
        return [
            {"hostedJob": job["instanceUid"], "company": share["companyUid"]}
            for share in shares
            for job in jobs
            if job["backupServerUid"] == share["serverUid"]
            and job.get("mappedOrganizationUid") in (None, share["companyUid"])
        ]

    def holds(self, own, wanted):
        """Whether a property is as wanted: a value, or the id of one of a kind of objects."""
        place = PLACE.fullmatch(wanted)
        return own == wanted if place is None else any(own == row[place[1]] for row in self.of(place[1]))

    def usable(self, kind, row):
        """The caller leaves itself, its keys and its organisation alone."""
        if kind == "user":
            return row["instanceUid"] != self.own["instanceUid"]
        if kind == "login":
            return row["userUid"] != self.own["instanceUid"]
        if kind == "organization":
            return row["instanceUid"] != self.own["organizationUid"]
        return True

    def fits(self, kinds):
        """Sets of objects that belong together, one of each kind."""
        kinds = [kind for kind in kinds if kind not in self.words]
        if not kinds:
            return [{}]
        for kind in kinds:
            if set(kinds) <= {kind, *KINDS.get(kind, ("", "", {}))[2]}:
                return self.of(kind)
        # Kinds that know nothing of each other: any will do.
        alone = [self.of(kind) for kind in kinds]
        return [
            {key: value for row in reversed(together) for key, value in row.items()}
            for together in itertools.islice(itertools.product(*alone), 200)
        ]

    def fill(self, call, which=0):
        """A call with its places filled in; `which` counts through what the host has, from the end if negative."""
        kinds = sorted(set(PLACE.findall(str({key: call.get(key) for key in ("path", "query", "body", "form")}))))
        kinds = [kind for kind in kinds if kind != "unique"]
        sets = self.fits(kinds)
        if not sets:
            raise Missing(f"the host has no {' with a '.join(kinds)}")
        values = {**self.words, **sets[which % len(sets)], "unique": f"{self.run}-{next(self.numbers)}"}
        return filled(call, values)


def filled(node, values):
    """A copy with every `{{place}}` replaced; one that is all of a text keeps the value's type."""
    if isinstance(node, dict):
        return {key: filled(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [filled(value, values) for value in node]
    if isinstance(node, str):
        whole = PLACE.fullmatch(node)
        if whole:
            return values[whole[1]]
        return PLACE.sub(lambda place: str(values[place[1]]), node)
    return node
