"""One address, from all that is known of it.  Called by the verb `explain`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.fields import Facts
from reconciler.model.plan import Entry
from reconciler.model.things import APPLIED_TAG, DIGEST_TAG, Desired, Scope
from reconciler.model.verdicts import Blocked, Settled, Steps, Wait
from reconciler.show.plan import ORIGINS, Secrets, clean, entry_data, secrets, shown, veiled

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Told:
    """All that is known of one address.

    `entries` has it once, and once more for each thing that makes way for it.  `standing` is what the last pass of the
    daemon or of `run --once` has left of it in the status, None when it was settled.  `last` is the last change of
    it that the audit log has, as `history --json` shows it; `unrecorded` why that cannot be told, "" when it can.
    `unread` says of the places of the entries that could not be read why not.
    """

    entries: tuple[Entry, ...]
    desired: Desired | None
    facts: Facts
    pauses: tuple[Mapping[str, Any], ...] = ()
    standing: Mapping[str, Any] | None = None
    last: Mapping[str, Any] | None = None
    unrecorded: str = ""
    unread: Mapping[Scope, str] = field(default_factory=dict)


def as_text(told: Told) -> str:
    """For people, from the conclusion to its grounds."""
    hidden = secrets(told.facts)
    lines = [line for entry in told.entries for line in _entry(entry, hidden)]
    lines += _wanted(told, hidden)
    lines += [line for entry in told.entries for line in _seen(entry, told, hidden)]
    lines += [f"paused {until(one)}, by {one['by']}: {one['reason']}" for one in told.pauses]
    if told.standing is not None:
        found = told.standing
        retry = f", next attempt {found['retry']}" if found["retry"] else ""
        lines.append(f"in the last pass: {found['status']} since {found['since']}{retry}: {found['reason']}")
    if told.last is not None:
        one = told.last
        lines.append(f"last change: {one['at']} {one['verb']} {one['id']}, {one['outcome']}: {one['reason']}")
    else:
        lines.append(f"last change: {told.unrecorded or 'none on record on this host'}")
    return "".join(f"{clean(line)}\n" for line in lines)


def until(pause: Mapping[str, Any]) -> str:
    """How long a pause lasts."""
    return f"until {pause['until']}" if pause["until"] else "until `reconciler resume`"


def _entry(entry: Entry, hidden: Secrets) -> Iterator[str]:
    match entry.verdict:
        case Steps(verb, calls, drift, why):
            named = ", then ".join(map(str, calls))
            yield f"{entry.label}: {verb} is due ({named})" + (f": {why}" if why else "")
            for found in drift:
                seen = shown(found.seen, found.path, hidden)
                wanted = shown(found.wanted, found.path, hidden)
                yield f"  {found.path}: is {seen}, wanted is {wanted} ({ORIGINS[found.origin]})"
        case Settled(notes):
            yield f"{entry.label}: nothing to do" + (f" ({'; '.join(notes)})" if notes else "")
        case Wait(why, on):
            whom = {"person": "waits for a person", "back-off": "has failed and is left alone"}.get(
                on, "waits"
            )
            yield f"{entry.label}: {whom}: {why}"
        case Blocked(why):
            yield f"{entry.label}: blocked, and nothing of it is touched: {why}"


def _wanted(told: Told, hidden: Secrets) -> Iterator[str]:
    if told.desired is None:
        yield "wanted: nothing; it is not in the config"
        return
    yield f"wanted, by {told.desired.place}:"
    for name, value in told.desired.spec.items():
        yield f"  {name}: {shown(value, name, hidden)}"
    for key, tag in told.desired.tags.items():
        yield f"  Tags.{key}: {shown(tag, f'Tags.{key}', hidden)}"
    needed = ", ".join(map(str, told.entries[0].after))
    if needed:
        yield f"  after: {needed}"


def _seen(entry: Entry, told: Told, hidden: Secrets) -> Iterator[str]:
    thing = entry.seen
    if thing is None and entry.unread:
        yield f"seen: unknown, for {entry.scope} could not be read"
        return
    if thing is None:
        yield f"seen: nothing, in {entry.scope.region or 'the global region'} of {entry.scope.account}"
        return
    state = f", {thing.state}" if thing.state else ""
    yield f"seen: {thing.id}{state}, in {thing.region or 'the global region'} of {thing.account}"
    for name in told.facts.fields:
        if name in thing.spec:
            yield f"  {name}: {shown(thing.spec[name], name, hidden)}"
    for key, tag in sorted(_tags(thing.tags).items()):
        yield f"  Tags.{key}: {shown(tag, f'Tags.{key}', hidden)}"


def as_data(told: Told) -> dict[str, Any]:
    """For programs."""
    hidden = secrets(told.facts)
    return {
        "version": VERSION,
        "entries": [entry_data(entry, hidden) for entry in told.entries],
        "place": str(told.desired.place) if told.desired else None,
        "wanted": veiled(told.desired.spec, hidden) if told.desired else None,
        "seen": [
            {
                "id": entry.seen.id,
                "arn": entry.seen.arn,
                "state": entry.seen.state,
                "tags": _tags(entry.seen.tags),
            }
            for entry in told.entries
            if entry.seen
        ],
        "unread": [{"scope": scope._asdict(), "reason": why} for scope, why in told.unread.items()],
        "pauses": list(told.pauses),
        "standing": told.standing,
        "last": told.last,
        "unrecorded": told.unrecorded,
    }


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags, those left out that hold digests."""
    return {
        key: value for key, value in tags.items() if key != APPLIED_TAG and not key.startswith(DIGEST_TAG)
    }
