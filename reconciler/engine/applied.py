"""Who has changed what: a tag remembers, field by field, what we have last applied.  Used by `converge`.

The tag holds a short hash of each path's name and one of the value that the config wanted when we last wrote the
thing.  A path that differs has then changed in AWS (the config still says what was applied), in the config (AWS still
shows what was applied), or in both.  Nothing is decided by it: it is for people, and may be lost.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from reconciler.engine.drift import is_ignored, nothing
from reconciler.model.calls import digest
from reconciler.model.fields import Facts
from reconciler.model.kind import Item, Part
from reconciler.model.things import (
    APPLIED_TAG,
    OURS,
    PLAIN,
    Desired,
    Observed,
    Parameter,
    Pending,
    contains,
    within,
)
from reconciler.model.verdicts import Drift, Origin, together

VERSION = "1"
WHOLE, PARTLY = ":", "+"
"""What follows the version: whether a path that the tag does not know has never been applied, or may have been."""
WIDTH = 3
"""Characters of a name's and of a value's hash: 18 bits, enough to tell people, too few to guess a value from."""
LONGEST = 256
"""Characters of a tag's value.  https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html"""


def applied_tag(
    facts: Facts, desired: Desired, tags: Mapping[str, Any], *, birth: bool = False
) -> str | Pending:
    """The value of the tag when a thing is as it is wanted, or has just been born; Pending while values are not known.

    `desired` is resolved; `tags` are all tags that the thing should have.
    """
    wanted = {
        path: value for path, value in _wanted(facts, desired, tags) if not birth or _at_birth(facts, path)
    }
    if pending := next(within(list(wanted.values()), Pending), None):
        return pending
    hashes = [_hash_of_text(path) + _hash_of(value) for path, value in wanted.items()]
    room = (LONGEST - len(VERSION + WHOLE)) // (2 * WIDTH)
    partly = len(hashes) > room or (birth and any(not _at_birth(facts, name) for name in desired.spec))
    return VERSION + (PARTLY if partly else WHOLE) + "".join(sorted(hashes[:room]))


def is_stale(facts: Facts, desired: Desired, tags: Mapping[str, Any], seen: Mapping[str, str]) -> bool:
    """Whether the tag of a thing that does not differ says something older than what the config wants.

    One that is missing, or was made another way, is left alone, and so is what it says of paths that the config has
    dropped: nothing of that is wrong, and none is worth a write.
    """
    tag = seen.get(APPLIED_TAG, "")
    own = {key: value for key, value in tags.items() if not key.startswith(OURS)}
    spelt = f"{tag} {desired.spec} {own} {desired.ignore}"
    return _says_older(_Case((id(facts), spelt), facts, desired, own, tag))


@dataclass(frozen=True)
class _Case:
    """What a tag is compared with; `key` tells all of it, for most things of an estate are like others."""

    key: tuple[int, str]
    facts: Facts = field(compare=False)
    desired: Desired = field(compare=False)
    tags: Mapping[str, Any] = field(compare=False)
    tag: str = field(compare=False)


@lru_cache(maxsize=1_000)
def _says_older(case: _Case) -> bool:
    applied = _read(case.tag)
    return applied is not None and any(
        applied.hashes.get(_hash_of_text(path), None if applied.whole else now) != now
        for path, value in _wanted(case.facts, case.desired, case.tags)
        if (isinstance(value, PLAIN) or not contains(value, Pending)) and (now := _hash_of(value))
    )


@dataclass(frozen=True)
class Applied:
    """The tag of one thing, read; `whole` as in WHOLE."""

    hashes: Mapping[str, str]
    whole: bool


def origins(
    facts: Facts, desired: Desired, observed: Observed, tags: Mapping[str, Any], drifts: tuple[Drift, ...]
) -> tuple[Drift, ...]:
    """Drifts with their origins; what a state machine looks after tells them itself."""
    applied = _read(observed.tags.get(APPLIED_TAG, ""))
    wanted = dict(_wanted(facts, desired, tags))
    return tuple(
        replace(found, origin=_origin(found.path, facts, applied, wanted, observed))
        if found.origin == "unknown"
        else found
        for found in drifts
    )


def _origin(
    path: str, facts: Facts, applied: Applied | None, wanted: Mapping[str, Any], observed: Observed
) -> Origin:
    if path == "region" or path.partition(".")[0] in facts.kind.write_only:
        return "pending"  # a thing does not move by itself, and its digest is what we have written
    if applied is None:
        return "unknown"
    nested = {part.field for part in facts.kind.parts if part.lists}
    return together(
        _leaf_origin(applied, leaf, value, _seen(facts, leaf, value, observed), leaf in nested)
        for leaf, value in wanted.items()
        if _related(leaf, path)
    )


def _leaf_origin(applied: Applied, leaf: str, wanted: Any, seen: Any, nested: bool) -> Origin:
    """Of a list of lists nobody can tell what of it was wanted before: where the config has changed, it is that."""
    before = applied.hashes.get(_hash_of_text(leaf))
    if before is None:
        return "pending" if applied.whole else "unknown"
    if _hash_of(wanted) == before:
        return "drift"
    return "pending" if nested or _hash_of(seen) == before else "both"


