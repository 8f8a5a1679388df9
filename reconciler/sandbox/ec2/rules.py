"""Security group rules: what makes two of them the same, and how they read back.

Sources: EC2 API reference, IpPermission and SecurityGroupRule; VPC User Guide, "Security group rules". A rule is its
direction, protocol, ports and one source; its description is not part of it. Protocols read back by name, ports of
protocols without ports are dropped (-1 in rule objects), host bits of a CIDR are cleared.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import AwsError
from . import backend as moto
from .missing import GROUP, PREFIX_LIST, require

# EC2 API reference, IpRange: up to 255 characters of a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*
_DESCRIPTION = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")
_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1", "-1": "-1"}
_WITH_PORTS = ("tcp", "udp")
_WITH_TYPES = ("icmp", "icmpv6")


@dataclass(frozen=True)
class Rule:
    """One rule as the request means it. `kind` says what `source` is: CidrIpv4, CidrIpv6, GroupId or PrefixListId."""

    protocol: str
    from_port: int | None
    to_port: int | None
    kind: str
    source: str
    description: str | None = None

    @property
    def key(self) -> tuple[str, int | None, int | None, str, str]:
        """What makes it the same as another one of its direction."""
        return (self.protocol, self.from_port, self.to_port, self.kind, self.source)


def protocol_of(given: Any) -> str:
    """A protocol as it reads back; InvalidParameterValue if there is none such."""
    if given is None or given == "":
        raise AwsError("MissingParameter", "The request must contain the parameter ipProtocol")
    name = str(given).lower()
    name = _NAMES.get(name, name)
    if name in (*_WITH_PORTS, *_WITH_TYPES, "-1") or (name.isdigit() and int(name) <= 255):
        return name
    raise AwsError("InvalidParameterValue", f"Invalid value '{given}' for IP protocol. Unknown protocol.")


def ports_of(protocol: str, from_port: Any, to_port: Any) -> tuple[int | None, int | None]:
    """Ports (or ICMP type and code) as they read back; InvalidParameterValue for a bad range."""
    if protocol in _WITH_TYPES:
        kind, code = -1 if from_port is None else int(from_port), -1 if to_port is None else int(to_port)
        if (
            kind == -1 and code != -1
        ):  # API reference: "all ICMP types" go with "all ICMP codes"; the text is unverified
            raise AwsError("InvalidParameterValue", f"ICMP code ({code}) cannot be given for all ICMP types.")
        return kind, code
    if protocol not in _WITH_PORTS:
        return None, None
    if from_port is None or to_port is None:
        raise AwsError(
            "InvalidParameterValue",
            "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.",
        )
    low, high = int(from_port), int(to_port)
    if (low, high) == (-1, -1):
        low, high = 0, 65535
    if not 0 <= low <= high <= 65535:
        raise AwsError("InvalidParameterValue", f"Invalid value '{low}-{high}' for portRange.")
    return low, high


def cidr_of(given: str, version: int) -> str:
    """A CIDR with its host bits cleared; InvalidParameterValue if it is none of that IP version."""
    try:
        network = ipaddress.ip_network(given, strict=False)
    except ValueError as error:
        raise AwsError("InvalidParameterValue", f"CIDR block {given} is malformed") from error
    if network.version != version:
        raise AwsError("InvalidParameterValue", f"CIDR block {given} is malformed")
    return str(network)


def read_permissions(parameters: Mapping[str, Any], backend: Any, group: Any) -> list[Rule]:
    """The rules that a request names, in IpPermissions or in its older, single form; each source is one rule."""
    permissions = parameters.get("IpPermissions")
    if not permissions:
        single = {k: parameters.get(k) for k in ("IpProtocol", "FromPort", "ToPort")}
        if parameters.get("CidrIp"):
            single["IpRanges"] = [{"CidrIp": parameters["CidrIp"]}]
        if parameters.get("SourceSecurityGroupName"):
            single["UserIdGroupPairs"] = [{"GroupName": parameters["SourceSecurityGroupName"]}]
        if single.get("IpRanges") is None and single.get("UserIdGroupPairs") is None:
            raise AwsError("MissingParameter", "The request must contain the parameter ipPermissions")
        permissions = [single]
    found = []
    for permission in permissions:
        named = list(_sources(permission, backend, group))
        if not named:
            raise AwsError(
                "MissingParameter",
                "Missing source specification: include source security group or CIDR information",
            )
        found += named
    _check_together(found)
    return found


def _check_together(found: list[Rule]) -> None:
    for rule in found:
        if not _DESCRIPTION.fullmatch(rule.description or ""):
            raise AwsError(
                "InvalidParameterValue",
                "Invalid rule description. Valid descriptions are strings less than 256 characters from the following "
                "set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
            )
    if len({rule.key for rule in found}) < len(found):
        raise AwsError("InvalidParameterValue", "The same permission must not appear multiple times")


def _sources(permission: Mapping[str, Any], backend: Any, group: Any) -> Iterator[Rule]:
    protocol = protocol_of(permission.get("IpProtocol"))
    low, high = ports_of(protocol, permission.get("FromPort"), permission.get("ToPort"))
    for one in permission.get("IpRanges") or []:
        yield Rule(
            protocol, low, high, "CidrIpv4", cidr_of(str(one.get("CidrIp")), 4), one.get("Description")
        )
    for one in permission.get("Ipv6Ranges") or []:
        yield Rule(
            protocol, low, high, "CidrIpv6", cidr_of(str(one.get("CidrIpv6")), 6), one.get("Description")
        )
    for one in permission.get("UserIdGroupPairs") or []:
        source = _source_group(one, backend, group)
        yield Rule(protocol, low, high, "GroupId", source, one.get("Description"))
    for one in permission.get("PrefixListIds") or []:
        source = str(require(backend, PREFIX_LIST, str(one.get("PrefixListId"))).id)
        yield Rule(protocol, low, high, "PrefixListId", source, one.get("Description"))


def _source_group(pair: Mapping[str, Any], backend: Any, group: Any) -> str:
    if pair.get("GroupId"):
        source = require(backend, GROUP, str(pair["GroupId"]))
        if source.vpc_id != group.vpc_id and not moto.are_peered(backend, source.vpc_id, group.vpc_id):
            raise AwsError(
                "InvalidGroup.NotFound",
                "You have specified two resources that belong to different networks.",
            )
        return str(source.id)
    for other in moto.groups(backend):
        if other.name == pair.get("GroupName") and other.vpc_id == group.vpc_id:
            return str(other.id)
    raise AwsError("InvalidGroup.NotFound", f"The security group '{pair.get('GroupName')}' does not exist")


def of_stored(stored: Any) -> Rule:
    """A rule of moto's store."""
    if stored.ip_range.get("CidrIp"):
        kind, source = "CidrIpv4", cidr_of(stored.ip_range["CidrIp"], 4)
    elif stored.ip_range.get("CidrIpv6"):
        kind, source = "CidrIpv6", cidr_of(stored.ip_range["CidrIpv6"], 6)
    elif stored.source_group:
        kind, source = "GroupId", str(stored.source_group.get("GroupId"))
    else:
        kind, source = "PrefixListId", str(stored.prefix_list_id)
    described = stored.ip_range or stored.source_group
    description = described.get("Description") or getattr(stored, "prefix_list_description", None)
    return Rule(stored.ip_protocol, stored.from_port, stored.to_port, kind, source, description or None)


