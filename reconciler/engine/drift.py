"""What differs between a wanted and a seen value.  Used by `converge`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.engine.tags import digest_of, wanted_tags
from reconciler.model.calls import digest
from reconciler.model.fields import Facts
from reconciler.model.kind import Kind
from reconciler.model.things import DIGEST_TAG, PLAIN, Desired, Observed, Parameter, Pending, contains
from reconciler.model.verdicts import Drift


def drift(wanted: Any, seen: Any, path: str) -> Iterator[Drift]:
    """Each path below `path` where the two differ.

    Only what the config mentions counts: members of a structure that are not wanted are nobody's business.  Absent,
    null and the empty string are one value (a cleared field is read back either way).  A value that is not known yet
    differs from everything; one that is read only at creation (`${ssm:…}`) differs from nothing.
    """
    if isinstance(wanted, str) and wanted == seen:
        return
    if isinstance(wanted, Mapping) and isinstance(seen, Mapping):
        for name, value in wanted.items():
            yield from drift(value, seen.get(name), f"{path}.{name}")
    elif _is_list(wanted) and _is_list(seen) and len(wanted) == len(seen):
        for index, (one, other) in enumerate(zip(wanted, seen, strict=True)):
            yield from drift(one, other, f"{path}[{index}]")
    elif not contains(wanted, Parameter) and not _same(wanted, seen):
        yield Drift(path, wanted, seen)


def same_set(wanted: Any, seen: Any) -> bool:
    """Whether two lists hold the same values in any order."""
    if wanted == seen and all(isinstance(value, str) for value in wanted or ()):
        return True  # of numbers and truths Python takes some for equal that are not
    one, other = (sorted(map(digest, values or ())) for values in (wanted, seen))
    return one == other


def is_ignored(path: str, ignore: tuple[str, ...]) -> bool:
    """Whether a path is one whose drift is left alone, or lies within one."""
    return bool(ignore) and any(path == left or path.startswith((f"{left}.", f"{left}[")) for left in ignore)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _same(wanted: Any, seen: Any) -> bool:
    if nothing(wanted) and nothing(seen):
        return True
    # True == 1 in Python, and is another value everywhere else
    return isinstance(wanted, bool) is isinstance(seen, bool) and bool(wanted == seen)


def nothing(value: Any) -> bool:
    """Whether a value says no more than that there is none."""
    if isinstance(value, str):
        return not value
    if isinstance(value, Mapping):
        return all(map(nothing, value.values()))
    return value is None or value == "" or (_is_list(value) and not value)


def field_drift(facts: Facts, name: str, desired: Desired, observed: Observed) -> Iterator[Drift]:
    """Where one field differs; parts and what `then` looks after are not compared here."""
    wanted, seen = desired.spec[name], observed.spec.get(name)
    if type(wanted) is type(seen) and isinstance(wanted, PLAIN) and wanted == seen and name in facts.plain:
        return  # as most are
    field = facts.fields[name]
    if field.change in {"part", "then"}:
        return
    if field.write_only:
        yield from _written_drift(name, wanted, desired, observed, facts.kind)
    elif name in facts.kind.normal and not contains(wanted, Parameter) and not contains(wanted, Pending):
        normal = facts.kind.normal[name]
        yield from drift(normal(wanted), normal(seen), name)
    elif name in facts.kind.unordered and not contains(wanted, Pending):
        if not same_set(wanted, seen):
            yield Drift(name, wanted, seen)
    else:
        yield from drift(wanted, seen, name)


def _written_drift(
    name: str, wanted: Any, desired: Desired, observed: Observed, kind: Kind
) -> Iterator[Drift]:
    """A field that AWS does not report: its digest was put in a tag when it was written.

    Where the tag is missing, what a `Detail` has read is compared.  Else a digest that is missing, or made another
    way, proves nothing: it is not drift, and the tag is mended.
    """
    if contains(wanted, Parameter):
        return
    before = observed.tags.get(DIGEST_TAG + name)
    if before is None and name in {detail.field for detail in kind.read.details} & observed.raw.keys():
        seen = observed.spec.get(name)
        before = None if nothing(wanted) and nothing(seen) else str(digest_of(seen))
    after = wanted_tags(kind, replace(desired, spec={name: wanted}), "")[DIGEST_TAG + name]
    if isinstance(after, Pending):
        yield Drift(name, after, "(not reported by AWS)")
    elif before is not None and before.partition(":")[0] == after.partition(":")[0] and before != after:
        yield Drift(name, f"(digest {after[2:10]})", f"(digest {before[2:10]})")
