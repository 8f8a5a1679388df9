"""Load balancers: their settings, their states, and the interfaces that they hold in subnets.

Sources: Elastic Load Balancing API reference (CreateLoadBalancer, SetSubnets, SetSecurityGroups, SetIpAddressType,
DeleteLoadBalancer); its user guides ("a load balancer in at least two zones", "the name must be unique within your
set of load balancers of the region, at most 32 characters"); terraform-provider-aws (a creation that is repeated
with the same settings answers with what is there; interfaces are released minutes after the deletion).  What exactly
counts as the same settings is not documented; tags are not among them here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from moto.moto_api._internal import mock_random

from ..ec2 import backend as moto
from ..errors import AwsError
from ..request import Answer, Request
from ..world import World
from .store import Store, Thing, given_tags, listed, refused

NAME = re.compile(r"(?!internal-)(?!-)[A-Za-z0-9-]{1,32}(?<!-)")
_SHORT = {"application": "app", "network": "net", "gateway": "gwy"}
_COMMON = {"deletion_protection.enabled": "false", "access_logs.s3.enabled": "false"}
_ATTRIBUTES = {
    "application": {
        **_COMMON,
        "idle_timeout.timeout_seconds": "60",
        "routing.http2.enabled": "true",
        "load_balancing.cross_zone.enabled": "true",
    },
    "network": {**_COMMON, "load_balancing.cross_zone.enabled": "false"},
    "gateway": {
        "deletion_protection.enabled": "false",
        "load_balancing.cross_zone.enabled": "false",
    },
}


def create(request: Request, store: Store) -> Answer:
    """CreateLoadBalancer: provisioning, then active; the same once more is the same load balancer."""
    given, tags = request.parameters, given_tags(request)
    name, type = str(given["Name"]), str(given.get("Type") or "application")
    if not NAME.fullmatch(name):
        raise refused(f"The load balancer name '{name}' is not valid")
    scheme = None if type == "gateway" else str(given.get("Scheme") or "internet-facing")
    subnets, zones = _zones(request, type)
    vpc = subnets[0].vpc_id
    if scheme == "internet-facing" and not _has_way_out(request, vpc):
        raise AwsError("InvalidSubnet", f"VPC {vpc} has no internet gateway")
    groups = _groups(request, type, vpc)
    row: dict[str, Any] = {
        "LoadBalancerName": name,
        "Type": type,
        "VpcId": vpc,
        "AvailabilityZones": zones,
        "IpAddressType": given.get("IpAddressType") or "ipv4",
        **({"Scheme": scheme} if scheme else {}),
        **({"SecurityGroups": groups} if groups is not None else {}),
        **{k: given[k] for k in ("CustomerOwnedIpv4Pool", "IpamPools") if given.get(k)},
    }
    if type == "network":
        row["EnablePrefixForIpv6SourceNat"] = given.get("EnablePrefixForIpv6SourceNat") or "off"
        if groups:
            row["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] = "on"
    for other in store.balancers.values():
        if other.row["LoadBalancerName"] == name:
            if any(other.row.get(member) != value for member, value in row.items()):
                raise AwsError(
                    "DuplicateLoadBalancerName",
                    f"A load balancer with the same name '{name}' exists, but with different settings",
                )
            return {"LoadBalancers": [other.row]}
    number, short = mock_random.get_random_hex(16), _SHORT[type]
    arn = (
        f"arn:{request.partition}:elasticloadbalancing:{request.region}:{request.account}:"
        f"loadbalancer/{short}/{name}/{number}"
    )
    internal = "internal-" if scheme == "internal" and type == "application" else ""
    thing = Thing(
        {
            "LoadBalancerArn": arn,
            "DNSName": f"{internal}{name}-{number}.elb.{request.region}.amazonaws.com",
            "CanonicalHostedZoneId": "Z0000000000000SANDBOX",
            "CreatedTime": request.world.settings.clock.now(),
            "State": {"Code": "provisioning"},
            **row,
        },
        tags,
        dict(_ATTRIBUTES[type]),
        {"interfaces": {}, "description": f"ELB {short}/{name}/{number}"},
    )
    store.balancers[arn] = thing
    _lie_in_subnets(request, thing)

    def effect() -> None:
        thing.row["State"] = {"Code": "active"}

    request.world.timeline.after(request.world.settings.delays.of("load-balancer", "provisioning"), effect)
    return {"LoadBalancers": [thing.row]}


def _zones(request: Request, type: str) -> tuple[list[Any], list[dict[str, Any]]]:
    """The subnets of a request, and how answers show them."""
    given, backend = request.parameters, moto.backend_of(request)
    mappings: list[dict[str, Any]] = [dict(one) for one in given.get("SubnetMappings") or ()]
    if bool(mappings) is bool(given.get("Subnets")):
        raise refused("You must specify either subnets or subnet mappings")
    mappings = mappings or [{"SubnetId": id} for id in given["Subnets"]]
    subnets = []
    for mapping in mappings:
        subnet = moto.find_subnet(backend, mapping.get("SubnetId") or "")
        if subnet is None:
            raise AwsError("SubnetNotFound", f"The subnet ID '{mapping.get('SubnetId')}' does not exist")
        subnets.append(subnet)
    if len({subnet.vpc_id for subnet in subnets}) > 1:
        raise AwsError("InvalidConfigurationRequest", "All subnets must belong to the same VPC")
    names = [subnet.availability_zone for subnet in subnets]
    if len(set(names)) < len(names):
        raise AwsError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if type == "application" and len(names) < 2:
        raise refused("At least two subnets in two different Availability Zones must be specified")
    zones = []
    for subnet, mapping in zip(subnets, mappings, strict=True):
        if (allocation := mapping.get("AllocationId")) and not moto.find_address(backend, allocation):
            raise AwsError("AllocationIdNotFound", f"The allocation ID '{allocation}' does not exist")
        address = {name: value for name, value in mapping.items() if name != "SubnetId" and value}
        zone: dict[str, Any] = {"ZoneName": subnet.availability_zone, "SubnetId": subnet.id}
        zones.append({**zone, "LoadBalancerAddresses": [address] if address else []})
    return subnets, sorted(zones, key=lambda zone: str(zone["ZoneName"]))


def _has_way_out(request: Request, vpc: str) -> bool:
    gateways = moto.backend_of(request).internet_gateways.values()
    return any(one.vpc is not None and one.vpc.id == vpc for one in gateways)


def _groups(request: Request, type: str, vpc: str) -> list[str] | None:
    """The security groups of a request; None where there can be none, or the network's default one."""
    backend, wanted = moto.backend_of(request), request.parameters.get("SecurityGroups") or []
    if type == "gateway":
        return None
    for id in wanted:
        group = moto.find_group(backend, str(id))
        if group is None or group.vpc_id != vpc:
            raise AwsError("InvalidSecurityGroup", f"One or more security groups are invalid: '{id}'")
    if wanted or type == "network":
        return sorted(wanted) or None
    return [moto.default_group(backend, vpc).id]


