"""Schemathesis over the vendor's contract: answers must be of its schema, status and content type, and what its
schemas forbid must be refused.

Reads come first, then changes, then removals, so that each finds something. Generated path parameters are mostly
replaced by ids of objects that exist, else every answer would be a 404.
"""

import itertools
import time

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine import events, from_schema

import calls as given
from fleet import Missing
from outcome import curl_of

CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "negative_data_rejection", "missing_required_header", "unsupported_method",
]  # fmt: skip
# Not asked: that every body of the right shape is accepted. Names must be unique, objects must exist, passwords must
# be strong; a schema cannot say so. That each operation does accept a good call is the stage `calls`.

# Every so manieth generated path keeps its random id: absent objects are part of the contract, too.
STRANGERS = 6
# Every so manieth call keeps its generated filter, order and selection: names of properties are texts by the schema, so
# hardly one of them exists, and every call would end there.
ASKED = 3
# So many generated removals meet an object that exists; the rest find nothing, and the fleet survives.
REMOVALS = 2


def run(vendor, fleet, calls, outcome, options):
    """All three rounds, or as much of them as the time allows."""
    deadline = time.monotonic() + options.minutes * 60
    for methods in (("GET",), ("POST", "PUT", "PATCH"), ("DELETE",)):
        part = [one for one in vendor.operations if one.method in methods and given.chosen(one, options)]
        if part:
            fleet.refresh()
            one_round(vendor, fleet, calls, outcome, options, part, deadline)


def one_round(vendor, fleet, calls, outcome, options, part, deadline):
    """Runs schemathesis on some operations."""
    by_label = {f"{operation.method} {operation.path}": operation for operation in part}
    schema = schemathesis.openapi.from_dict(vendor.document, config=config(fleet, options))
    schema = schema.include(operation_id=[operation.id for operation in part])
    filler = Filler(fleet, calls, by_label)

    schemathesis.hooks.unregister_all()

    @schemathesis.hook
    def before_call(context, case, kwargs):
        filler.fill(case)

    tested = set()
    stream = from_schema(schema).execute()
    for event in stream:
        if time.monotonic() > deadline:
            stream.stop()
        if isinstance(event, events.ScenarioFinished):
            operation = by_label.get(event.label)
            if operation and event.recorder.interactions:
                tested.add(operation.id)
                take(operation, event.recorder, outcome)
        elif isinstance(event, events.NonFatalError):
            operation = by_label.get(event.label)
            text = f"schemathesis: {event.info.title}: {event.info.message}"
            if operation:
                outcome.problem(operation.id, "fuzz", text)
            else:
                outcome.general.append(f"{event.label}: {text}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    for operation in part:
        if operation.id not in tested:
            outcome.problem(operation.id, "fuzz", "was not reached in the time that there was: give it more --minutes")


def config(fleet, options):
    """Bounded, deterministic, everything asked on one connection after the other."""
    checks = {"enabled": False} | {name: {"enabled": True} for name in CHECKS}
    checks["not_a_server_error"] = {"enabled": True, "expected-statuses": ["2xx", "4xx"]}
    # Invalid data may also be too much of it: what does not fit into a URL, a header or a body is refused for that first.
    refusals = [400, 401, 403, 404, 405, 406, 409, 413, 414, 415, 422, 428, 429, 431]
    checks["negative_data_rejection"] = {"enabled": True, "expected-statuses": [str(status) for status in refusals]}
    phases = {"examples": {"enabled": True}, "coverage": {"enabled": not options.quick},
              "fuzzing": {"enabled": True}, "stateful": {"enabled": False}}  # fmt: skip
    return schemathesis.Config.from_dict(
        {
            "base-url": f"{fleet.url}/api/v3",
            "headers": {"Authorization": fleet.session.headers["Authorization"]},
            "tls-verify": fleet.session.verify,
            "request-timeout": 60,
            "continue-on-failure": True,
            "seed": options.seed,
            "workers": 1,  # Threads make CPython 3.11 stumble over its own recursion count.
            "suppress-health-check": ["all"],
            "checks": checks,
            "phases": phases,
            "generation": {
                "max-examples": options.examples,
                "deterministic": True,
                "database": "none",
                "no-shrink": True,
                "allow-x00": True,
            },
        }
    )


def take(operation, recorder, outcome):
    """Keeps what one scenario found."""
    for interaction in recorder.interactions.values():
        if interaction.response is not None:
            outcome.answered(operation.id, interaction.response.status_code)
    for case, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is None:
                continue
            failure = check.failure_info.failure
            interaction = recorder.interactions.get(case)
            response = interaction.response if interaction else None
            answer = f" [answered {response.status_code}]" if response is not None else ""
            command = curl_of(response.request) if response is not None else ""
            if response is not None and response.status_code >= 400:
                answer = f"{answer[:-1]}: {response.text[:160]}]"
            outcome.problem(operation.id, "fuzz", f"{failure.title}: {failure.message}", f"{command}{answer}")


class Filler:
    """Puts ids of existing objects into generated calls."""

    def __init__(self, fleet, calls, by_label):
        self.fleet = fleet
        self.calls = calls
        self.by_label = by_label
        self.counts = {label: itertools.count() for label in by_label}

    def fill(self, case):
        """Replaces what was generated well-formed; what was generated wrong on purpose stays."""
        operation = self.by_label.get(case.operation.label)
        if operation is None:
            return
        count = next(self.counts[case.operation.label])
        if count % ASKED and good(case, ParameterLocation.QUERY) and case.query:
            case.query = {name: value for name, value in case.query.items() if name not in ("filter", "sort", "select")}
        if (operation.method == "DELETE" and count >= REMOVALS) or count % STRANGERS == STRANGERS - 1:
            return
        call = self.calls[operation.id]
        try:
            real = self.fleet.fill({"path": call.get("path", {}), "query": uids(call)}, count)
        except Missing:
            return
        if call.get("path") and good(case, ParameterLocation.PATH) and case.path_parameters:
            case.path_parameters = {**case.path_parameters, **real["path"]}
        if real["query"] and good(case, ParameterLocation.QUERY) and case.query:
            case.query = {**case.query, **{name: real["query"][name] for name in real["query"] if name in case.query}}


def uids(call):
    """Those parts of a call's query that name an object."""
    return {name: value for name, value in call.get("query", {}).items() if name.endswith("Uid")}


def good(case, location):
    """Whether this part of a case keeps to its schema."""
    component = case.meta.components.get(location) if case.meta else None
    return component is not None and component.mode.is_positive
