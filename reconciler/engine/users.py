"""Who uses whom among the things that exist: what must be gone before something can be deleted.  Used by `planner`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from reconciler.engine.resolve import attribute_of
from reconciler.knots import knots
from reconciler.model.fields import Facts
from reconciler.model.kind import Item, Kind, Part
from reconciler.model.things import Observed, Scope, at

Key = tuple[str, str, str, str]
NOTHING: frozenset[str] = frozenset()
BY_IDENTITY = frozenset({"id", "arn", "name"})


class Users:
    """The references among things, read off the fields that their kinds' records name.

    `leaving` are those of them that are on their way out: only among these can a circle be undone.
    """

    def __init__(
        self, things: Iterable[Observed], leaving: Sequence[Observed], facts: Mapping[str, Facts]
    ) -> None:
        self._facts = facts
        self._named_by = dict(_named_by(facts))
        self._users: dict[tuple[str, str], list[Observed]] = {}
        self._holders: dict[tuple[str, str], list[Observed]] = {}
        for thing in things:
            lets_go = facts[thing.kind].kind.lets_go
            for less, found in ((NOTHING, self._users), (lets_go, self._holders)):
                for name in dict.fromkeys(self._used(thing, less)):
                    found.setdefault(name, []).append(thing)
        self._leaving = leaving
        by_key = {_key(thing): thing for thing in leaving}
        self._ahead = {
            key: [_key(user) for user in self.of(thing) if _key(user) in by_key]
            for key, thing in by_key.items()
        }
        self._circle = {key: group for group in knots(self._ahead) for key in group}
        self._by_key = by_key

    def of(self, thing: Observed) -> list[Observed]:
        """The things that refer to this one, or that have to go before it does."""
        return self._among(self._users, thing)

    def _among(self, users: Mapping[tuple[str, str], Sequence[Observed]], thing: Observed) -> list[Observed]:
        kind = self._facts[thing.kind].kind
        own, names = [("", thing.id), ("", thing.arn)], list[tuple[str, str]]()
        if kind.handle:
            names.append((kind.name, str(thing.raw[kind.handle])))
        for attribute in self._named_by.get(thing.kind, ()):
            names.append((kind.name, attribute_of(thing, attribute)))
        found = [user for name in dict.fromkeys(own) for user in users.get(name, ())]
        found += [
            user
            for name in dict.fromkeys(names)
            for user in users.get(name, ())
            if self._means_here(user, thing)
        ]
        found += [other for other in self._leaving if _outlived(kind, thing, other)]
        return [user for user in found if user is not thing and can_refer(user, kind, thing)]

    def _means_here(self, user: Observed, thing: Observed) -> bool:
        """Whether a name that is not unique means this thing: what is in a region has names of its own."""
        elsewhere = user.region and thing.region and user.region != thing.region
        return not elsewhere or self._facts[user.kind].kind.across

    def staying(self, thing: Observed) -> list[Observed]:
        """The things for which AWS keeps this one, and that are not on their way out."""
        return [user for user in self._among(self._holders, thing) if _key(user) not in self._by_key]

    def circle(self, thing: Observed) -> list[Observed]:
        """The leaving things that use each other in a circle with this one, itself included; empty without one."""
        return [self._by_key[key] for key in sorted(self._circle.get(_key(thing), ()))]

    def first(self) -> list[Observed]:
        """The leaving things, users before what they use; a circle's come side by side."""
        whole = {
            key: min(self._circle.get(key, {key})) for key in self._ahead
        }  # one node stands for a circle
        sorter: TopologicalSorter[Key] = TopologicalSorter()
        for key in reversed(self._ahead):
            sorter.add(whole[key], *(whole[user] for user in self._ahead[key] if whole[user] != whole[key]))
        try:
            order = list(sorter.static_order())
        except CycleError as error:  # cannot be: every circle is one node
            raise AssertionError("a circle was left in") from error
        groups: dict[Key, list[Observed]] = {}
        for key in self._ahead:
            groups.setdefault(whole[key], []).append(self._by_key[key])
        return [thing for key in order for thing in groups[key]]

    def _used(self, thing: Observed, less: frozenset[str]) -> Iterator[tuple[str, str]]:
        """The names of what it refers to: ids and ARNs belong to one thing ever, others (of a kind) may repeat."""
        kind = self._facts[thing.kind].kind
        parts = {part.field: part for part in kind.parts}
        for path, targets in kind.targets().items():
            if path in less:
                continue
            field = path.split(".", 1)[0].removesuffix("[]")
            source: Any = thing.spec
            if field in parts:
                source = {field: (parts[field].holding or parts[field].rows)(thing.raw)}
            for name in _names(source, path.split(".")):
                yield "", name
                yield from ((target, name) for target in targets)


def can_refer(user: Observed | Scope, kind: Kind, thing: Observed) -> bool:
    """Whether what is in the account of `user` can refer to a thing of a kind: names are an account's own."""
    return user.account == thing.account or not kind.private


def referring(kind: Kind, part: Part, observed: Observed, to: Collection[str]) -> list[Item]:
    """The live items of a part that refer to one of these ids."""
    paths = [path.split(".")[1:] for path in kind.refs if path.startswith(f"{part.field}[].")]
    return [
        row for row in part.rows(observed.raw) if any(id in to for path in paths for id in _names(row, path))
    ]


def _named_by(facts: Mapping[str, Facts]) -> Iterator[tuple[str, set[str]]]:
    """The kinds whose things are referred to by something else than id and ARN, with the fields that say it."""
    found: dict[str, set[str]] = {}
    for one in facts.values():
        for targets in one.kind.targets().values():
            for kind, attribute in targets.items():
                found.setdefault(kind, set()).add(attribute)
    return ((kind, more) for kind, attributes in found.items() if (more := attributes - BY_IDENTITY))


def _outlived(kind: Kind, thing: Observed, other: Observed) -> bool:
    """Whether another thing on its way out goes before this one."""
    member = kind.outlives.get(other.kind)
    if member is None or (thing.account, thing.region) != (other.account, other.region):
        return False
    value = attribute_of(thing, member)
    return value is not None and value == attribute_of(other, member)


def _key(thing: Observed) -> Key:
    """A name is somebody else's in the next region, and in the next account."""
    return thing.kind, thing.account, thing.region, thing.id


def _names(value: Any, path: Sequence[str]) -> Iterator[str]:
    """The strings at a path such as `Ingress[].ReferencedGroupId`."""
    for name in at(value, path):
        if isinstance(name, str):
            yield from name.split(",")  # ids and ARNs have no commas; some fields take many in one text
