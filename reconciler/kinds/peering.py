"""VPC peering: two VPCs that reach each other directly, of one region or of two.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (CreateVpcPeeringConnection, AcceptVpcPeeringConnection,
VpcPeeringConnection) and
https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html (the life of a peering connection)
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.kinds.calls import ec2
from reconciler.model.kind import Kind, Read
from reconciler.model.things import Desired, Observed, Spec
from reconciler.model.verdicts import Settled, Steps, Verdict, Wait

PENDING = "pending-acceptance"


def _peering(raw: Spec) -> Spec:
    """A row in CreateVpcPeeringConnection's words."""
    ours, theirs = raw.get("RequesterVpcInfo") or {}, raw.get("AccepterVpcInfo") or {}
    return {
        **raw,
        "VpcId": ours.get("VpcId"),
        "PeerVpcId": theirs.get("VpcId"),
        "PeerOwnerId": theirs.get("OwnerId"),
        "PeerRegion": theirs.get("Region"),
    }


def _accept(peering: Observed) -> Verdict:
    """The other side accepts, in its own region; where that is another account, somebody there has to."""
    theirs = peering.raw["AccepterVpcInfo"]
    region = str(theirs.get("Region") or peering.region)
    if theirs.get("OwnerId") != peering.account:
        return Wait(
            f"somebody in the account {theirs.get('OwnerId')} has to accept {peering.id} in {region}, within a week",
            "person",
        )
    why = "the VPCs of both sides are of this account"
    call = replace(
        ec2("AcceptVpcPeeringConnection", VpcPeeringConnectionId=peering.id), region=region, why=why
    )
    return Steps("update", (call,), why=why)


def then(_: Desired, peering: Observed) -> Verdict:
    """What is asked for is accepted."""
    return _accept(peering) if peering.state == PENDING else Settled()


VPC_PEERING_CONNECTION = Kind(
    name="vpc-peering-connection",
    about="Two VPCs that reach each other; accepted by itself where both are of one account.",
    service="ec2",
    read=Read(
        operation="DescribeVpcPeeringConnections",
        path="VpcPeeringConnections",
        ids="VpcPeeringConnectionIds",
        page=1000,
    ),
    create="CreateVpcPeeringConnection",
    delete="DeleteVpcPeeringConnection",
    id="VpcPeeringConnectionId",
    arn_tail="vpc-peering-connection/{id}",
    state="Status.Code",
    ready=frozenset({"active", PENDING}),
    failed=frozenset({"failed", "rejected"}),
    leaving=frozenset({"deleting"}),
    gone=frozenset({"deleted", "expired"}),
    refs={"VpcId": "vpc", "PeerVpcId": "vpc"},
    across=True,
    tag_type="vpc-peering-connection",
    project=_peering,
    forbidden=frozenset({"RequesterPeeringConnectionOptions"}),  # not reported as it is asked for
    then=then,
    then_operations=("AcceptVpcPeeringConnection",),
)
