"""Placement groups, which moto does not have, and key pairs by their ids.

Sources: EC2 API reference, CreatePlacementGroup, DescribePlacementGroups, DeletePlacementGroup, PlacementGroup,
ImportKeyPair, DeleteKeyPair; error codes InvalidPlacementGroup.Duplicate, .InUse, .Unknown. A group is `pending` for
a moment, then `available`; a deleted one is not listed. Called by `answers.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import backend as moto
from . import tags


def _shown(backend: Any, group: dict[str, Any]) -> dict[str, Any]:
    return {**group, "Tags": tags.as_list(backend, group["GroupId"])}


def create(request: Request, backend: Any) -> Answer:
    """CreatePlacementGroup."""
    from moto.moto_api._internal import mock_random

    given = request.parameters
    name, strategy = given.get("GroupName"), given.get("Strategy")
    if not name or not strategy:
        raise AwsError("MissingParameter", "The request must contain the parameters groupName and strategy")
    if name in moto.placement_groups(backend):
        raise AwsError("InvalidPlacementGroup.Duplicate", f"The placement group '{name}' already exists.")
    if given.get("PartitionCount") and strategy != "partition":
        raise AwsError("InvalidParameterValue", "A partition count goes with the strategy 'partition' only.")
    id = f"pg-{mock_random.get_random_hex(17)}"
    group = {
        "GroupName": name,
        "State": "pending",
        "Strategy": strategy,
        "GroupId": id,
        "GroupArn": f"arn:{request.partition}:ec2:{request.region}:{request.account}:placement-group/{name}",
    }
    if strategy == "partition":
        group["PartitionCount"] = given.get("PartitionCount") or 2
    if strategy == "spread":
        group["SpreadLevel"] = given.get("SpreadLevel") or "rack"
    moto.placement_groups(backend)[name] = group
    for key, value in tags.specified(request, "placement-group").items():
        backend.tags.setdefault(id, {})[key] = value

    def effect() -> None:
        group["State"] = "available"

    request.world.timeline.after(request.world.settings.delays.of("placement-group", "pending"), effect)
    return {"PlacementGroup": _shown(backend, group)}


def describe(request: Request, backend: Any) -> Answer:
    """DescribePlacementGroups, all of them; a name or id that is unknown fails the list."""
    found = list(moto.placement_groups(backend).values())
    for parameter, member in (("GroupNames", "GroupName"), ("GroupIds", "GroupId")):
        for wanted in request.parameters.get(parameter) or []:
            if all(one[member] != wanted for one in found):
                raise unknown(wanted)
    if names := request.parameters.get("GroupNames"):
        found = [one for one in found if one["GroupName"] in names]
    return {"PlacementGroups": [_shown(backend, one) for one in found]}


def unknown(name: str) -> AwsError:
    """The refusal of a group that is not there."""
    return AwsError("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")


def delete(request: Request, backend: Any) -> Answer:
    """DeletePlacementGroup: by name, once no instance is in it."""
    name = str(request.parameters.get("GroupName"))
    group = moto.placement_groups(backend).get(name)
    if group is None:
        raise unknown(name)
    if any(True for _ in _inside(request, backend, group)):
        raise AwsError("InvalidPlacementGroup.InUse", f"The placement group '{name}' is in use.")
    del moto.placement_groups(backend)[name]
    backend.tags.pop(group["GroupId"], None)
    return {}


def _inside(request: Request, backend: Any, group: dict[str, Any]) -> Iterator[Any]:
    for instance in moto.instances(backend):
        launch = request.world.facts.get(instance.id, {}).get("launch") or {}
        placement = launch.get("Placement") or {}
        named = (placement.get("GroupId"), placement.get("GroupName"))
        if instance.state not in moto.DEAD and (group["GroupId"] in named or group["GroupName"] in named):
            yield instance


def check(backend: Any, placement: dict[str, Any]) -> dict[str, Any]:
    """The placement of a launch with both the name and the id of its group; it must be there, and available."""
    named, by_id = placement.get("GroupName"), placement.get("GroupId")
    if not named and not by_id:
        return placement
    for group in moto.placement_groups(backend).values():
        if group["GroupName"] == named or group["GroupId"] == by_id:
            return {**placement, "GroupName": group["GroupName"], "GroupId": group["GroupId"]}
    raise unknown(str(named or by_id))


# ---- key pairs


def import_key(request: Request, backend: Any) -> Answer:
    """ImportKeyPair."""
    return _shown_key(backend, request.ask_moto(request.parameters))


def describe_keys(request: Request, backend: Any) -> Answer:
    """DescribeKeyPairs; the comment of a public key is the name of the pair (unverified)."""
    wanted = {"IncludePublicKey": bool(request.parameters.get("IncludePublicKey"))}
    for name in request.parameters.get("KeyNames") or []:
        if name not in backend.key_pairs:
            raise AwsError("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")
    rows = request.ask_moto(wanted).get("KeyPairs", [])
    if names := request.parameters.get("KeyNames"):
        rows = [one for one in rows if one["KeyName"] in names]
    return {"KeyPairs": [_shown_key(backend, one) for one in rows]}


def _shown_key(backend: Any, plain: dict[str, Any]) -> dict[str, Any]:
    shown = {**plain, "Tags": tags.as_list(backend, plain["KeyPairId"])}
    if shown.get("PublicKey"):
        words = re.split(r"\s+", str(shown["PublicKey"]).strip())
        shown["PublicKey"] = " ".join([*words[:2], plain["KeyName"]])
    return shown


def delete_key(request: Request, backend: Any) -> Answer:
    """DeleteKeyPair: by name or id; one that is not there is no error."""
    given = request.parameters
    for name, pair in list(backend.key_pairs.items()):
        if name == given.get("KeyName") or pair.id == given.get("KeyPairId"):
            del backend.key_pairs[name]
            backend.tags.pop(pair.id, None)
            return {"Return": True, "KeyPairId": pair.id}
    return {"Return": True}
