"""Groups of nodes, with the launch template and the Auto Scaling group that EKS makes for each.

Sources: Amazon EKS API reference (CreateNodegroup; UpdateNodegroupConfig: what is added and what is taken out;
UpdateNodegroupVersion; DeleteNodegroup; TagResource: tags reach nothing that EKS makes) and user guide ("managed node
groups": what EKS makes, and how it is marked).  Called by `answers.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError
from moto.moto_api._internal import mock_random

from ..autoscaling import groups as scaling
from ..autoscaling.store import Store as Scaled
from ..autoscaling.store import store_of as scaled
from ..ec2 import backend as ec2
from ..faults import hand
from ..request import Answer, Request
from .store import Cluster, Group, Store, busy, has_role, invalid, listed

_IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
_KEPT = (
    *("diskSize", "amiType", "capacityType", "labels", "taints", "nodeRole", "releaseVersion"),
    *("updateConfig", "nodeRepairConfig", "warmPoolConfig", "instanceTypes", "remoteAccess", "tags"),
)


def create(request: Request, store: Store) -> Answer:
    """CreateNodegroup, of an active cluster."""
    given = request.parameters
    token = ("CreateNodegroup", str(given.get("clientRequestToken")))
    if token in store.tokens:
        return store.tokens[token]
    cluster, name = store.cluster(given["clusterName"]), str(given["nodegroupName"])
    if name in cluster.groups:
        raise busy(f"NodeGroup already exists with name {name} and cluster name {cluster.name}")
    if cluster.row["status"] != "ACTIVE":
        raise busy(f"Cluster {cluster.name} is not ACTIVE")
    has_role(store, given["nodeRole"])
    if any(ec2.find_subnet(store.ec2, id) is None for id in given["subnets"]):
        raise invalid("The subnet ID does not exist.")
    template = _template(store, given.get("launchTemplate") or {})
    if template and (given.get("diskSize") or given.get("remoteAccess")):
        raise invalid("Disk size and remote access must be specified within the launch template.")
    where = f"arn:{request.partition}:eks:{request.region}:{request.account}:nodegroup"
    row: dict[str, Any] = {
        "nodegroupName": name,
        "nodegroupArn": f"{where}/{cluster.name}/{name}/{mock_random.uuid4()}",
        "clusterName": cluster.name,
        "createdAt": request.world.settings.clock.now(),
        "modifiedAt": request.world.settings.clock.now(),
        "status": "CREATING",
        "capacityType": "ON_DEMAND",
        "amiType": "AL2023_x86_64_STANDARD",
        "instanceTypes": ["t3.medium"],
        "labels": {},
        "taints": [],
        "updateConfig": {"maxUnavailable": 1},
        "tags": {},
        "health": {"issues": []},
        "version": given.get("version") or cluster.row["version"],
        "releaseVersion": f"{cluster.row['version']}.0-20260101",
        **{name: value for name, value in given.items() if name in _KEPT},
        "subnets": list(given["subnets"]),
        "scalingConfig": dict(given.get("scalingConfig") or {"minSize": 1, "maxSize": 2, "desiredSize": 1}),
        **({"launchTemplate": template} if template else {}),
    }
    _within_bounds(row["scalingConfig"])
    _make_nodes(request, store, row)
    cluster.groups[name] = Group(row)

    def effect() -> None:
        if row["status"] == "CREATING":
            row["status"] = "ACTIVE"

    store.after("eks-nodegroup", "CREATING", effect)
    store.tokens[token] = {"nodegroup": dict(row)}
    return store.tokens[token]


def _template(store: Store, given: Any) -> dict[str, Any]:
    if not given:
        return {}
    templates = store.ec2.launch_templates.values()
    found = next(
        (one for one in templates if given.get("id") == one.id or given.get("name") == one.name), None
    )
    if found is None:
        raise invalid("The launch template does not exist.")
    return {"id": found.id, "name": found.name, "version": str(given.get("version") or "1")}


def _within_bounds(scaling: dict[str, Any]) -> None:
    """All or none are said at creation; see NodegroupScalingConfig in the EKS API reference."""
    if scaling.keys() < {"minSize", "maxSize", "desiredSize"}:
        raise invalid("minSize, maxSize and desiredSize have to be specified together")
    if not scaling["minSize"] <= scaling["desiredSize"] <= scaling["maxSize"]:
        raise invalid("desired capacity must be between the minimum and the maximum size")


def _make_nodes(request: Request, store: Store, row: dict[str, Any]) -> None:
    """What EKS makes is marked as EKS's."""
    name = f"eks-{row['nodegroupName']}-{mock_random.get_random_hex(8)}"
    marks = {"eks:cluster-name": row["clusterName"], "eks:nodegroup-name": row["nodegroupName"]}
    tags = [{"Key": key, "Value": value} for key, value in marks.items()]
    with store.world.faults.rest():
        hand.client("ec2", store.region).create_launch_template(
            LaunchTemplateName=name,
            LaunchTemplateData={"ImageId": f"resolve:ssm:{_IMAGE}", "InstanceType": row["instanceTypes"][0]},
            TagSpecifications=[{"ResourceType": "launch-template", "Tags": tags}],
        )
    row["resources"] = {"autoScalingGroups": [{"name": name}]}
    _ask_scaling(
        scaling.create,
        request,
        row,
        **_sizes(row["scalingConfig"]),
        LaunchTemplate={"LaunchTemplateName": name},
        VPCZoneIdentifier=",".join(row["subnets"]),
        Tags=[{**tag, "PropagateAtLaunch": True} for tag in tags],
    )


