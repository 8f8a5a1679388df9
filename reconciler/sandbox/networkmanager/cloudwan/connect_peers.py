"""Connect peers: written flat, read nested, with two BGP sessions each.

Sources: botocore's model (ConnectPeerErrorCode for what a peer fails of); AWS Cloud WAN user guide, "Connect
attachments and Connect peers", for the inside CIDR blocks: a /29 of 169.254.0.0/16, and a /125 of fd00::/8; "Quotas":
four peers per Connect attachment.  Which addresses of a block AWS takes is unverified: here the first is the peer's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from ...request import Answer, Request
from .. import elsewhere, tagging
from ..life import enter, vanish
from ..models import Item, NetworkManagerBackend
from ..refusals import conflict, invalid_field, not_found, refused
from . import documents
from .common import check_quota, find, listed, live_document, make

KIND = "connect-peer"
_INSIDE = {
    4: (29, ipaddress.ip_network("169.254.0.0/16")),
    6: (125, ipaddress.ip_network("fd00::/8")),
}


def _show(item: Item) -> dict[str, Any]:
    shown = {**item.members, "ConnectPeerId": item.id, "State": item.state, "CreatedAt": item.created_at}
    return {**shown, "Tags": tagging.as_list(item.tags)}


def _summary(item: Item) -> dict[str, Any]:
    shown = _show(item)
    shown["ConnectPeerState"] = shown.pop("State")
    for member in ("Configuration", "LastModificationErrors"):
        shown.pop(member, None)
    return shown


def create(store: NetworkManagerBackend, request: Request) -> Answer:
    """Makes a peer on a Connect attachment that is available."""
    given = request.parameters
    attachment = find(store, "Attachment", str(given["ConnectAttachmentId"]))
    if attachment.members["AttachmentType"] != "CONNECT":
        raise not_found("attachment", attachment.id)
    if attachment.state != "AVAILABLE":
        raise refused(f"Connect attachment state is invalid. attachment id: {attachment.id}")
    there = store.of("ConnectPeer").values()
    siblings = [one for one in there if one.members["ConnectAttachmentId"] == attachment.id]
    check_quota(request, "ConnectPeer", siblings, attachment)
    protocol = attachment.notes["own"]["Options"]["Protocol"]
    blocks = [str(block) for block in given.get("InsideCidrBlocks") or []]
    if protocol == "GRE" and not blocks:
        raise invalid_field("InsideCidrBlocks", "must be given for the protocol GRE.")
    if protocol == "NO_ENCAP" and not given.get("SubnetArn"):
        raise invalid_field("SubnetArn", "must be given for the protocol NO_ENCAP.")
    edge = _edge(store, attachment)
    members = {
        "CoreNetworkId": attachment.members["CoreNetworkId"],
        "ConnectAttachmentId": attachment.id,
        "EdgeLocation": attachment.members["EdgeLocation"],
        "Configuration": _configuration(request, protocol, blocks, edge, len(siblings)),
    }
    if given.get("SubnetArn"):
        members["SubnetArn"] = given["SubnetArn"]
    problems = list(_problems(members, protocol, blocks, edge, siblings))
    item = make(store, "ConnectPeer", request, members, "CREATING")

    def created() -> None:
        if problems:
            item.members["LastModificationErrors"] = [
                {"Code": code, "Message": why, "ResourceArn": item.arn} for code, why in problems
            ]
        enter(request.world, item, KIND, "FAILED" if problems else "AVAILABLE")

    enter(request.world, item, KIND, "CREATING", created)
    return {"ConnectPeer": _show(item)}


def _edge(store: NetworkManagerBackend, attachment: Item) -> dict[str, Any]:
    core = find(store, "CoreNetwork", attachment.members["CoreNetworkId"])
    edges = documents.edges(live_document(store, core) or {})
    found = (one for one in edges if one["EdgeLocation"] == attachment.members["EdgeLocation"])
    return next(found, {"Asn": 0, "InsideCidrBlocks": []})


def _configuration(
    request: Request, protocol: str, blocks: list[str], edge: dict[str, Any], number: int
) -> dict[str, Any]:
    given = request.parameters
    address = given.get("CoreNetworkAddress") or _free_address(edge, number)
    shown: dict[str, Any] = {"PeerAddress": given["PeerAddress"], "Protocol": protocol}
    if address is not None:
        shown["CoreNetworkAddress"] = address
    if blocks:
        shown["InsideCidrBlocks"] = blocks
    asns = {
        "CoreNetworkAsn": edge["Asn"],
        "PeerAsn": (given.get("BgpOptions") or {}).get("PeerAsn", edge["Asn"]),
    }
    pairs = _sessions(blocks) if protocol == "GRE" else [(address, given["PeerAddress"])] * 2
    shown["BgpConfigurations"] = [
        {**asns, "PeerAddress": theirs, **({"CoreNetworkAddress": ours} if ours is not None else {})}
        for ours, theirs in pairs
    ]
    return shown


def _sessions(blocks: list[str]) -> list[tuple[str | None, str]]:
    """The inside addresses of the two sessions: ours and the peer's."""
    try:
        network = ipaddress.ip_network(blocks[0], strict=False)
        return [(str(network[2]), str(network[1])), (str(network[3]), str(network[1]))]
    except (ValueError, IndexError):
        return []


