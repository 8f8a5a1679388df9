"""The flap breaker: who puts the same field right again and again fights with somebody.  Used by `breaker`.

The same field of an address put right to the same value three times within an hour stops that address: when it differs
once more, nothing is done to it until a person has decided.  A person who edits the config back and forth is no fight:
what is pending does not count, and with another wanted value the count begins anew.

It ends with `reconciler resume ADDRESS`; with another wanted value, or an `ignore`, in the config; where the thing is
made anew; and by itself, when looks have seen it in order for an hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.model.calls import digest
from reconciler.model.flap import Flap, Mended
from reconciler.model.verdicts import Blocked, Drift, Settled, Steps, Verdict

TIMES = 3
HOUR = 3600.0
LAG = 60.0
"""Seconds within which putting a field right again is the same attempt: AWS's lists may lag behind what was written."""
ASK_AGAIN = 300.0
"""Seconds after which AWS is asked once more who else writes: its trail comes minutes late."""
DIGITS = 16


def mended(before: Flap | None, drift: Iterable[Drift], now: float) -> Flap:
    """What is remembered of an address once the drift of its steps was put right."""
    fields = dict(before.fields) if before else {}
    for path, wanted in _wanted(one for one in drift if one.origin != "pending").items():
        known = fields.get(path)
        times = known.times if known is not None and known.wanted == wanted else ()
        times = tuple(at for at in times if abs(now - at) < HOUR)
        if not times or abs(now - times[-1]) >= LAG:
            times = (*times, now)[-TIMES:]
        fields[path] = Mended(wanted, times)
    return replace(before, fields=fields) if before else Flap(fields)


def fought(flap: Flap, drift: Iterable[Drift]) -> list[str]:
    """The paths that differ again although they were put right too often."""
    return [
        path
        for path, wanted in _wanted(drift).items()
        if (known := flap.fields.get(path)) is not None
        and known.wanted == wanted
        and len(known.times) >= TIMES
    ]


def instead(flap: Flap | None, label: str, steps: Steps, options: str = "") -> Blocked | None:
    """The verdict in place of steps that would go on with a fight; None for others.

    `options` are what the command line needs to mean this config.  No time is in the text: it would be news in every
    pass.
    """
    paths = fought(flap, steps.drift) if flap else []
    if flap is None or not paths:
        return None
    named = ", ".join(path.removesuffix("[]") for path in paths)
    was, differs = ("was", "differs") if len(paths) == 1 else ("were", "differ")
    others = f"; {flap.others}" if flap.others else ""
    return Blocked(
        f"{named} {was} put right {TIMES} times within an hour and {differs} again, so nothing more is done to it"
        f"{others}; stop who else writes it, or say `ignore: [{named}]`, then `reconciler resume {label}{options}`",
        steps.drift,
    )


def looked(flap: Flap, verdict: Verdict | None, now: float) -> Flap | None:
    """What is remembered once a look has led to a verdict (None: the address is no more); None for nothing."""
    if isinstance(verdict, Blocked) and fought(flap, verdict.drift):
        return replace(flap, differed=now)
    if not isinstance(verdict, Settled | Steps | None):
        return flap  # whether it is in order nobody knows
    if flap.differed is not None and abs(now - flap.differed) < HOUR:
        return flap
    fields = {path: one for path, one in flap.fields.items() if abs(now - one.times[-1]) < HOUR}
    return Flap(fields) if fields else None


def asks(flap: Flap, now: float) -> bool:
    """Whether AWS is to be asked who else writes: when it has stopped, and for an hour, until it has named somebody."""
    if flap.differed is None or flap.known:
        return False
    return flap.asked is None or (abs(now - flap.asked) >= ASK_AGAIN and abs(now - flap.last) < HOUR)


def _wanted(drift: Iterable[Drift]) -> dict[str, str]:
    """A digest of all that is wanted at each path; the items of a part share one."""
    found: dict[str, list[str]] = {}
    for one in drift:
        found.setdefault(one.path, []).append(digest(one.wanted))
    return {path: digest(sorted(set(values)))[:DIGITS] for path, values in found.items()}
