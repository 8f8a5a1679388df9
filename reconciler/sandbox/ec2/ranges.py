"""The ranges of a network's addresses beside its first, and its DHCP options: what moto is kinder about than EC2.

Sources: EC2 API reference, AssociateVpcCidrBlock, DisassociateVpcCidrBlock, VpcCidrBlockState, CreateDhcpOptions,
AssociateDhcpOptions, DeleteDhcpOptions, Vpc; error codes InvalidCidrBlock.InUse ("currently has a subnet within"),
InvalidDhcpOptionsID.NotFound, DependencyViolation.  Called by `answers.py`.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import backend as moto
from . import tags
from .missing import DHCP_OPTIONS, VPC, require

_DEFAULT = "default"
# VPC User Guide, "Amazon VPC quotas": IPv6 CIDR blocks per VPC
_MOST_IPV6 = 5


def describe_vpcs(request: Request, backend: Any) -> Answer:
    """DescribeVpcs, all of them: one that was given the default options says so."""
    rows = []
    for row in request.ask_moto({}).get("Vpcs", []):
        facts = request.world.facts.get(row["VpcId"], {})
        ranges = backend.vpcs[row["VpcId"]].get_cidr_block_association_set(ipv6=True)
        shown = {"Ipv6CidrBlockAssociationSet": [_shown(request, one) for one in ranges]} if ranges else {}
        rows.append({**row, **shown, **facts.get("dhcp", {})})
    return {"Vpcs": rows}


def _shown(request: Request, one: dict[str, Any]) -> dict[str, Any]:
    """A range of IPv6; moto shows none that was not Amazon's."""
    return {
        "AssociationId": one["association_id"],
        "Ipv6CidrBlock": one["cidr_block"],
        "Ipv6CidrBlockState": {"State": one["cidr_block_state"]["state"]},
        "NetworkBorderGroup": one.get("ipv6_cidr_block_network_border_group") or request.region,
        "Ipv6Pool": one["ipv6_pool"],
    }


_SOURCES = ("AmazonProvidedIpv6CidrBlock", "Ipv6Pool", "Ipv6IpamPoolId")


def _associate_ipv6(request: Request, vpc: Any) -> dict[str, Any]:
    """A range of IPv6 from one of three sources, which names the range itself unless it is Amazon's."""
    from moto.ec2.utils import random_ipv6_cidr, random_vpc_cidr_association_id

    given = request.parameters
    sources = [name for name in _SOURCES if given.get(name)]
    if len(sources) != 1 or (sources[0] != _SOURCES[0] and not given.get("Ipv6CidrBlock")):
        raise AwsError("InvalidParameterCombination", "A range of IPv6 comes from exactly one source.")
    amazons = sources[0] == _SOURCES[0]
    try:
        wanted = ipaddress.IPv6Network(
            random_ipv6_cidr() if amazons else str(given["Ipv6CidrBlock"]), strict=False
        )
    except ValueError as error:
        raise AwsError("InvalidParameterValue", f"{error}: this is not a valid CIDR block.") from error
    there = vpc.get_cidr_block_association_set(ipv6=True)
    if len([one for one in there if one["cidr_block_state"]["state"] != "disassociated"]) >= _MOST_IPV6:
        raise AwsError(
            "CidrLimitExceeded", f"This network '{vpc.id}' has met its maximum number of allowed CIDRs"
        )
    made = {
        "association_id": random_vpc_cidr_association_id(),
        "cidr_block": str(wanted),
        "cidr_block_state": {"state": "associating", "StatusMessage": None},
        "ipv6_pool": "Amazon" if amazons else given.get("Ipv6Pool") or "IPAM Managed",
        "ipv6_cidr_block_network_border_group": given.get("Ipv6CidrBlockNetworkBorderGroup"),
    }
    vpc._cidr_block_association_set[made["association_id"]] = made
    return {"VpcId": vpc.id, "Ipv6CidrBlockAssociation": _shown(request, made)}


