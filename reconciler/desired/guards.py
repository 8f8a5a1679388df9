"""The keys that bound what a pass does, and when: mode, limits, windows, every, lease.  Called by `header`."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from reconciler.desired.cron import DAYS, Wrong, read_cron
from reconciler.desired.findings import short
from reconciler.desired.nodes import Entries, Entry, Items, Node
from reconciler.desired.reader import Path, Reader
from reconciler.model.config import Cron

MODES = ("observe", "upsert", "full")
LIMITS = ("deletes", "percent", "per-hour")
WINDOW = ("days", "from", "to", "tz")
TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
MIDNIGHT = "24:00"
"""The end of a day, as the end of a window."""
LEASE = ("table", "region")
EVERY = ("cron", "tz")


class Guards(NamedTuple):
    """The values as `Config` has them; None or nothing where the config has none, or none that is good."""

    mode: str
    limits: Mapping[str, Any]
    windows: tuple[Mapping[str, Any], ...]
    every: float | Cron | None
    lease: Mapping[str, Any]


def read_guards(
    single: Mapping[str, Entry],
    limits: Mapping[str, Entry],
    region: str | None,
    reader: Reader,
    regions: frozenset[str],
) -> Guards:
    """Check them.  `single` are the single-valued keys of the config, `limits` the entries under that key.

    `region` is the config's own, for a lease that names none: None when it has none, "" when that is no good.
    """
    windows: tuple[Mapping[str, Any], ...] = ()
    if "windows" in single:
        node = single["windows"].node
        windows = tuple(_window(item, path, reader) for path, item in reader.items(node, ("windows",)))
        if isinstance(node, Items) and not node.items:
            hint = "leave windows out for always, or say mode: observe"
            reader.findings.add(node.mark, ("windows",), "this list is empty", hint)
    return Guards(
        mode=(reader.choice(single["mode"].node, ("mode",), MODES) if "mode" in single else None) or "full",
        limits=_limits(limits, reader),
        windows=windows,
        every=_every(single["every"].node, reader) if "every" in single else None,
        lease=_lease(single["lease"], region, reader, regions) if "lease" in single else {},
    )


def _every(node: Node, reader: Reader) -> float | Cron | None:
    """A duration, or a mapping of `cron` and `tz`."""
    path: Path = ("every",)
    if not isinstance(node, Entries):
        return reader.seconds(node, path)
    inner = reader.record(node, path, EVERY, required=EVERY[:1])
    zone = _zone(inner, path, reader) if "tz" in inner else "UTC"
    if "cron" not in inner:
        return None
    item, at = inner["cron"].node, (*path, "cron")
    text = reader.text(item, at, 'five fields such as "30 3 * * mon-fri"')
    if text is None or zone is None:
        return None
    found = read_cron(text)
    if isinstance(found, Wrong):
        reader.findings.add(item.mark, at, *found)
        return None
    return Cron(" ".join(text.split()), zone)


def _limits(entries: Mapping[str, Entry], reader: Reader) -> dict[str, Any]:
    inner = reader.known(entries, ("limits",), LIMITS)
    values = {
        key: reader.number(entry.node, ("limits", key), most=100, whole=False)
        if key == "percent"
        else reader.number(entry.node, ("limits", key))
        for key, entry in inner.items()
    }
    return {key: value for key, value in values.items() if value is not None}


def _window(node: Node, path: Path, reader: Reader) -> dict[str, Any]:
    inner = reader.record(node, path, WINDOW, required=WINDOW[1:])
    days = _days(inner["days"].node, (*path, "days"), reader) if "days" in inner else DAYS
    begin = _time(inner, "from", path, reader)
    end = _time(inner, "to", path, reader)
    if begin is not None and begin == end:
        hint = f'a whole day is from "00:00" to "{MIDNIGHT}"'
        reader.findings.add(inner["to"].node.mark, (*path, "to"), "this window ends when it begins", hint)
    return {"days": days, "from": begin, "to": end, "tz": _zone(inner, path, reader)}


def _days(node: Node, path: Path, reader: Reader) -> tuple[str, ...]:
    """Days in the order of the week."""
    found: set[str] = set()
    for at, item in reader.items(node, path):
        text = reader.text(item, at, "a day")
        if text is None:
            continue
        if text not in DAYS:
            likely = text[:3].lower()
            hint = f"one of: {', '.join(DAYS)}"
            if likely in DAYS and text.isalpha():
                hint = f"did you mean {likely}?"
            reader.findings.add(item.mark, at, f"{short(text)!r} is not a day", hint)
        elif text in found:
            reader.findings.add(item.mark, at, f"{text} stands twice")
        found.add(text)
    if isinstance(node, Items) and not node.items:
        reader.findings.add(node.mark, path, "a window without days never opens", "leave days out for all")
    return tuple(day for day in DAYS if day in found)


def _time(inner: Mapping[str, Entry], key: str, path: Path, reader: Reader) -> str | None:
    if key not in inner:
        return None
    node, at, wanted = inner[key].node, (*path, key), 'a time of day such as "08:30"'
    text = reader.text(node, at, wanted)
    if text is None or TIME.fullmatch(text) or (key == "to" and text == MIDNIGHT):
        return text
    hint = f'write "0{text}"' if TIME.fullmatch(f"0{text}") else "hours and minutes, 00:00 to 23:59"
    reader.findings.add(node.mark, at, f"{short(text)!r} is not {wanted}", hint)
    return None


def _zone(inner: Mapping[str, Entry], path: Path, reader: Reader) -> str | None:
    if "tz" not in inner:
        return None
    node, at = inner["tz"].node, (*path, "tz")
    text = reader.text(node, at, "a time zone such as Europe/Berlin")
    if text is None or text in _zones():
        return text
    hint = reader.findings.near(text, _zones()) or "a name such as Europe/Berlin or UTC"
    if not _zones():
        hint = "this host has no time zone database; install tzdata"
    reader.findings.add(node.mark, at, f"no time zone is called {short(text)!r}", hint)
    return None


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _lease(entry: Entry, region: str | None, reader: Reader, regions: frozenset[str]) -> dict[str, Any]:
    path: Path = ("lease",)
    inner = reader.record(entry.node, path, LEASE, required=LEASE if region is None else LEASE[:1])
    found = {"region": region}
    if "table" in inner:
        found["table"] = reader.word(inner["table"].node, (*path, "table"), "the name of a DynamoDB table")
    if "region" in inner:
        found["region"] = reader.region(inner["region"].node, (*path, "region"), regions)
    return {key: value for key, value in found.items() if value}