def _related(leaf: str, path: str) -> bool:
    """Whether one of two paths lies within the other; a drift may be of a whole structure, or of one item of a list."""
    path = path.removesuffix("[]")
    return (
        leaf == path or leaf.startswith((f"{path}.", f"{path}[")) or path.startswith((f"{leaf}.", f"{leaf}["))
    )


def _wanted(facts: Facts, desired: Desired, tags: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Paths and values that AWS reports and the config has a say in; a list, and all items of a part, is one value.

    What a state machine looks after is not applied when other fields are, and is left out.
    """
    plain, ignore = facts.plain, desired.ignore
    for name, value in desired.spec.items():
        if name in plain and isinstance(value, PLAIN):  # as most are
            if not is_ignored(name, ignore):
                yield name, value
            continue
        field = facts.fields[name]
        if field.write_only or field.change == "then" or contains(value, Parameter):
            continue
        spelt = _spelt(facts, name, value)
        for path, leaf in _leaves(spelt, name) if isinstance(spelt, Mapping) else ((name, spelt),):
            if not is_ignored(path, ignore):
                yield path, leaf
    for key, value in tags.items():
        if not key.startswith(OURS) and not is_ignored(path := f"Tags.{key}", ignore):
            yield path, value


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}")
    else:
        yield path, value


def _spelt(facts: Facts, name: str, value: Any) -> Any:
    """A value of a field in the spelling, and the order, that wanted and seen ones share."""
    if contains(value, Pending):
        return value
    kind = facts.kind
    if facts.fields[name].change == "part":
        return _in_order(next(part for part in kind.parts if part.field == name), value or ())
    if name in kind.normal:
        return kind.normal[name](value)
    return _sorted(value or ()) if name in kind.unordered else value


def _in_order(part: Part, items: Iterable[Item]) -> list[Any]:
    """Items by their keys: the same ones stand in one place, whatever else AWS shows of them."""
    found = sorted(map(part.normal, items), key=lambda item: digest(part.key(item)))
    return [_canonical(part.meant(item)) for item in found]


def _sorted(values: Any) -> list[Any]:
    found = [_canonical(value) for value in values]
    return found if len(found) < 2 else sorted(found, key=digest)


def _seen(facts: Facts, leaf: str, wanted: Any, observed: Observed) -> Any:
    """What AWS shows at a leaf, no more of it than is wanted."""
    name, _, below = leaf.partition(".")
    if name == "Tags":
        return observed.tags.get(below)
    if part := next((part for part in facts.kind.parts if part.field == name), None):
        return _in_order(part, part.rows(observed.raw))
    value = observed.spec.get(name)
    if name in facts.kind.normal or name in facts.kind.unordered:
        value = _spelt(facts, name, value)
    return _projected(_below(value, below), wanted)


def _below(value: Any, path: str) -> Any:
    """What stands at a path; a name in it may have dots of its own."""
    while path:
        if not isinstance(value, Mapping):
            return None
        name, _, rest = (path, "", "") if path in value else path.partition(".")
        value, path = value.get(name), rest
    return value


def _projected(seen: Any, wanted: Any) -> Any:
    if isinstance(seen, Mapping) and isinstance(wanted, Mapping):
        return {name: _projected(seen.get(name), inner) for name, inner in wanted.items()}
    if isinstance(seen, list) and isinstance(wanted, list) and len(seen) == len(wanted):
        return [_projected(one, other) for one, other in zip(seen, wanted, strict=True)]
    return seen


def _canonical(value: Any) -> Any:
    """A value as it counts: absent, null and empty are one, and so are 1 and 1.0."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        kept = {name: _canonical(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner is not None} or None
    if isinstance(value, list | tuple):
        return [_canonical(inner) for inner in value] or None
    return None if nothing(value) else value


def _at_birth(facts: Facts, path: str) -> bool:
    """Whether the create call applies what stands at a path."""
    name = path.split(".", 1)[0]
    return name == "Tags" or (
        facts.fields[name].at_birth and facts.fields[name].change not in {"part", "then"}
    )


def _hash_of(value: Any) -> str:
    """The hash of a value as it counts."""
    if isinstance(value, str) and value:
        return _hash_of_text(value)
    value = _canonical(value)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return _hash_of_one(value[0])
    return _short(value)


@lru_cache(maxsize=10_000)
def _hash_of_text(value: str) -> str:
    """The same for names of paths and for texts, most of which are met again and again."""
    return _short(value)


@lru_cache(maxsize=10_000)
def _hash_of_one(value: str) -> str:
    """The same for lists of one text."""
    return _short([value])


def _short(value: Any) -> str:
    found = hashlib.sha256(digest(value).encode()).digest()
    return base64.b64encode(found, b"-_").decode()[:WIDTH]  # letters that a tag may hold in every service


def _read(tag: str) -> Applied | None:
    """The tag's hashes by the hashes of their paths; None when it is none of ours, or of another version."""
    head, body = tag[: len(VERSION) + 1], tag[len(VERSION) + 1 :]
    if head not in {VERSION + WHOLE, VERSION + PARTLY} or len(body) % (2 * WIDTH):
        return None
    pieces = [body[start : start + 2 * WIDTH] for start in range(0, len(body), 2 * WIDTH)]
    return Applied({piece[:WIDTH]: piece[WIDTH:] for piece in pieces}, head.endswith(WHOLE))
