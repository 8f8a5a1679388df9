"""VPCs and subnets: what moto gets wrong about creating and modifying them.

Source: EC2 API reference, CreateVpc, CreateSubnet, ModifyVpcAttribute, ModifySubnetAttribute; VPC User Guide.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import backend as moto
from .groups import give_default_group_its_rule


def _network(cidr: Any) -> str:
    """A CIDR with its host bits cleared, /16 to /28."""
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


def create_vpc(request: Request, backend: Any) -> Answer:
    """CreateVpc has no ClientToken: two calls make two networks."""
    parameters = dict(request.parameters)
    if parameters.get("CidrBlock"):
        parameters["CidrBlock"] = _network(parameters["CidrBlock"])
    answer = request.ask_moto(parameters)
    vpc = backend.vpcs[answer["Vpc"]["VpcId"]]
    _pending(request, "vpc", vpc)
    give_default_group_its_rule(backend)
    return {**answer, "Vpc": {**answer["Vpc"], "State": "pending"}}


def create_subnet(request: Request, backend: Any) -> Answer:
    """CreateSubnet: a subnet that a caller makes is never the default of its zone."""
    parameters = dict(request.parameters)
    if parameters.get("CidrBlock"):
        parameters["CidrBlock"] = _network(parameters["CidrBlock"])
    answer = request.ask_moto(parameters)
    subnet = moto.find_subnet(backend, answer["Subnet"]["SubnetId"])
    subnet.default_for_az = subnet.map_public_ip_on_launch = False
    _pending(request, "subnet", subnet)
    corrected = {"State": "pending", "DefaultForAz": False, "MapPublicIpOnLaunch": False}
    return {**answer, "Subnet": {**answer["Subnet"], **corrected}}


def one_attribute(request: Request, backend: Any) -> None:
    """ModifyVpcAttribute and ModifySubnetAttribute take one attribute per call."""
    named = [
        k for k, v in request.parameters.items() if v is not None and k not in ("VpcId", "SubnetId", "DryRun")
    ]
    if len(named) > 1:
        raise AwsError(
            "InvalidParameterCombination",
            "The request must contain exactly one attribute; found " + ", ".join(sorted(named)) + ".",
        )
    if not named:
        raise AwsError("MissingParameter", "The request must contain an attribute to modify.")


def describe_regions(request: Request, backend: Any) -> Answer:
    """DescribeRegions shows the regions of its own partition; without AllRegions those that are enabled."""
    from moto.utilities.utils import get_partition

    asked = {"AllRegions": request.parameters.get("AllRegions")}
    regions = [
        region
        for region in request.ask_moto(asked).get("Regions", [])
        if get_partition(region["RegionName"]) == request.partition
        and (asked["AllRegions"] or region["OptInStatus"] != "not-opted-in")
    ]
    names = request.parameters.get("RegionNames") or []
    known = {region["RegionName"] for region in regions}
    for name in names:
        if name not in known:
            raise AwsError(
                "InvalidParameterValue", f"Invalid region name(s) provided. Invalid region names: {name}"
            )
    return {"Regions": [region for region in regions if not names or region["RegionName"] in names]}
