"""Core networks for tests: a policy, a network on which it is live, and things to attach."""

from __future__ import annotations

import copy
import json
from typing import Any

from reconciler.sandbox import LocalAws

from .conftest import client

EC2 = "arn:aws:ec2:us-west-2:123456789012"

# two edges; the segment "open" takes whatever is tagged for it, "guarded" wants a person to agree
POLICY: dict[str, Any] = {
    "version": "2021.12",
    "core-network-configuration": {
        "asn-ranges": ["64512-64555"],
        "inside-cidr-blocks": ["10.0.0.0/16"],
        "edge-locations": [{"location": "us-west-2", "asn": 64520}, {"location": "us-east-1"}],
    },
    "segments": [
        {"name": "open", "require-attachment-acceptance": False},
        {"name": "guarded"},
        {"name": "narrow", "require-attachment-acceptance": False, "edge-locations": ["us-west-2"]},
    ],
    "segment-actions": [
        {"action": "share", "mode": "attachment-route", "segment": "open", "share-with": "*"}
    ],
    "attachment-policies": [
        {
            "rule-number": 100,
            "conditions": [{"type": "tag-exists", "key": "segment"}],
            "action": {"association-method": "tag", "tag-value-of-key": "segment"},
        }
    ],
}


def changed(**more: Any) -> dict[str, Any]:
    """The policy with other sections."""
    return {**copy.deepcopy(POLICY), **more}


def with_edges(*regions: str) -> dict[str, Any]:
    """The policy with other edges."""
    document = changed()
    document["core-network-configuration"]["edge-locations"] = [{"location": one} for one in regions]
    document["segments"] = document["segments"][:2]
    return document


def core_network(aws: LocalAws, nm: Any, network: str, policy: dict[str, Any] | None = POLICY) -> str:
    """The id of a core network that is available, with a policy live (None: with none at all)."""
    more = {} if policy is None else {"PolicyDocument": json.dumps(policy)}
    made = nm.create_core_network(GlobalNetworkId=network, **more)["CoreNetwork"]["CoreNetworkId"]
    aws.clock.advance(1)
    return str(made)


def put(nm: Any, core: str, policy: dict[str, Any], **more: Any) -> int:
    """Puts a policy; its version."""
    text = json.dumps(policy)
    answer = nm.put_core_network_policy(CoreNetworkId=core, PolicyDocument=text, **more)
    return int(answer["CoreNetworkPolicy"]["PolicyVersionId"])


def vpc_and_subnets(zones: int = 1, region: str = "us-west-2") -> dict[str, Any]:
    """The parameters that name a VPC and one subnet in each of some zones."""
    ec2, prefix = client("ec2", region), EC2.replace("us-west-2", region)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=region + "abc"[n])
        for n in range(zones)
    ]
    arns = [f"{prefix}:subnet/{one['Subnet']['SubnetId']}" for one in subnets]
    return {"VpcArn": f"{prefix}:vpc/{vpc}", "SubnetArns": arns}


def tags(**given: str) -> list[dict[str, str]]:
    """Tags as requests hold them."""
    return [{"Key": key, "Value": value} for key, value in given.items()]


def vpc_attachment(aws: LocalAws, nm: Any, core: str, segment: str = "open", **more: Any) -> str:
    """The id of a VPC attachment that has come to rest."""
    given = {**vpc_and_subnets(), "Tags": tags(segment=segment), **more}
    made = nm.create_vpc_attachment(CoreNetworkId=core, **given)["VpcAttachment"]["Attachment"]
    aws.clock.advance(1)
    return str(made["AttachmentId"])


def attachment(nm: Any, identity: str) -> dict[str, Any]:
    """An attachment as the list shows it."""
    pages = nm.get_paginator("list_attachments").paginate()
    found: dict[str, Any] = next(
        one for page in pages for one in page["Attachments"] if one["AttachmentId"] == identity
    )
    return found
