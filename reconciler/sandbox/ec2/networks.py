"""VPCs and subnets: what moto gets wrong about creating, showing and modifying them.

Source: EC2 API reference, CreateVpc, CreateSubnet, ModifyVpcAttribute, ModifySubnetAttribute; VPC User Guide. Called by
`answers.py`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import backend as moto
from . import tags
from .acls import forget_subnet as forget_acl
from .groups import give_default_group_its_rule
from .routes import forget_subnet

# VPC User Guide, "VPC CIDR blocks" and "Subnet sizing": between /16 and /28; moto looks at that of a VPC only
_SMALLEST = 28


def _network(cidr: Any) -> str:
    """A CIDR with its host bits cleared."""
    if not cidr:
        raise AwsError("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.")
    try:
        network = ipaddress.IPv4Network(str(cidr), strict=False)
    except ValueError as error:
        message = f"Value ({cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
        raise AwsError("InvalidParameterValue", message) from error
    return str(network)


def _pending(request: Request, kind: str, thing: Any) -> None:
    """Has a new thing be pending until its time has come."""
    thing.state = "pending"

    def effect() -> None:
        thing.state = "available"

    request.world.timeline.after(request.world.settings.delays.of(kind, "pending"), effect)


def _check_quota(request: Request, resource: str, there: int, code: str, what: str) -> None:
    limit = request.world.settings.quota(resource)
    if limit is not None and there >= limit:
        raise AwsError(code, f"The maximum number of {what} has been reached.")


def create_vpc(request: Request, backend: Any) -> Answer:
    """CreateVpc has no ClientToken: two calls make two networks."""
    parameters = {**request.parameters, "CidrBlock": _network(request.parameters.get("CidrBlock"))}
    tenancy = parameters.get("InstanceTenancy") or "default"
    if tenancy not in ("default", "dedicated"):  # "host" is in the model and refused, says the API reference
        raise AwsError(
            "InvalidParameterValue", f"Value ({tenancy}) for parameter instanceTenancy is invalid."
        )
    _check_quota(request, "Vpc", len(backend.vpcs), "VpcLimitExceeded", "VPCs")
    answer = request.ask_moto(parameters)
    vpc = backend.vpcs[answer["Vpc"]["VpcId"]]
    _pending(request, "vpc", vpc)
    give_default_group_its_rule(backend)
    return {**answer, "Vpc": {**answer["Vpc"], "State": "pending"}}


def delete_vpc(request: Request, backend: Any) -> Answer:
    """DeleteVpc takes along what came with the network; moto forgets its default ACL."""
    backend.vpcs[request.parameters["VpcId"]].dhcp_options = None  # these stay, and moto would delete them
    answer = tags.forget(request, backend)
    for acl in [one for one in backend.network_acls.values() if one.vpc_id == request.parameters["VpcId"]]:
        del backend.network_acls[acl.id]
    return answer


def create_subnet(request: Request, backend: Any) -> Answer:
    """CreateSubnet: a subnet that a caller makes is never the default of its zone."""
    cidr = _network(request.parameters.get("CidrBlock"))
    if ipaddress.IPv4Network(cidr).prefixlen > _SMALLEST:
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{cidr}' is invalid.")
    parameters = {**request.parameters, "CidrBlock": cidr}
    zone = _zone(parameters, backend)
    if zone is not None:
        parameters.pop("AvailabilityZoneId", None)
        parameters["AvailabilityZone"] = zone
    if parameters.get("Ipv6CidrBlock"):
        _check_ipv6(backend, parameters)
    there = sum(one.vpc_id == parameters.get("VpcId") for one in moto.subnets(backend))
    _check_quota(request, "Subnet", there, "SubnetLimitExceeded", "subnets")
    answer = request.ask_moto(parameters)
    subnet = moto.find_subnet(backend, answer["Subnet"]["SubnetId"])
    subnet.default_for_az = subnet.map_public_ip_on_launch = False
    _pending(request, "subnet", subnet)
    return {**answer, "Subnet": _with_flags(request, _subnet(request, backend, subnet))}


def _check_ipv6(backend: Any, parameters: Mapping[str, Any]) -> None:
    """A range of IPv6 lies in one that the network has; moto looks at neither."""
    vpc = backend.vpcs.get(parameters.get("VpcId"))
    try:
        wanted = ipaddress.IPv6Network(str(parameters["Ipv6CidrBlock"]))
    except ValueError as error:
        raise AwsError("InvalidParameterValue", f"{error}: this is not a valid CIDR block.") from error
    ranges = [] if vpc is None else vpc.get_cidr_block_association_set(ipv6=True)
    has = [one["cidr_block"] for one in ranges if one["cidr_block_state"]["state"] == "associated"]
    if not any(wanted.subnet_of(ipaddress.IPv6Network(one)) for one in has):
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{wanted}' is invalid.")


def delete_subnet(request: Request, backend: Any) -> Answer:
    """DeleteSubnet takes along the associations with its route table and its ACL."""
    answer = tags.forget(request, backend)
    forget_acl(backend, str(request.parameters["SubnetId"]))
    forget_subnet(backend, str(request.parameters["SubnetId"]))
    return answer


def _zone(parameters: Mapping[str, Any], backend: Any) -> str | None:
    """The zone of the region that a subnet shall be in; None: AWS chooses. moto takes zones of all regions."""
    zones = {one.name: one.zone_id for one in backend.describe_availability_zones()}
    name, zone_id = parameters.get("AvailabilityZone"), parameters.get("AvailabilityZoneId")
    if name and zone_id:  # unverified, also where the two agree
        raise AwsError(
            "InvalidParameterCombination",
            "Only one of availabilityZone and availabilityZoneId can be given.",
        )
    if zone_id:
        name = next((key for key, value in zones.items() if value == zone_id), None)
    if name in zones or not (name or zone_id):
        return name
    parameter, value = ("availabilityZoneId", zone_id) if zone_id else ("availabilityZone", name)
    raise AwsError(
        "InvalidParameterValue",
        f"Value ({value}) for parameter {parameter} is invalid. Subnets can currently only be created in the following "
        f"availability zones: {', '.join(zones)}.",
    )


# what moto takes for a subnet and does not show again: parameter -> path in the subnet
_FLAGS: Mapping[str, tuple[str, ...]] = {
    "EnableDns64": ("EnableDns64",),
    "EnableLniAtDeviceIndex": ("EnableLniAtDeviceIndex",),
    "EnableResourceNameDnsAAAARecordOnLaunch": (
        "PrivateDnsNameOptionsOnLaunch",
        "EnableResourceNameDnsAAAARecord",
    ),
    "PrivateDnsHostnameTypeOnLaunch": ("PrivateDnsNameOptionsOnLaunch", "HostnameType"),
}


def _with_flags(request: Request, subnet: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"EnableDns64": False, **subnet}
    for (name, *inner), value in request.world.facts.get(subnet["SubnetId"], {}).get("flags", {}).items():
        shown[name] = {**shown.get(name, {}), inner[0]: value} if inner else value
    return shown


def describe_subnets(request: Request, backend: Any) -> Answer:
    """DescribeSubnets, all of them; ids, filters and pages are `listings.py`'s."""
    return {
        "Subnets": [_with_flags(request, _subnet(request, backend, one)) for one in moto.subnets(backend)]
    }


