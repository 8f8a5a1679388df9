"""Clusters.

Sources: Amazon EKS API reference (CreateCluster; UpdateClusterConfig: one sort of change at a time, UPDATING meanwhile;
UpdateClusterVersion; DeleteCluster) and user guide ("cluster security group": its name and its tags; "update a
cluster": one minor version at a time).  What a token does once its cluster is gone is not documented: here it answers
what it has made.  Called by `answers.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.moto_api._internal import mock_random

from ..ec2 import backend as ec2
from ..errors import AwsError
from ..faults import hand
from ..request import Answer, Request
from .store import Cluster, Store, busy, has_role, invalid, listed

LATEST = "1.33"
_TYPES = {
    "accessConfig": "AccessConfigUpdate",
    "controlPlaneScalingConfig": "ControlPlaneScalingConfigUpdate",
    "deletionProtection": "DeletionProtectionUpdate",
    "logging": "LoggingUpdate",
    "remoteNetworkConfig": "RemoteNetworkConfigUpdate",
    "upgradePolicy": "UpgradePolicyUpdate",
    "zonalShiftConfig": "ZonalShiftConfigUpdate",
}
_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_NETWORKS = ("subnetIds", "securityGroupIds")


def _subnets(store: Store, ids: Any) -> str:
    """The VPC of subnets in two zones."""
    found = [ec2.find_subnet(store.ec2, id) for id in ids or ()]
    if None in found:
        raise invalid("The subnet ID does not exist.")
    if len({one.availability_zone for one in found}) < 2:
        raise invalid("Subnets specified must be in at least two different AZs")
    if len({one.vpc_id for one in found}) > 1:
        raise invalid("Subnets specified must belong to the same VPC")
    return str(found[0].vpc_id)


def create(request: Request, store: Store) -> Answer:
    """CreateCluster."""
    given = request.parameters
    token = ("CreateCluster", str(given.get("clientRequestToken")))
    if token in store.tokens:
        return store.tokens[token]
    name = str(given["name"])
    if name in store.clusters:
        raise busy(f"Cluster already exists with name: {name}")
    has_role(store, given["roleArn"])
    network: dict[str, Any] = dict(given["resourcesVpcConfig"])
    vpc = _subnets(store, network.get("subnetIds"))
    row: dict[str, Any] = {
        "name": name,
        "arn": f"arn:{request.partition}:eks:{request.region}:{request.account}:cluster/{name}",
        "createdAt": request.world.settings.clock.now(),
        "version": LATEST,
        "platformVersion": "eks.1",
        "status": "CREATING",
        "upgradePolicy": {"supportType": "EXTENDED"},
        "deletionProtection": False,
        "tags": {},
        **{name: value for name, value in given.items() if name in _KEPT},
        "accessConfig": {
            "authenticationMode": (given.get("accessConfig") or {}).get("authenticationMode", "CONFIG_MAP")
        },
        "kubernetesNetworkConfig": {
            "serviceIpv4Cidr": "172.20.0.0/16",
            "ipFamily": "ipv4",
            **(given.get("kubernetesNetworkConfig") or {}),
        },
        "resourcesVpcConfig": {
            "securityGroupIds": [],
            "endpointPublicAccess": True,
            "endpointPrivateAccess": False,
            "publicAccessCidrs": ["0.0.0.0/0"],
            **network,
            "vpcId": vpc,
            "clusterSecurityGroupId": _security_group(store, name, vpc),
        },
        "logging": _logging({}, given.get("logging") or {}),
    }
    cluster = Cluster(row)
    store.clusters[name] = cluster

    def effect() -> None:
        if row["status"] == "CREATING":
            row["status"] = "ACTIVE"

    store.after("eks-cluster", "CREATING", effect)
    store.tokens[token] = {"cluster": dict(row)}
    return store.tokens[token]


_KEPT = (
    *("version", "roleArn", "encryptionConfig", "upgradePolicy", "zonalShiftConfig", "remoteNetworkConfig"),
    *("computeConfig", "storageConfig", "deletionProtection", "controlPlaneScalingConfig", "tags"),
)


def _security_group(store: Store, name: str, vpc: str) -> str:
    """The group that EKS makes: what it carries says whose it is."""
    with store.world.faults.rest():
        called = f"eks-cluster-sg-{name}-{mock_random.get_random_hex(8)}"
        id = hand.client("ec2", store.region).create_security_group(
            GroupName=called, Description="EKS created security group", VpcId=vpc
        )["GroupId"]
    marks = {"Name": called, f"kubernetes.io/cluster/{name}": "owned", "aws:eks:cluster-name": name}
    store.ec2.tags[id].update(marks)
    return str(id)


def _logging(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Two lists: the types that are written, and those that are not."""
    state = dict.fromkeys(_LOGS, False)
    for source in (before, given):
        for one in source.get("clusterLogging") or ():
            state |= dict.fromkeys(one.get("types") or (), bool(one.get("enabled")))
    lists = [{"types": [type for type in _LOGS if state[type] is on], "enabled": on} for on in (True, False)]
    return {"clusterLogging": [one for one in lists if one["types"]]}


