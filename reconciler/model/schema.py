"""The service model as everyone but `aws` sees it: shapes and operations, without botocore.

`aws.schema` implements these over botocore's service models; `desired` checks configs with them, `kinds`' lint and
documentation read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Shape(Protocol):
    """The type of one value."""

    @property
    def name(self) -> str:
        """The shape's own name in the service model, `SecurityGroupRuleRequest`."""
        ...

    @property
    def type(self) -> str:
        """One of structure, list, map, string, integer, long, float, double, boolean, timestamp, blob."""
        ...

    @property
    def members(self) -> Mapping[str, Shape]:
        """A structure's members by AWS's spelling; empty for anything else."""
        ...

    @property
    def required(self) -> tuple[str, ...]: ...

    @property
    def item(self) -> Shape | None:
        """What a list holds, or the values of a map."""
        ...

    @property
    def enum(self) -> tuple[str, ...]: ...

    @property
    def minimum(self) -> int | None:
        """The least value of a number, or the least length of a string or list."""
        ...

    @property
    def maximum(self) -> int | None: ...

    @property
    def sensitive(self) -> bool:
        """Whether AWS marks the value as one that must not be logged."""
        ...

    @property
    def documentation(self) -> str:
        """AWS's words about it, without markup."""
        ...


@dataclass(frozen=True)
class Without:
    """A structure less some of its members, and with those of `more`."""

    whole: Shape
    hidden: frozenset[str]
    more: Mapping[str, Shape] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.whole.name

    @property
    def type(self) -> str:
        return self.whole.type

    @property
    def members(self) -> Mapping[str, Shape]:
        kept = {name: shape for name, shape in self.whole.members.items() if name not in self.hidden}
        return {**kept, **self.more}

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(name for name in self.whole.required if name not in self.hidden)

    @property
    def item(self) -> Shape | None:
        return self.whole.item

    @property
    def enum(self) -> tuple[str, ...]:
        return self.whole.enum

    @property
    def minimum(self) -> int | None:
        return self.whole.minimum

    @property
    def maximum(self) -> int | None:
        return self.whole.maximum

    @property
    def sensitive(self) -> bool:
        return self.whole.sensitive

    @property
    def documentation(self) -> str:
        return self.whole.documentation


@dataclass(frozen=True)
class ListOf:
    """A list that no service model has a shape for."""

    item: Shape
    type: str = "list"
    members: Mapping[str, Shape] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    enum: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    sensitive: bool = False

    @property
    def name(self) -> str:
        return self.item.name

    @property
    def documentation(self) -> str:
        return self.item.documentation


class Operation(Protocol):
    """One API operation."""

    @property
    def name(self) -> str: ...

    @property
    def input(self) -> Shape: ...

    @property
    def output(self) -> Shape: ...


class Schema(Protocol):
    """All service models, and which regions there are."""

    def operation(self, service: str, name: str) -> Operation:
        """The operation; KeyError when the service has none of that name."""
        ...

    def shape(self, service: str, name: str) -> Shape:
        """A shape by its own name; KeyError when there is none."""
        ...

    @property
    def regions(self) -> frozenset[str]:
        """The names of all regions that botocore knows, of every partition."""
        ...
