"""Elastic Load Balancing: load balancers of all types, their listeners, and the groups of targets behind them.

Facts: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/ (CreateLoadBalancer, SetSubnets,
CreateTargetGroup, ModifyTargetGroup, RegisterTargets, DescribeTargetHealth, CreateListener, ModifyListener)

Names are unique in a region, and a creation whose name and settings are those of something that exists answers with
that, whosever it is: the tags of what was answered are read before anything is done with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.kinds.calls import elb
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.kind import Item, Kind, Part, Remedy
from reconciler.model.reads import Completion, Detail, Read
from reconciler.model.things import Desired, Observed, Spec
from reconciler.model.verdicts import Wait

PAGE = 400
TAGS = Completion(
    operation="DescribeTags",
    ids="ResourceArns",
    by="",
    path="TagDescriptions[].{ResourceArn: ResourceArn, Tags: Tags}",
    most=20,
    key="ResourceArn",
)
"""Lists show no tags; https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html: of 20
ARNs at once."""


def _attributes(of: str) -> dict[str, Any]:
    """The slots of a kind for `Attributes`: those that the config names are kept, all others stay as they are."""

    def make(thing: Observed, wanted: Any) -> list[Call]:
        return [elb(f"Modify{of}Attributes", **{f"{of}Arn": thing.id}, Attributes=list(wanted or ()))]

    operation = f"Modify{of}Attributes"
    return {
        "detail": Detail(
            field="Attributes", operation=f"Describe{of}Attributes", path="Attributes", many=True
        ),
        "remedy": Remedy(operations=(operation,), make=make, shape=f"{operation}.Attributes"),
    }


def _by_key(attributes: Any) -> Any:
    """Attributes as values by key: their order says nothing, and those that are not wanted are nobody's business.

    Keys have dots (`idle_timeout.timeout_seconds`), as paths have.
    """
    found: dict[str, Any] = {}
    for one in attributes or ():
        *above, last = str(one.get("Key")).split(".")
        inner = found
        for name in above:
            inner = inner.setdefault(name, {})
        inner[last] = one.get("Value")
    return found


# ---- load balancers


def _set(operation: str, name: str) -> Remedy:
    """A call that takes just the one field."""

    def make(balancer: Observed, wanted: Any) -> list[Call]:
        return [elb(operation, LoadBalancerArn=balancer.id, **{name: wanted})]

    return Remedy(operations=(operation,), make=make)


def _pools(balancer: Observed, wanted: Any) -> list[Call]:
    if not wanted:
        return [elb("ModifyIpPools", LoadBalancerArn=balancer.id, RemoveIpamPools=["ipv4"])]
    return [elb("ModifyIpPools", LoadBalancerArn=balancer.id, IpamPools=wanted)]


def _mapping(zone: Mapping[str, Any]) -> dict[str, Any]:
    """A zone in the words of SubnetMappings."""
    address: Mapping[str, Any] = next(iter(zone.get("LoadBalancerAddresses") or ()), {})
    found = {
        "SubnetId": zone.get("SubnetId"),
        "AllocationId": address.get("AllocationId"),
        "PrivateIPv4Address": address.get("PrivateIPv4Address"),
        "IPv6Address": address.get("IPv6Address"),
        "SourceNatIpv6Prefix": next(iter(zone.get("SourceNatIpv6Prefixes") or ()), None),
    }
    return {name: value for name, value in found.items() if value is not None}


def _balancer(raw: Spec) -> Spec:
    """A row in CreateLoadBalancer's words."""
    zones = raw.get("AvailabilityZones") or ()
    return {
        **raw,
        "Name": raw.get("LoadBalancerName"),
        "Subnets": [zone.get("SubnetId") for zone in zones],
        "SubnetMappings": [_mapping(zone) for zone in zones],
    }


def _others_listen(balancer: Observed) -> Wait | None:
    """AWS deletes a load balancer with all of its listeners: ours are gone before, and others' are not ours."""
    if "Listeners" not in balancer.raw:
        return Wait("what listens on it has not been read")
    there = [one["ListenerArn"] for one in balancer.raw["Listeners"]]
    if not there:
        return None
    return Wait(f"{' and '.join(there)}, on it and not ours, would go with it: delete them first", "person")


