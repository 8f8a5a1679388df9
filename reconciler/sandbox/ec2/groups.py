"""Security groups and the operations on their rules.

Source: EC2 API reference of each operation. Rules are stored in moto's groups, so that the rest of moto sees them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import backend as moto
from . import rules, tags
from .missing import GROUP, RULE, require

# VPC User Guide, "Amazon VPC quotas": 60 inbound and 60 outbound rules per security group, "enforced separately for
# IPv4 rules and IPv6 rules"
_MOST_RULES = 60
# EC2 API reference, CreateSecurityGroup: a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*
_DESCRIPTION = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")


def give_default_group_its_rule(backend: Any) -> None:
    """A default group lets its own members in (VPC User Guide, "Default security groups"); moto leaves that out."""
    for group in moto.groups(backend):
        if (
            group.name == "default"
            and not group.ingress_rules
            and not getattr(group, "was_given_rule", False)
        ):
            own = rules.Rule("-1", None, None, "GroupId", group.id)
            group.ingress_rules.append(rules.to_stored(own, backend, group, False, {}))
            group.was_given_rule = True


def create(request: Request, backend: Any) -> Answer:
    """CreateSecurityGroup: names are unique in a network whatever their case."""
    parameters = request.parameters
    name, description = str(parameters.get("GroupName") or ""), str(parameters.get("Description") or "")
    if not 1 <= len(name) <= 255 or name.lower().startswith("sg-"):
        raise AwsError("InvalidParameterValue", f"Invalid value '{name}' for groupName.")
    if not description:
        raise AwsError("MissingParameter", "The request must contain the parameter GroupDescription")
    if not _DESCRIPTION.fullmatch(description):
        raise AwsError(
            "InvalidParameterValue",
            "Invalid security group description. Valid descriptions are strings less than 256 characters from the "
            "following set: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
        )
    network = parameters.get("VpcId") or _default_network(backend)
    for group in moto.groups(backend):
        if group.vpc_id == network and group.name.lower() == name.lower():
            raise AwsError(
                "InvalidGroup.Duplicate", f"The security group '{name}' already exists for VPC '{network}'"
            )
    limit = request.world.settings.quota("SecurityGroup")
    if limit is not None and sum(1 for _ in moto.groups(backend)) >= limit:
        raise AwsError(
            "SecurityGroupLimitExceeded", "The maximum number of security groups has been reached."
        )
    answer = request.ask_moto(parameters)
    arn = f"arn:{request.partition}:ec2:{request.region}:{request.account}:security-group/{answer['GroupId']}"
    return {**answer, "SecurityGroupArn": arn, "Tags": tags.as_list(backend, answer["GroupId"])}


def _default_network(backend: Any) -> str:
    default = backend.get_default_vpc()
    if default is None:
        raise AwsError("VPCIdNotSpecified", "No default VPC for this user")
    return str(default.id)


def describe(request: Request, backend: Any) -> Answer:
    """DescribeSecurityGroups: moto's groups with their rules as EC2 shows them."""
    shown = []
    for group in moto.groups(backend):
        shown.append(
            {
                "GroupId": group.id,
                "GroupName": group.name,
                "Description": group.description,
                "OwnerId": backend.account_id,
                "VpcId": group.vpc_id,
                "SecurityGroupArn": (
                    f"arn:{request.partition}:ec2:{request.region}:{request.account}:security-group/{group.id}"
                ),
                "IpPermissions": rules.show_permissions(group.ingress_rules, backend),
                "IpPermissionsEgress": rules.show_permissions(group.egress_rules, backend),
                "Tags": tags.as_list(backend, group.id),
            }
        )
    return {"SecurityGroups": shown}


def describe_rules(request: Request, backend: Any) -> Answer:
    """DescribeSecurityGroupRules: one object per rule."""
    stored = [rule for group in moto.groups(backend) for rule in (*group.ingress_rules, *group.egress_rules)]
    return {
        "SecurityGroupRules": [
            rules.show(one, backend, request.partition, tags.as_list(backend, one.id)) for one in stored
        ]
    }


def _target(request: Request, backend: Any) -> Any:
    if request.parameters.get("GroupId"):
        return require(backend, GROUP, str(request.parameters["GroupId"]))
    name = request.parameters.get("GroupName")
    if not name:
        raise AwsError("MissingParameter", "The request must contain the parameter groupName or groupId")
    network = _default_network(backend)  # a name alone means a group of the default network
    for group in moto.groups(backend):
        if group.name == name and group.vpc_id == network:
            return group
    raise AwsError(
        "InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC '{network}'"
    )


def _is_egress(request: Request) -> bool:
    return request.operation.endswith("Egress")


def _stored(group: Any, is_egress: bool) -> list[Any]:
    found: list[Any] = group.egress_rules if is_egress else group.ingress_rules
    return found


def _duplicate(rule: rules.Rule) -> AwsError:
    low, high = rule.from_port, rule.to_port
    protocol = "ALL" if rule.protocol == "-1" else rule.protocol.upper()
    ports = "" if low is None else f" from port: {low}, to port: {high},"
    return AwsError(
        "InvalidPermission.Duplicate",
        f'the specified rule "peer: {rule.source}, {protocol},{ports} ALLOW" already exists',
    )


def _counts(keys: Iterable[tuple[Any, ...]]) -> tuple[int, int]:
    """Rules for IPv4 and for IPv6: the quota holds for each apart; one without a CIDR counts for both."""
    kinds = [kind for _, _, _, kind, _ in keys]
    return sum(kind != "CidrIpv6" for kind in kinds), sum(kind != "CidrIpv4" for kind in kinds)


