"""What is attached to a core network.

Facts: https://docs.aws.amazon.com/networkmanager/latest/APIReference/API_Attachment.html, API_ListAttachments.html and
the create calls there; states and acceptance:
https://docs.aws.amazon.com/network-manager/latest/cloudwan/cloudwan-attachments-working-with.html

All attachments are listed at once, with their tags; what only one type has is read one by one.  Policies steer
attachments by their tags, so that these carry no tag of ours that changes with the config.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reconciler.model.calls import Call
from reconciler.model.kind import Detail, Kind, Read, Remedy
from reconciler.model.things import Observed, Spec

ACCEPT = "somebody has to accept it, in the account of the core network"
ASKING = {
    "PENDING_ATTACHMENT_ACCEPTANCE": ACCEPT,
    "PENDING_TAG_ACCEPTANCE": f"its tags ask for another segment, and {ACCEPT}",
}
UNREPORTED = ("RoutingPolicyLabel", "NatGatewayRules", "NatGatewaySupport")
"""Members of create calls that are read back elsewhere, or in other words than they are written in."""


def _inner(type: str, names: Mapping[str, str]) -> Callable[[Spec], Spec]:
    """A row in the words of the create call; `names` are fields that the row calls otherwise.

    What its own Get shows beside the attachment itself is kept under the type's name.
    """

    def project(raw: Spec) -> Spec:
        own = raw.get(type) or {}
        renamed = {field: raw[member] for field, member in names.items() if member in raw}
        return {**raw, **{name: value for name, value in own.items() if name != "Attachment"}, **renamed}

    return project


def attachment(
    type: str,
    *,
    name: str,
    about: str,
    listed: str,
    refs: Mapping[str, str],
    names: Mapping[str, str],
    detail: str = "",
    create_only: Sequence[str] = (),
    **more: Any,
) -> Kind:
    """A kind of attachment: `type` as in the names of its operations, `listed` as in AttachmentType.

    `names` are fields that lists show under another name, `detail` one that only its own Get shows, `create_only`
    those fields that are given at creation and not read back as they were given.
    """
    details = [Detail(field=detail, name=type, operation=f"Get{type}", path=type)] if detail else []
    return Kind(
        name=name,
        about=about,
        service="networkmanager",
        read=Read(
            operation="ListAttachments",
            path="Attachments",
            ids=None,
            page=500,
            arguments={"AttachmentType": listed},
            details=details,
        ),
        create=f"Create{type}",
        delete="DeleteAttachment",
        decline="RejectAttachment",
        id="AttachmentId",
        arn_tail="attachment/{id}",
        state="State",
        ready=frozenset({"AVAILABLE"}),
        failed=frozenset({"FAILED", "REJECTED"}),
        leaving=frozenset({"DELETING"}),
        asking=ASKING,
        errors="LastModificationErrors[].join(' ', [Code, Message])",
        refs=refs,
        write_only=frozenset(create_only),
        project=_inner(type, names),
        tags_steer=True,
        **more,
    )


def _subnets(thing: Observed, wanted: Any) -> list[Call]:
    """Subnets are changed by what is added and what is taken away."""
    seen = thing.spec.get("SubnetArns") or []
    deltas = {
        "AddSubnetArns": [arn for arn in wanted if arn not in seen],
        "RemoveSubnetArns": [arn for arn in seen if arn not in wanted],
    }
    given = {name: arns for name, arns in deltas.items() if arns}
    return [
        Call(
            service="networkmanager",
            operation="UpdateVpcAttachment",
            parameters={"AttachmentId": thing.id, **given},
        )
    ]


VPC_ATTACHMENT = attachment(
    "VpcAttachment",
    name="vpc-attachment",
    about="A VPC on a core network, by one subnet in each zone.",
    listed="VPC",
    refs={"CoreNetworkId": "core-network", "VpcArn": "vpc.arn", "SubnetArns[]": "subnet.arn"},
    names={"VpcArn": "ResourceArn"},
    detail="SubnetArns",
    create_only=UNREPORTED,
    update="UpdateVpcAttachment",
    unordered=frozenset({"SubnetArns"}),
    remedies={"SubnetArns": Remedy(operations=("UpdateVpcAttachment",), make=_subnets, joins=True)},
)
