"""Which properties a schema has, and which of them an object fills."""


def data_of(vendor, operation):
    """The schema of what is under `data`, of one object: (name, schema, whether it is a list)."""
    answer = operation.answer()
    if answer is None:
        return None
    answer = vendor.resolve(answer)
    data = answer.get("properties", {}).get("data")
    if data is None:
        return None
    name = called(data)
    data = vendor.resolve(data)
    if data.get("type") == "array":
        return called(data["items"]) or operation.id, data["items"], True
    return name or operation.id, data, False


def called(schema):
    """The component's name, where it is one."""
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[-1]
    parts = schema.get("allOf", [])
    return called(parts[0]) if len(parts) == 1 else None


def parts_of(vendor, schema):
    """A schema and everything it is composed of."""
    schema = vendor.resolve(schema)
    yield schema
    for word in ("allOf", "oneOf", "anyOf"):
        for part in schema.get(word, []):
            yield from parts_of(vendor, part)


def properties(vendor, schema):
    """The properties of a schema, by name."""
    found = {}
    for part in parts_of(vendor, schema):
        found.update(part.get("properties", {}))
    return found


def leaves(vendor, schema, prefix="", above=()):
    """Every property path of a schema with its schema; `[]` stands for the items of a list."""
    name = called(schema)
    if name in above:
        return
    above = (*above, name) if name else above
    found = properties(vendor, schema)
    for key, inner in found.items():
        if any(part.get("writeOnly") or part.get("format") == "password" for part in parts_of(vendor, inner)):
            continue  # Secrets go in and never come out.
        path = f"{prefix}{key}"
        items = [part["items"] for part in parts_of(vendor, inner) if "items" in part]
        if items:
            below = list(leaves(vendor, items[0], f"{path}[].", above))
            yield from below or [(f"{path}[]", vendor.resolve(items[0]))]
        else:
            below = list(leaves(vendor, inner, f"{path}.", above))
            yield from below or [(path, vendor.resolve(inner))]


def filled(value, path=""):
    """The paths that an object fills: neither absent, null, nor empty."""
    if isinstance(value, dict):
        if path and not value:
            return set()
        prefix = f"{path}." if path else ""
        inner = set().union(*(filled(one, f"{prefix}{key}") for key, one in value.items())) if value else set()
        return inner | {path}
    if isinstance(value, list):
        return set().union(*(filled(one, f"{path}[]") for one in value)) if value else set()
    return set() if value is None or value == "" else {path}
