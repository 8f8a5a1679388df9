"""The fields that a config may give a resource of one kind, with their types: the record read against the model.

Used by `desired` (checks, JSON Schema), `engine` (what may change in place) and `cli` (`reconciler kinds`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, reduce

from reconciler.model.kind import Kind, Part
from reconciler.model.schema import ListOf, Schema, Shape, Without

OURS = frozenset({"Tags", "TagSpecifications", "ClientToken", "DryRun"})
"""Parameters of create calls that we write ourselves (`Tags` is a mapping in the config, and is not a field)."""


@dataclass(frozen=True)
class Field:
    """One field of a kind.

    `change` is how it changes after creation: "update" (the update call takes it), "remedy" (a call of its own),
    "part" (item by item), "then" (a small state machine), or "never".  A part's shape is that of one item.
    """

    name: str
    shape: Shape
    change: str
    required: bool
    at_birth: bool
    """Whether the create call takes it."""
    write_only: bool

    @property
    def mutable(self) -> bool:
        return self.change != "never"


Fields = Mapping[str, Field]


@dataclass(frozen=True)
class Facts:
    """A kind with what the service model adds to its record, read when it is asked for: what the model of a service is
    made of takes longer to load than a pass over a small estate."""

    kind: Kind
    _schema: Schema = field(repr=False, compare=False)

    @cached_property
    def fields(self) -> Fields:
        """The fields that a config may give."""
        return fields(self.kind, self._schema)

    @cached_property
    def plain(self) -> frozenset[str]:
        """The fields whose values are compared as they are written, and with what AWS reports."""
        kind, kept = self.kind, {"part", "then"}
        return frozenset(
            name
            for name, field in self.fields.items()
            if not field.write_only and field.change not in kept
            if name not in kind.normal and name not in kind.unordered
        )

    @cached_property
    def follows(self) -> frozenset[str]:
        """The fields that can be put in once a thing is there."""
        return frozenset({part.field for part in self.kind.parts} | self.kind.late)

    @cached_property
    def takes_token(self) -> bool:
        """Whether the create call has a token of which is known what it does once the thing is gone."""
        home = self.kind.home
        create = self._schema.operation(self.kind.service, self.kind.create)
        return home.knows_tokens and home.token in create.input.members


def fields(kind: Kind, schema: Schema) -> Fields:
    """All fields of a kind by name, in the order of the create call and then of the record."""
    create = schema.operation(kind.service, kind.create).input
    update = schema.operation(kind.service, kind.update).input.members if kind.update else {}
    parts = {part.field: part for part in kind.parts}
    hidden = (
        OURS
        | {kind.home.token, kind.tagged.parameter}
        | kind.always.keys()
        | kind.forbidden
        | ({"Path"} if kind.home.paths else set())
    )

    def change(name: str) -> str:
        if name in kind.then_owns:
            return "then"
        if name in parts:
            return "part"
        if name in kind.remedies:
            return "remedy"
        return "update" if name in update and name not in {*kind.identity, kind.handle} else "never"

    def make(name: str, shape: Shape, at_birth: bool) -> Field:
        required = at_birth and name in create.required
        return Field(name, shape, change(name), required, at_birth, name in kind.write_only)

    found = {
        name: make(name, shape, True)
        for name, shape in create.members.items()
        if name not in hidden and name not in parts
    }
    for name, remedy in kind.remedies.items():
        if name not in found and remedy.shape is not None:
            found[name] = make(name, find_shape(kind.service, remedy.shape, schema), False)
    for name, part in parts.items():
        found[name] = make(name, item_shape(kind, part, schema), False)
    return found


def item_shape(kind: Kind, part: Part, schema: Schema) -> Shape:
    """The shape of an item of a part, as a config writes it."""
    lists = {
        name: ListOf(Without(schema.shape(kind.service, shape), part.given))
        for name, shape in part.lists.items()
    }
    return Without(schema.shape(kind.service, part.shape), part.given, lists)


def find_shape(service: str, path: str, schema: Schema) -> Shape:
    """The shape at `Operation.Member.Member` of an operation's input, or the one that is called so; KeyError when the
    path leads nowhere."""
    operation, *members = path.split(".")
    if not members:
        return schema.shape(service, operation)
    return reduce(
        lambda shape, name: shape.members[name], members, schema.operation(service, operation).input
    )
