"""AWS's side: what it asks of IAM when a call is made.

The truth is `reference/`, AWS's own lists of which resources each action looks at; nothing here reads our records'
idea of it.  Used by the tests of this folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from reconciler.sandbox.calls import Call, is_read

from .iam import Asked, Values

ACCOUNT = "123456789012"
PREFIXES = {
    "acl": "network-acl",
    "cgw": "customer-gateway",
    "dopt": "dhcp-options",
    "eigw": "egress-only-internet-gateway",
    "eipalloc": "elastic-ip",
    "aclassoc": "network-acl",
    "eipassoc": "elastic-ip",  # EC2 looks at the address that is associated
    "cr": "capacity-reservation",
    "eni": "network-interface",
    "fl": "vpc-flow-log",
    "eni-attach": "network-interface",  # EC2 looks at the interface that is attached
    "i": "instance",
    "igw": "internet-gateway",
    "iip-assoc": "instance",  # EC2 looks at the instance whose profile it is
    "key": "key-pair",
    "lt": "launch-template",
    "nat": "natgateway",
    "pcx": "vpc-peering-connection",
    "pg": "placement-group",
    "pl": "prefix-list",
    "rtb": "route-table",
    "rtbassoc": "route-table",  # and at the table that is
    "sg": "security-group",
    "sgr": "security-group-rule",
    "snap": "snapshot",
    "subnet": "subnet",
    "tgw": "transit-gateway",
    "tgw-attach": "transit-gateway-attachment",
    "tgw-connect-peer": "transit-gateway-connect-peer",
    "tgw-rtb": "transit-gateway-route-table",
    "vgw": "vpn-gateway",
    "vol": "volume",
    "vpc": "vpc",
    "vpc-cidr-assoc": "vpc",
    "vpce": "vpc-endpoint",
    "vpn": "vpn-connection",
}
"""What EC2's ids begin with.  https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html"""
NAMED_INSIDE = {"ModifyInstanceCreditSpecification"}
"""Calls that name what they are about in a structure."""
ON_BEHALF = {
    "CreateTransitGatewayPeering": (
        "AcceptTransitGatewayPeeringAttachment",
        "CreateTransitGatewayPeeringAttachment",
    ),
    "DeletePeering": ("DeleteTransitGatewayPeeringAttachment",),
}
"""Calls of EC2 that AWS makes in our name.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_networkmanager.html, "Dependent actions"."""
NAMED = {"DeletePlacementGroup": ("placement-group", "GroupName")}
"""Calls that say by its name what they are about: of which type it is, and the parameter."""
RARE = {"elastic-gpu", "elastic-inference", "group", "license-configuration", "secondary-subnet"}
"""What few launch templates name: docs/iam.md says that rights to these are given by hand."""
ID = re.compile(r"([a-z]+(?:-[a-z]+)*)-[0-9a-f]{8,17}")

Tags = Mapping[str, str]
Tagged = Callable[[str, str], Tags]
"""The tags that a thing has, by region and id or ARN."""


class Type(NamedTuple):
    """One type of resource that an action looks at."""

    name: str
    always: bool
    new: bool


@cache
def looked_at(service: str, operation: str) -> tuple[Type, ...]:
    """The types that AWS's list names for an action."""
    for line in (Path(__file__).parent / "reference" / f"{service}.txt").read_text().splitlines():
        name, _, types = line.partition(":")
        if name == operation:
            return tuple(Type(one.strip("+*"), one.endswith("*"), one[0] == "+") for one in types.split())
    raise AssertionError(f"reference/{service}.txt has no {operation}")