def authorize(request: Request, backend: Any) -> Answer:
    """AuthorizeSecurityGroupIngress and Egress: all rules or none."""
    group, is_egress = _target(request, backend), _is_egress(request)
    stored = _stored(group, is_egress)
    new = rules.read_permissions(request.parameters, backend, group)
    keys = {rules.of_stored(one).key for one in stored}
    for rule in new:
        if rule.key in keys:
            raise _duplicate(rule)
        keys.add(rule.key)
    if any(count > _MOST_RULES for count in _counts(keys)):
        raise AwsError(
            "RulesPerSecurityGroupLimitExceeded",
            "The maximum number of rules per security group has been reached.",
        )
    wanted = tags.specified(request, "security-group-rule")
    added = [rules.to_stored(rule, backend, group, is_egress, wanted) for rule in new]
    stored.extend(added)
    return {
        "Return": True,
        "SecurityGroupRules": [
            rules.show(one, backend, request.partition, tags.as_list(backend, one.id)) for one in added
        ],
    }


def revoke(request: Request, backend: Any) -> Answer:
    """RevokeSecurityGroupIngress and Egress, by rule ids or by permissions."""
    group, is_egress = _target(request, backend), _is_egress(request)
    stored = _stored(group, is_egress)
    answer: Answer = {"Return": True}
    ids = request.parameters.get("SecurityGroupRuleIds")
    if ids:
        removed = [_of_group(backend, stored, str(one)) for one in ids]
    else:
        wanted = rules.read_permissions(request.parameters, backend, group)
        by_key = {rules.of_stored(one).key: one for one in stored}
        unknown = [rule for rule in wanted if rule.key not in by_key]
        network = backend.vpcs.get(group.vpc_id)
        if unknown and not (network is not None and network.is_default):
            raise AwsError(
                "InvalidPermission.NotFound",
                "The specified rule does not exist in this security group.",
            )
        if (
            unknown
        ):  # EC2 API reference, RevokeSecurityGroupIngress: in a default VPC it answers what was unknown
            answer["UnknownIpPermissions"] = rules.show_permissions(
                [rules.to_stored(rule, backend, group, is_egress, {}) for rule in unknown], backend
            )
        removed = [by_key[rule.key] for rule in wanted if rule.key in by_key]
    gone = {one.id for one in removed}
    stored[:] = [one for one in stored if one.id not in gone]
    for one in gone:
        backend.tags.pop(one, None)
    answer["RevokedSecurityGroupRules"] = [_revoked(one, backend, request.partition) for one in removed]
    return answer


def _revoked(stored: Any, backend: Any, partition: str) -> dict[str, Any]:
    shown = rules.show(stored, backend, partition, [])
    referenced = shown.pop("ReferencedGroupInfo", None)
    for name in ("GroupOwnerId", "SecurityGroupRuleArn", "Tags"):
        shown.pop(name)
    return shown | ({"ReferencedGroupId": referenced["GroupId"]} if referenced else {})


def _of_group(backend: Any, stored: list[Any], rule_id: str) -> Any:
    rule = require(backend, RULE, rule_id)
    if rule.id not in {one.id for one in stored}:
        raise AwsError(RULE.code, RULE.message.format(rule_id))
    return rule


def modify_rules(request: Request, backend: Any) -> Answer:
    """ModifySecurityGroupRules: each named rule becomes what the request says, and keeps its id."""
    group = _target(request, backend)
    everything = [*group.ingress_rules, *group.egress_rules]
    changes = []
    for update in request.parameters.get("SecurityGroupRules") or []:
        stored = _of_group(backend, everything, str(update.get("SecurityGroupRuleId")))
        wanted = update.get("SecurityGroupRule") or {}
        permission = {k: wanted.get(k) for k in ("IpProtocol", "FromPort", "ToPort")}
        text = {"Description": wanted.get("Description")}
        for name, member, key in (
            ("CidrIpv4", "IpRanges", "CidrIp"),
            ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
            ("ReferencedGroupId", "UserIdGroupPairs", "GroupId"),
            ("PrefixListId", "PrefixListIds", "PrefixListId"),
        ):
            if wanted.get(name):
                permission[member] = [{key: wanted[name], **text}]
        new = rules.read_permissions({"IpPermissions": [permission]}, backend, group)
        if len(new) != 1:
            raise AwsError("InvalidParameterCombination", "Exactly one source must be specified for a rule.")
        changes.append((stored, new[0]))
    changed = {stored.id: rule for stored, rule in changes}
    for is_egress in (False, True):
        after = [changed.get(one.id) or rules.of_stored(one) for one in _stored(group, is_egress)]
        for rule in after:
            if [one.key for one in after].count(rule.key) > 1:
                raise _duplicate(rule)
    for stored, rule in changes:
        rules.write(rule, stored, backend)
    return {"Return": True}


def describe_anew(request: Request, backend: Any) -> Answer:
    """UpdateSecurityGroupRuleDescriptionsIngress and Egress, by rule ids or by permissions."""
    group = _target(request, backend)
    stored = _stored(group, _is_egress(request))
    by_id = request.parameters.get("SecurityGroupRuleDescriptions")
    if by_id:
        pairs = [
            (_of_group(backend, stored, str(one.get("SecurityGroupRuleId"))), one.get("Description"))
            for one in by_id
        ]
    else:
        by_key = {rules.of_stored(one).key: one for one in stored}
        wanted = rules.read_permissions(request.parameters, backend, group)
        if any(rule.key not in by_key for rule in wanted):
            raise AwsError(
                "InvalidPermission.NotFound",
                "The specified rule does not exist in this security group.",
            )
        pairs = [(by_key[rule.key], rule.description) for rule in wanted]
    for one, description in pairs:
        rules.write(replace(rules.of_stored(one), description=description or None), one, backend)
    return {"Return": True}