def _subnet(request: Request, backend: Any, subnet: Any) -> dict[str, Any]:
    """A subnet of moto's, whose own answers take five times as long and garble the state of an IPv6 CIDR."""
    return {
        "AssignIpv6AddressOnCreation": subnet.assign_ipv6_address_on_creation,
        "AvailabilityZone": subnet.availability_zone,
        "AvailabilityZoneId": subnet.availability_zone_id,
        "AvailableIpAddressCount": subnet.available_ip_address_count,
        "CidrBlock": subnet.cidr_block,
        "DefaultForAz": subnet.default_for_az,
        "Ipv6CidrBlockAssociationSet": [
            {
                "AssociationId": one["associationId"],
                "Ipv6CidrBlock": one["ipv6CidrBlock"],
                "Ipv6CidrBlockState": one["ipv6CidrBlockState"],
            }
            for one in subnet.ipv6_cidr_block_associations.values()
        ],
        "Ipv6Native": subnet.ipv6_native,
        "MapPublicIpOnLaunch": subnet.map_public_ip_on_launch,
        "OwnerId": request.account,
        "PrivateDnsNameOptionsOnLaunch": subnet.private_dns_name_options_on_launch,
        "State": subnet.state,
        "SubnetArn": f"arn:{request.partition}:ec2:{request.region}:{request.account}:subnet/{subnet.id}",
        "SubnetId": subnet.id,
        "Tags": tags.as_list(backend, subnet.id),
        "VpcId": subnet.vpc_id,
    }