def describe_all(request: Request, store: Store) -> Answer:
    """ListClusters: their names."""
    return listed(request, "clusters", {one.name: str(one.row["arn"]) for one in store.clusters.values()})


def describe(request: Request, store: Store) -> Answer:
    """DescribeCluster."""
    return {"cluster": store.cluster(request.parameters["name"]).row}


def configure(request: Request, store: Store) -> Answer:
    """UpdateClusterConfig: one sort of change, that changes something."""
    given = {
        name: value for name, value in request.parameters.items() if name in {*_TYPES, "resourcesVpcConfig"}
    }
    row = store.cluster(request.parameters["name"]).row
    if row["status"] != "ACTIVE":
        raise busy(f"Cannot update because cluster {row['name']} currently has update in progress")
    network = given.get("resourcesVpcConfig") or {}
    sorts = [_TYPES[name] for name in given if name in _TYPES]
    sorts += ["VpcConfigUpdate"] if any(name in _NETWORKS for name in network) else []
    sorts += ["EndpointAccessUpdate"] if any(name not in _NETWORKS for name in network) else []
    if len(sorts) != 1:
        raise invalid("Only one type of update can be allowed.")
    change = dict(given)
    if "logging" in given:
        change["logging"] = _logging(row["logging"], given["logging"])
    if network:
        change["resourcesVpcConfig"] = {**row["resourcesVpcConfig"], **network}
        _subnets(store, change["resourcesVpcConfig"]["subnetIds"])
    if all(row.get(name) == value for name, value in change.items()):
        raise invalid("Cluster is already at the desired configuration")
    return store.update("eks-cluster", row, sorts[0], change, row["name"])


def upgrade(request: Request, store: Store) -> Answer:
    """UpdateClusterVersion: to the next minor version."""
    row, version = store.cluster(request.parameters["name"]).row, str(request.parameters["version"])
    if row["status"] != "ACTIVE":
        raise busy(f"Cannot update because cluster {row['name']} currently has update in progress")
    seen, aim = (int(one.partition(".")[2] or 0) for one in (row["version"], version))
    if aim == seen:
        raise invalid("Cluster is already at the desired configuration")
    if aim != seen + 1:
        raise invalid(f"Unsupported Kubernetes minor version update from {row['version']} to {version}")
    return store.update("eks-cluster", row, "VersionUpdate", {"version": version}, row["name"])


def delete(request: Request, store: Store) -> Answer:
    """DeleteCluster, of one without groups."""
    cluster = store.cluster(request.parameters["name"])
    row = cluster.row
    if row["deletionProtection"]:
        raise AwsError("InvalidRequestException", "The cluster has deletion protection enabled.")
    if cluster.groups:
        raise busy("Cluster has nodegroups attached")
    if row["status"] not in ("ACTIVE", "FAILED"):
        raise busy(f"Cluster {row['name']} currently has an update in progress")
    row["status"] = "DELETING"

    def effect() -> None:
        with store.world.faults.rest():
            group = row["resourcesVpcConfig"]["clusterSecurityGroupId"]
            hand.client("ec2", store.region).delete_security_group(GroupId=group)
        if store.clusters.get(cluster.name) is cluster:
            del store.clusters[cluster.name]

    store.after("eks-cluster", "DELETING", effect)
    return {"cluster": row}
