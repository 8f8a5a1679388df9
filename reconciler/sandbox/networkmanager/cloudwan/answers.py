"""Which function answers which operation of Cloud WAN. Called by Network Manager's `answers.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...request import Answer, Request
from ..models import NetworkManagerBackend
from . import (
    attachments,
    connect_peers,
    core_networks,
    labels,
    nat,
    peerings,
    policies,
    prefix_lists,
    resource_policies,
)
from .attachment_rows import ALL, Kind

Answerer = Callable[[NetworkManagerBackend, Request], Answer]


def _of(verb: Callable[[NetworkManagerBackend, Kind, Request], Answer], kind: Kind) -> Answerer:
    return lambda store, request: verb(store, kind, request)


ANSWERS: Mapping[str, Answerer] = {
    "CreateCoreNetwork": core_networks.create,
    "GetCoreNetwork": core_networks.get,
    "ListCoreNetworks": core_networks.list_all,
    "UpdateCoreNetwork": core_networks.update,
    "DeleteCoreNetwork": core_networks.delete,
    "PutCoreNetworkPolicy": policies.put,
    "RestoreCoreNetworkPolicyVersion": policies.restore,
    "GetCoreNetworkPolicy": policies.get,
    "ListCoreNetworkPolicyVersions": policies.list_versions,
    "DeleteCoreNetworkPolicyVersion": policies.delete,
    "ExecuteCoreNetworkChangeSet": policies.execute,
    "GetCoreNetworkChangeSet": policies.get_change_set,
    "GetCoreNetworkChangeEvents": policies.get_change_events,
    **{f"Create{kind.name}": _of(attachments.create, kind) for kind in ALL},
    **{f"Get{kind.name}": _of(attachments.get, kind) for kind in ALL},
    "UpdateVpcAttachment": attachments.update_vpc,
    "UpdateDirectConnectGatewayAttachment": attachments.update_direct_connect,
    "ListAttachments": attachments.list_all,
    "AcceptAttachment": attachments.accept_one,
    "RejectAttachment": attachments.reject_one,
    "DeleteAttachment": attachments.delete,
    "CreateConnectPeer": connect_peers.create,
    "GetConnectPeer": connect_peers.get,
    "ListConnectPeers": connect_peers.list_all,
    "DeleteConnectPeer": connect_peers.delete,
    "CreateTransitGatewayPeering": peerings.create,
    "GetTransitGatewayPeering": peerings.get,
    "ListPeerings": peerings.list_all,
    "DeletePeering": peerings.delete,
    "CreateCoreNetworkPrefixListAssociation": prefix_lists.create,
    "ListCoreNetworkPrefixListAssociations": prefix_lists.list_all,
    "DeleteCoreNetworkPrefixListAssociation": prefix_lists.delete,
    "PutAttachmentRoutingPolicyLabel": labels.put,
    "RemoveAttachmentRoutingPolicyLabel": labels.remove,
    "ListAttachmentRoutingPolicyAssociations": labels.list_all,
    "ListAttachmentNatConfigurations": nat.list_all,
    "UpdateAttachmentNatConfiguration": nat.update,
    "PutResourcePolicy": resource_policies.put,
    "GetResourcePolicy": resource_policies.get,
    "DeleteResourcePolicy": resource_policies.delete,
}
