"""The status of stacks, for people.  Called by the verb `status`.

A document is what `status.read` gives, with `running`, `holder` and the `pauses` of this moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.moments import seconds
from reconciler.show.plan import COLOURS

Document = Mapping[str, Any]
STALE = 2
"""How many intervals may pass without a success."""
SHOWN = 20
"""How many addresses are named."""


def standing(document: Document, now: float) -> str:
    """`good`, `pending` (something waits, is planned or paused), `guarded` or `failing`."""
    last = document.get("last_pass")
    if document.get("guard"):
        return "guarded"
    if not last or document.get("problem") or last["outcome"] in {"failed", "partial", "interrupted"}:
        return "failing"
    if stale(document, now) is not None or document["config"].get("stale") or not alive(document):
        return "failing"
    return "pending" if last["outcome"] in {"waiting", "planned"} or document["pauses"] else "good"


def alive(document: Document) -> bool:
    """Whether a daemon that has not said goodbye is there; a run that ends is not expected to be."""
    return bool(document["running"]) or document["state"] == "stopped"


def stale(document: Document, now: float) -> float | None:
    """Seconds since the last success of a daemon, where they are too many; None where they are not."""
    interval = document.get("interval")
    if not interval or document["state"] == "stopped":
        return None
    age = now - seconds(document["last_success"] or document["started"])
    return age if age > STALE * interval else None


def as_text(documents: Sequence[Document], now: float, *, colour: bool = False) -> str:
    """All stacks, a paragraph each."""
    if not documents:
        return "Nothing is known yet: no stack has been looked at from this host, or its state directory is another.\n"
    return "\n".join("".join(f"{line}\n" for line in _stack(one, now, colour)) for one in documents)


def _stack(document: Document, now: float, colour: bool) -> Iterable[str]:
    if document["state"] == "unknown":
        yield f"{document['stack']}: it has left no status that this version can read"
        return
    word = standing(document, now)
    sign = {"good": "32", "pending": "33"}.get(word, COLOURS["!"])
    yield f"\x1b[{sign}m{document['sentence']}\x1b[0m" if colour else str(document["sentence"])
    yield f"  {_process(document, now)}"
    config = document["config"]
    loaded = f"  config {config['path']} ({config['hash']}, {config['resources']} resources), loaded {config['loaded']}"
    yield loaded
    if config["stale"]:
        yield f"  ! a newer config is refused since {config['stale']}: {config['stale_reason']}"
    if (age := stale(document, now)) is not None:
        yield f"  ! no pass has succeeded for {span(age)}; every {span(document['interval'])} one should"
    elif document["last_success"]:
        yield f"  last success {document['last_success']}, {span(now - seconds(document['last_success']))} ago"
    for name, url in document["endpoints"].items():
        yield f"  ! {name}: calls go to {url}"
    for pause in document["pauses"]:
        until = f"until {pause['until']}" if pause["until"] else "until `reconciler resume`"
        yield f"  ! {pause['address'] or 'everything'} is paused {until}, by {pause['by']}: {pause['reason']}"
    if document["guard"]:
        yield f"  ! a guard has stopped it: {document['guard']}"
    for scope, why in document["unread"].items():
        yield f"  ! {scope} could not be read: {why}"
    yield from (f"  ! {conflict}" for conflict in document["conflicts"])
    yield from _addresses(document["addresses"])


def _process(document: Document, now: float) -> str:
    where = f"{document['what']}, process {document['pid']} on {document['instance']}"
    if document["running"]:
        held = document["holder"] or {}
        if held.get("pid", document["pid"]) != document["pid"]:
            return (
                f"held now by process {held['pid']} ({held.get('what', '?')}) since {held.get('since', '?')}"
            )
        return f"{where}, running for {span(now - seconds(document['started']))}"
    if document["state"] == "stopped":
        return f"{where}, ended {document['written']}"
    return f"! {where}, is not running; its last word is of {document['written']}"


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