def _sizes(config: dict[str, Any]) -> dict[str, int]:
    words = {"minSize": "MinSize", "maxSize": "MaxSize", "desiredSize": "DesiredCapacity"}
    return {words[name]: size for name, size in config.items()}


def _ask_scaling(
    operation: Callable[[Request, Scaled], Answer], request: Request, row: dict[str, Any], **given: Any
) -> None:
    """Has Auto Scaling do something with the group of instances."""
    parameters = {"AutoScalingGroupName": _called(row), **given}
    operation(replace(request, parameters=parameters), scaled(request.world, request.account, request.region))


def _called(row: dict[str, Any]) -> str:
    """The name of the Auto Scaling group and of the launch template."""
    return str(row["resources"]["autoScalingGroups"][0]["name"])


def describe_all(request: Request, store: Store) -> Answer:
    """ListNodegroups, of a cluster: their names."""
    groups = store.cluster(request.parameters["clusterName"]).groups.values()
    return listed(request, "nodegroups", {one.name: str(one.row["nodegroupArn"]) for one in groups})


def describe(request: Request, store: Store) -> Answer:
    """DescribeNodegroup."""
    return {"nodegroup": _named(request, store)[1].row}


def _named(request: Request, store: Store) -> tuple[Cluster, Group]:
    return store.group(request.parameters["clusterName"], request.parameters["nodegroupName"])


def _idle(group: Group) -> None:
    if group.row["status"] not in ("ACTIVE", "DEGRADED"):
        raise busy(f"Nodegroup cannot be updated as it is currently not in Active State: {group.name}")


def configure(request: Request, store: Store) -> Answer:
    """UpdateNodegroupConfig."""
    given = request.parameters
    cluster, group = _named(request, store)
    _idle(group)
    row = group.row
    change: dict[str, Any] = {
        name: {**(row.get(name) or {}), **given[name]}
        for name in ("scalingConfig", "updateConfig", "nodeRepairConfig", "warmPoolConfig")
        if name in given
    }
    if "labels" in given:
        labels = {**row["labels"], **(given["labels"].get("addOrUpdateLabels") or {})}
        gone = given["labels"].get("removeLabels") or ()
        change["labels"] = {key: value for key, value in labels.items() if key not in gone}
    if "taints" in given:
        change["taints"] = _taints(row["taints"], given["taints"])
    if not change or all(row.get(name) == value for name, value in change.items()):
        raise invalid("No changes needed for the node group configuration provided")
    if "scalingConfig" in change:
        _within_bounds(change["scalingConfig"])
        _ask_scaling(scaling.update, request, row, **_sizes(change["scalingConfig"]))
    return store.update("eks-nodegroup", row, "ConfigUpdate", change, cluster.name)


def _taints(before: list[dict[str, Any]], given: Any) -> list[dict[str, Any]]:
    def key(one: Any) -> tuple[Any, Any]:
        return one.get("key"), one.get("effect")

    kept = {key(one): one for one in before}
    for one in given.get("removeTaints") or ():
        kept.pop(key(one), None)
    return list((kept | {key(one): one for one in given.get("addOrUpdateTaints") or ()}).values())


def roll(request: Request, store: Store) -> Answer:
    """UpdateNodegroupVersion: no further than the cluster."""
    given = request.parameters
    cluster, group = _named(request, store)
    _idle(group)
    change = {name: given[name] for name in ("version", "releaseVersion") if given.get(name)}
    minor = [int(str(one).split(".")[1]) for one in (change.get("version", "1.0"), cluster.row["version"])]
    if minor[0] < int(str(group.row["version"]).split(".")[1]) and "version" in change:
        raise invalid("A node group cannot go back to an earlier Kubernetes version")
    if minor[0] > minor[1]:
        raise invalid(
            f"Nodegroup Kubernetes version cannot be ahead of the cluster's {cluster.row['version']}"
        )
    if "launchTemplate" in given:
        if "launchTemplate" not in group.row:
            raise invalid("A launch template cannot be added to a node group that has none.")
        seen = group.row["launchTemplate"]
        asked = {"id": seen["id"], **given["launchTemplate"]}
        if asked["id"] != seen["id"]:
            raise invalid("The launch template of a node group cannot be another one.")
        change["launchTemplate"] = {**seen, "version": str(asked.get("version") or seen["version"])}
    if cluster.row["status"] != "ACTIVE":
        raise busy(f"Cluster {cluster.name} is not ACTIVE")
    return store.update("eks-nodegroup", group.row, "VersionUpdate", change, cluster.name)


def delete(request: Request, store: Store) -> Answer:
    """DeleteNodegroup: its instances go first."""
    cluster, group = _named(request, store)
    if group.row["status"] == "DELETING":
        raise busy(f"Nodegroup {group.name} is being deleted")
    group.row["status"] = "DELETING"
    _ask_scaling(scaling.delete, request, group.row, ForceDelete=True)

    def effect() -> None:
        if _called(group.row) in scaled(store.world, store.account, store.region).groups:
            store.after("eks-nodegroup", "DELETING", effect)
            return
        with store.world.faults.rest(), suppress(ClientError):  # somebody may have deleted it before
            hand.client("ec2", store.region).delete_launch_template(LaunchTemplateName=_called(group.row))
        if cluster.groups.get(group.name) is group:
            del cluster.groups[group.name]

    store.after("eks-nodegroup", "DELETING", effect)
    return {"nodegroup": group.row}