def modify_subnet(request: Request, backend: Any) -> Answer:
    """ModifySubnetAttribute: one attribute per call."""
    (name,) = _attributes(request)
    given = request.parameters[name]
    subnet = moto.find_subnet(backend, str(request.parameters["SubnetId"]))
    if (
        name == "AssignIpv6AddressOnCreation"
        and given.get("Value")
        and not subnet.ipv6_cidr_block_associations
    ):
        raise AwsError(  # the code is unverified
            "InvalidParameterValue",
            "Invalid value 'true' for assignIpv6AddressOnCreation: no IPv6 CIDR block.",
        )
    if name not in _FLAGS:
        return request.ask_moto(request.parameters)
    value = given.get("Value") if isinstance(given, Mapping) else given
    if name == "PrivateDnsHostnameTypeOnLaunch" and value not in ("ip-name", "resource-name"):
        raise AwsError("InvalidParameterValue", f"Value ({value}) for parameter {name} is invalid.")
    facts = request.world.facts.setdefault(str(request.parameters["SubnetId"]), {})
    facts.setdefault("flags", {})[_FLAGS[name]] = value
    return {}


def modify_vpc(request: Request, backend: Any) -> Answer:
    """ModifyVpcAttribute: one attribute per call; host names need DNS support (VPC User Guide, "DNS attributes for your
    VPC"; the code of the refusal is unverified)."""
    (name,) = _attributes(request)
    vpc = backend.vpcs[request.parameters["VpcId"]]
    if name == "EnableDnsHostnames" and request.parameters[name].get("Value") and not vpc.enable_dns_support:
        raise AwsError(
            "InvalidParameterValue", "DNS hostnames can only be enabled if DNS support is enabled."
        )
    if name == "EnableDnsSupport" and not request.parameters[name].get("Value") and vpc.enable_dns_hostnames:
        raise AwsError(
            "InvalidParameterValue", "DNS support stays while DNS hostnames are enabled."
        )  # unverified
    return request.ask_moto(request.parameters)


def _attributes(request: Request) -> list[str]:
    """The one attribute that a call names."""
    named = [
        k for k, v in request.parameters.items() if v is not None and k not in ("VpcId", "SubnetId", "DryRun")
    ]
    if len(named) > 1:
        spelt = ", ".join(name[:1].lower() + name[1:] for name in sorted(named))
        raise AwsError(
            "InvalidParameterCombination", f"Fields for multiple attribute types specified: {spelt}"
        )
    if not named:
        raise AwsError("MissingParameter", "The request must contain an attribute to modify.")
    return named


def describe_regions(request: Request, backend: Any) -> Answer:
    """DescribeRegions shows the regions of its own partition; without AllRegions those that are enabled."""
    enabled = request.world.settings.regions
    regions = [
        region
        if enabled is None or region["RegionName"] in enabled
        else {**region, "OptInStatus": "not-opted-in"}
        for region in _all_regions(request)
    ]
    if not request.parameters.get("AllRegions"):
        regions = [region for region in regions if region["OptInStatus"] != "not-opted-in"]
    names = request.parameters.get("RegionNames") or []
    known = {region["RegionName"] for region in regions}
    for name in names:
        if name not in known:
            raise AwsError(
                "InvalidParameterValue", f"Invalid region name(s) provided. Invalid region names: {name}"
            )
    return {"Regions": [region for region in regions if not names or region["RegionName"] in names]}


_regions: dict[str, list[dict[str, Any]]] = {}


def _all_regions(request: Request) -> list[dict[str, Any]]:
    """The regions of the request's partition, which moto takes long to tell and never changes."""
    from moto.utilities.utils import get_partition

    if request.partition not in _regions:
        _regions[request.partition] = [
            region
            for region in request.ask_moto({"AllRegions": True}).get("Regions", [])
            if get_partition(region["RegionName"]) == request.partition
        ]
    return _regions[request.partition]
