"""Who else writes to a thing, as far as CloudTrail's event history tells.  Asked by `breaker`, when it has stopped one.

It keeps write events of 90 days in each region, without being set up, and shows them minutes late; two lookups a
second and region are allowed.  What is asked is read only, and not needed for anything: no error of it is one of ours.
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from reconciler.aws.audit import changes
from reconciler.aws.gateway import Gateway
from reconciler.errors import Denied, ReconcilerError
from reconciler.model.kind import Kind
from reconciler.model.things import Observed
from reconciler.moments import text

PAGE, MOST = 50, 200
"""Events of one answer, and at most."""
LONGEST = 120
"""Letters of a word that others have chosen."""
PASS = re.compile(r"pass/(\S+)")
"""What `traffic` puts into the User-Agent of our requests."""
NAMED = 3
"""How many writers are named."""


class Named(NamedTuple):
    """A sentence about who else writes; `final`: to ask again would tell no more."""

    sentence: str
    final: bool


class _Event(NamedTuple):
    """What somebody has done: the operation, when, and who, from where and with what."""

    name: str
    at: str
    who: str
    source: str
    agent: str


def who_else(
    gateway: Gateway, kind: Kind, thing: Observed, directory: Path, since: float, now: float
) -> Named:
    """Who has written to a thing since a moment, beside us: `directory` holds our audit log, which has our requests."""
    region = thing.region or gateway.sessions.home_of(kind.service)
    name = kind.known_as(thing)
    attribute = _attribute(kind, name)
    try:
        rows = gateway.rows(
            account=thing.account,
            region=region,
            service="cloudtrail",
            operation="LookupEvents",
            path="Events",
            parameters={
                "LookupAttributes": [attribute],
                "StartTime": datetime.fromtimestamp(since, UTC),
                "EndTime": datetime.fromtimestamp(now, UTC),
            },
            page=PAGE,
        )
        found = list(islice(rows, MOST))
    except ReconcilerError as error:
        why = f"who else writes it cannot be told ({error})"
        return Named(f"{why}: ask with `{_command(attribute, region, since)}`", isinstance(error, Denied))
    writers: dict[str, _Event] = {}
    for event in _foreign(found, name, _ours(directory)):
        writers.setdefault(event.who, event)  # the newest comes first
    if not writers:
        return Named(
            "CloudTrail does not show yet who else writes it (it is minutes late): "
            f"`{_command(attribute, region, since)}`",
            False,
        )
    shown = [
        f"{one.who} ({one.name} at {one.at} from {one.source}, {one.agent})"
        for one in islice(writers.values(), NAMED)
    ]
    more = f" and {len(writers) - NAMED} more" if len(writers) > NAMED else ""
    return Named(f"CloudTrail names {' and '.join(shown)}{more}", True)


def _attribute(kind: Kind, name: str) -> dict[str, str]:
    """What to look events up by, for only one thing can be said.

    Whether the events of Network Manager name their resources is not documented; there are few of them.
    """
    if kind.service == "networkmanager":
        return {"AttributeKey": "EventSource", "AttributeValue": "networkmanager.amazonaws.com"}
    return {"AttributeKey": "ResourceName", "AttributeValue": name}


def _command(attribute: Mapping[str, str], region: str, since: float) -> str:
    key, value = attribute["AttributeKey"], attribute["AttributeValue"]
    return (
        f"aws cloudtrail lookup-events --region {region} --start-time {text(since)} "
        f"--lookup-attributes AttributeKey={key},AttributeValue={value}"
    )


def _ours(directory: Path) -> frozenset[str]:
    """The ids of our own requests, and those of our passes for requests whose answer was lost, as far as this host has
    them on record: another reconciler is somebody else."""
    try:
        found = changes(directory)
    except ReconcilerError:
        return frozenset()
    answers = (made.answer.aws_request_id for one in found for made in one.calls if made.answer)
    return frozenset(answers) | {one.about.pass_id for one in found}


def _foreign(rows: list[Any], name: str, ours: frozenset[str]) -> Iterator[_Event]:
    """The events that wrote to the thing, had an effect and are not ours."""
    for row in rows:
        try:
            event = json.loads(row["CloudTrailEvent"])
            read_only = event.get("readOnly") is True or str(row.get("ReadOnly", "")) == "true"
            if read_only or event.get("errorCode") or name not in row["CloudTrailEvent"]:
                continue  # it was perhaps not looked up by the id
            marks = {str(event.get("requestID", "")), *PASS.findall(str(event.get("userAgent", "")))}
            if marks & ours:
                continue
            yield _Event(
                name=_word(event.get("eventName")),
                at=_word(event.get("eventTime")),
                who=_who(event.get("userIdentity") or {}),
                source=_word(event.get("sourceIPAddress")),
                agent=_word(event.get("userAgent")),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            continue  # an event of a form that nobody has described


def _who(identity: Mapping[str, Any]) -> str:
    named = (identity.get(name) for name in ("arn", "invokedBy", "userName", "principalId", "type"))
    return _word(next((one for one in named if one), None))


def _word(value: Any) -> str:
    """What others have written, in one line that does not get long."""
    word = "".join(char if char.isprintable() else " " for char in str(value or "unknown"))
    return word if len(word) <= LONGEST else word[: LONGEST - 1] + "…"
