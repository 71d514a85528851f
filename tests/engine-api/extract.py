#!/usr/bin/env python3
"""Condenses the published Docker Engine API specifications (moby/moby, Apache-2.0) into engine-api.json.

    extract.py FOLDER-WITH-vX.YY.yaml [OUTPUT]

Per version: each call with the names of its query parameters, and the bodies that rogate sends, references
resolved. A shape is a type's name, "any", [shape of the items], or {property: shape} with "*" for properties of any name.
"""
import json
import pathlib
import sys

import yaml

METHODS = ("get", "post", "put", "delete", "head")
BODIES = ["/containers/create", "/containers/{id}/exec", "/exec/{id}/start", "/networks/create", "/volumes/create"]


def shape_of(schema, definitions, seen=()):
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return "any" if name in seen else shape_of(definitions[name], definitions, (*seen, name))
    properties = {}
    other = schema.get("type", "any")  # when there are no properties
    for part in schema.get("allOf", []):
        part = shape_of(part, definitions, seen)
        if isinstance(part, dict):
            properties.update(part)
        elif part != "any":
            other = part
    for name, each in (schema.get("properties") or {}).items():
        properties[name] = shape_of(each, definitions, seen)
    if isinstance(schema.get("additionalProperties"), dict):
        properties["*"] = shape_of(schema["additionalProperties"], definitions, seen)
    if properties:
        return properties
    if schema.get("type") == "array":
        return [shape_of(schema.get("items", {}), definitions, seen)]
    return other


def condense(spec):
    calls, bodies = {}, {}
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            parameters = item.get("parameters", []) + item[method].get("parameters", [])
            calls[f"{method.upper()} {path}"] = sorted(p["name"] for p in parameters if p["in"] == "query")
            for parameter in parameters:
                if parameter["in"] == "body" and method == "post" and path in BODIES:
                    bodies[path] = shape_of(parameter["schema"], spec["definitions"])
    return {"bodies": bodies, "calls": calls}


def main():
    source = pathlib.Path(sys.argv[1])
    target = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else pathlib.Path(__file__).parent / "engine-api.json"
    versions = {}
    for path in sorted(source.glob("v*.yaml")):
        with open(path, encoding="utf-8") as file:
            spec = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        versions[path.stem.removeprefix("v")] = condense(spec)
    whole = {"licence": "Condensed from the Docker Engine API specifications of moby/moby, Apache License 2.0", "versions": versions}
    target.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", encoding="utf-8")


main()
