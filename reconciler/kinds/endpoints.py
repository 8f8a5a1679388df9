"""VPC endpoints: private ways from a VPC to services of AWS and of others.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (CreateVpcEndpoint, ModifyVpcEndpoint, VpcEndpoint) and
https://docs.aws.amazon.com/vpc/latest/privatelink/
"""

from __future__ import annotations

from typing import Any

from reconciler.kinds.calls import ec2
from reconciler.kinds.policies import meaning
from reconciler.model.calls import Call
from reconciler.model.kind import Kind, Remedy
from reconciler.model.reads import Read
from reconciler.model.things import Observed, Spec


def _spelt(*words: str) -> frozenset[str]:
    """States as the model spells them (`PendingAcceptance`), and as EC2 does (`pendingAcceptance`)."""
    return frozenset({*words, *(word[0].lower() + word[1:] for word in words)})


def _listed(name: str) -> Remedy:
    """ModifyVpcEndpoint takes what is to be added and what is to be removed, of all lists in one call: while it works
    at one it refuses another."""

    def make(endpoint: Observed, wanted: Any) -> list[Call]:
        there = list(endpoint.spec.get(name) or ())
        more = [one for one in wanted or () if one not in there]
        less = [one for one in there if one not in (wanted or ())]
        given = {f"Add{name}": more, f"Remove{name}": less}
        changed = {key: value for key, value in given.items() if value}
        return [ec2("ModifyVpcEndpoint", VpcEndpointId=endpoint.id, **changed)]

    return Remedy(operations=("ModifyVpcEndpoint",), make=make, joins=True)


def _endpoint(raw: Spec) -> Spec:
    """A row in CreateVpcEndpoint's words."""
    return {**raw, "SecurityGroupIds": [group["GroupId"] for group in raw.get("Groups") or ()]}


LISTS = ("RouteTableIds", "SubnetIds", "SecurityGroupIds")

VPC_ENDPOINT = Kind(
    name="vpc-endpoint",
    about="A private way from a VPC to a service: a gateway in route tables, or interfaces in subnets.",
    service="ec2",
    read=Read(operation="DescribeVpcEndpoints", path="VpcEndpoints", ids="VpcEndpointIds", page=1000),
    create="CreateVpcEndpoint",
    update="ModifyVpcEndpoint",
    delete="DeleteVpcEndpoints",
    destroy=lambda endpoint: [ec2("DeleteVpcEndpoints", VpcEndpointIds=[endpoint.id])],
    id="VpcEndpointId",
    arn_tail="vpc-endpoint/{id}",
    state="State",
    ready=_spelt("Available"),
    usable=_spelt("Pending"),
    failed=_spelt("Expired", "Failed", "Rejected"),
    leaving=_spelt("Deleting"),
    gone=_spelt("Deleted"),
    refs={
        "VpcId": "vpc",
        "RouteTableIds[]": "route-table",
        "SubnetIds[]": "subnet",
        "SecurityGroupIds[]": "security-group",
    },
    finished=frozenset({"VpcId"}),  # with private DNS it needs both DNS attributes of the VPC
    tag_type="vpc-endpoint",
    write_only=frozenset({"SubnetConfigurations"}),
    normal={"PolicyDocument": meaning},
    unordered=frozenset(LISTS),
    project=_endpoint,
    remedies={name: _listed(name) for name in LISTS},
)