def asked(call: Call, tagged: Tagged) -> Iterator[Asked]:
    """Every question that must be answered with yes before the call is made."""
    where = {"aws:requestedregion": call.region}
    if call.service == "sts" and call.operation == "GetCallerIdentity":
        return  # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html: needs no permission
    elif call.service == "elbv2":
        yield from _of_balancing(call, tagged, where)
    elif call.service == "autoscaling":
        yield from _of_scaling(call, tagged, where)
    elif call.service == "route53":
        yield from _of_dns(call, where)
    elif call.service == "globalaccelerator":
        yield from _of_accelerators(call, tagged, where)
    elif call.service == "eks":
        yield from _of_kubernetes(call, tagged, where)
    elif call.service not in {"ec2", "iam", "networkmanager"}:
        yield from _elsewhere(call, where)
    elif is_read(call.operation):
        yield Asked(f"{call.service}:{call.operation}", "*", where)
    elif call.service == "iam":
        yield from _of_iam(call, tagged, where)
    elif call.operation in {"CreateTags", "DeleteTags", "TagResource", "UntagResource"}:
        yield from _of_tags(call, tagged, where)
    elif call.service == "ec2":
        yield from _of_ec2(call, tagged, where)
    else:
        yield from _of_networks(call, tagged, where)


def _elsewhere(call: Call, where: Mapping[str, Values]) -> Iterator[Asked]:
    action, given = f"{call.service}:{call.operation}", call.parameters
    match call.service:
        case "ssm":
            for path in given.get("Names") or [given["Name"]]:
                owner = "" if path.startswith("/aws/") else ACCOUNT
                yield Asked(action, f"arn:aws:ssm:{call.region}:{owner}:parameter{path}", where)
        case "dynamodb":
            key = (given.get("Key") or given["Item"])["stack"]["S"]
            arn = f"arn:aws:dynamodb:{call.region}:{ACCOUNT}:table/{given['TableName']}"
            yield Asked(action, arn, {**where, "dynamodb:leadingkeys": (key,)})
        case "resourcegroupstaggingapi":
            yield Asked(f"tag:{call.operation}", "*", where)
        case "sts":
            yield Asked(action, str(given.get("RoleArn", "*")), where)
        case _:
            raise AssertionError(f"which resource is {call}?")


def _of_tags(call: Call, tagged: Tagged, where: Mapping[str, Values]) -> Iterator[Asked]:
    given = call.parameters
    pairs = {tag["Key"]: tag.get("Value") for tag in given.get("Tags") or ()}
    keys = tuple(given.get("TagKeys") or pairs)
    setting = call.operation in {"CreateTags", "TagResource"}
    request = _request(pairs) if setting else {"aws:tagkeys": keys}
    for id in given.get("Resources") or [given["ResourceArn"]]:
        resource = id if call.service == "networkmanager" else _arn(call, _type(id), id)
        context = {**where, **request, **_resource(tagged(call.region, id))}
        yield Asked(f"{call.service}:{call.operation}", resource, context)


def _of_ec2(call: Call, tagged: Tagged, where: Mapping[str, Values]) -> Iterator[Asked]:
    """EC2 looks at each resource by itself."""
    action = f"ec2:{call.operation}"
    specifications = {
        spec["ResourceType"]: {tag["Key"]: tag["Value"] for tag in spec["Tags"]}
        for spec in call.parameters.get("TagSpecifications") or ()
    }
    types = looked_at("ec2", call.operation)
    ids: dict[str, list[str]] = {}
    for id in _ids(call.parameters, deep=any(type.new for type in types) or call.operation in NAMED_INSIDE):
        ids.setdefault(_type(id), []).append(id)
    if call.operation in NAMED:
        of, parameter = NAMED[call.operation]
        ids[of] = [str(call.parameters[parameter])]
    if role := call.parameters.get("DeliverLogsPermissionArn"):
        yield Asked(
            "iam:PassRole", str(role), {**where, "iam:passedtoservice": "vpc-flow-logs.amazonaws.com"}
        )
    for type in types:
        if type.new:
            tags = specifications.get(type.name, {})
            if type.always or tags or type.name == "volume":
                context = {**where, **_request(tags)}
                yield Asked(action, _arn(call, type.name, "new"), context)
                if tags:
                    birth = {**context, "ec2:createaction": call.operation}
                    yield Asked("ec2:CreateTags", _arn(call, type.name, "new"), birth)
        else:
            found = ids.get(type.name, ["some"] if type.always else [])
            for id in found:
                yield Asked(
                    action, _arn(call, type.name, id), {**where, **_resource(tagged(call.region, id))}
                )


