"""Internet gateways, NAT gateways and elastic addresses: what moto is kinder about than EC2.

Source: EC2 API reference, AttachInternetGateway, DetachInternetGateway, AllocateAddress, AssociateAddress,
DisassociateAddress, ReleaseAddress, CreateNatGateway, DeleteNatGateway, NatGatewayAddress; VPC User Guide,
"Troubleshoot NAT gateways".  Called by `answers.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import backend as moto
from . import tags
from .missing import ADDRESS, INSTANCE, NAT, SUBNET, VPC, require

# Quotas of Amazon VPC: 5 elastic addresses per region; AddressLimitExceeded
_ADDRESSES = "ElasticIp"


def attach(request: Request, backend: Any) -> Answer:
    """AttachInternetGateway: a network has one gateway at most, which moto does not see to."""
    wanted = request.parameters.get("VpcId")
    vpc = require(backend, VPC, str(wanted))
    if any(one.vpc is not None and one.vpc.id == vpc.id for one in backend.internet_gateways.values()):
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"resource {request.parameters.get('InternetGatewayId')} is already attached to network {wanted}",
        )
    return request.ask_moto(request.parameters)


def has_public_addresses(backend: Any, vpc_id: str) -> bool:
    """Whether an elastic address is mapped into a network, or one of its machines has a public one."""
    mapped = any(one.eni is not None and one.eni.subnet.vpc_id == vpc_id for one in backend.addresses)
    return mapped or any(
        one.vpc_id == vpc_id and one.state not in moto.DEAD and getattr(one, "public_ip", None)
        for one in moto.instances(backend)
    )


# ---- addresses


def allocate(request: Request, backend: Any) -> Answer:
    """AllocateAddress has no ClientToken: two calls make two addresses. What groups it belongs to is shown again."""
    there = len(backend.addresses)
    limit = request.world.settings.quota(_ADDRESSES)
    if limit is not None and there >= limit:
        raise AwsError("AddressLimitExceeded", "The maximum number of addresses has been reached.")
    answer = request.ask_moto(request.parameters)
    shown = {
        "NetworkBorderGroup": request.parameters.get("NetworkBorderGroup") or request.region,
        "PublicIpv4Pool": request.parameters.get("PublicIpv4Pool") or "amazon",
    }
    request.world.facts.setdefault(answer["AllocationId"], {})["address"] = shown
    return {**answer, **shown}


def describe_addresses(request: Request, backend: Any) -> Answer:
    """DescribeAddresses, without members that nothing is in."""
    shown = []
    for one in request.ask_moto({}).get("Addresses", []):
        facts = request.world.facts.get(one["AllocationId"], {}).get("address", {})
        there = {name: value for name, value in one.items() if value not in (None, "")}
        shown.append({**there, **facts, "Tags": tags.as_list(backend, one["AllocationId"])})
    return {"Addresses": shown}


def associate(request: Request, backend: Any) -> Answer:
    """AssociateAddress takes an address from whoever has it, unless AllowReassociation says no; moto does not.

    The same association again is the same one (API reference: the operation is idempotent).
    """
    parameters = dict(request.parameters)
    address = require(backend, ADDRESS, str(parameters.get("AllocationId")))
    if parameters.get("InstanceId"):
        instance = require(backend, INSTANCE, str(parameters["InstanceId"]))
        if instance.state not in ("running", "stopped", "stopping"):
            raise AwsError(
                "InvalidInstanceID",
                f"The instance '{instance.id}' is not in a valid state for this operation.",
            )
        if address.instance is instance:
            return {"AssociationId": address.association_id}
        if len(instance.nics) > 1:
            raise AwsError(
                "InvalidInstanceID",
                f"There are multiple interfaces attached to instance '{instance.id}'. Please specify an interface ID "
                "for the operation instead.",
            )
    if _is_of_nat(backend, address):
        raise AwsError("Resource.AlreadyAssociated", f"{address.allocation_id} is used by a NAT gateway")
    parameters.setdefault("AllowReassociation", True)
    return request.ask_moto(parameters)


def disassociate(request: Request, backend: Any) -> Answer:
    """DisassociateAddress: those of NAT gateways are theirs for as long as they live."""
    wanted = request.parameters.get("AssociationId")
    for address in backend.addresses:
        if address.association_id == wanted and _is_of_nat(backend, address):
            raise AwsError("AuthFailure", "You do not have permission to access the specified resource.")
    return request.ask_moto(request.parameters)


def release(request: Request, backend: Any) -> Answer:
    """ReleaseAddress: one that is gone is said to be somebody else's."""
    wanted = str(request.parameters.get("AllocationId"))
    if ADDRESS.find(backend, wanted) is None:
        raise AwsError("AuthFailure", f"The address '{wanted}' does not belong to you.")
    return tags.forget(request, backend)


