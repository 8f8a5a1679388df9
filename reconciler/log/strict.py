"""Under the tests the catalogue is binding: a name or a field that it has not is an error.  Used by `log`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from structlog.typing import EventDict, WrappedLogger

from reconciler.events import EVENTS, FIELDS, HEAD, PASS

_BY_THE_LOG: Final = {*HEAD, "truncated"}
_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str,
    "integer": int,
    "number": (int, float, type(None)),
    "boolean": bool,
    "list": (list, tuple),
    "object": dict,
}
"""What a field may hold; a number may be null, for "none"."""


class UnknownEvent(ValueError):
    """An event or a field that the catalogue has not, or that the log itself sets.  Raised under the tests only."""


_strict = _strict_fields = False


def be_strict(on: bool = True, *, fields: bool = True) -> None:
    """For tests: what the catalogue does not have raises where it is logged; `fields`: not only unknown names."""
    global _strict, _strict_fields
    _strict, _strict_fields = on, on and fields


def is_strict() -> bool:
    """Whether tests are watching."""
    return _strict


def known(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Refuses, under the tests, what is not in the catalogue."""
    if not _strict:
        return event
    told = EVENTS.get(str(event.get("event")))
    if told is None:
        raise UnknownEvent(f"no such event: {event.get('event')!r}; add it to reconciler/events.py")
    given = event.keys() - {"event", "exc_info"}
    if own := given & _BY_THE_LOG:
        raise UnknownEvent(f"{event['event']}: the log itself sets {', '.join(sorted(own))}")
    if not _strict_fields:
        return event
    for wrong, which in (
        ("in the catalogue it has no", given - {*told.fields, *told.optional, *PASS}),
        ("it lacks", set(told.fields) - given),
    ):
        if which:
            raise UnknownEvent(f"{event['event']}: {wrong} {', '.join(sorted(which))}")
    for name in given & FIELDS.keys():
        wanted = FIELDS[name].type
        fits = isinstance(event[name], _TYPES[wanted])
        if not fits or (isinstance(event[name], bool) and wanted != "boolean"):
            raise UnknownEvent(f"{event['event']}: {name}={event[name]!r} is no {wanted}")
    return event