def _in_order(mappings: Any) -> Any:
    """Zones by their subnets; AWS reports the prefix that it has assigned where it was asked to."""
    found = [
        {
            name: value
            for name, value in one.items()
            if (name, value) != ("SourceNatIpv6Prefix", "auto_assigned")
        }
        for one in mappings or ()
    ]
    return sorted(found, key=lambda one: str(one.get("SubnetId")))


BALANCER_ATTRIBUTES = _attributes("LoadBalancer")

LOAD_BALANCER = Kind(
    name="load-balancer",
    about="An application, network or gateway load balancer in subnets of a VPC.",
    service="elbv2",
    read=Read(
        operation="DescribeLoadBalancers",
        path="LoadBalancers",
        ids="LoadBalancerArns",
        page=PAGE,
        completed=replace(TAGS, by="LoadBalancerArn"),
        details=[
            BALANCER_ATTRIBUTES["detail"],
            Detail(
                field="Listeners",
                operation="DescribeListeners",
                path="Listeners",
                many=True,
                leaving=True,
            ),
        ],
    ),
    create="CreateLoadBalancer",
    delete="DeleteLoadBalancer",
    id="LoadBalancerArn",
    arn="LoadBalancerArn",
    resource_type="loadbalancer",
    state="State.Code",
    ready=frozenset({"active", "active_impaired"}),
    usable=frozenset({"provisioning"}),
    failed=frozenset({"failed"}),
    refs={
        "Subnets[]": "subnet",
        "SubnetMappings[].SubnetId": "subnet",
        "SubnetMappings[].AllocationId": "elastic-ip",
        "SecurityGroups[]": "security-group",
    },
    answers_tags=False,
    unique="Name",
    unordered=frozenset({"Subnets", "SecurityGroups"}),
    normal={"Attributes": _by_key, "SubnetMappings": _in_order},
    project=_balancer,
    release=_others_listen,
    remedies={
        "Attributes": BALANCER_ATTRIBUTES["remedy"],
        "IpAddressType": _set("SetIpAddressType", "IpAddressType"),
        "IpamPools": Remedy(operations=("ModifyIpPools",), make=_pools),
        "SecurityGroups": _set("SetSecurityGroups", "SecurityGroups"),
        "SubnetMappings": _set("SetSubnets", "SubnetMappings"),
        "Subnets": _set("SetSubnets", "Subnets"),
    },
)


# ---- target groups

LEAVING_TARGET = "draining"
"""The state of a target that was taken out and still ends what it has begun."""


def _targets(raw: Spec) -> list[Item]:
    """The targets that are in a group, less the port where it is the group's own."""
    found = []
    for row in raw.get("Health") or ():
        target = {name: value for name, value in row.get("Target", {}).items() if value is not None}
        if (row.get("TargetHealth") or {}).get("State") == LEAVING_TARGET:
            continue
        if target.get("Port") == raw.get("Port"):
            target.pop("Port", None)
        found.append(target)
    return found


def _said(item: Item) -> Item:
    return {name: value for name, value in item.items() if value is not None}


def _register(operation: str) -> Callable[[Observed, Sequence[Item]], list[Call]]:
    def make(group: Observed, items: Sequence[Item]) -> list[Call]:
        return [elb(operation, TargetGroupArn=group.id, Targets=list(items))]

    return make


def _ports_differ(group: Desired, _: Mapping[Address, Desired]) -> Iterable[tuple[str, str, str]]:
    """The group's own port is every target's; AWS lists them alike, whether it was said or not."""
    own = group.spec.get("Port")
    for target in group.spec.get("Targets") or ():
        if own is not None and target.get("Port") == own:
            what = f"{own} is the group's own port"
            yield "Targets", what, "leave it out: a target's Port is for another one"


GROUP_ATTRIBUTES = _attributes("TargetGroup")

