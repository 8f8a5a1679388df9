"""Core networks that Resource Access Manager shares with other accounts, and what those have on them.

What is on a core network is kept in the store of its owner, who sees all of it; another account sees the network while
it is shared, and beyond that what is its own.  A share counts at once, as within an organisation that allows it.

Sources: RAM user guide, "Sharing Regional resources compared to global resources" (a core network is a global one, and
is shared in us-east-1); AWS Cloud WAN user guide, "Share a core network" (others attach, and the owner accepts; the
network and its policy are the owner's alone); botocore's model, whose doc strings leave labels and NAT to the owner.
Which code others get for what is the owner's is unverified, as is that things of others stay visible to those whose
they are when the share ends.  Called by `answers.py` and by the lists of `cloudwan`.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..ec2.lending import is_shared
from ..errors import AwsError
from ..request import Request
from .models import Item, NetworkManagerBackend, store_of

_SHARED_IN = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1"}
_ON_NETWORKS = ("Attachment", "ConnectPeer", "Peering")
_NAMES = {
    "AttachmentId": "Attachment",
    "TransportAttachmentId": "Attachment",
    "ConnectAttachmentId": "Attachment",
    "ConnectPeerId": "ConnectPeer",
    "PeeringId": "Peering",
    "CoreNetworkId": "CoreNetwork",
}
_OWNERS_ALONE = frozenset(
    {
        "UpdateCoreNetwork",
        "DeleteCoreNetwork",
        "PutCoreNetworkPolicy",
        "RestoreCoreNetworkPolicyVersion",
        "DeleteCoreNetworkPolicyVersion",
        "ExecuteCoreNetworkChangeSet",
        "GetCoreNetworkChangeSet",
        "GetCoreNetworkChangeEvents",
        "AcceptAttachment",
        "RejectAttachment",
        "PutAttachmentRoutingPolicyLabel",
        "RemoveAttachmentRoutingPolicyLabel",
        "ListAttachmentRoutingPolicyAssociations",
        "UpdateAttachmentNatConfiguration",
        "ListAttachmentNatConfigurations",
        "CreateCoreNetworkPrefixListAssociation",
        "DeleteCoreNetworkPrefixListAssociation",
        "ListCoreNetworkPrefixListAssociations",
        "PutResourcePolicy",
        "GetResourcePolicy",
        "DeleteResourcePolicy",
    }
)
_OWNERS_MEMBERS = ("RoutingPolicyLabel", "NatGatewaySupport", "NatGatewayRules", "NatSystemRouteSupport")


def store_for(own: NetworkManagerBackend, request: Request) -> NetworkManagerBackend:
    """The store in which a request is answered: that of the account it comes from, or that of a core network's owner
    where it is about one that is lent, or about something on it; AccessDeniedException for what only the owner may."""
    if _named(own, request) is not None:
        return own
    for home in _others(request):
        item = _named(home, request)
        if item is None or not _is_visible(item, home.account_id, request):
            continue
        given = (name for name in _OWNERS_MEMBERS if request.parameters.get(name) is not None)
        is_tagged = item.resource == "CoreNetwork" and request.operation in {"TagResource", "UntagResource"}
        if request.operation in _OWNERS_ALONE or is_tagged or next(given, None):
            raise AwsError(
                "AccessDeniedException",
                f"User: arn:aws:iam::{request.account}:root is not authorized to perform: "
                f"networkmanager:{request.operation} on resource: {item.arn}",
                403,
            )
        return home
    return own


def visible(resource: str, request: Request) -> Iterator[Item]:
    """The things of a resource that an account sees: all on its own core networks, what others lend it, and its own on
    theirs."""
    yield from store_of(request.account, request.partition).of(resource).values()
    for home in _others(request):
        for item in list(home.of(resource).values()):
            if _is_visible(item, home.account_id, request):
                yield item


def owner(item: Item) -> str:
    """The account that made a thing."""
    return item.arn.split(":")[4]


def _named(store: NetworkManagerBackend, request: Request) -> Item | None:
    """What a request is about, where that is in a store."""
    for name, resource in _NAMES.items():
        if found := store.of(resource).get(str(request.parameters.get(name))):
            return found
    return store.by_arn(str(request.parameters.get("ResourceArn") or ""))


def _is_visible(item: Item, home: str, request: Request) -> bool:
    if item.resource != "CoreNetwork":
        return item.resource in _ON_NETWORKS and owner(item) == request.account
    region = _SHARED_IN.get(request.partition)
    return region is not None and is_shared(home, request.account, region, item.arn)


def _others(request: Request) -> Iterator[NetworkManagerBackend]:
    from moto.networkmanager.models import networkmanager_backends

    for account in list(networkmanager_backends):
        if account != request.account and request.partition in networkmanager_backends[account]:
            yield store_of(account, request.partition)
