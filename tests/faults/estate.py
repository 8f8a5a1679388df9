"""An estate of many kinds, or of every kind there is, made of the kinds' own fixtures.  Used by the tests of this
folder and by benchmarks/.

A new kind is in it for its three fixtures.  Things beside the subjects are shared where fixtures name them alike.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Any

from tests import documents
from tests.conformance.fixture import KINDS, TRIED, load

Kinds = tuple[str, ...]


EVERY: Kinds = tuple(KINDS)
SELDOM = 40.0
"""Seconds between two looks at an estate of which many things take minutes: each look costs."""


def share(number: int, of: int, kinds: Kinds = TRIED) -> Kinds:
    """One of so many shares of kinds, which together are all of these: for a proof that tries each kind once."""
    return kinds[number::of]


@cache
def _everything(kinds: Kinds) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in kinds:
        for address, resource in load(kind)["resources"].items():
            if found.setdefault(address, resource) != resource:
                raise ValueError(
                    f"{kind}.yaml: {address} is another one in another fixture; give it another name"
                )
    return found


def estate(change: str = "", kinds: Kinds = TRIED, **ours: Any) -> str:
    """A config with the subjects of some kinds and what they need.

    `change` "update" or "fixed" gives each subject the fields of that fixture; `ours` are keys of ours that all
    subjects get (`{"replace": "delete-first"}`).
    """
    resources = deepcopy(_everything(kinds))
    for kind in kinds:
        subject = resources[f"{kind}/subject"]
        subject.update(load(f"{kind}-{change}") if change else {})
        subject.update(ours)
    return documents.dump({"resources": resources})


def without_subjects(kinds: Kinds = TRIED) -> str:
    """What the subjects need, and none of them."""
    subjects = {f"{kind}/subject" for kind in kinds}
    left = {address: resource for address, resource in _everything(kinds).items() if address not in subjects}
    return documents.dump({"resources": left})