def _is_of_nat(backend: Any, address: Any) -> bool:
    return address.eni is not None and any(
        one._eni is address.eni and one.state != "deleted" for one in backend.nat_gateways.values()
    )


# ---- NAT gateways


def create_nat(request: Request, backend: Any) -> Answer:
    """CreateNatGateway: pending, then available, or failed for what EC2 only finds out by then."""
    parameters = {"ConnectivityType": "public", **request.parameters}
    public = parameters["ConnectivityType"] == "public"
    subnet = require(backend, SUBNET, str(parameters.get("SubnetId")))
    if public and not parameters.get("AllocationId"):
        raise AwsError("MissingParameter", "The request must contain the parameter AllocationId")
    failure: tuple[str, str] | None = None
    if public:
        address = require(backend, ADDRESS, str(parameters["AllocationId"]))
        if address.association_id:
            failure = (
                "Resource.AlreadyAssociated",
                f"Elastic IP address [{address.allocation_id}] is already associated",
            )
        elif not any(
            one.vpc is not None and one.vpc.id == subnet.vpc_id for one in backend.internet_gateways.values()
        ):
            failure = (
                "Gateway.NotAttached",
                f"Network {subnet.vpc_id} has no Internet gateway attached",
            )
    if failure:
        parameters = {**parameters, "ConnectivityType": "private"}
        parameters.pop("AllocationId", None)
    made = request.ask_moto(parameters)["NatGateway"]
    nat = backend.nat_gateways[made["NatGatewayId"]]
    nat.state = "pending"
    nat.connectivity_type = "public" if public else "private"
    fact = request.world.facts.setdefault(nat.id, {})

    def effect() -> None:
        if nat.state != "pending":
            return
        nat.state = "failed" if failure else "available"
        if failure:
            fact["failure"] = dict(zip(("FailureCode", "FailureMessage"), failure, strict=True))
            _let_go(backend, nat)

    request.world.timeline.after(request.world.settings.delays.of("nat-gateway", "pending"), effect)
    token = {"ClientToken": request.parameters["ClientToken"]} if "ClientToken" in request.parameters else {}
    return {"NatGateway": _nat(request, backend, nat.id), **token}


def create_nat_again(request: Request, backend: Any, first: Mapping[str, Any]) -> Answer:
    """A repeated creation is answered with the gateway as it is now."""
    return {**first, "NatGateway": _nat(request, backend, first["NatGateway"]["NatGatewayId"])}


def _let_go(backend: Any, nat: Any) -> None:
    """Its address is free again, and its interface gone."""
    for address in backend.addresses:
        if address.eni is nat._eni:
            address.eni = address.instance = address.association_id = None
    backend.enis.pop(nat._eni.id, None)


def delete_nat(request: Request, backend: Any) -> Answer:
    """DeleteNatGateway: the address is free and the subnet empty only when it is deleted; it stays listed."""
    nat = require(backend, NAT, str(request.parameters.get("NatGatewayId")))
    if nat.state not in ("deleting", "deleted"):
        nat.state = "deleting"

        def effect() -> None:
            nat.state = "deleted"
            _let_go(backend, nat)

        request.world.timeline.after(request.world.settings.delays.of("nat-gateway", "deleting"), effect)
    return {"NatGatewayId": nat.id}


def describe_nats(request: Request, backend: Any) -> Answer:
    """DescribeNatGateways."""
    return {
        "NatGateways": [_shown(request, backend, one) for one in request.ask_moto({}).get("NatGateways", [])]
    }


def _nat(request: Request, backend: Any, id: str) -> dict[str, Any]:
    rows = request.ask_moto({}, "DescribeNatGateways").get("NatGateways", [])
    return next(_shown(request, backend, one) for one in rows if one["NatGatewayId"] == id)


def _shown(request: Request, backend: Any, plain: Mapping[str, Any]) -> dict[str, Any]:
    done = plain["State"] in ("available", "deleting")
    addresses = [
        {**one, "IsPrimary": True, "Status": "succeeded" if done else "associating"}
        for one in plain.get("NatGatewayAddresses", [])
    ]
    return {
        **plain,
        "AvailabilityMode": "zonal",
        "NatGatewayAddresses": addresses,
        "Tags": tags.as_list(backend, plain["NatGatewayId"]),
        **request.world.facts.get(plain["NatGatewayId"], {}).get("failure", {}),
    }