def _of_balancing(call: Call, tagged: Tagged, where: Mapping[str, Values]) -> Iterator[Asked]:
    """Elastic Load Balancing sees the request's tags at whatever it looks at."""
    given, action = call.parameters, f"elasticloadbalancing:{call.operation}"
    if is_read(call.operation):
        yield Asked(action, "*", where)
        return
    tags = {tag["Key"]: tag["Value"] for tag in given.get("Tags") or ()}
    request = {**where, **(_request(tags) if tags else {})}
    if call.operation in {"AddTags", "RemoveTags"}:
        request |= {"aws:tagkeys": tuple(given["TagKeys"])} if "TagKeys" in given else {}
        for arn in given["ResourceArns"]:
            yield Asked(action, str(arn), {**request, **_resource(tagged(call.region, str(arn)))})
        return
    for type in looked_at("elbv2", call.operation):
        if type.new:
            yield Asked(action, _balancing_arn(call, type.name), request)
        else:
            arn = str(given[ARNS[type.name]])
            yield Asked(action, arn, {**request, **_resource(tagged(call.region, arn))})
    if call.operation.startswith("Create") and tags:
        birth = {**request, "elasticloadbalancing:createaction": call.operation}
        new = call.operation.removeprefix("Create").lower()
        yield Asked("elasticloadbalancing:AddTags", _balancing_arn(call, new), birth)


ARNS = {"listener": "ListenerArn", "loadbalancer": "LoadBalancerArn", "targetgroup": "TargetGroupArn"}


def _balancing_arn(call: Call, type: str) -> str:
    return f"arn:aws:elasticloadbalancing:{call.region}:{ACCOUNT}:{type}/new"


def _of_scaling(call: Call, tagged: Tagged, where: Mapping[str, Values]) -> Iterator[Asked]:
    """Auto Scaling sees the request's tags at the group.  Whether it asks for the right to tag at a creation, and
    whether the group has its tags by then, is not documented: all is tried."""
    given, action = call.parameters, f"autoscaling:{call.operation}"
    if is_read(call.operation):
        yield Asked(action, "*", where)
        return
    assert [type.name for type in looked_at("autoscaling", call.operation)] == ["autoScalingGroup"]
    pairs = {tag["Key"]: tag.get("Value") for tag in given.get("Tags") or ()}
    request: dict[str, Values] = _request(pairs) if call.operation != "DeleteTags" else {}
    if call.operation == "DeleteTags":
        request = {"aws:tagkeys": tuple(pairs)}
    names = {given["AutoScalingGroupName"]} if "AutoScalingGroupName" in given else set()
    for name in names or {tag["ResourceId"] for tag in given["Tags"]}:
        arn = f"arn:aws:autoscaling:{call.region}:{ACCOUNT}:autoScalingGroup:new:autoScalingGroupName/{name}"
        context = {**where, **request}
        if call.operation == "CreateAutoScalingGroup":
            yield Asked("autoscaling:CreateOrUpdateTags", arn, context)
            yield Asked("autoscaling:CreateOrUpdateTags", arn, {**context, **_resource(pairs)})
        else:
            context |= _resource(tagged(call.region, f"autoScalingGroup/{name}"))
        yield Asked(action, arn, context)
    if "LaunchTemplate" in given or "MixedInstancesPolicy" in given:
        yield from _launch(call, where)


def _launch(call: Call, where: Mapping[str, Values]) -> Iterator[Asked]:
    """Whether we may ourselves launch what a launch template says."""
    template = f"arn:aws:ec2:{call.region}:{ACCOUNT}:launch-template/lt-0123456789abcdef0"
    for type in (one for one in looked_at("ec2", "RunInstances") if one.name not in RARE):
        context = {**where, "ec2:launchtemplate": template}
        yield Asked("ec2:RunInstances", _arn(call, type.name, "some"), context)


