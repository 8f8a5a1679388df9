"""Rules between Network Manager's things, and between them and EC2's; named in `rows.py`.

Sources: the doc strings of botocore's model for what must be ("If you specify a link, it must be associated with the
specified device", …); terraform-provider-aws, internal/service/networkmanager, for the code of a customer gateway that
the global network does not know yet. Other codes are unverified and chosen by `Settings.unverified_block`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import AwsError
from ..request import Request
from . import elsewhere
from .models import Item, NetworkManagerBackend
from .refusals import invalid_field, not_found, unverified


@dataclass(frozen=True)
class Attempt:
    """A create or update as its rules see it: the members as they would be, and the thing (None while it is made)."""

    store: NetworkManagerBackend
    request: Request
    members: Mapping[str, Any]
    item: Item | None = None

    @property
    def network(self) -> str:
        """The id of the global network."""
        return str(self.members.get("GlobalNetworkId"))

    def there(self, resource: str) -> Iterable[Item]:
        """The things of a type that exist, in the order in which they came."""
        return (one for one in self.store.of(resource).values() if not one.is_gone)


Rule = Callable[[Attempt], AwsError | None]


def link_of_device(attempt: Attempt, device: str = "DeviceId", link: str = "LinkId") -> AwsError | None:
    """A link that is named beside a device is associated with it."""
    pair = (attempt.members.get(device), attempt.members.get(link))
    associated = any(
        (one.members["DeviceId"], one.members["LinkId"]) == pair and one.state != "DELETING"
        for one in attempt.there("LinkAssociation")
    )
    if pair[1] is None or associated:
        return None
    return invalid_field(link, "The link is not associated with the device.")


def links_of_connection(attempt: Attempt) -> AwsError | None:
    """The same for both ends of a connection, if the settings want it: terraform-provider-aws's tests always associate
    first, and what the service answers otherwise is on no record."""
    if not attempt.request.world.settings.connection_links_associated:
        return None
    return link_of_device(attempt) or link_of_device(attempt, "ConnectedDeviceId", "ConnectedLinkId")


def same_site(attempt: Attempt) -> AwsError | None:
    """A device and a link that are associated are in one site; so a device without a site has no links."""
    device = attempt.store.of("Device").get(str(attempt.members.get("DeviceId")))
    link = attempt.store.of("Link").get(str(attempt.members.get("LinkId")))
    if device is None or link is None or device.members.get("SiteId") == link.members.get("SiteId"):
        return None
    return invalid_field("LinkId", "The device and the link must be in the same site.")


def site_of_links(attempt: Attempt) -> AwsError | None:
    """A device stays in its site while links of that site are associated with it."""
    if attempt.item is None or attempt.members.get("SiteId") == attempt.item.members.get("SiteId"):
        return None
    if all(one.members["DeviceId"] != attempt.item.id for one in attempt.there("LinkAssociation")):
        return None
    message = "The device is associated with links of its site."
    return unverified(attempt.request, message, "device", attempt.item.id)


def transit_gateway_exists(attempt: Attempt) -> AwsError | None:
    """A transit gateway that is registered exists in EC2; which code a wrong one gets is unverified."""
    arn = str(attempt.members["TransitGatewayArn"])
    if elsewhere.find(arn, "transit-gateway") is None:
        return not_found("transit-gateway", arn)
    return None


def customer_gateway_is_known(attempt: Attempt) -> AwsError | None:
    """A customer gateway has a VPN connection on a transit gateway that is registered in the global network, or on an
    attachment of its core network; the global network learns of it some time after the registration."""
    arn = str(attempt.members["CustomerGatewayArn"])
    behind = elsewhere.transit_gateways_behind(arn)
    world = attempt.request.world
    delay = world.settings.delays.of("customer-gateway", "PENDING")
    registered = any(
        one.members["TransitGatewayArn"] in behind
        and one.members["GlobalNetworkId"] == attempt.network
        and one.state == "AVAILABLE"
        and world.timeline.now >= one.since + delay
        for one in attempt.there("TransitGatewayRegistration")
    )
    if registered or _has_attached_vpn(attempt, arn):
        return None
    return not_found("customer-gateway", arn)


def _has_attached_vpn(attempt: Attempt, customer_gateway: str) -> bool:
    vpns = elsewhere.vpns_behind(customer_gateway)
    return any(
        one.members["ResourceArn"] in vpns
        and _network_of(attempt, str(one.members.get("CoreNetworkId"))) == attempt.network
        for one in attempt.there("Attachment")
    )


def _network_of(attempt: Attempt, core_network: str) -> str | None:
    item = attempt.store.of("CoreNetwork").get(core_network)
    return None if item is None else str(item.members["GlobalNetworkId"])


def transit_gateway_of_peer_is_registered(attempt: Attempt) -> AwsError | None:
    """A transit gateway Connect peer is on a transit gateway that is registered in the global network."""
    arn = str(attempt.members["TransitGatewayConnectPeerArn"])
    gateway = elsewhere.gateway_of_connect_peer(arn)
    for one in attempt.there("TransitGatewayRegistration"):
        if one.members["GlobalNetworkId"] == attempt.network and one.members["TransitGatewayArn"] == gateway:
            return None
    return not_found("transit-gateway-connect-peer", arn)


def connect_peer_is_within(attempt: Attempt) -> AwsError | None:
    """A Connect peer is on a core network of the global network."""
    wanted = str(attempt.members["ConnectPeerId"])
    peer = attempt.store.of("ConnectPeer").get(wanted)
    if peer is None or _network_of(attempt, str(peer.members["CoreNetworkId"])) != attempt.network:
        return not_found("connect-peer", wanted)
    return None


def customer_gateways_of(store: NetworkManagerBackend, registration: Item) -> list[Item]:
    """The customer gateway associations that go with a transit gateway's registration: those of customer gateways
    that no other registered transit gateway knows."""
    others = {
        one.members["TransitGatewayArn"]
        for one in store.of("TransitGatewayRegistration").values()
        if one is not registration and one.state == "AVAILABLE"
    }
    mine = registration.members["TransitGatewayArn"]
    found = []
    for association in store.of("CustomerGatewayAssociation").values():
        behind = elsewhere.transit_gateways_behind(association.members["CustomerGatewayArn"])
        if not association.is_gone and mine in behind and not behind & others:
            found.append(association)
    return found
