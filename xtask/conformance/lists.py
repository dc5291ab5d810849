"""Every list pages, filters, sorts and selects, by every scalar property that its rows show."""

import json

import calls as given
import shapes
from filled import Exceptions
from fleet import Missing

# So many rows are looked at for values to filter by.
SAMPLE = 50


def run(vendor, fleet, calls, exceptions, outcome, options):
    """Walks all lists."""
    exceptions = Exceptions(exceptions, vendor.version)
    for operation in vendor.operations:
        found = shapes.data_of(vendor, operation) if operation.is_read else None
        if found is None or not found[2] or not given.chosen(operation, options):
            continue
        try:
            real = fleet.fill({"path": calls[operation.id].get("path", {})})
        except Missing as missing:
            outcome.problem(operation.id, "lists", str(missing))
            continue
        path = operation.path
        for name, value in real["path"].items():
            path = path.replace(f"{{{name}}}", str(value))
        leaves = [(place, schema) for place, schema in shapes.leaves(vendor, found[1])
                  if not exceptions.covers(found[0], place)]  # fmt: skip
        One(fleet, operation, path, outcome).all(leaves)


class One:
    """One list."""

    def __init__(self, fleet, operation, path, outcome):
        self.fleet = fleet
        self.operation = operation
        self.path = path
        self.outcome = outcome
        self.can = set(operation.names("query"))

    def ask(self, **query):
        """Its rows and its paging; a refusal is a problem."""
        answer = self.fleet.session.get(f"{self.fleet.url}/api/v3{self.path}", params=query, timeout=60)
        self.outcome.answered(self.operation.id, answer.status_code)
        if answer.status_code != 200:
            self.problem(f"{query} answered {answer.status_code}: {answer.text[:200]}")
            return None, None
        body = answer.json()
        return body["data"], (body.get("meta") or {}).get("pagingInfo")

    def problem(self, text):
        """Something is wrong with this list."""
        self.outcome.problem(self.operation.id, "lists", f"GET {self.path}: {text}")

    def all(self, leaves):
        """Everything that this list says it can do."""
        rows, paging = self.ask(**({"limit": SAMPLE} if "limit" in self.can else {}))
        if rows is None:
            return
        if "limit" in self.can:
            self.pages(rows, paging)
        paths = [path for path, schema in leaves if "[]" not in path and not path.startswith("_embedded.")]
        shown = [path for path in paths if any(isinstance(value_of(row, path), (str, int, float)) for row in rows)]
        for path in shown:
            if "select" in self.can:
                self.selects(path)
            if "sort" in self.can:
                self.sorts(path)
            if "filter" in self.can:
                self.filters(path, rows)

    def pages(self, rows, paging):
        """The second row alone is the second row; the counts are right."""
        if paging is None or paging["count"] != len(rows) or paging["offset"] != 0 or paging["total"] < len(rows):
            self.problem(f"paging says {paging} of {len(rows)} rows")
        if len(rows) < 2:
            return
        second, paging = self.ask(limit=1, offset=1)
        if second is not None and (second != rows[1:2] or paging["count"] != 1 or paging["offset"] != 1):
            self.problem("limit=1&offset=1 is not the second row of the first page")

    def selects(self, path):
        """Only what was asked for."""
        rows, _ = self.ask(select=json.dumps([{"propertyPath": path}]), **self.first(SAMPLE))
        for row in rows or []:
            if extra := [key for key in row if key != path.split(".")[0]]:
                self.problem(f"select of {path} also gives {', '.join(extra)}")
                return

    def sorts(self, path):
        """Numbers and texts in order, both ways."""
        for direction in ("ascending", "descending"):
            query = json.dumps([{"property": path, "direction": direction}])
            rows, _ = self.ask(sort=query, **self.first(SAMPLE))
            values = [value_of(row, path) for row in rows or []]
            values = [value for value in values if value is not None]
            wanted = sorted(values, key=key_of, reverse=direction == "descending")
            if [key_of(one) for one in values] != [key_of(one) for one in wanted]:
                self.problem(f"not in {direction} order of {path}: {values[:5]}")

    def filters(self, path, rows):
        """A row is found by the value it shows, and every row found has that value."""
        value = next(value_of(row, path) for row in rows if isinstance(value_of(row, path), (str, int, float)))
        query = json.dumps([{"property": path, "operation": "equals", "value": value}])
        found, _ = self.ask(filter=query, **self.first(SAMPLE))
        if found is not None and (not found or any(value_of(row, path) != value for row in found)):
            self.problem(f"{path} equals {value!r} finds {[value_of(row, path) for row in found][:5]}")

    def first(self, count):
        """A short page, where pages can be had."""
        return {"limit": count} if "limit" in self.can else {}


def key_of(value):
    """Texts byte by byte, as the ordinal collation has it."""
    return value.encode() if isinstance(value, str) else value


def value_of(row, path):
    """The value at a dotted path."""
    for part in path.split("."):
        row = row.get(part) if isinstance(row, dict) else None
    return row
