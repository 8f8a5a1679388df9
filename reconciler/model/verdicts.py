"""What is concluded about one address.  Made by `engine.converge`, shown as the plan, carried out by `aws.apply`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from reconciler.model.calls import Call

Verb = Literal["create", "update", "replace", "delete"]


Origin = Literal["drift", "pending", "both", "unknown"]
"""Who has made a path differ: somebody in AWS, somebody in the config, somebody in each, or that cannot be told."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One path that differs: what is wanted there, what was seen there (None: nothing), and who made it differ."""

    path: str
    wanted: Any
    seen: Any
    origin: Origin = "unknown"


def together(origins: Iterable[Origin]) -> Origin:
    """The origin of several paths, or of a path that holds several."""
    found = set(origins)
    if len(found) == 1:
        return found.pop()
    return "unknown" if "unknown" in found or not found else "both"


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing to do.  `notes` are for people: an update that is available, a field that is left alone."""

    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Steps:
    """Calls to make, in this order.

    `disruptive`: they interrupt what the thing does, and wait for a window.  `preparing`: they put nothing right yet.
    `rescue` are the calls that are made once AWS has refused one of the others for good, and left the thing in need.
    `afterwards` are calls of later looks without which these would only take something away: while a value of them is
    not known, nothing is done.
    """

    verb: Verb
    calls: tuple[Call, ...]
    drift: tuple[Drift, ...] = ()
    why: str = ""
    disruptive: bool = False
    preparing: bool = False
    rescue: tuple[Call, ...] = ()
    afterwards: tuple[Call, ...] = ()


Mover = Literal["aws", "other", "person", "window", "back-off"]
"""Who has to move before there is a next step: AWS (or time), another address, a person, a maintenance window, or
nobody, since it has just failed."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Something has to move first.  Only with `on` "aws" is looking again soon of any use by itself.

    `drift` is what would be mended if it had not to wait for a person, a window or another attempt.
    """

    why: str
    on: Mover = "aws"
    drift: tuple[Drift, ...] = ()


@dataclass(frozen=True, slots=True)
class Blocked:
    """Only a change of the config, or of the thing by hand, helps.  `drift` is what cannot be mended."""

    why: str
    drift: tuple[Drift, ...] = ()


Verdict = Settled | Steps | Wait | Blocked
