"""The estate that has every kind there is, made of the kinds' own fixtures.  Used by the tests of this folder and by
benchmarks/.

A new kind is in it for its three fixtures.  Things beside the subjects are shared where fixtures name them alike.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Any

import yaml

from tests.conformance.fixture import KINDS, Fixture, load


@cache
def _everything() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in KINDS:
        for address, resource in load(kind)["resources"].items():
            if found.setdefault(address, resource) != resource:
                raise ValueError(
                    f"{kind}.yaml: {address} is another one in another fixture; give it another name"
                )
    return found


def estate(change: str = "", **ours: Any) -> str:
    """A config with the subject of every kind and what they need.

    `change` "update" or "fixed" gives each subject the fields of that fixture; `ours` are keys of ours that all
    subjects get (`{"replace": "delete-first"}`).
    """
    resources = deepcopy(_everything())
    for kind in KINDS:
        subject = resources[Fixture(kind).address]
        subject.update(load(f"{kind}-{change}") if change else {})
        subject.update(ours)
    return yaml.safe_dump({"resources": resources}, sort_keys=False)


def without_subjects() -> str:
    """What the subjects need, and none of them."""
    subjects = {Fixture(kind).address for kind in KINDS}
    left = {address: resource for address, resource in _everything().items() if address not in subjects}
    return yaml.safe_dump({"resources": left}, sort_keys=False)
