"""Whether a plan is the same without the state directory, and what it means when it is not.  Used by the verb `doctor`.

Pure: the two plans come as what was seen and said.  There is no state file: what AWS shows is the truth, so what is
remembered may make a run wait, and must not make it want something else.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

VERSION = 1
"""Of the JSON document; rises only when a member is removed or changes its meaning."""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """One plan: as `plan --json` gives it and as `plan` does, and what it was made from.

    `things` are what was seen, by id, as people name it; `removals` is how many deletions of the last hour count
    for the limits.
    """

    document: str
    text: str
    things: dict[str, str]
    removals: int = 0


@dataclass(frozen=True)
class Comparison:
    """The usual plan of a stack, and the one that is made when the state directory is lost.

    `unseen` is what could not be read, and why: neither plan says anything of it.
    """

    stack: str
    usual: Sight
    lost: Sight
    unseen: Mapping[str, str] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        """Whether they are the same, byte for byte."""
        return (self.usual.document, self.usual.text) == (self.lost.document, self.lost.text)

    @property
    def sha256(self) -> str:
        """Of the usual plan as `plan --json` gives it."""
        return hashlib.sha256(self.usual.document.encode()).hexdigest()

    @property
    def difference(self) -> list[str]:
        """The lines of a unified diff, of the JSON where that differs; none where all is equal."""
        form = "document" if self.usual.document != self.lost.document else "text"
        before, after = getattr(self.usual, form), getattr(self.lost, form)
        names = ("the usual plan", "without the state directory")
        return list(difflib.unified_diff(before.splitlines(), after.splitlines(), *names, lineterm=""))

    @property
    def reasons(self) -> list[str]:
        """What a difference means, and what to do about it, a sentence each."""
        return [] if self.equal else list(self._reasons())

    def _reasons(self) -> Iterator[str]:
        usual, lost = self.usual.things, self.lost.things
        note = "the note of the last discovery look (discovery.json)"
        anew = "it is believed for an hour; delete it to look anew at once"
        if found := [name for id, name in lost.items() if id not in usual]:
            yield f"{note} does not lead to {_listed(found)}, which a discovery look finds now: {anew}"
        if missed := [name for id, name in usual.items() if id not in lost]:
            yield f"{note} leads to {_listed(missed)}, which a discovery look does not find now: {anew}"
        if self.usual.removals != self.lost.removals:
            yield (
                f"{self.usual.removals} deletions and replacements of the last hour are on record (audit.jsonl) and "
                "count for `limits: per-hour`; they are forgotten with the state directory"
            )
        if usual == lost and self.usual.removals == self.lost.removals:
            yield "the same was seen and something else concluded: this is a defect, please report it with this answer"


def as_data(found: Comparison) -> dict[str, Any]:
    """The comparison for programs."""
    return {
        "version": VERSION,
        "stack": found.stack,
        "equal": found.equal,
        "sha256": found.sha256,
        "reasons": found.reasons,
        "difference": found.difference,
        "unseen": dict(found.unseen),
    }


def as_text(found: Comparison) -> str:
    """The comparison for people."""
    if found.equal:
        size = len(found.usual.document.encode())
        return (
            f"{found.stack}: the plan is the same without the state directory, byte for byte "
            f"({size} bytes of JSON, sha256 {found.sha256[:16]}…).\n{_unseen(found)}"
        )
    told = [
        f"{found.stack}: the plan is another one without the state directory.",
        *(f"  {reason}" for reason in found.reasons),
        "",
        *found.difference,
    ]
    return "\n".join(told) + f"\n{_unseen(found)}"


def _unseen(found: Comparison) -> str:
    """What neither plan says anything of."""
    return "".join(
        f"  {where} could not be read, so it is not compared: {why}\n" for where, why in found.unseen.items()
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
