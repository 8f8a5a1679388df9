"""Who uses whom among the things that exist: what must be gone before something can be deleted.  Used by `planner`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from reconciler.model.fields import Facts
from reconciler.model.things import Observed


class Users:
    """The references among things, read off the fields that their kinds' records name."""

    def __init__(self, things: Iterable[Observed], facts: Mapping[str, Facts]) -> None:
        self._facts = facts
        self._users: dict[str, list[Observed]] = {}
        for thing in things:
            for name in dict.fromkeys(self._used(thing)):
                self._users.setdefault(name, []).append(thing)

    def of(self, thing: Observed) -> list[Observed]:
        """The things that refer to this one."""
        found = [*self._users.get(thing.id, ()), *self._users.get(thing.arn, ())]
        return [user for user in found if user is not thing]

    def first(self, things: list[Observed]) -> list[Observed]:
        """The same things, users before what they use; as they came where there is a circle."""
        by_id = {(thing.kind, thing.id): thing for thing in things}
        sorter: TopologicalSorter[tuple[str, str]] = TopologicalSorter()
        for key, thing in reversed(by_id.items()):
            sorter.add(
                key, *((user.kind, user.id) for user in self.of(thing) if (user.kind, user.id) in by_id)
            )
        try:
            return [by_id[key] for key in sorter.static_order()]
        except CycleError:
            return things

    def _used(self, thing: Observed) -> Iterator[str]:
        kind = self._facts[thing.kind].kind
        parts = {part.field: part for part in kind.parts}
        for path in kind.refs:
            field = path.split(".", 1)[0].removesuffix("[]")
            source: Any = thing.spec
            if field in parts:
                source = {field: parts[field].rows(thing.raw)}
            yield from _values(source, path.split("."))


def _values(value: Any, path: list[str]) -> Iterator[str]:
    """The strings at a path such as `Ingress[].ReferencedGroupId`."""
    if not path:
        if isinstance(value, str):
            yield value
        return
    head, *rest = path
    name, many = head.removesuffix("[]"), head.endswith("[]")
    inner = value.get(name) if isinstance(value, Mapping) else None
    for item in inner or () if many else (inner,):
        yield from _values(item, rest)