def _lie_in_subnets(request: Request, balancer: Thing) -> None:
    """Has a load balancer hold one interface in each of its subnets, with its groups, and no other."""
    backend, held = moto.backend_of(request), balancer.notes["interfaces"]
    wanted = [zone["SubnetId"] for zone in balancer.row["AvailabilityZones"]]
    groups = [moto.find_group(backend, id) for id in balancer.row.get("SecurityGroups") or ()]
    for subnet in wanted:
        if subnet not in held:
            made = backend.create_network_interface(
                moto.find_subnet(backend, subnet), None, description=balancer.notes["description"]
            )
            held[subnet] = made.id
            request.world.facts.setdefault(made.id, {})["managed"] = "interface"
    for subnet in held.keys() - wanted:
        backend.enis.pop(held.pop(subnet), None)
    for id in held.values():
        backend.enis[id]._group_set = list(groups)


def describe(request: Request, store: Store) -> Answer:
    """DescribeLoadBalancers, by ARN or all."""
    if request.parameters.get("Names"):
        raise refused("The local AWS does not look load balancers up by name")
    return listed(
        request,
        [balancer.row for balancer in store.balancers.values()],
        many="LoadBalancers",
        id="LoadBalancerArn",
        wanted=request.parameters.get("LoadBalancerArns") or [],
        missing=lambda arn: AwsError("LoadBalancerNotFound", f"Load balancers '[{arn}]' not found"),
    )


