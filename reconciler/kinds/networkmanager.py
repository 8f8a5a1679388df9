"""AWS Network Manager's classic things: what is written down about a network.

Facts: https://docs.aws.amazon.com/networkmanager/latest/APIReference/ and botocore's service model.  Every list
answers tags inline, none filters by tag, and no create call takes a token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.kinds import associations
from reconciler.kinds.associations import TRANSIT_GATEWAYS, released, untied
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.kind import Kind, Remedy
from reconciler.model.reads import Read
from reconciler.model.things import Desired, Observed, Ref

READY = frozenset({"AVAILABLE"})
LEAVING = frozenset({"DELETING"})

GLOBAL_NETWORK = Kind(
    name="global-network",
    about="The container of a private network: sites, devices, links, transit gateways, a core network.",
    service="networkmanager",
    read=Read(
        operation="DescribeGlobalNetworks",
        path="GlobalNetworks",
        ids="GlobalNetworkIds",
        page=500,
        companions=[TRANSIT_GATEWAYS.list],
    ),
    create="CreateGlobalNetwork",
    update="UpdateGlobalNetwork",
    delete="DeleteGlobalNetwork",
    id="GlobalNetworkId",
    arn="GlobalNetworkArn",
    state="State",
    ready=READY,
    leaving=LEAVING,
    refs={"TransitGateways[].TransitGatewayArn": "transit-gateway.arn"},
    parts=(TRANSIT_GATEWAYS.part,),
    release=released(TRANSIT_GATEWAYS),
)

SITE = Kind(
    name="site",
    about="A physical place of a global network: a data centre, an office, a region of another cloud.",
    service="networkmanager",
    read=Read(operation="GetSites", path="Sites", ids="SiteIds", page=500, within="global-network"),
    create="CreateSite",
    update="UpdateSite",
    delete="DeleteSite",
    id="SiteId",
    arn="SiteArn",
    identity=("GlobalNetworkId",),
    state="State",
    ready=READY,
    leaving=LEAVING,
    refs={"GlobalNetworkId": "global-network"},
)


def _place(device: Observed, wanted: Any) -> list[Call]:
    """A zone or a subnet: AWS takes one where the other is emptied in the same call."""
    parameters = {
        "GlobalNetworkId": device.raw["GlobalNetworkId"],
        "DeviceId": device.id,
        "AWSLocation": {"Zone": "", "SubnetArn": "", **(wanted or {})},
    }
    return [Call(service="networkmanager", operation="UpdateDevice", parameters=parameters)]


DEVICE = Kind(
    name="device",
    about="An appliance at a site, or one of another network: it ends connections, links and VPNs.",
    service="networkmanager",
    read=Read(
        operation="GetDevices",
        path="Devices",
        ids="DeviceIds",
        page=500,
        within="global-network",
        companions=[tie.list for tie in associations.DEVICE],
    ),
    create="CreateDevice",
    update="UpdateDevice",
    delete="DeleteDevice",
    id="DeviceId",
    arn="DeviceArn",
    identity=("GlobalNetworkId",),
    state="State",
    ready=READY,
    leaving=LEAVING,
    refs={
        "GlobalNetworkId": "global-network",
        "SiteId": "site",
        "AWSLocation.SubnetArn": "subnet.arn",
        "Links[].LinkId": "link",
        "CustomerGateways[].CustomerGatewayArn": "customer-gateway.arn",
        "CustomerGateways[].LinkId": "link",
        "TransitGatewayConnectPeers[].TransitGatewayConnectPeerArn": "transit-gateway-connect-peer.arn",
        "TransitGatewayConnectPeers[].LinkId": "link",
        "ConnectPeers[].ConnectPeerId": "connect-peer",
        "ConnectPeers[].LinkId": "link",
    },
    alike={
        "SiteId": ("GlobalNetworkId",),
        "Links[].LinkId": ("GlobalNetworkId", "SiteId"),
        "CustomerGateways[].LinkId": ("GlobalNetworkId", "SiteId"),
        "TransitGatewayConnectPeers[].LinkId": ("GlobalNetworkId", "SiteId"),
        "ConnectPeers[].LinkId": ("GlobalNetworkId", "SiteId"),
    },
    remedies={"AWSLocation": Remedy(operations=("UpdateDevice",), make=_place, joins=True)},
    parts=tuple(tie.part for tie in associations.DEVICE),
    # a device and its links are in one site; what is beside a link is there as long as that
    before={"SiteId": untied(*associations.DEVICE)},
    release=released(*associations.DEVICE),
)

LINK = Kind(
    name="link",
    about="A way out of a site, with its provider and its speeds.",
    service="networkmanager",
    read=Read(operation="GetLinks", path="Links", ids="LinkIds", page=500, within="global-network"),
    create="CreateLink",
    update="UpdateLink",
    delete="DeleteLink",
    id="LinkId",
    arn="LinkArn",
    identity=("GlobalNetworkId",),
    state="State",
    ready=READY,
    leaving=LEAVING,
    refs={"GlobalNetworkId": "global-network", "SiteId": "site"},
    alike={"SiteId": ("GlobalNetworkId",)},
)

ENDS = (("DeviceId", "LinkId"), ("ConnectedDeviceId", "ConnectedLinkId"))


def _over_links(connection: Desired, resources: Mapping[Address, Desired]) -> Iterator[tuple[str, str, str]]:
    """The links of a connection are at the sites of its devices: with others these cannot be associated."""
    for ends in ENDS:
        device, link = (_named(connection, field, resources) for field in ends)
        if device is None or link is None:
            continue
        here, there = device.spec.get("SiteId"), link.spec.get("SiteId")
        if isinstance(here, Ref) and isinstance(there, Ref) and here != there:
            yield ends[1], f"{link.address} is at {there}, and {device.address} at {here}", ""


def _named(connection: Desired, field: str, resources: Mapping[Address, Desired]) -> Desired | None:
    ref = connection.spec.get(field)
    return resources.get(ref.to) if isinstance(ref, Ref) else None


CONNECTION = Kind(
    name="connection",
    about="That two devices are connected, over a link of each where it is known.",
    service="networkmanager",
    read=Read(
        operation="GetConnections", path="Connections", ids="ConnectionIds", page=500, within="global-network"
    ),
    create="CreateConnection",
    update="UpdateConnection",
    delete="DeleteConnection",
    id="ConnectionId",
    arn="ConnectionArn",
    identity=("GlobalNetworkId",),
    state="State",
    ready=READY,
    leaving=LEAVING,
    refs={
        "GlobalNetworkId": "global-network",
        "DeviceId": "device",
        "ConnectedDeviceId": "device",
        "LinkId": "link",
        "ConnectedLinkId": "link",
    },
    alike={
        "DeviceId": ("GlobalNetworkId",),
        "ConnectedDeviceId": ("GlobalNetworkId",),
        "LinkId": ("GlobalNetworkId",),
        "ConnectedLinkId": ("GlobalNetworkId",),
    },
    unlike={"ConnectedDeviceId": "DeviceId"},
    fits=_over_links,
)