def _of_dns(call: Call, where: Mapping[str, Values]) -> Iterator[Asked]:
    """Route 53 shows IAM no tags, neither the request's nor a zone's."""
    given, action = call.parameters, f"route53:{call.operation}"
    if is_read(call.operation) or not looked_at("route53", call.operation):
        yield Asked(action, "*", where)
        return
    id = next(given[name] for name in ("HostedZoneId", "Id", "ResourceId") if name in given)
    yield Asked(action, f"arn:aws:route53:::hostedzone/{id}", where)


def _of_accelerators(call: Call, tagged: Tagged, where: Mapping[str, Values]) -> Iterator[Asked]:
    """Of a listener or a group Global Accelerator sees the tags of the accelerator that it is of."""
    given, action = call.parameters, f"globalaccelerator:{call.operation}"
    if is_read(call.operation):
        yield Asked(action, "*", where)
        return
    tags = {tag["Key"]: tag["Value"] for tag in given.get("Tags") or ()}
    request = {**where, **(_request(tags) if tags else {})}
    request |= {"aws:tagkeys": tuple(given["TagKeys"])} if "TagKeys" in given else {}
    types = looked_at("globalaccelerator", call.operation)
    if not types:  # it makes one
        arn = f"arn:aws:globalaccelerator::{ACCOUNT}:accelerator/new"
        yield Asked(action, "*", request)
        yield Asked("globalaccelerator:TagResource", arn, request)
        yield Asked("globalaccelerator:TagResource", arn, {**request, **_resource(tags)})
    for _ in types:
        names = ("EndpointGroupArn", "ListenerArn", "AcceleratorArn", "ResourceArn")
        arn = str(next(given[name] for name in names if name in given))
        owner = arn.partition("/listener/")[0]
        yield Asked(action, arn, {**request, **_resource(tagged("", owner))})


def _of_kubernetes(call: Call, tagged: Tagged, where: Mapping[str, Values]) -> Iterator[Asked]:
    """EKS sees the request's tags at a new thing, and looks at the cluster where a group is made."""
    given, action = call.parameters, f"eks:{call.operation}"
    if is_read(call.operation):
        yield Asked(action, "*", where)
        return
    tags, name = given.get("tags") or {}, given.get("clusterName") or given.get("name")
    request = {**where, **(_request(tags) if tags else {})}
    request |= {"aws:tagkeys": tuple(given["tagKeys"])} if "tagKeys" in given else {}
    arn = f"arn:aws:eks:{call.region}:{ACCOUNT}"
    named = {"cluster": name, "nodegroup": f"{name}/{given.get('nodegroupName')}/"}
    types = [type.name for type in looked_at("eks", call.operation)]
    about = {str(given.get("resourceArn") or f"{arn}:{type}/{named[type]}") for type in types}
    for one in about or {"*"}:
        yield Asked(action, one, {**request, **(_resource(tagged(call.region, one)) if about else {})})
    if call.operation.startswith("Create"):
        new = f"{arn}:{call.operation.removeprefix('Create').lower()}/new"
        yield Asked("eks:TagResource", new, request)
        yield Asked("eks:TagResource", new, {**request, **_resource(tags)})
        role = {**where, "iam:passedtoservice": "eks.amazonaws.com"}
        yield Asked("iam:PassRole", str(given.get("roleArn") or given["nodeRole"]), role)
    if "launchTemplate" in given:
        yield from _launch(call, where)