def set_subnets(request: Request, store: Store) -> Answer:
    """SetSubnets: just these, and no others."""
    balancer = store.balancer(request.parameters["LoadBalancerArn"])
    subnets, zones = _zones(request, balancer.row["Type"])
    if subnets[0].vpc_id != balancer.row["VpcId"]:
        raise AwsError("InvalidConfigurationRequest", "All subnets must belong to the load balancer's VPC")
    balancer.row["AvailabilityZones"] = zones
    if request.parameters.get("EnablePrefixForIpv6SourceNat"):
        balancer.row["EnablePrefixForIpv6SourceNat"] = request.parameters["EnablePrefixForIpv6SourceNat"]
    _lie_in_subnets(request, balancer)
    return {"AvailabilityZones": zones, "IpAddressType": balancer.row["IpAddressType"]}


def set_security_groups(request: Request, store: Store) -> Answer:
    """SetSecurityGroups: a network load balancer that was made without any cannot get some."""
    given, balancer = request.parameters, store.balancer(request.parameters["LoadBalancerArn"])
    if not balancer.row.get("SecurityGroups"):
        raise AwsError(
            "InvalidConfigurationRequest", "SetSecurityGroups is not supported for this load balancer"
        )
    if not given.get("SecurityGroups"):
        raise AwsError("InvalidConfigurationRequest", "At least one security group must be specified")
    balancer.row["SecurityGroups"] = _groups(request, balancer.row["Type"], balancer.row["VpcId"])
    name = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
    if given.get(name):
        balancer.row[name] = given[name]
    _lie_in_subnets(request, balancer)
    return {"SecurityGroupIds": balancer.row["SecurityGroups"]}


def set_ip_address_type(request: Request, store: Store) -> Answer:
    """SetIpAddressType."""
    balancer = store.balancer(request.parameters["LoadBalancerArn"])
    balancer.row["IpAddressType"] = request.parameters["IpAddressType"]
    return {"IpAddressType": balancer.row["IpAddressType"]}


def modify_pools(request: Request, store: Store) -> Answer:
    """ModifyIpPools."""
    balancer = store.balancer(request.parameters["LoadBalancerArn"])
    if request.parameters.get("RemoveIpamPools"):
        balancer.row.pop("IpamPools", None)
    if request.parameters.get("IpamPools"):
        balancer.row["IpamPools"] = request.parameters["IpamPools"]
    return {"IpamPools": balancer.row.get("IpamPools") or {}}


def delete(request: Request, store: Store) -> Answer:
    """DeleteLoadBalancer: its listeners go with it, its interfaces some time later; one that is gone is no error."""
    arn = str(request.parameters["LoadBalancerArn"])
    balancer = store.balancers.get(arn)
    if balancer is None:
        return {}
    if balancer.attributes["deletion_protection.enabled"] == "true":
        raise AwsError(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )
    del store.balancers[arn]
    for listener in [one for one, it in store.listeners.items() if it.row["LoadBalancerArn"] == arn]:
        del store.listeners[listener]
    _let_go(request.world, moto.backend_of(request), list(balancer.notes["interfaces"].values()))
    return {}


def _let_go(world: World, backend: Any, interfaces: Sequence[str]) -> None:
    def effect() -> None:
        for id in interfaces:
            backend.enis.pop(id, None)

    world.timeline.after(world.settings.delays.of("load-balancer", "interfaces"), effect)