TARGET_GROUP = Kind(
    name="target-group",
    about="Where a load balancer sends requests, and how it tells that a target is healthy.",
    service="elbv2",
    private=True,
    read=Read(
        operation="DescribeTargetGroups",
        path="TargetGroups",
        ids="TargetGroupArns",
        page=PAGE,
        completed=replace(TAGS, by="TargetGroupArn"),
        details=[
            GROUP_ATTRIBUTES["detail"],
            Detail(
                field="Targets",
                operation="DescribeTargetHealth",
                path="TargetHealthDescriptions",
                name="Health",
                many=True,
            ),
        ],
    ),
    create="CreateTargetGroup",
    update="ModifyTargetGroup",
    delete="DeleteTargetGroup",
    id="TargetGroupArn",
    arn="TargetGroupArn",
    resource_type="targetgroup",
    refs={"VpcId": "vpc", "Targets[].Id": "instance"},
    finished=frozenset({"Targets[].Id"}),  # running
    answers_tags=False,
    unique="Name",
    normal={"Attributes": _by_key},
    project=lambda raw: {**raw, "Name": raw.get("TargetGroupName")},
    fits=_ports_differ,
    remedies={"Attributes": GROUP_ATTRIBUTES["remedy"]},
    parts=(
        Part(
            field="Targets",
            shape="TargetDescription",
            rows=_targets,
            normal=_said,
            key=lambda item: (item.get("Id"), item.get("Port")),
            add=_register("RegisterTargets"),
            remove=_register("DeregisterTargets"),
            change=_register("RegisterTargets"),
            operations=("RegisterTargets", "DeregisterTargets"),
        ),
    ),
)


# ---- listeners


def _actions(actions: Any) -> Any:
    """Actions in one spelling: AWS reports the target group of one that forwards both by itself and in a list."""
    return [_action(one) for one in actions or ()]


def _action(action: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in action.items() if name != "TargetGroupArn"}
    if action.get("Type") == "forward":
        config = dict(action.get("ForwardConfig") or {})
        groups = config.get("TargetGroups") or [{"TargetGroupArn": action.get("TargetGroupArn")}]
        groups = sorted(groups, key=lambda one: str(one.get("TargetGroupArn")))
        if len(groups) == 1:  # it gets everything, whatever its weight
            groups = [{"TargetGroupArn": groups[0].get("TargetGroupArn")}]
        found["ForwardConfig"] = {**config, "TargetGroups": groups}
    return found


def _no_secret(actions: Any) -> str | None:
    for action in actions if isinstance(actions, list) else ():
        config = action.get("AuthenticateOidcConfig") if isinstance(action, Mapping) else None
        if isinstance(config, Mapping) and "ClientSecret" in config:
            return (
                "a ClientSecret would stand in the config for all to read, and AWS makes no such listener without one: \
make it by hand, outside of this config"
            )
    return None


LISTENER_ATTRIBUTES = _attributes("Listener")

LISTENER = Kind(
    name="listener",
    about="A port of a load balancer, and what is done with what comes in there.",
    service="elbv2",
    private=True,
    read=Read(
        operation="DescribeListeners",
        path="Listeners",
        ids=None,
        page=PAGE,
        within="load-balancer",
        parent=lambda arn: arn.replace(":listener/", ":loadbalancer/", 1).rpartition("/")[0],
        completed=replace(TAGS, by="ListenerArn"),
        details=[LISTENER_ATTRIBUTES["detail"]],
    ),
    create="CreateListener",
    update="ModifyListener",
    delete="DeleteListener",
    id="ListenerArn",
    arn="ListenerArn",
    refs={
        "LoadBalancerArn": "load-balancer",
        "DefaultActions[].TargetGroupArn": "target-group",
        "DefaultActions[].ForwardConfig.TargetGroups[].TargetGroupArn": "target-group",
    },
    answers_tags=False,
    whole=frozenset({"MutualAuthentication"}),
    normal={"Attributes": _by_key, "DefaultActions": _actions},
    refuses={"DefaultActions": _no_secret},
    remedies={"Attributes": LISTENER_ATTRIBUTES["remedy"]},
)
