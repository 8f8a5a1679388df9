"""Network ACLs: what moto is kinder about than EC2, and does not show.

Sources: EC2 API reference, CreateNetworkAclEntry, ReplaceNetworkAclEntry, DeleteNetworkAclEntry,
ReplaceNetworkAclAssociation, NetworkAclEntry; VPC User Guide, "Network ACLs" (a new ACL refuses everything; rule
numbers are 1 to 32766); error codes NetworkAclEntryAlreadyExists, InvalidNetworkAclEntry.NotFound.  Called by
`answers.py`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import tags
from .missing import NETWORK_ACL, require

_LAST, _REFUSING_THE_REST = 32766, 32767
_NAMES = {"all": "-1", "icmp": "1", "tcp": "6", "udp": "17", "icmpv6": "58"}


def create(request: Request, backend: Any) -> Answer:
    """CreateNetworkAcl: it has the entries that refuse everything, which moto leaves out."""
    made = request.ask_moto(request.parameters)["NetworkAcl"]
    acl = backend.network_acls[made["NetworkAclId"]]
    for egress in (True, False):
        backend.create_network_acl_entry(
            acl.id, _REFUSING_THE_REST, "-1", "deny", egress, "0.0.0.0/0", None, None, None, None, None
        )
    token = {"ClientToken": request.parameters["ClientToken"]} if "ClientToken" in request.parameters else {}
    return {"NetworkAcl": _acl(request, backend, acl), **token}


def describe(request: Request, backend: Any) -> Answer:
    """DescribeNetworkAcls, all of them."""
    return {"NetworkAcls": [_acl(request, backend, one) for one in backend.network_acls.values()]}


def _acl(request: Request, backend: Any, acl: Any) -> dict[str, Any]:
    return {
        "NetworkAclId": acl.id,
        "VpcId": acl.vpc_id,
        "IsDefault": acl.default,
        "OwnerId": request.account,
        "Associations": [
            {"NetworkAclAssociationId": one.id, "NetworkAclId": acl.id, "SubnetId": one.subnet_id}
            for one in acl.associations
        ],
        "Entries": [
            _shown(one) for one in sorted(acl.entries, key=lambda one: (one.egress, one.rule_number))
        ],
        "Tags": tags.as_list(backend, acl.id),
    }


def _shown(entry: Any) -> dict[str, Any]:
    shown = {
        "CidrBlock": entry.cidr_block,
        "Egress": entry.egress,
        "IcmpTypeCode": entry.icmp_type_code,
        "Ipv6CidrBlock": entry.ipv6_cidr_block,
        "PortRange": entry.port_range,
        "Protocol": entry.protocol,
        "RuleAction": entry.rule_action,
        "RuleNumber": entry.rule_number,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _find(acl: Any, parameters: Mapping[str, Any]) -> Any:
    number, egress = parameters.get("RuleNumber"), bool(parameters.get("Egress"))
    return next(
        (one for one in acl.entries if one.rule_number == number and bool(one.egress) is egress), None
    )


def _missing(parameters: Mapping[str, Any]) -> AwsError:
    way = "egress" if parameters.get("Egress") else "ingress"
    return AwsError(
        "InvalidNetworkAclEntry.NotFound",
        f"The network acl entry with rule number '{parameters.get('RuleNumber')}' and {way} does not exist",
    )


def create_entry(request: Request, backend: Any) -> Answer:
    """CreateNetworkAclEntry."""
    acl = require(backend, NETWORK_ACL, str(request.parameters.get("NetworkAclId")))
    given = _checked(request.parameters)
    if _find(acl, request.parameters) is not None:
        raise AwsError(
            "NetworkAclEntryAlreadyExists",
            f"The network acl entry identified by {request.parameters['RuleNumber']} already exists.",
        )
    backend.create_network_acl_entry(acl.id, **given)
    return {}


def replace_entry(request: Request, backend: Any) -> Answer:
    """ReplaceNetworkAclEntry: the whole of it."""
    acl = require(backend, NETWORK_ACL, str(request.parameters.get("NetworkAclId")))
    given = _checked(request.parameters)
    if (there := _find(acl, request.parameters)) is None:
        raise _missing(request.parameters)
    acl.network_acl_entries.remove(there)
    backend.create_network_acl_entry(acl.id, **given)
    return {}


def delete_entry(request: Request, backend: Any) -> Answer:
    """DeleteNetworkAclEntry: those that refuse the rest stay."""
    acl = require(backend, NETWORK_ACL, str(request.parameters.get("NetworkAclId")))
    there = _find(acl, request.parameters)
    if there is None or there.rule_number > _LAST:
        raise _missing(request.parameters)
    acl.network_acl_entries.remove(there)
    return {}


def _checked(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as moto's store takes it, normalised; what is wrong with it is refused."""
    number = int(parameters.get("RuleNumber") or 0)
    if not 1 <= number <= _LAST:
        raise AwsError(
            "InvalidParameterValue", f"Value ({number}) for parameter ruleNumber is invalid. 1 to {_LAST}"
        )
    protocol = str(parameters.get("Protocol")).lower()
    protocol = _NAMES.get(protocol, protocol)
    ports, types = parameters.get("PortRange") or {}, parameters.get("IcmpTypeCode") or {}
    if protocol in {"6", "17"} and not ports:
        raise AwsError("MissingParameter", "The request must contain the parameter portRange")
    if protocol in {"1", "58"} and not types:
        raise AwsError("MissingParameter", "The request must contain the parameter icmpTypeCode")
    cidrs = [parameters.get("CidrBlock"), parameters.get("Ipv6CidrBlock")]
    if sum(map(bool, cidrs)) != 1:
        raise AwsError("MissingParameter", "Either cidrBlock or ipv6CidrBlock must be given.")
    try:
        v4, v6 = (str(ipaddress.ip_network(str(one), strict=False)) if one else None for one in cidrs)
    except ValueError as error:
        raise AwsError("InvalidParameterValue", f"{error}: this is not a valid CIDR block.") from error
    with_ports, with_types = protocol in {"6", "17"}, protocol in {"1", "58"}
    return {
        "rule_number": number,
        "protocol": protocol,
        "rule_action": parameters["RuleAction"],
        "egress": bool(parameters["Egress"]),
        "cidr_block": v4,
        "ipv6_cidr_block": v6,
        "icmp_code": types.get("Code") if with_types else None,
        "icmp_type": types.get("Type") if with_types else None,
        "port_range_from": ports.get("From") if with_ports else None,
        "port_range_to": ports.get("To") if with_ports else None,
    }


def replace_association(request: Request, backend: Any) -> Answer:
    """ReplaceNetworkAclAssociation: a subnet passes from one ACL of its network to another, under another id."""
    acl = require(backend, NETWORK_ACL, str(request.parameters.get("NetworkAclId")))
    association = str(request.parameters.get("AssociationId"))
    before = next((one for one in backend.network_acls.values() if association in one._associations), None)
    if before is None:
        raise AwsError("InvalidAssociationID.NotFound", f"The association ID '{association}' does not exist")
    if before.vpc_id != acl.vpc_id:
        raise AwsError(
            "InvalidParameterValue", f"Network ACLs {before.id} and {acl.id} belong to different networks"
        )
    return request.ask_moto(request.parameters)


def forget_subnet(backend: Any, subnet_id: str) -> None:
    """A subnet's association goes with it, which moto does not see to."""
    for acl in backend.network_acls.values():
        for key in [key for key, one in acl._associations.items() if one.subnet_id == subnet_id]:
            del acl._associations[key]
