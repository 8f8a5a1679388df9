"""Tags of EC2 things: what may be written, at creation and later.

Sources: EC2 User Guide, "Tag your Amazon EC2 resources": 50 tags per resource, keys of at most 128 characters, values
of at most 256, keys that begin with aws: are reserved; EC2 API reference, CreateTags, DeleteTags, TagSpecification;
error codes TagLimitExceeded and InvalidID.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from .missing import BY_PREFIX, require

_MOST = 50

# What the TagSpecifications of a create may name; operations that are not here take what moto takes.
# Source: EC2 API reference, the TagSpecification.N text of each operation.
_TAGGABLE: Mapping[str, tuple[str, ...]] = {
    "CreateVpc": ("vpc",),
    "CreateSubnet": ("subnet",),
    "CreateSecurityGroup": ("security-group",),
    "AuthorizeSecurityGroupIngress": ("security-group-rule",),
    "AuthorizeSecurityGroupEgress": ("security-group-rule",),
    "RunInstances": ("instance", "volume", "network-interface", "spot-instances-request", "elastic-gpu"),
    "AllocateAddress": ("elastic-ip",),
    "CreateEgressOnlyInternetGateway": ("egress-only-internet-gateway",),
    "CreateInternetGateway": ("internet-gateway",),
    "CreateRouteTable": ("route-table",),
    "CreateNatGateway": ("natgateway",),
    "CreateVpcPeeringConnection": ("vpc-peering-connection",),
    "CreateVpcEndpoint": ("vpc-endpoint",),
    "CreateDhcpOptions": ("dhcp-options",),
    "CreateNetworkAcl": ("network-acl",),
    "CreateNetworkInterface": ("network-interface",),
    "CreateVolume": ("volume",),
    "CreateCustomerGateway": ("customer-gateway",),
    "CreateVpnGateway": ("vpn-gateway",),
    "CreateVpnConnection": ("vpn-connection",),
    "CreateTransitGateway": ("transit-gateway",),
    "CreateTransitGatewayVpcAttachment": ("transit-gateway-attachment",),
    "CreateTransitGatewayPeeringAttachment": ("transit-gateway-attachment",),
    "CreateTransitGatewayConnect": ("transit-gateway-attachment",),
    "CreateTransitGatewayConnectPeer": ("transit-gateway-connect-peer",),
    "CreateTransitGatewayRouteTable": ("transit-gateway-route-table",),
    "CreatePlacementGroup": ("placement-group",),
    "ImportKeyPair": ("key-pair",),
    "CreateCapacityReservation": ("capacity-reservation",),
    "CreateLaunchTemplate": ("launch-template",),
}

# id prefix -> resource type, where moto's own names differ or are missing
_TYPES: Mapping[str, str] = {
    "i": "instance",
    "vpc": "vpc",
    "subnet": "subnet",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "eni": "network-interface",
    "vol": "volume",
    "igw": "internet-gateway",
    "eigw": "egress-only-internet-gateway",
    "rtb": "route-table",
    "nat": "natgateway",
    "acl": "network-acl",
    "vpce": "vpc-endpoint",
    "pcx": "vpc-peering-connection",
    "dopt": "dhcp-options",
    "eipalloc": "elastic-ip",
    "pl": "prefix-list",
    "fl": "vpc-flow-log",
    "ami": "image",
    "cgw": "customer-gateway",
    "vgw": "vpn-gateway",
    "vpn": "vpn-connection",
    "tgw": "transit-gateway",
    "tgw-attach": "transit-gateway-attachment",
    "tgw-rtb": "transit-gateway-route-table",
    "tgw-connect-peer": "transit-gateway-connect-peer",
    "pg": "placement-group",
    "key": "key-pair",
    "cr": "capacity-reservation",
    "lt": "launch-template",
}


def check_tag(key: str, value: str) -> None:
    """InvalidParameterValue for a reserved or over-long key or value."""
    if key.lower().startswith("aws:"):
        raise AwsError(
            "InvalidParameterValue",
            f"Tag keys starting with 'aws:' are reserved for internal use: {key}",
        )
    if not 1 <= len(key) <= 128:
        raise AwsError("InvalidParameterValue", "Tag key exceeds the maximum length of 128 characters")
    if len(value) > 256:
        raise AwsError("InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters")


def check_specifications(request: Request) -> None:
    """Raises for TagSpecifications that name a type the operation does not make, one type twice, or bad tags."""
    seen = set()
    for specification in request.parameters.get("TagSpecifications") or []:
        kind = specification.get("ResourceType")
        allowed = _TAGGABLE.get(request.operation)
        if kind is None:
            raise AwsError("InvalidParameterValue", "Tag specification resource type must have a value")
        if allowed is not None and kind not in allowed:
            raise AwsError(
                "InvalidParameterValue",
                f"'{kind}' is not a valid taggable resource type for this operation.",
            )
        if kind in seen:
            raise AwsError("InvalidParameterValue", f"Duplicate tag specification for resource type '{kind}'")
        seen.add(kind)
        tags = specification.get("Tags") or []
        if not tags:
            raise AwsError("InvalidParameterValue", "Tag specification must have at least one tag")
        keys = [str(tag.get("Key") or "") for tag in tags]
        for key in keys:
            if keys.count(key) > 1:
                raise AwsError("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")
        for tag in tags:
            check_tag(str(tag.get("Key") or ""), str(tag.get("Value") or ""))
        if len(tags) > _MOST:
            raise _too_many()


def specified(request: Request, kind: str) -> dict[str, str]:
    """The tags that a create asks for on things of one type."""
    return {
        str(tag["Key"]): str(tag.get("Value") or "")
        for specification in request.parameters.get("TagSpecifications") or []
        if specification.get("ResourceType") == kind
        for tag in specification.get("Tags") or []
    }


def as_list(backend: Any, resource_id: str) -> list[dict[str, str]]:
    """The tags of a thing as answers show them."""
    return [{"Key": key, "Value": value} for key, value in dict(backend.tags.get(resource_id) or {}).items()]


def _too_many() -> AwsError:
    return AwsError(
        "TagLimitExceeded", f"The maximum number of Tags for a resource has been reached ({_MOST})"
    )


def _resources(request: Request, backend: Any) -> list[str]:
    resources = [str(one) for one in request.parameters.get("Resources") or []]
    if not resources:
        raise AwsError("MissingParameter", "The request must contain the parameter resourceIdSet")
    for resource in resources:
        prefix, _, rest = resource.rpartition("-")
        if not prefix or not rest:
            raise AwsError("InvalidID", f"The ID '{resource}' is not valid")
        kind = BY_PREFIX.get(prefix)
        if kind is not None:
            require(backend, kind, resource)
    return resources


def create_tags(request: Request, backend: Any) -> Answer:
    """Sets tags on all the things or on none; values of keys that are there are replaced."""
    resources = _resources(request, backend)
    tags = {
        str(tag.get("Key") or ""): str(tag.get("Value") or "") for tag in request.parameters.get("Tags") or []
    }
    if not tags:
        raise AwsError("MissingParameter", "The request must contain the parameter tagSet")
    for key, value in tags.items():
        check_tag(key, value)
    for resource in resources:
        if len({*dict(backend.tags.get(resource) or {}), *tags}) > _MOST:
            raise _too_many()
    unknown = [resource for resource in resources if resource.rpartition("-")[0] not in BY_PREFIX]
    if unknown:  # types that are not looked up here: moto knows whether they exist
        request.ask_moto(request.parameters)
    for resource in resources:
        for key, value in tags.items():
            backend.tags[resource][key] = value
    return {}


def delete_tags(request: Request, backend: Any) -> Answer:
    """Removes tags by key, or by key and value; without tags, all that are not reserved."""
    resources = _resources(request, backend)
    for tag in request.parameters.get("Tags") or []:
        check_tag(str(tag.get("Key") or ""), "")
    for resource in resources:
        there: dict[str, str] = backend.tags.get(resource) or {}
        wanted = request.parameters.get("Tags") or [
            {"Key": key} for key in there if not key.startswith("aws:")
        ]
        for tag in list(wanted):
            if tag["Key"] in there and tag.get("Value") in (None, there[tag["Key"]]):
                del there[tag["Key"]]
    return {}


def describe_tags(request: Request, backend: Any) -> Answer:
    """All tags of all things in the region, also of those that are dead."""
    moto = request.ask_moto({})
    return {
        "Tags": [
            {**tag, "ResourceType": _TYPES.get(tag["ResourceId"].rpartition("-")[0], tag["ResourceType"])}
            for tag in moto.get("Tags", [])
        ]
    }


# deletes after which the thing is no longer listed: its tags go with it, which moto does not do
GONE_WITH: Mapping[str, str] = {
    "ReleaseAddress": "AllocationId",
    "DeleteVpc": "VpcId",
    "DeleteSubnet": "SubnetId",
    "DeleteSecurityGroup": "GroupId",
    "DeleteInternetGateway": "InternetGatewayId",
    "DeleteEgressOnlyInternetGateway": "EgressOnlyInternetGatewayId",
    "DeleteRouteTable": "RouteTableId",
    "DeleteNetworkAcl": "NetworkAclId",
    "DeleteNetworkInterface": "NetworkInterfaceId",
    "DeleteVolume": "VolumeId",
}


def forget(request: Request, backend: Any) -> Answer:
    """Deletes a thing in moto, and its tags."""
    answer = request.ask_moto(request.parameters)
    backend.tags.pop(request.parameters.get(GONE_WITH[request.operation]), None)
    return answer
