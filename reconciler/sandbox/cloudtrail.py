"""CloudTrail's event history: who has written what, shown some minutes late.  moto has no LookupEvents.

`pipeline` has each request noted and hands LookupEvents over.  Facts:
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from botocore.model import OperationModel
from moto.core.responses import BaseResponse

from . import wire
from .calls import is_read
from .errors import AwsError
from .request import Answer, Request
from .world import World

LATE = 300.0
"""Seconds until an event can be looked up: "typically within an average of about 5 minutes"."""
_RECORDED = (
    "autoscaling",
    "ec2",
    "eks",
    "elasticloadbalancing",
    "globalaccelerator",
    "iam",
    "networkmanager",
    "route53",
)
_MOST, _PAGE = 10_000, 50
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def note(world: World, response: BaseResponse, model: OperationModel, answer: wire.Wire) -> None:
    """Put the event of an answered request on record, if it can change something."""
    service = model.service_model.signing_name
    if service not in _RECORDED or is_read(model.name):
        return
    status, headers, _ = answer
    account, key = response.current_account, response.get_access_key()
    event: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{account}:user/{key}", "accessKeyId": key},
        "eventTime": world.settings.clock.now().strftime(_MOMENT),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": model.name,
        "awsRegion": response.region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": _text(response.headers.get("User-Agent", "")),
        "requestParameters": dict(getattr(response, "params", None) or {}),
        "requestID": headers.get("x-amzn-RequestId", ""),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "recipientAccountId": account,
    }
    if status >= 300:
        event["errorCode"] = "Client.Refused"
    world.trail.append((world.settings.clock.now().timestamp(), event))
    del world.trail[:-_MOST]


def answer(request: Request) -> Answer:
    """LookupEvents, by one attribute and a span of time, the newest first."""
    if request.operation != "LookupEvents":
        raise AwsError("UnsupportedOperationException", f"The local AWS has no {request.operation}.", 400)
    given = request.parameters
    attributes = given.get("LookupAttributes", [])
    if len(attributes) > 1:
        raise AwsError("InvalidLookupAttributesException", "You can specify only one lookup attribute.", 400)
    begin, end = _moment(given.get("StartTime"), 0.0), _moment(given.get("EndTime"), float("inf"))
    if begin > end:
        raise AwsError("InvalidTimeRangeException", "The start time is after the end time.", 400)
    seen = request.world.settings.clock.now().timestamp() - LATE
    found = [
        _row(event)
        for at, event in reversed(request.world.trail)
        if begin <= at <= end
        and at <= seen
        and (event["recipientAccountId"], event["awsRegion"]) == (request.account, request.region)
        and all(_matches(event, one) for one in attributes)
    ]
    size = min(int(given.get("MaxResults", _PAGE)), request.world.settings.page_size, _PAGE)
    try:
        start = int(given.get("NextToken", 0))
    except ValueError as error:
        raise AwsError("InvalidNextTokenException", "The token is invalid.", 400) from error
    more = {"NextToken": str(start + size)} if start + size < len(found) else {}
    return {"Events": found[start : start + size], **more}


def _row(event: dict[str, Any]) -> Answer:
    return {
        "EventId": event["eventID"],
        "EventName": event["eventName"],
        "ReadOnly": "false",
        "AccessKeyId": event["userIdentity"]["accessKeyId"],
        "EventTime": datetime.strptime(event["eventTime"], _MOMENT).replace(tzinfo=UTC),
        "EventSource": event["eventSource"],
        "Username": event["userIdentity"]["accessKeyId"],
        "CloudTrailEvent": json.dumps(event, default=str),
    }


def _matches(event: dict[str, Any], attribute: dict[str, str]) -> bool:
    wanted = attribute["AttributeValue"]
    match attribute["AttributeKey"]:
        case "ResourceName":
            return f'"{wanted}"' in json.dumps(event["requestParameters"], default=str)
        case "EventSource":
            return bool(event["eventSource"] == wanted)
        case "EventName":
            return bool(event["eventName"] == wanted)
    raise AwsError("InvalidLookupAttributesException", "The local AWS does not look up by that.", 400)


def _moment(value: Any, otherwise: float) -> float:
    if value is None:
        return otherwise
    return value.timestamp() if isinstance(value, datetime) else float(value)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
