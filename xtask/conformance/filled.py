"""On the seeded fleet every list has rows, and every property of every schema is filled in at least one object."""

import csv
from pathlib import Path

import calls as given
import shapes
from fleet import Missing

# So many parents are looked into for the lists that stand below one.
PARENTS = 60


def run(vendor, fleet, calls, exceptions, outcome, options):
    """Reads everything there is and compares it with the schemas."""
    seen, wanted, where = {}, {}, {}
    for operation in vendor.operations:
        if not operation.is_read or not given.chosen(operation, options):
            continue
        found = shapes.data_of(vendor, operation)
        if found is None:
            continue
        name, schema, is_list = found
        wanted.setdefault(name, schema)
        where.setdefault(name, operation.id)
        try:
            rows = read(vendor, fleet, operation, calls[operation.id], is_list)
        except Missing as missing:
            outcome.problem(operation.id, "filled", str(missing))
            continue
        if is_list and not rows:
            outcome.problem(operation.id, "filled", "the list is empty on the seeded fleet")
        for row in rows:
            seen.setdefault(name, set()).update(shapes.filled(row))
    judge(vendor, seen, wanted, where, Exceptions(exceptions, vendor.version), outcome, options)


def read(vendor, fleet, operation, call, is_list):
    """All rows of one operation, for several parents where it stands below one."""
    query = {}
    if "expand" in operation.names("query"):
        query["expand"] = expandable(vendor, operation)
    rows = []
    sets = fleet.fits(sorted({kind for text in call.get("path", {}).values() for kind in given_kinds(text)}))
    filled = [fleet.fill({"path": call.get("path", {})}, which)["path"] for which in range(min(len(sets), PARENTS))]
    if list(call.get("path", {}).values()) == ["{{organization}}"]:
        # The caller's own organisation is left alone by changes, not by reads.
        filled.append({name: fleet.own["organizationUid"] for name in call["path"]})
    for names in filled:
        path = operation.path
        for name, value in names.items():
            path = path.replace(f"{{{name}}}", str(value))
        if is_list and "limit" in operation.names("query"):
            rows += fleet.everything(path, **query)
            continue
        answer = fleet.session.get(f"{fleet.url}/api/v3{path}", params=query, timeout=60)
        if answer.status_code == 200 and "json" in answer.headers.get("content-type", ""):
            data = answer.json().get("data")
            rows += data if is_list and data else [data] if data else []
    return rows


def given_kinds(text):
    """The kinds in a place of a call."""
    from fleet import PLACE

    return PLACE.findall(text)


def expandable(vendor, operation):
    """All that `expand` takes."""
    for parameter in operation.parameters:
        if parameter["name"] == "expand":
            items = parameter["schema"]["items"]
            return vendor.resolve(items).get("enum", [])
    return []


def judge(vendor, seen, wanted, where, exceptions, outcome, options):
    """Names each property that nothing fills, and each exception that is none any more."""
    for name, schema in wanted.items():
        have = seen.get(name)
        if have is None:
            continue
        for path, _ in shapes.leaves(vendor, schema):
            excused = exceptions.covers(name, path)
            if path not in have and not excused:
                outcome.problem(where[name], "filled", f"{name}.{path} is filled in no object")
            elif path in have and excused:
                outcome.problem(where[name], "filled", f"{name}.{path} is filled: remove it from unfilled.tsv")
    if not options.only:
        for line in exceptions.unused(set(wanted)):
            outcome.general.append(f"unfilled.tsv: {line} names no property of {vendor.version}")


class Exceptions:
    """The committed list: schema, property, versions, reason. A property also stands for all below it."""

    def __init__(self, file, version):
        with Path(file).open(newline="") as text:
            rows = [row for row in csv.reader(text, delimiter="\t") if row and not row[0].startswith("#")][1:]
        self.rows = {(schema, path): False for schema, path, versions, reason in rows if version in versions.split()}

    def covers(self, schema, path):
        """Whether a property need not be filled."""
        for known, place in self.rows:
            if known in (schema, "*") and (path == place or path.startswith((f"{place}.", f"{place}["))):
                self.rows[known, place] = True
                return True
        return False

    def unused(self, schemas):
        """Rows that no property fits."""
        return [f"{schema} {path}" for (schema, path), used in self.rows.items() if not used and schema in {*schemas, "*"}]
