"""A JSON Schema of the config, for editors, from the facts that `check` uses.  Called by `cli`.

Draft 7, which the YAML language server understands.  It knows less than `check`: not where a reference leads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.desired.check import NUMBER, TEXT, WHOLE
from reconciler.desired.cron import DAYS
from reconciler.desired.guards import MIDNIGHT, MODES, TIME, WINDOW
from reconciler.desired.lists import NAME as LIST_NAME
from reconciler.desired.reader import LONGEST_TAG_KEY, LONGEST_TAG_VALUE, ROLE
from reconciler.desired.repeats import BESIDE, NUMBERS
from reconciler.desired.resource import REPLACEMENTS
from reconciler.model.address import NAME
from reconciler.model.fields import Field, fields
from reconciler.model.kind import Kind
from reconciler.model.schema import Schema, Shape

Json = dict[str, Any]

DOCUMENT: Json = {"type": ["object", "array", "string"]}
"""JSON, written as YAML or as a text."""
REFERENCE: Json = {"$ref": "#/definitions/reference"}
FILLED: Json = {"$ref": "#/definitions/filled"}
FOR: Json = {"$ref": "#/definitions/for"}
LIST: Json = {"$ref": "#/definitions/list"}
REPEATED: Json = {"$ref": "#/definitions/repeated"}
NAME_WITH_HOLES = r"([a-z0-9._-]|\$\{[a-z0-9._-]+\})+"
SENTENCE = re.compile(r"(?<=[.!?])\s")


def json_schema(kinds: Mapping[str, Kind], schema: Schema) -> Json:
    """The schema as JSON can hold it; the same kinds and service model give the same schema, key for key."""
    definitions: Json = {
        "reference": {"type": "string", "pattern": r"^\$\{.+\}$", "description": "${kind/name} and the like"},
        "filled": {"type": "string", "pattern": r"\$\{.+\}", "description": "A text with ${…} in it"},
        "region": {"anyOf": [{"enum": sorted(schema.regions)}, FILLED]},
        "account": {"anyOf": [{"type": "string", "pattern": "^[0-9]{12}$"}, FILLED]},
        "addresses": _one_or_many({"type": "string", "pattern": "/"}),
        "flag": {"anyOf": [{"type": "boolean"}, REFERENCE]},
        "for": _for(),
        "list": {"anyOf": [_values(), _records()]},
        "repeated": {
            "description": "An item for each combination: its fields beside `for`, or item: and any other value.",
            "type": "object",
            "properties": {"for": FOR},
            "required": ["for"],
        },
    }
    resources: Json = {}
    for name, kind in kinds.items():
        resources[f"^{re.escape(name)}/{NAME_WITH_HOLES}$".replace(r"\-", "-")] = {
            "$ref": f"#/definitions/kind.{name}"
        }
        definitions[f"kind.{name}"] = _kind(kind, schema, definitions)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "reconciler config",
        "description": "What an AWS estate should be.  In a folder, each file holds a part of this.",
        "type": "object",
        "additionalProperties": False,
        "properties": _header()
        | {
            "resources": {
                "description": "<kind>/<name>: what it should be.",
                "type": "object",
                "patternProperties": resources,
                "additionalProperties": False,
            },
        },
        "definitions": definitions,
    }


def _header() -> Json:
    """The top-level keys, all but `resources`."""
    text: Json = {"type": "string"}
    return {
        "stack": _told(
            "The owner tag of everything in this config.",
            _pattern(NAME.pattern),
        ),
        "account": _told(
            "The AWS account that we must be: 12 digits, in quotes.", {"$ref": "#/definitions/account"}
        ),
        "accounts": {
            "description": "Other accounts of the estate, by name.",
            "type": "object",
            "additionalProperties": _mapping(
                {
                    "id": {"$ref": "#/definitions/account"},
                    "role": _pattern(ROLE.pattern),
                    "external-id": {"type": "string", "minLength": 1},
                },
                required=["id", "role"],
            ),
        },
        "region": _told("The default region of regional resources.", {"$ref": "#/definitions/region"}),
        "tags": _tags("Tags of everything that can be tagged.", removable=False),
        "variables": {
            "description": "Names for ${var.x}; set by --var x=… or RECONCILER_VAR_X.",
            "type": "object",
            "propertyNames": {"pattern": f"^{NAME.pattern}$"},
            "additionalProperties": _mapping(
                {"default": {"type": ["string", "number", "boolean"]}}, empty=True
            ),
        },
        "lists": {
            "description": "Lists that a `for` may run over, by name: values, or values with records.",
            "type": "object",
            "propertyNames": {"pattern": f"^{LIST_NAME.pattern}$"},
            "additionalProperties": LIST,
        },
        "outputs": {
            "description": "Names for what others want to know.",
            "type": "object",
            "additionalProperties": text,
        },
        "limits": {
            "description": "What one pass may delete or replace at most.",
            "type": ["object", "null"],
            "properties": {
                "deletes": _told("So many things.", _number("integer")),
                "percent": _told("So large a share of what the stack owns.", _number("number", maximum=100)),
                "per-hour": _told("So many things in any hour.", _number("integer")),
            },
            "additionalProperties": False,
        },
        "mode": _told(
            "observe: change nothing; upsert: create and update, delete nothing; full: all (the default).",
            {"anyOf": [{"enum": list(MODES)}, FILLED]},
        ),
        "windows": {
            "description": "When changes may be made; without windows, always.",
            "type": "array",
            "items": _mapping(
                {
                    "days": _told(
                        "All days where it is left out.",
                        {"type": "array", "items": {"anyOf": [{"enum": list(DAYS)}, FILLED]}, "minItems": 1},
                    ),
                    "from": _told('A time of day, such as "08:30".', _pattern(TIME.pattern)),
                    "to": _told(
                        "A time of day; one before `from` is on the next day.",
                        _pattern(f"{TIME.pattern}|{MIDNIGHT}"),
                    ),
                    "tz": _told("A time zone, such as Europe/Berlin.", text),
                },
                required=list(WINDOW[1:]),
            ),
        },
        "every": {
            "description": "How long to rest between looks when all is settled (30s, 5m, 1h or seconds), or when to.",
            "anyOf": [
                _mapping({"cron": text, "tz": text}, required=["cron"]),
                {"type": "string", "pattern": "^[0-9]+[smhd]?$"},
                {"type": "integer", "minimum": 1},
                FILLED,
            ],
        },
        "lease": _told(
            "A DynamoDB table that lets one of several hosts work.",
            _mapping(
                {"table": {"type": "string", "minLength": 1}, "region": {"$ref": "#/definitions/region"}},
                required=["table"],
            ),
        ),
    }


def _values(least: int = 0) -> Json:
    """Values that can stand in an address."""
    return {"type": "array", "items": {"type": ["string", "integer"]}} | (
        {"minItems": least} if least else {}
    )


def _records() -> Json:
    """Values with what each has beside it: values of any type, and lists again."""
    field: Json = {"anyOf": [{"type": ["string", "number", "boolean"]}, LIST]}
    record: Json = {
        "type": ["object", "null"],
        "propertyNames": {"pattern": f"^{LIST_NAME.pattern}$"},
        "additionalProperties": field,
    }
    return {"type": "object", "additionalProperties": record}


def _for() -> Json:
    """What `for` names, and what each name runs over."""
    earlier: Json = {"type": "string"}
    sources = [
        _values(least=1),
        _told("A list, or an earlier name and a list of its record: region.zones.", earlier),
        *(_mapping({word: earlier}, required=[word]) for word in BESIDE),
        _mapping({word: _number("integer") for word in NUMBERS}, required=list(NUMBERS)),
    ]
    return {"type": "object", "additionalProperties": {"anyOf": sources}, "minProperties": 1}


def _items(item: Json) -> Json:
    """Items of a list, each of which may be repeated."""
    return {"type": "array", "items": {"anyOf": [item, REPEATED]}}


def _kind(kind: Kind, schema: Schema, definitions: Json) -> Json:
    """An entry of `resources`."""
    found = fields(kind, schema)
    properties = {name: _field(field, kind, definitions) for name, field in found.items()}
    required = [name for name, field in found.items() if field.required]
    return {"description": kind.about} | _mapping(properties | _ours(kind), required, empty=not required)


def _ours(kind: Kind) -> Json:
    """The keys that are ours: those that every kind has, and what only some have."""
    replacements = [word for word in REPLACEMENTS if not (kind.unique and word == "create-first")]
    ours: Json = {
        "Tags": _tags("Tags of this resource; null removes one.", removable=True),
        "account": _told("One of `accounts`, by name.", {"type": "string"}),
        "for": _told("Repeats the resource over all combinations of these.", FOR),
        "protect": _told("true: never delete it.", {"$ref": "#/definitions/flag"}),
        "replace": _told(
            "How to change what cannot change in place.", {"anyOf": [{"enum": replacements}, FILLED]}
        ),
        "ignore": _told("Paths whose drift is left alone.", _one_or_many({"type": "string"})),
        "depends-on": _told("What must exist first.", {"$ref": "#/definitions/addresses"}),
        "previously": _told("Addresses that it had before.", {"$ref": "#/definitions/addresses"}),
    }
    region: Json = {"region": _told("The region it lies in.", {"$ref": "#/definitions/region"})}
    accept: Json = {
        "accept": _told("true: accept it, where a person has to.", {"$ref": "#/definitions/flag"})
    }
    return (region if kind.regional else {}) | ours | (accept if kind.accept else {})


def _field(field: Field, kind: Kind, definitions: Json) -> Json:
    if field.change == "part":
        item = _value(field.shape, kind.service, definitions)
        members = [path.split("[].")[1] for path in kind.documents if path.startswith(f"{field.name}[].")]
        if members:
            whole = _structure(field.shape, kind.service, definitions)
            item = whole | {"properties": whole["properties"] | dict.fromkeys(members, DOCUMENT)}
        value: Json = {"anyOf": [_items(item), REFERENCE]}
    elif field.name in kind.documents:
        value = DOCUMENT
    else:
        value = _member(field.shape, kind.service, definitions, field.required)
    return _told(_first_sentence(field.shape.documentation), value)


def _member(shape: Shape, service: str, definitions: Json, required: bool) -> Json:
    """What may stand for a field or a member of a structure; null clears a text that need not be there."""
    value = _value(shape, service, definitions)
    if shape.type not in TEXT or required:
        return value
    return (
        {"anyOf": [*value["anyOf"], {"type": "null"}]} if "anyOf" in value else {"type": ["string", "null"]}
    )


def _value(shape: Shape, service: str, definitions: Json) -> Json:
    """What may stand for a shape: a value of its type, or a reference."""
    if shape.type == "structure" or shape.enum:
        return {"anyOf": [_shared(shape, service, definitions), FILLED if shape.enum else REFERENCE]}
    if shape.type in TEXT:
        bounds = _bounds(shape, "minLength", "maxLength")
        return {"anyOf": [{"type": "string"} | bounds, FILLED]} if bounds else {"type": "string"}
    if shape.item is not None:
        item = _value(shape.item, service, definitions)
        if shape.type == "list":
            return {
                "anyOf": [
                    _items(item) | _bounds(shape, "minItems", "maxItems"),
                    REFERENCE,
                ]
            }
        return {"anyOf": [{"type": "object", "additionalProperties": item}, REFERENCE]}
    sort = "integer" if shape.type in WHOLE else "number" if shape.type in NUMBER else "boolean"
    bounds = {} if sort == "boolean" else _bounds(shape, "minimum", "maximum")
    return {"anyOf": [{"type": sort} | bounds, REFERENCE]}


def _shared(shape: Shape, service: str, definitions: Json) -> Json:
    """A structure or enum by its name, for it may be used often, and structures may hold themselves."""
    name = f"{service}.{shape.name}"
    if name not in definitions:
        definitions[name] = {}
        definitions[name] = (
            {"type": "string", "enum": list(shape.enum)}
            if shape.enum
            else _structure(shape, service, definitions)
        )
    return {"$ref": f"#/definitions/{name}"}


def _structure(shape: Shape, service: str, definitions: Json) -> Json:
    members = {
        name: _told(
            _first_sentence(member.documentation),
            _member(member, service, definitions, name in shape.required),
        )
        for name, member in shape.members.items()
    }
    return _mapping(members, list(shape.required))


def _mapping(properties: Json, required: list[str] | None = None, empty: bool = False) -> Json:
    """A mapping with these keys and no others; with `empty`, it may also be nothing at all."""
    sort: Any = ["object", "null"] if empty else "object"
    found: Json = {"type": sort, "properties": properties, "additionalProperties": False}
    return found | ({"required": required} if required else {})


def _pattern(pattern: str) -> Json:
    return {"anyOf": [{"type": "string", "pattern": f"^({pattern})$"}, FILLED]}


def _number(sort: str, maximum: int | None = None) -> Json:
    bounds = {"minimum": 0} | ({} if maximum is None else {"maximum": maximum})
    return {"anyOf": [{"type": sort} | bounds, REFERENCE]}


def _tags(description: str, removable: bool) -> Json:
    value: Json = {"type": ["string", "null"] if removable else "string", "maxLength": LONGEST_TAG_VALUE}
    return {
        "description": description,
        "type": "object",
        "propertyNames": {"maxLength": LONGEST_TAG_KEY, "not": {"pattern": "^(aws|reconciler):"}},
        "additionalProperties": {"anyOf": [value, FILLED]},
    }


def _one_or_many(item: Json) -> Json:
    return {"anyOf": [item, _items(item)]}


def _told(description: str, value: Json) -> Json:
    """A value with a description; beside a bare $ref draft 7 would not see it."""
    value = {"allOf": [value]} if "$ref" in value else value
    return {"description": description} | value if description else value


def _bounds(shape: Shape, least: str, most: str) -> Json:
    return {key: bound for key, bound in ((least, shape.minimum), (most, shape.maximum)) if bound is not None}


def _first_sentence(text: str) -> str:
    """The first sentence of AWS's words, no longer than an editor shows."""
    sentence = SENTENCE.split(text, 1)[0]
    return sentence if len(sentence) <= 200 else f"{sentence[:199]}…"
