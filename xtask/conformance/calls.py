"""One good call of every operation: it must do what it is for, and answer by the vendor's schema."""

import time

import schemathesis
from schemathesis.core.failures import FailureGroup

from fleet import Missing
from outcome import curl_of

ORDER = {"GET": 0, "POST": 1, "PUT": 1, "PATCH": 1, "DELETE": 2}


def chosen(operation, options):
    """Whether the run is for this operation."""
    return not options.only or any(word in (operation.id, operation.tag) for word in options.only)


def run(vendor, fleet, calls, outcome, options):
    """Calls everything once: reads, then changes, then removals."""
    schema = schemathesis.openapi.from_dict(vendor.document)
    for operation in sorted(vendor.operations, key=lambda one: ORDER[one.method]):
        if chosen(operation, options):
            one(schema, fleet, calls[operation.id], operation, outcome)


def one(schema, fleet, call, operation, outcome):
    """Calls one operation and judges the answer."""
    # What removes something takes the last of its kind: the first are what other calls look at.
    which = -1 if operation.method == "DELETE" and not call.get("first") else 0
    try:
        real = fleet.fill(call, which)
    except Missing as missing:
        outcome.problem(operation.id, "calls", f"cannot be called: {missing}")
        return
    response = send(fleet, operation, real)
    outcome.answered(operation.id, response.status_code)
    command = curl_of(response.request)
    wanted = call.get("answers", [200])
    if response.status_code not in wanted:
        text = f"answered {response.status_code} in place of {wanted}: {response.text[:300]}"
        outcome.problem(operation.id, "calls", text, command)
        return
    definition = schema[operation.path][operation.method]
    try:
        definition.validate_response(response)
    except FailureGroup as group:
        for failure in group.exceptions:
            outcome.problem(operation.id, "calls", f"{failure.title}: {failure.message}", command)
    except Exception as failure:
        outcome.problem(operation.id, "calls", f"{type(failure).__name__}: {failure}", command)
    if not operation.is_read:
        fleet.refresh()


def send(fleet, operation, real):
    """Sends a call whose places are filled."""
    path = operation.path
    for name, value in real.get("path", {}).items():
        path = path.replace(f"{{{name}}}", str(value))
    query = {name: lower(value) for name, value in real.get("query", {}).items()}
    more = {}
    if "body" in real:
        more["json"] = real["body"]
    if "form" in real:
        more["data"] = real["form"]
    while True:
        response = fleet.session.request(
            operation.method, f"{fleet.url}/api/v3{path}", params=query, timeout=60, **more
        )
        if response.status_code != 429:
            return response
        time.sleep(1)


def lower(value):
    """Flags as JSON spells them."""
    return str(value).lower() if isinstance(value, bool) else value
