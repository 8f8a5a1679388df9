"""What differs between a wanted and a seen value.  Used by `converge`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.model.calls import digest
from reconciler.model.things import Parameter, contains
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
