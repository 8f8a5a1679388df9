"""What calls touch beside the things that they are about.  Used by `writes`.

AWS asks about every resource that a call names: who makes a subnet needs a word about its VPC too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from reconciler.model.kind import Kind
from reconciler.policy.extent import Extent
from reconciler.policy.facts import BESIDE, FROM_OTHERS, HELD_AT, OWN_TYPES, TAGGED_BY_RESOURCE
from reconciler.policy.statements import Statement, in_order


def beside(extent: Extent) -> Iterator[Statement]:
    """Actions that touch the same types together; never a type of which the action is held to our own things.

    But for `FROM_OTHERS`."""
    found: dict[str, set[str]] = {}
    guarded: dict[str, set[str]] = {}
    for kind in extent.kinds:
        for action, fields in () if kind.home.paths else _touches(kind, extent.mode):
            found.setdefault(action, set()).update(_types(extent, kind, action, fields))
            guarded.setdefault(action, set()).add(HELD_AT.get(action, own_type(kind)))
    together: dict[tuple[str, ...], list[str]] = {}
    for action, types in found.items():
        service = action.partition(":")[0]
        if left := types - (set() if action in FROM_OTHERS else guarded[action]):
            resources = in_order(f"arn:{extent.partition}:{service}:*:*:{type}/*" for type in left)
            together.setdefault(resources, []).append(action)
    for resources, actions in sorted(together.items(), key=lambda pair: min(pair[1])):
        first = min(actions).partition(":")[2]  # each action stands in one of these statements alone
        yield Statement(sid=f"Beside{first}", actions=in_order(actions), resources=resources)


def _touches(kind: Kind, mode: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The calls for which AWS asks about more than the thing itself, with the fields that name what else."""
    every = tuple(_top(path) for path in kind.refs)
    by_resource = kind.service in TAGGED_BY_RESOURCE
    if by_resource:
        yield kind.action(kind.create), every
    for action, name in changes(kind):
        yield action, (*kind.identity, name) if name or not by_resource else every
    if mode == "full":
        yield kind.action(kind.delete), kind.identity


def changes(kind: Kind) -> Iterator[tuple[str, str]]:
    """The calls that change a thing, each with the field that it is about; "" where it is about many."""
    if kind.update:
        yield kind.action(kind.update), ""
    for name, remedy in kind.remedies.items():
        yield from ((kind.action(operation), name) for operation in remedy.operations)
    if kind.halt:
        yield from ((kind.action(operation), kind.id) for operation in kind.halt.operations)
    for part in kind.parts:
        yield from ((kind.action(operation), part.field) for operation in part.operations)
    yield from ((kind.action(operation), "") for operation in kind.then_operations)
    yield from ((kind.action(operation), "") for operation in kind.answers if kind.asks_itself)


def _types(extent: Extent, kind: Kind, action: str, fields: Collection[str]) -> Iterator[str]:
    """Types of resources that these fields refer to, and those of the table."""
    for path, targets in kind.targets().items():
        for target, attribute in targets.items() if _top(path) in fields else ():
            other = extent.records.get(target)
            if other is not None and other.service == kind.service and attribute in {"id", "arn"}:
                yield own_type(other)
    for name, types in BESIDE.get(action, {}).items():
        if not name or _has(extent, kind, *name.rpartition(".")[::2]):
            yield from types


def _has(extent: Extent, kind: Kind, other: str, field: str) -> bool:
    """Whether the config gives a field to things of a kind, or to those of another kind beside it."""
    if not extent.fields:  # any may be given
        return other != kind.name
    return other != kind.name and field in extent.fields.get(other or kind.name, ())


def own_type(kind: Kind) -> str:
    """What stands before the id in the ARNs of a kind."""
    return OWN_TYPES.get(kind.name, kind.type)


def _top(path: str) -> str:
    return path.split(".", 1)[0].split("[", 1)[0]