def _free_address(edge: dict[str, Any], number: int) -> str | None:
    for block in edge["InsideCidrBlocks"]:
        network = ipaddress.ip_network(block, strict=False)
        if number + 1 < network.num_addresses:
            return str(network[number + 1])
    return None


def _problems(
    members: dict[str, Any], protocol: str, blocks: list[str], edge: dict[str, Any], siblings: list[Item]
) -> Iterator[tuple[str, str]]:
    if protocol == "NO_ENCAP":
        if elsewhere.find(str(members["SubnetArn"]), "subnet") is None:
            yield "SUBNET_NOT_FOUND", "The subnet does not exist."
        return
    if not edge["InsideCidrBlocks"]:
        yield "NO_ASSOCIATED_CIDR_BLOCK", "The edge location has no inside CIDR block."
    taken = [block for one in siblings for block in one.members["Configuration"].get("InsideCidrBlocks", [])]
    for block in blocks:
        if not _is_inside(block):
            yield (
                "INVALID_INSIDE_CIDR_BLOCK",
                f"{block} must be a /29 of 169.254.0.0/16 or a /125 of fd00::/8.",
            )
        elif block in taken:
            yield "INVALID_INSIDE_CIDR_BLOCK", f"{block} is used by another Connect peer."


def _is_inside(block: str) -> bool:
    try:
        network = ipaddress.ip_network(block)
    except ValueError:
        return False
    length, allowed = _INSIDE[network.version]
    return network.prefixlen == length and network.overlaps(allowed)


def get(store: NetworkManagerBackend, request: Request) -> Answer:
    """One peer."""
    return {"ConnectPeer": _show(find(store, "ConnectPeer", str(request.parameters["ConnectPeerId"])))}


def list_all(store: NetworkManagerBackend, request: Request) -> Answer:
    """The peers of a core network or Connect attachment, or all."""
    given = request.parameters
    wanted = {name: given[name] for name in ("CoreNetworkId", "ConnectAttachmentId") if given.get(name)}

    def matches(item: Item) -> bool:
        return all(item.members[name] == value for name, value in wanted.items())

    return listed(store, "ConnectPeer", request, "ConnectPeers", _summary, matches)


def delete(store: NetworkManagerBackend, request: Request) -> Answer:
    """Deletes a peer that is at rest. That an association with a device goes with it is unverified."""
    item = find(store, "ConnectPeer", str(request.parameters["ConnectPeerId"]))
    if item.state in ("CREATING", "DELETING"):
        raise conflict(f"Connect peer state is invalid. connect peer id: {item.id}", KIND, item.id)
    association = store.of("ConnectPeerAssociation").get(item.id)
    if association is not None and not association.is_gone:
        vanish(request.world, store, association, "connect-peer-association", lingers=True)
    vanish(request.world, store, item, KIND)
    return {"ConnectPeer": _show(item)}