def associate(request: Request, backend: Any) -> Answer:
    """AssociateVpcCidrBlock: associating, then associated."""
    vpc = require(backend, VPC, str(request.parameters.get("VpcId")))
    given = request.parameters
    if given.get("CidrBlock"):
        try:
            wanted = ipaddress.IPv4Network(str(given["CidrBlock"]), strict=False)
        except ValueError as error:
            raise AwsError("InvalidParameterValue", f"{error}: this is not a valid CIDR block.") from error
        if not 16 <= wanted.prefixlen <= 28:
            raise AwsError("InvalidVpc.Range", f"The CIDR '{wanted}' is invalid.")
        for there in vpc.get_cidr_block_association_set():
            if there["cidr_block_state"]["state"] != "disassociated" and wanted.overlaps(
                ipaddress.IPv4Network(there["cidr_block"])
            ):
                raise AwsError("InvalidVpc.Range", f"The CIDR '{wanted}' conflicts with another of its VPC.")
        given = {**given, "CidrBlock": str(wanted)}
    answer = request.ask_moto(given) if given.get("CidrBlock") else _associate_ipv6(request, vpc)
    made = answer.get("CidrBlockAssociation") or answer["Ipv6CidrBlockAssociation"]
    state = vpc._cidr_block_association_set[made["AssociationId"]]["cidr_block_state"]
    state["state"] = "associating"

    def effect() -> None:
        if state["state"] == "associating":
            state["state"] = "associated"

    request.world.timeline.after(request.world.settings.delays.of("vpc-cidr", "associating"), effect)
    return answer


def disassociate(request: Request, backend: Any) -> Answer:
    """DisassociateVpcCidrBlock: not while a subnet lies within, and not the first."""
    association = str(request.parameters.get("AssociationId"))
    vpc = next((one for one in backend.vpcs.values() if association in one._cidr_block_association_set), None)
    if vpc is None:
        raise AwsError(
            "InvalidVpcCidrBlockAssociationID.NotFound", f"The association ID '{association}' does not exist"
        )
    network = ipaddress.ip_network(vpc._cidr_block_association_set[association]["cidr_block"])
    for subnet in moto.subnets(backend):
        theirs = [one["ipv6CidrBlock"] for one in subnet.ipv6_cidr_block_associations.values()]
        within = [ipaddress.ip_network(one) for one in (subnet.cidr_block, *theirs)]
        if subnet.vpc_id == vpc.id and any(
            one.version == network.version and one.overlaps(network) for one in within
        ):
            raise AwsError(
                "InvalidCidrBlock.InUse",
                f"The vpc {vpc.id} currently has a subnet within CIDR block {network}",
            )
    if network.version == 4:
        return request.ask_moto(request.parameters)
    found = vpc._cidr_block_association_set[association]
    found["cidr_block_state"]["state"] = "disassociating"

    def effect() -> None:
        vpc._cidr_block_association_set.pop(association, None)

    request.world.timeline.after(request.world.settings.delays.of("vpc-cidr", "disassociating"), effect)
    return {"VpcId": vpc.id, "Ipv6CidrBlockAssociation": _shown(request, found)}


def create_options(request: Request, backend: Any) -> Answer:
    """CreateDhcpOptions has no ClientToken: two calls make two sets.  moto loses the tags."""
    made = request.ask_moto(request.parameters)["DhcpOptions"]["DhcpOptionsId"]
    for key, value in tags.specified(request, "dhcp-options").items():
        backend.tags[made][key] = value
    return {"DhcpOptions": next(one for one in _all(request, backend) if one["DhcpOptionsId"] == made)}


def describe_options(request: Request, backend: Any) -> Answer:
    """DescribeDhcpOptions, all of them."""
    return {"DhcpOptions": _all(request, backend)}


def _all(request: Request, backend: Any) -> list[dict[str, Any]]:
    return [
        {
            "DhcpOptionsId": one.id,
            "OwnerId": request.account,
            "DhcpConfigurations": one.dhcp_configurations,
            "Tags": tags.as_list(backend, one.id),
        }
        for one in backend.dhcp_options_sets.values()
    ]


def associate_options(request: Request, backend: Any) -> Answer:
    """AssociateDhcpOptions: "default" takes them away."""
    wanted, vpc_id = str(request.parameters.get("DhcpOptionsId")), str(request.parameters.get("VpcId"))
    vpc = require(backend, VPC, vpc_id)
    vpc.dhcp_options = None if wanted == _DEFAULT else require(backend, DHCP_OPTIONS, wanted)
    request.world.facts.setdefault(vpc_id, {})["dhcp"] = {"DhcpOptionsId": wanted}
    return {}


def delete_options(request: Request, backend: Any) -> Answer:
    """DeleteDhcpOptions: not while any network has them; moto remembers only the last that was given them."""
    wanted = str(request.parameters.get("DhcpOptionsId"))
    options = require(backend, DHCP_OPTIONS, wanted)
    if any(vpc.dhcp_options is options for vpc in backend.vpcs.values()):
        raise AwsError(
            "DependencyViolation", f"The dhcpOptions '{wanted}' has dependencies and cannot be deleted."
        )
    del backend.dhcp_options_sets[wanted]
    backend.tags.pop(wanted, None)
    return {}
