"""A whole config, checked.  Made by `desired.load`, read by `loop` and `cli`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.address import Address
from reconciler.model.things import Desired


@dataclass(frozen=True, kw_only=True)
class Account:
    """Another account of the estate and the role that is assumed there."""

    name: str
    id: str
    role: str
    external_id: str | None = None


@dataclass(frozen=True)
class Cron:
    """Looks at these times: the five fields of crontab(5), days of the week by name, in an IANA time zone."""

    expression: str
    tz: str = "UTC"

    def __str__(self) -> str:
        return f"{self.expression} {self.tz}"


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the files say, with variables filled in and `for` expanded; references are still Ref values.

    `account` is the 12-digit id that we must be; `region` the default region of regional resources ("" when the
    config names none).  `outputs` may hold Ref and Text.  `digest` is the SHA-256 (hex) of the bytes of all files in
    order; `files` their names.

    `mode` is "observe" (change nothing), "upsert" (create and update, delete nothing) or "full".  `limits` holds those
    that are set of `deletes`, `percent` and `per-hour`.  Each window is `days` (of mon … sun, in their order), `from`
    and `to` ("HH:MM"; `to` may be "24:00", and a `to` before its `from` is on the next day) and `tz` (an IANA name);
    without windows there is no bound.  `every` is in seconds or a Cron, None when unset.  `lease` is
    `table` and `region`, or empty.
    """

    stack: str
    account: str
    region: str
    resources: Mapping[Address, Desired]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    accounts: Mapping[str, Account] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    mode: str = "full"
    windows: tuple[Mapping[str, Any], ...] = ()
    every: float | Cron | None = None
    lease: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    digest: str = ""