def to_stored(rule: Rule, backend: Any, group: Any, is_egress: bool, tags: Mapping[str, str]) -> Any:
    """A rule for moto's store, with a new id."""
    from moto.ec2.models.security_groups import SecurityGroupRule

    stored = SecurityGroupRule(backend, "-1", group.id, None, None, {}, is_egress=is_egress, tags=dict(tags))
    write(rule, stored, backend)
    return stored


def write(rule: Rule, stored: Any, backend: Any) -> None:
    """Gives a stored rule, which keeps its id, everything that `rule` says."""
    stored.ip_protocol, stored.from_port, stored.to_port = rule.protocol, rule.from_port, rule.to_port
    stored.ip_range, stored.source_group, stored.prefix_list_id = {}, {}, None
    text = {"Description": rule.description} if rule.description else {}
    stored.prefix_list_description = rule.description
    if rule.kind == "CidrIpv4":
        stored.ip_range = {"CidrIp": rule.source, **text}
    elif rule.kind == "CidrIpv6":
        stored.ip_range = {"CidrIpv6": rule.source, **text}
    elif rule.kind == "PrefixListId":
        stored.prefix_list_id = rule.source
    else:
        stored.source_group = {"GroupId": rule.source, "UserId": backend.account_id, **text}


def show(stored: Any, backend: Any, partition: str, tags: list[dict[str, str]]) -> dict[str, Any]:
    """A rule object as answers show it."""
    rule = of_stored(stored)
    shown: dict[str, Any] = {
        "SecurityGroupRuleId": stored.id,
        "GroupId": stored.group_id,
        "GroupOwnerId": backend.account_id,
        "IsEgress": stored.is_egress,
        "IpProtocol": rule.protocol,
        "FromPort": -1 if rule.from_port is None else rule.from_port,
        "ToPort": -1 if rule.to_port is None else rule.to_port,
        "SecurityGroupRuleArn": (
            f"arn:{partition}:ec2:{backend.region_name}:{backend.account_id}:security-group-rule/{stored.id}"
        ),
        "Tags": tags,
    }
    if rule.kind == "GroupId":
        shown["ReferencedGroupInfo"] = {"GroupId": rule.source, "UserId": backend.account_id}
        source = moto.find_group(backend, rule.source)
        if source is not None:
            shown["ReferencedGroupInfo"]["VpcId"] = source.vpc_id
    else:
        shown[rule.kind] = rule.source
    return shown | ({"Description": rule.description} if rule.description else {})


def show_permissions(stored: list[Any], backend: Any) -> list[dict[str, Any]]:
    """Rules as IpPermissions: sources with the same protocol and ports stand in one element."""
    merged: dict[tuple[str, int | None, int | None], dict[str, Any]] = {}
    for one in stored:
        rule = of_stored(one)
        permission = merged.setdefault(
            (rule.protocol, rule.from_port, rule.to_port),
            {"IpProtocol": rule.protocol}
            | ({} if rule.from_port is None else {"FromPort": rule.from_port, "ToPort": rule.to_port})
            | {"IpRanges": [], "Ipv6Ranges": [], "UserIdGroupPairs": [], "PrefixListIds": []},
        )
        text = {"Description": rule.description} if rule.description else {}
        if rule.kind == "CidrIpv4":
            permission["IpRanges"].append({"CidrIp": rule.source, **text})
        elif rule.kind == "CidrIpv6":
            permission["Ipv6Ranges"].append({"CidrIpv6": rule.source, **text})
        elif rule.kind == "PrefixListId":
            permission["PrefixListIds"].append({"PrefixListId": rule.source, **text})
        else:
            permission["UserIdGroupPairs"].append(
                {"GroupId": rule.source, "UserId": backend.account_id, **text}
            )
    return list(merged.values())
