"""The status of stacks, for people.  Called by the verb `status`.

A document is what `status.read` gives, with `running`, `holder` and the `pauses` of this moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.moments import seconds
from reconciler.show.explain import until
from reconciler.show.plan import COLOURS, clean

Document = Mapping[str, Any]
STALE = 2
"""How many intervals may pass without a success."""
SILENT = 150.0
"""Seconds without a word, of two heartbeats and some, and by which a look is overdue, until a process seems to hang."""
BAD = frozenset({"failed", "partial", "interrupted"})
"""Outcomes of a pass after which a person should look."""
UNDER_WAY = frozenset({"starting", "looking"})
"""States of a process that may well have finished no pass."""
SHOWN = 20
"""How many addresses are named."""


def standing(document: Document, now: float) -> str:
    """`good`, `pending` (something waits, is planned or paused), `guarded` or `failing`."""
    last, state = document.get("last_pass"), document["state"]
    if not alive(document) or document.get("problem") or silent(document, now) is not None:
        return "failing"
    if document.get("guard"):
        return "guarded"
    if stale(document, now) is not None or document["config"].get("stale"):
        return "failing"
    if state == "standby":
        return "good"
    if not last:  # this process has not finished a pass yet
        return "pending" if state in UNDER_WAY else "failing"
    if last["outcome"] in BAD:
        return "failing"
    return "pending" if last["outcome"] in {"waiting", "planned"} or document["pauses"] else "good"


def alive(document: Document) -> bool:
    """Whether the process that has left this is there, or has said goodbye; a run that ends is not expected to be."""
    return document["state"] == "stopped" or (bool(document["running"]) and _holds(document))


def headline(document: Document) -> str:
    """The sentence of a document; of a process that is gone it is what it has said last, and promises nothing."""
    if document["state"] == "unknown" or alive(document):
        return str(document["sentence"])
    stack = document["stack"]
    said = str(document["sentence"]).removeprefix(f"{stack}: ")
    return f"{stack}: not running; the last word of its {document['what']}, of {document['written']}: {said}"


def _holds(document: Document) -> bool:
    """Whether the holder of the lock is the process that has left this, as far as it has said who it is."""
    held = document["holder"] or {}
    return bool(held.get("pid", document["pid"]) == document["pid"])


def silent(document: Document, now: float) -> float | None:
    """Seconds since a process that runs has last told of itself, where it should have; None where it need not have.

    It tells of each look and with each heartbeat, which may be rare: a look has to be overdue as well.
    """
    if document["state"] == "stopped" or not (alive(document) and document["next_look"]):
        return None
    age = now - seconds(document["written"])
    return age if age > SILENT and now - seconds(document["next_look"]) > SILENT else None


def stale(document: Document, now: float) -> float | None:
    """Seconds since the last success of a daemon, where they are too many; None where they are not.

    Those of a stopped one count as well: nobody looks after the estate.  Not those of one that stands by for another.
    """
    interval = document.get("interval")
    if not interval or document["state"] == "standby":
        return None
    age = now - seconds(document["last_success"] or document["started"])
    return age if age > STALE * interval else None


def as_text(documents: Sequence[Document], now: float, *, colour: bool = False) -> str:
    """All stacks, a paragraph each."""
    return "\n".join("".join(f"{line}\n" for line in _stack(one, now, colour)) for one in documents)


def _stack(document: Document, now: float, colour: bool) -> Iterable[str]:
    first, *others = map(clean, _lines(document, now))
    if colour:
        sign = {"good": "32", "pending": "33"}.get(standing(document, now), COLOURS["!"])
        first = f"\x1b[{sign}m{first}\x1b[0m"
    yield first
    yield from others


def _lines(document: Document, now: float) -> Iterable[str]:
    if document["state"] == "unknown":
        yield f"{document['stack']}: {document['sentence']}"
        return
    yield str(document["sentence"])
    yield f"  {_process(document, now)}"
    if (quiet := silent(document, now)) is not None:
        pid = document["pid"]
        mend = f"`kill -USR2 {pid}` has it log where, then restart it"
        yield f"  ! it has told nothing for {span(quiet)}, so it may hang: {mend}"
    config = document["config"]
    if config:
        of = f"{config['hash']}, {config['resources']} resources"
        yield f"  config {config['path']} ({of}), loaded {config['loaded']}"
    if config.get("stale"):
        yield f"  ! a newer config is refused since {config['stale']}: {config['stale_reason']}"
    if (age := stale(document, now)) is not None:
        apart = span(document["interval"])
        yield f"  ! no pass has succeeded for {span(age)}; two are at most {apart} apart when all is well"
    elif document["last_success"]:
        yield f"  last success {document['last_success']}, {span(now - seconds(document['last_success']))} ago"
    for name, url in document["endpoints"].items():
        yield f"  ! {name}: calls go to {url}"
    for pause in document["pauses"]:
        yield f"  ! {pause['address'] or 'everything'} is paused {until(pause)}, by {pause['by']}: {pause['reason']}"
    if document["problem"]:
        yield f"  ! the last pass could not be done: {document['problem']}"
    if document["guard"]:
        yield f"  ! a guard has stopped it: {document['guard']}"
    for scope, why in document["unread"].items():
        yield f"  ! {scope} could not be read: {why}"
    yield from (f"  ! {conflict}" for conflict in document["conflicts"])
    yield from _addresses(document["addresses"])


def _process(document: Document, now: float) -> str:
    where = f"{document['what']}, process {document['pid']} on {document['instance']}"
    held = document["holder"] or {}
    if document["running"] and _holds(document):
        return f"{where}, running for {span(now - seconds(document['started']))}"
    if document["state"] == "stopped":
        end = f"{where}, ended {document['written']}"
    else:
        end = f"! {where}, is not running; its last word is of {document['written']}"
    if document["running"]:
        end += f"; held now by process {held['pid']} ({held.get('what', '?')}) since {held.get('since', '?')}"
    return end


def _addresses(left: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    for address, found in list(left.items())[:SHOWN]:
        times = f", {found['failures']} times in a row" if found["failures"] > 1 else ""
        retry = f", next attempt {found['retry']}" if found["retry"] else ""
        reason = f": {found['reason']}" if found["reason"] else ""
        yield f"  {address} {found['status']} since {found['since']}{times}{retry}{reason}"
    if len(left) > SHOWN:
        yield f"  … and {len(left) - SHOWN} more; all of them with --json"


def span(length: float) -> str:
    """A length of time in the two largest units: `2h 5m`."""
    whole, parts = max(0, round(length)), []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"