def _of_iam(call: Call, tagged: Tagged, where: Mapping[str, Values]) -> Iterator[Asked]:
    """IAM knows things by name, and asks of a path too."""
    given = call.parameters
    (of,) = looked_at("iam", call.operation)
    name = str(given["RoleName" if of.name == "role" else "InstanceProfileName"])
    context = {**where, **_resource(tagged("iam", f"{of.name}/{name}"))}
    tags = {tag["Key"]: tag["Value"] for tag in given.get("Tags") or ()}
    context |= _request(tags) if tags else {}
    if "TagKeys" in given:
        context["aws:tagkeys"] = tuple(given["TagKeys"])
    if "PolicyArn" in given:
        context["iam:policyarn"] = str(given["PolicyArn"])
    path = given.get("Path") or tagged("path", f"{of.name}/{name}").get("", "/")
    arn = f"arn:aws:iam::{ACCOUNT}:{of.name}{path}{name}"
    yield Asked(f"iam:{call.operation}", arn, context)
    if call.operation.startswith("Create"):
        yield Asked(f"iam:Tag{call.operation.removeprefix('Create')}", arn, context)
    if call.operation == "AddRoleToInstanceProfile":
        role = str(given["RoleName"])
        arn = f"arn:aws:iam::{ACCOUNT}:role{tagged('path', f'role/{role}').get('', '/')}{role}"
        yield Asked("iam:PassRole", arn, {**where, "iam:passedtoservice": "ec2.amazonaws.com"})


def _of_networks(call: Call, tagged: Tagged, where: Mapping[str, Values]) -> Iterator[Asked]:
    """Network Manager sees the request's tags at each resource.  Whether a thing that is being made has its tags
    already when AWS asks is not documented: both are tried."""
    action = f"networkmanager:{call.operation}"
    tags = {tag["Key"]: tag["Value"] for tag in call.parameters.get("Tags") or ()}
    request = {**where, **(_request(tags) if tags else {})}
    types = looked_at("networkmanager", call.operation)
    if not types:
        yield Asked(action, "*", request)
    for type in types:
        member = "".join(word.title() for word in type.name.split("-")) + "Id"
        id = call.parameters.get(member) or str(call.parameters.get("ResourceArn", "")).rpartition("/")[2]
        if id or type.always:
            arn = f"arn:aws:networkmanager::{ACCOUNT}:{type.name}/{id}"
            yield Asked(action, arn, {**request, **_resource(tagged("", str(id)))})
    for operation in ON_BEHALF.get(call.operation, ()):
        for type in looked_at("ec2", operation):
            yield Asked(f"ec2:{operation}", _arn(call, type.name, "some"), where)
    if tags:
        new = re.sub(r"(?<!^)(?=[A-Z])", "-", call.operation.removeprefix("Create")).lower()
        arn = f"arn:aws:networkmanager::{ACCOUNT}:{new}/new"
        yield Asked("networkmanager:TagResource", arn, request)
        yield Asked("networkmanager:TagResource", arn, {**request, **_resource(tags)})


def _ids(value: Any, deep: bool, depth: int = 0) -> Iterator[str]:
    """The ids in the parameters of a call; those inside of structures only where a creation names them there."""
    if isinstance(value, str) and ID.fullmatch(value):
        yield value
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, str) or deep:
                yield from _ids(inner, deep, depth)
    elif isinstance(value, Mapping) and (deep or depth == 0):
        for inner in value.values():
            yield from _ids(inner, deep, depth + 1)


def _type(id: str) -> str:
    found = ID.fullmatch(id)
    prefix = found[1] if found else ""
    return PREFIXES.get(prefix, "image" if prefix == "ami" else prefix)


def _arn(call: Call, type: str, id: str) -> str:
    owner = "" if type in {"image", "snapshot"} else ACCOUNT
    return f"arn:aws:ec2:{call.region}:{owner}:{type}/{id}"


def _request(tags: Mapping[str, Any]) -> dict[str, Values]:
    if not tags:
        return {}
    return {
        **{f"aws:requesttag/{key.lower()}": str(value) for key, value in tags.items()},
        "aws:tagkeys": tuple(tags),
    }


def _resource(tags: Tags) -> dict[str, Values]:
    return {f"aws:resourcetag/{key.lower()}": value for key, value in tags.items()}
