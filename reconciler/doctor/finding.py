"""One finding, its exit status, and findings as text and as JSON.  Made by the judges, shown by the verb."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reconciler.exits import BAD_CONFIG, FAILED, NOT_ALLOWED, OK

VERSION = 1
"""Of the JSON document; rises only when a member is removed or changes its meaning."""
Status = Literal["ok", "warning", "bad", "unknown"]
COLOURS: dict[Status, str] = {"ok": "32", "warning": "33", "bad": "31;1", "unknown": "36"}
WORST_FIRST = (NOT_ALLOWED, BAD_CONFIG, FAILED)


@dataclass(frozen=True)
class Finding:
    """What was looked at, what is so, and how it is mended, in a sentence each.

    "unknown" is what nobody can tell from here, as a right that AWS has no dry run for: no reason to do anything.
    `exit` is the exit status that a bad one leads to.
    """

    status: Status
    topic: str
    what: str
    mend: str = ""
    exit: int = FAILED


def ok(topic: str, what: str) -> Finding:
    """As it should be."""
    return Finding("ok", topic, what)


def warning(topic: str, what: str, mend: str) -> Finding:
    """It works, and not for ever or not for everything."""
    return Finding("warning", topic, what, mend)


def bad(topic: str, what: str, mend: str, exit: int = FAILED) -> Finding:
    """It will not work."""
    return Finding("bad", topic, what, mend, exit)


def unknown(topic: str, what: str, mend: str = "") -> Finding:
    """It cannot be told."""
    return Finding("unknown", topic, what, mend)


def exit_status(findings: Iterable[Finding]) -> int:
    """Who we are counts before what is wanted, and both before the rest; warnings are no failure."""
    found = {finding.exit for finding in findings if finding.status == "bad"}
    return next((status for status in WORST_FIRST if status in found), OK)


def as_text(findings: Sequence[Finding], *, colour: bool = False) -> str:
    """A line each, and one that counts."""
    counts = [f"{count} {status}" for status in COLOURS if (count := _count(findings, status))]
    return "".join(_line(finding, colour) for finding in findings) + f"{', '.join(counts)}.\n"


def _line(finding: Finding, colour: bool) -> str:
    status = f"{finding.status:8}"
    if colour:
        status = f"\x1b[{COLOURS[finding.status]}m{status}\x1b[0m"
    told = f"{finding.what}; {finding.mend}" if finding.mend else finding.what
    return f"{status} {finding.topic:12} {_clean(told)}\n"


def _clean(text: str) -> str:
    """One line, whatever a file or an answer has brought along."""
    return "".join(char if char.isprintable() else " " for char in text)


def _count(findings: Sequence[Finding], status: Status) -> int:
    return sum(finding.status == status for finding in findings)


def as_data(findings: Sequence[Finding]) -> dict[str, Any]:
    """The document for programs."""
    return {
        "version": VERSION,
        "exit_status": exit_status(findings),
        "findings": [
            {
                "status": finding.status,
                "topic": finding.topic,
                "what": finding.what,
                "mend": finding.mend or None,
            }
            for finding in findings
        ],
    }
