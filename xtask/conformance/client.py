"""The vendor's generated Python client reads everything that needs no argument, and must not stumble over it."""

import importlib
import pkgutil
import ssl
import sys

import calls as given


def bare(name):
    """A name without case and underscores: the generator's way to set them is its own."""
    return name.replace("_", "").replace(" ", "").lower()


def modules(base, heading):
    """The modules of a heading's operations, by bare name."""
    areas = importlib.import_module(f"{base}.api")
    area = next(one.name for one in pkgutil.iter_modules(areas.__path__) if bare(one.name) == bare(heading))
    package = importlib.import_module(f"{base}.api.{area}")
    return {bare(one.name): f"{base}.api.{area}.{one.name}" for one in pkgutil.iter_modules(package.__path__)}


def run(vendor, fleet, package, outcome, options):
    """Reads every operation without required arguments."""
    sys.path.insert(0, package)
    base = f"veeam_spc.v{vendor.version.replace('.', '_')}"
    types = importlib.import_module(f"{base}.client")
    client = types.AuthenticatedClient(
        base_url=f"{fleet.url}/api/v3",
        token=fleet.session.headers["Authorization"].removeprefix("Bearer "),
        verify_ssl=ssl.create_default_context(cafile=fleet.session.verify),
        httpx_args={"trust_env": False},
        timeout=120,
    )
    count = 0
    for operation in vendor.operations:
        if operation.needs_nothing and given.chosen(operation, options):
            one(base, client, operation, outcome)
            count += 1
    return count


def one(base, client, operation, outcome):
    """Reads one operation through its own module."""
    try:
        module = importlib.import_module(modules(base, operation.tag)[bare(operation.id)])
        response = module.sync_detailed(client=client)
    except Exception as error:
        trace = error.__traceback__
        while trace.tb_next:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"
        outcome.problem(operation.id, "client", f"{type(error).__name__} in {place}: {error}")
        return
    outcome.answered(operation.id, int(response.status_code))
    if response.status_code != 200:
        outcome.problem(operation.id, "client", f"answered {int(response.status_code)}: {response.content[:200]!r}")
    elif response.parsed is None and operation.answer() is not None:
        outcome.problem(operation.id, "client", "the client made nothing of the answer")
