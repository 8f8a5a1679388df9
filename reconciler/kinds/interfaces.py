"""Network interfaces of their own, beside the one that each instance has from birth.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (CreateNetworkInterface, AttachNetworkInterface,
ModifyNetworkInterfaceAttribute, which takes one attribute at a call)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.kinds.calls import ec2
from reconciler.model.calls import Call
from reconciler.model.kind import Item, Kind, Part, Remedy
from reconciler.model.reads import Read
from reconciler.model.things import Observed, Spec
from reconciler.model.verdicts import Steps, Wait


def _spec(raw: Spec) -> Spec:
    """A row in CreateNetworkInterface's words."""
    return {**raw, "Groups": [group["GroupId"] for group in raw.get("Groups") or ()]}


def _attached(raw: Spec) -> list[Item]:
    """Where it is attached, or about to be: at most one place."""
    row = raw.get("Attachment") or {}
    on = row.get("InstanceId") and row.get("Status") not in {"detaching", "detached"}
    return [{**_normal(row), "AttachmentId": row["AttachmentId"]}] if on else []


def _normal(item: Item) -> Item:
    found: Item = {name: item[name] for name in ("InstanceId", "DeviceIndex") if name in item}
    return {**found, "NetworkCardIndex": item.get("NetworkCardIndex") or 0}


def _attach(interface: Observed, items: Sequence[Item]) -> list[Call]:
    return [ec2("AttachNetworkInterface", NetworkInterfaceId=interface.id, **_normal(item)) for item in items]


def _detach(interface: Observed, items: Sequence[Item]) -> list[Call]:
    return [ec2("DetachNetworkInterface", AttachmentId=item["AttachmentId"]) for item in items]


def _off(interface: Observed) -> Steps | Wait | None:
    """It is taken off its instance before it is deleted; the first one of an instance goes when the instance has."""
    row = interface.raw.get("Attachment") or {}
    if not row.get("InstanceId") or row.get("DeviceIndex") == 0 or row.get("Status") == "detached":
        return None
    if row.get("Status") == "detaching":
        return Wait(f"{interface.id} is being taken off {row['InstanceId']}")
    return Steps("update", tuple(_detach(interface, [row])))


def _attribute(field: str, *, plain: bool = False) -> Remedy:
    def make(interface: Observed, wanted: Any) -> list[Call]:
        value = wanted if plain else {"Value": "" if wanted is None else wanted}
        return [ec2("ModifyNetworkInterfaceAttribute", NetworkInterfaceId=interface.id, **{field: value})]

    shape = "ModifyNetworkInterfaceAttribute.SourceDestCheck.Value" if field == "SourceDestCheck" else None
    return Remedy(operations=("ModifyNetworkInterfaceAttribute",), make=make, shape=shape)


NETWORK_INTERFACE = Kind(
    name="network-interface",
    about="A network card of its own; Attachment says which instance has it (a list of one, or none).",
    service="ec2",
    read=Read(
        operation="DescribeNetworkInterfaces",
        path="NetworkInterfaces",
        ids="NetworkInterfaceIds",
        page=1000,
    ),
    create="CreateNetworkInterface",
    delete="DeleteNetworkInterface",
    release=_off,
    id="NetworkInterfaceId",
    arn_tail="network-interface/{id}",
    state="Status",
    ready=frozenset({"available", "in-use", "associated"}),
    refs={
        "SubnetId": "subnet",
        "Groups[]": "security-group",
        "Attachment[].InstanceId": "instance",
    },
    tag_type="network-interface",
    tags="TagSet",
    forbidden=frozenset({"Operator"}),
    write_only=frozenset(
        {
            "ConnectionTrackingSpecification",
            "EnablePrimaryIpv6",
            "Ipv4PrefixCount",
            "Ipv6AddressCount",
            "Ipv6PrefixCount",
            "SecondaryPrivateIpAddressCount",
        }
    ),
    unordered=frozenset({"Groups"}),
    project=_spec,
    remedies={
        "Description": _attribute("Description"),
        "Groups": _attribute("Groups", plain=True),
        "SourceDestCheck": _attribute("SourceDestCheck"),
    },
    parts=(
        Part(
            field="Attachment",
            shape="AttachNetworkInterfaceRequest",
            given=frozenset({"NetworkInterfaceId", "DryRun", "EnaSrdSpecification", "EnaQueueCount"}),
            rows=_attached,
            normal=_normal,
            key=lambda item: item["InstanceId"],
            add=_attach,
            remove=_detach,
            change=_detach,  # at another index it comes back in a later look
            disruptive=True,
            makes_room=True,  # it is on one instance alone
            operations=("AttachNetworkInterface", "DetachNetworkInterface"),
        ),
    ),
)
