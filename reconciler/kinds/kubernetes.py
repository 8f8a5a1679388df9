"""Kubernetes clusters of EKS, and the groups of nodes that EKS keeps for them.

Facts: https://docs.aws.amazon.com/eks/latest/APIReference/ (CreateCluster, DescribeCluster, UpdateClusterConfig,
UpdateClusterVersion, DeleteCluster, CreateNodegroup, DescribeNodegroup, UpdateNodegroupConfig, UpdateNodegroupVersion,
DeleteNodegroup, TagResource)

EKS spells its parameters in lower case, and so do configs.  One request changes one sort of thing, AWS works at it for
minutes (UPDATING), and refuses another one meanwhile.  What EKS makes for a cluster or a group (interfaces, a security
group, a launch template, an Auto Scaling group, instances) is its own: `aws.ownership` knows it by EKS's tags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.kinds.calls import eks
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.kind import Kind, Remedy
from reconciler.model.reads import Completion, Read
from reconciler.model.things import Desired, Observed, Spec
from reconciler.model.verdicts import Settled, Verdict, Wait

PAGE = 100
READY, LEAVING = frozenset({"ACTIVE"}), frozenset({"DELETING"})
ILL = "DEGRADED"
"""A group that works, and not as it should: what is wrong is for its nodes' owner to mend."""


