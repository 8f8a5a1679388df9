"""A mapping that has most of another's members, kept as what differs.  Used by `aws` for what a row shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

NOTHING = object()


class Layer(Mapping[str, Any]):
    """The members of `below` with those of `above` in their place or after them."""

    __slots__ = ("_above", "_below")

    def __init__(self, below: Mapping[str, Any], above: Mapping[str, Any]) -> None:
        self._below, self._above = below, above

    def __getitem__(self, name: str) -> Any:
        return self._above[name] if name in self._above else self._below[name]

    def __contains__(self, name: object) -> bool:
        return name in self._above or name in self._below

    def __iter__(self) -> Iterator[str]:
        yield from self._below
        yield from (name for name in self._above if name not in self._below)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))


def layered(whole: Mapping[str, Any], below: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same as `whole`, with `below` for what both have: a mapping of forty members takes two kilobytes.

    `whole` itself where it lacks some of them.
    """
    above = {name: value for name, value in whole.items() if below.get(name, NOTHING) is not value}
    if not whole.keys() >= below.keys():
        return whole
    return Layer(below, above) if above else below