def _in_order(*lists: str) -> Callable[[Any], Any]:
    """Brings lists of a structure that mean sets into one order."""

    def normal(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {
            name: sorted(map(str, inner)) if name in lists and isinstance(inner, list) else inner
            for name, inner in value.items()
        }

    return normal


# ---- clusters


def _set(field: str) -> Remedy:
    """One sort of change in a request of its own."""

    def make(cluster: Observed, wanted: Any) -> list[Call]:
        return [eks("UpdateClusterConfig", name=cluster.raw["name"], **{field: wanted})]

    return Remedy(operations=("UpdateClusterConfig",), make=make)


NETWORKS, ACCESS = (
    ("subnetIds", "securityGroupIds"),
    ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs"),
)
"""Members of resourcesVpcConfig that change in one request, and those that change in another."""
_network = _in_order("subnetIds", "securityGroupIds", "publicAccessCidrs")


def _networks(cluster: Observed, wanted: Any) -> list[Call]:
    """What differs, each sort by itself; who may get in comes first."""
    seen, asked = _network(cluster.spec.get("resourcesVpcConfig") or {}), _network(wanted)
    rest = tuple(name for name in asked if name not in (*NETWORKS, *ACCESS))
    calls = []
    for names in (ACCESS, NETWORKS, rest):
        given = {name: wanted[name] for name in names if name in asked}
        if any(asked[name] != seen.get(name) for name in given):
            calls.append(eks("UpdateClusterConfig", name=cluster.raw["name"], resourcesVpcConfig=given))
    return calls


def _authentication(cluster: Observed, wanted: Any) -> list[Call]:
    mode = {"authenticationMode": wanted.get("authenticationMode")}
    return [eks("UpdateClusterConfig", name=cluster.raw["name"], accessConfig=mode)]


def _access(value: Any) -> Any:
    """Who made a cluster may be its administrator from birth: that is not reported afterwards."""
    if not isinstance(value, Mapping):
        return value
    return {name: inner for name, inner in value.items() if not name.startswith("bootstrap")}


def _logged(value: Any) -> Any:
    """Types of logs, and whether each is written: AWS reports two lists of them."""
    setups = value.get("clusterLogging") if isinstance(value, Mapping) else None
    return {type: bool(one.get("enabled")) for one in setups or () for type in one.get("types") or ()}


def _minor(version: Any) -> tuple[int, int] | None:
    major, _, minor = str(version).partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None


def _upgrade(cluster: Observed, wanted: Any) -> list[Call]:
    """Kubernetes goes up by one minor version at a time."""
    seen, aim = _minor(cluster.raw.get("version")), _minor(wanted)
    step = wanted
    if seen and aim and seen[0] == aim[0] and aim[1] > seen[1] + 1:
        step = f"{seen[0]}.{seen[1] + 1}"
    return [eks("UpdateClusterVersion", name=cluster.raw["name"], version=step)]


def _kept(cluster: Observed) -> Wait | None:
    if cluster.state in READY and cluster.raw.get("deletionProtection"):
        return Wait("AWS protects it (deletionProtection: true): take that away first", "person")
    return None if cluster.state in {*READY, "FAILED"} else Wait(f"it is {cluster.state}")


def _zones(cluster: Desired, _: Mapping[Address, Desired]) -> Iterable[tuple[str, str, str]]:
    subnets = (cluster.spec.get("resourcesVpcConfig") or {}).get("subnetIds")
    if not isinstance(subnets, list) or len(subnets) < 2:
        yield "resourcesVpcConfig", "a cluster needs subnets in two zones at least", "say them in subnetIds"


EKS_CLUSTER = Kind(
    name="eks-cluster",
    about="The control plane of Kubernetes.  Its fields are in lower case, as EKS spells them; `version` goes up by "
    "one minor version at a time.",
    service="eks",
    read=Read(
        operation="ListClusters",
        path="clusters[].{name: @}",
        ids=None,
        page=PAGE,
        completed=Completion(operation="DescribeCluster", ids="name", by="name", path="cluster"),
    ),
    create="CreateCluster",
    delete="DeleteCluster",
    id="arn",
    arn="arn",
    handle="name",
    resource_type="cluster",
    tags="tags",
    state="status",
    ready=READY,
    leaving=LEAVING,
    failed=frozenset({"FAILED"}),
    errors="health.issues[].message",
    private=True,
    refs={
        "roleArn": "iam-role.arn",
        "resourcesVpcConfig.subnetIds[]": "subnet",
        "resourcesVpcConfig.securityGroupIds[]": "security-group",
        "computeConfig.nodeRoleArn": "iam-role.arn",
    },
    finished=frozenset({"roleArn"}),  # with its policies
    unique="name",
    write_only=frozenset({"bootstrapSelfManagedAddons"}),
    normal={"accessConfig": _access, "logging": _logged, "resourcesVpcConfig": _network},
    fits=_zones,
    remedies={
        **{
            field: _set(field)
            for field in (
                *("controlPlaneScalingConfig", "deletionProtection", "kubeApiServerConfig"),
                *("kubeControllerManagerConfig", "kubeSchedulerConfig", "logging", "remoteNetworkConfig"),
                *("upgradePolicy", "zonalShiftConfig"),
            )
        },
        "accessConfig": Remedy(operations=("UpdateClusterConfig",), make=_authentication),
        "resourcesVpcConfig": Remedy(operations=("UpdateClusterConfig",), make=_networks),
        "version": Remedy(operations=("UpdateClusterVersion",), make=_upgrade, disruptive=True),
    },
    release=_kept,
    sequential=True,
    protected=True,
)


# ---- groups of nodes


def _named(group: Observed) -> dict[str, Any]:
    return {name: group.raw[name] for name in ("clusterName", "nodegroupName")}


def _given(field: str) -> Remedy:
    def make(group: Observed, wanted: Any) -> list[Call]:
        return [eks("UpdateNodegroupConfig", **_named(group), **{field: wanted})]

    return Remedy(operations=("UpdateNodegroupConfig",), make=make)


def _scaled(group: Observed, wanted: Any) -> list[Call]:
    """How many there are stays with whoever scales the group, within the bounds."""
    seen = group.spec.get("scalingConfig") or {}
    new = {**seen, **wanted}
    if "desiredSize" not in wanted and "desiredSize" in seen:
        new["desiredSize"] = min(max(seen["desiredSize"], new["minSize"]), new["maxSize"])
    return [eks("UpdateNodegroupConfig", **_named(group), scalingConfig=new)]


def _sized(spec: Spec) -> Spec:
    """A creation says all sizes or none: it begins with the least, where the config leaves it to whoever scales.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_NodegroupScalingConfig.html"""
    sizes = spec.get("scalingConfig") or {}
    if "minSize" not in sizes or "desiredSize" in sizes:
        return spec
    return {**spec, "scalingConfig": {**sizes, "desiredSize": sizes["minSize"]}}


def _labelled(group: Observed, wanted: Any) -> list[Call]:
    """Labels that others have set stay."""
    seen = group.spec.get("labels") or {}
    more = {key: value for key, value in wanted.items() if seen.get(key) != value}
    return [eks("UpdateNodegroupConfig", **_named(group), labels={"addOrUpdateLabels": more})]


def _taint(one: Mapping[str, Any]) -> tuple[str, str]:
    return str(one.get("key")), str(one.get("effect"))


def _taints(value: Any) -> Any:
    return sorted(({"value": "", **one} for one in value or ()), key=_taint)


def _tainted(group: Observed, wanted: Any) -> list[Call]:
    seen, asked = _taints(group.spec.get("taints")), _taints(wanted)
    kept = set(map(_taint, asked))
    change = {
        "addOrUpdateTaints": [one for one in asked if one not in seen],
        "removeTaints": [one for one in seen if _taint(one) not in kept],
    }
    taints = {name: items for name, items in change.items() if items}
    return [eks("UpdateNodegroupConfig", **_named(group), taints=taints)]


def _rolled(field: str, fixed: frozenset[str] = frozenset()) -> Remedy:
    """All nodes are replaced."""

    def make(group: Observed, wanted: Any) -> list[Call]:
        return [eks("UpdateNodegroupVersion", **_named(group), **{field: wanted})]

    return Remedy(operations=("UpdateNodegroupVersion",), make=make, disruptive=True, fixed=fixed)


def _health(_: Desired, group: Observed) -> Verdict:
    if group.state != ILL:
        return Settled()
    issues = (group.raw.get("health") or {}).get("issues") or ()
    told = "; ".join(f"{one.get('code')}: {one.get('message')}" for one in issues)
    return Wait(f"it is {ILL}" + (f" ({told})" if told else ""))


def _together(group: Desired, _: Mapping[Address, Desired]) -> Iterable[tuple[str, str, str]]:
    """What says the same twice, of which EKS takes none together, and what it takes together only."""
    sizes = group.spec.get("scalingConfig") or {}
    if sizes and not {"minSize", "maxSize"} <= sizes.keys():
        yield "scalingConfig", "a group is made with both minSize and maxSize", "say both, or neither"
    if "releaseVersion" in group.spec and "version" in group.spec:
        yield "version", "releaseVersion says the version as well", "say one of the two"
    for field in ("diskSize", "remoteAccess") if "launchTemplate" in group.spec else ():
        if field in group.spec:
            yield field, f"{field} and a launchTemplate do not go together", "say it in the template"


def _cluster(arn: str) -> str:
    """The cluster of `arn:aws:eks:us-west-2:1:nodegroup/main/workers/<uuid>`: main."""
    return arn.partition(":nodegroup/")[2].partition("/")[0]


EKS_NODEGROUP = Kind(
    name="eks-nodegroup",
    about="Nodes of a cluster, which EKS makes and unmakes in an Auto Scaling group of its own.  "
    "`scalingConfig.desiredSize` is kept only where it is said.",
    service="eks",
    read=Read(
        operation="ListNodegroups",
        path="nodegroups[].{nodegroupName: @}",
        ids=None,
        page=PAGE,
        within="eks-cluster",
        parent=_cluster,
        lies_in="clusterName",
        completed=Completion(
            operation="DescribeNodegroup",
            ids="nodegroupName",
            by="nodegroupName",
            path="nodegroup",
            alike=frozenset({"clusterName"}),
        ),
    ),
    create="CreateNodegroup",
    delete="DeleteNodegroup",
    id="nodegroupArn",
    arn="nodegroupArn",
    handle="nodegroupName",
    identity=("clusterName",),
    resource_type="nodegroup",
    tags="tags",
    state="status",
    ready=READY | {ILL},
    leaving=LEAVING,
    failed=frozenset({"CREATE_FAILED", "DELETE_FAILED"}),
    errors="health.issues[].message",
    private=True,
    refs={
        "clusterName": "eks-cluster.name",
        "nodeRole": "iam-role.arn",
        "subnets[]": "subnet",
        "launchTemplate.id": "launch-template",
        "remoteAccess.ec2SshKey": "key-pair.KeyName",
        "remoteAccess.sourceSecurityGroups[]": "security-group",
    },
    finished=frozenset({"clusterName", "nodeRole"}),  # nothing is changed about it; with its policies
    unique="nodegroupName",
    unordered=frozenset({"subnets"}),
    normal={"taints": _taints},
    fits=_together,
    born=_sized,
    remedies={
        "labels": Remedy(operations=("UpdateNodegroupConfig",), make=_labelled),
        "launchTemplate": _rolled("launchTemplate", frozenset({"id", "name"})),
        "nodeRepairConfig": _given("nodeRepairConfig"),
        "releaseVersion": _rolled("releaseVersion"),
        "scalingConfig": Remedy(operations=("UpdateNodegroupConfig",), make=_scaled),
        "taints": Remedy(operations=("UpdateNodegroupConfig",), make=_tainted),
        "updateConfig": _given("updateConfig"),
        "version": _rolled("version"),
        "warmPoolConfig": _given("warmPoolConfig"),
    },
    then=_health,
    sequential=True,
)
