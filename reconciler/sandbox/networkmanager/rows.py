"""The facts of each Network Manager resource, one row each. Verbs in `verbs.py` do the rest.

To add a resource, add a row; to add a rule that no column expresses, add a function to its `checks`.
Sources: botocore's service model (networkmanager 2019-07-05) for operations, members and the limits in its doc strings;
the Service Authorization Reference, "Resource types defined by AWS Network Manager", for ARNs;
terraform-provider-aws, internal/service/networkmanager, for what a refused delete says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import checks, rules
from .models import Item, NetworkManagerBackend
from .refusals import Refusal

Check = Callable[[NetworkManagerBackend, Mapping[str, Any]], Refusal | None]


@dataclass(frozen=True)
class Blocker:
    """Things of `resource` keep this thing from being deleted if their members equal its own, `where` says which
    (theirs -> its own; its id counts as a member); `says` is the refusal, whose code and text are known from a public
    reference or not: what is not has other words than what is, so that nobody reads the meaning out of these."""

    resource: str
    where: Mapping[str, str]
    says: str
    is_known: bool = True


@dataclass(frozen=True)
class Resource:
    """One resource type.

    `name`: its shape, and the member of answers that holds one; `kind`: prefix of its ids, part of its ARNs and key
    of its delays; `many`, `ids`: the list member of a read and the parameter that filters by id; `id_limit`: how many
    ids a read takes; `within`: the member that names the parent; `key`: the members that identify one that has no id of
    its own, neither ARN nor tags nor time of creation; `key_is_known`: whether a public reference shows the code for a
    second one of the same key; `state`: the member with the state; `state_is_nested`: it is a structure with a Code;
    `filters`: read parameter -> member; `exclusive`: a filter that may not stand beside others; `wants_filter`:
    its doc string says that one must be given; `references`: member ->
    resource that must exist in the same parent; `blockers`: what a delete waits for; `takes_along`: what is deleted
    with it; `maxima`: lengths that doc strings set below the model's; `checks`: rules over the members as they would be
    after a create or update; `rules`: the same, over other things too.
    """

    name: str
    kind: str
    many: str
    create: str
    read: str
    delete: str
    update: str | None = None
    ids: str | None = None
    id_limit: int | None = 10
    within: str | None = "GlobalNetworkId"
    key: tuple[str, ...] = ()
    key_is_known: bool = False
    state: str = "State"
    state_is_nested: bool = False
    filters: Mapping[str, str] = field(default_factory=dict)
    exclusive: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wants_filter: bool = False
    references: Mapping[str, str] = field(default_factory=dict)
    blockers: tuple[Blocker, ...] = ()
    takes_along: Callable[[NetworkManagerBackend, Item], list[Item]] | None = None
    maxima: Mapping[str, int] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    rules: tuple[rules.Rule, ...] = ()

    @property
    def id(self) -> str:
        """The member that holds its id."""
        return f"{self.name}Id"

    @property
    def arn(self) -> str:
        """The member that holds its ARN."""
        return f"{self.name}Arn"


_DESCRIPTION = {"Description": 256}
_HERE = {"GlobalNetworkId": "GlobalNetworkId"}
_OCCUPIED = "Global network cannot be deleted due to existing devices, sites, or links."


def _associated(name: str, *resources: str, where: tuple[str, ...]) -> tuple[Blocker, ...]:
    """Blockers of a device, a link or both: associations whose members `where` are the same."""
    says = f"{name} is associated."
    return tuple(
        Blocker(one, {member: member for member in where}, says, is_known=False) for one in resources
    )


_PEERED = ("CustomerGatewayAssociation", "TransitGatewayConnectPeerAssociation", "ConnectPeerAssociation")

GLOBAL_NETWORK = Resource(
    name="GlobalNetwork",
    kind="global-network",
    many="GlobalNetworks",
    create="CreateGlobalNetwork",
    read="DescribeGlobalNetworks",
    update="UpdateGlobalNetwork",
    delete="DeleteGlobalNetwork",
    ids="GlobalNetworkIds",
    within=None,
    blockers=(
        Blocker("Device", _HERE, _OCCUPIED),
        Blocker("Site", _HERE, _OCCUPIED),
        Blocker("Link", _HERE, _OCCUPIED),
        Blocker(
            "TransitGatewayRegistration",
            _HERE,
            "Global network has transit gateways.",
            is_known=False,
        ),
        Blocker(
            "CoreNetwork",
            _HERE,
            "Global network has core networks.",
            is_known=False,
        ),
    ),
    maxima=_DESCRIPTION,
)

SITE = Resource(
    name="Site",
    kind="site",
    many="Sites",
    create="CreateSite",
    read="GetSites",
    update="UpdateSite",
    delete="DeleteSite",
    ids="SiteIds",
    blockers=tuple(
        Blocker(one, {"SiteId": "SiteId"}, "Site cannot be deleted due to existing association.")
        for one in ("Device", "Link")
    ),
    maxima=_DESCRIPTION,
)

DEVICE = Resource(
    name="Device",
    kind="device",
    many="Devices",
    create="CreateDevice",
    read="GetDevices",
    update="UpdateDevice",
    delete="DeleteDevice",
    ids="DeviceIds",
    filters={"SiteId": "SiteId"},
    references={"SiteId": "Site"},
    blockers=(
        *_associated("Device", "Connection", "LinkAssociation", *_PEERED, where=("DeviceId",)),
        Blocker(
            "Connection",
            {"ConnectedDeviceId": "DeviceId"},
            "Device is associated.",
            is_known=False,
        ),
    ),
    maxima={**_DESCRIPTION, "Vendor": 128, "Model": 128, "SerialNumber": 128},
    checks=(checks.zone_or_subnet,),
    rules=(rules.site_of_links,),
)

LINK = Resource(
    name="Link",
    kind="link",
    many="Links",
    create="CreateLink",
    read="GetLinks",
    update="UpdateLink",
    delete="DeleteLink",
    ids="LinkIds",
    filters={"SiteId": "SiteId", "Type": "Type", "Provider": "Provider"},
    exclusive={"SiteId": ("Type", "Provider")},
    references={"SiteId": "Site"},
    blockers=(
        *_associated("Link", "Connection", "LinkAssociation", *_PEERED, where=("LinkId",)),
        Blocker(
            "Connection",
            {"ConnectedLinkId": "LinkId"},
            "Link is associated.",
            is_known=False,
        ),
    ),
    maxima={**_DESCRIPTION, "Type": 128, "Provider": 128},
    checks=(checks.plain_type_and_provider, checks.some_bandwidth),
)

CONNECTION = Resource(
    name="Connection",
    kind="connection",
    many="Connections",
    create="CreateConnection",
    read="GetConnections",
    update="UpdateConnection",
    delete="DeleteConnection",
    ids="ConnectionIds",
    id_limit=None,  # the model states no maximum for this one
    filters={"DeviceId": "DeviceId"},
    references={
        "DeviceId": "Device",
        "ConnectedDeviceId": "Device",
        "LinkId": "Link",
        "ConnectedLinkId": "Link",
    },
    maxima=_DESCRIPTION,
    rules=(rules.links_of_connection,),
)

LINK_ASSOCIATION = Resource(
    name="LinkAssociation",
    kind="link-association",
    many="LinkAssociations",
    create="AssociateLink",
    read="GetLinkAssociations",
    delete="DisassociateLink",
    key=("DeviceId", "LinkId"),
    state="LinkAssociationState",
    filters={"DeviceId": "DeviceId", "LinkId": "LinkId"},
    wants_filter=True,
    references={"DeviceId": "Device", "LinkId": "Link"},
    # of customer gateways the doc string of DisassociateLink says so; of Connect peers by analogy, unverified
    blockers=_associated("Link association", *_PEERED, where=("DeviceId", "LinkId")),
    rules=(rules.same_site,),
)

TRANSIT_GATEWAY_REGISTRATION = Resource(
    name="TransitGatewayRegistration",
    kind="transit-gateway-registration",
    many="TransitGatewayRegistrations",
    create="RegisterTransitGateway",
    read="GetTransitGatewayRegistrations",
    delete="DeregisterTransitGateway",
    ids="TransitGatewayArns",
    key=("TransitGatewayArn",),
    key_is_known=True,  # AWS's own CloudFormation handlers read ValidationException as "already exists"
    state_is_nested=True,
    takes_along=rules.customer_gateways_of,
    rules=(rules.transit_gateway_exists,),
)

CUSTOMER_GATEWAY_ASSOCIATION = Resource(
    name="CustomerGatewayAssociation",
    kind="customer-gateway-association",
    many="CustomerGatewayAssociations",
    create="AssociateCustomerGateway",
    read="GetCustomerGatewayAssociations",
    delete="DisassociateCustomerGateway",
    ids="CustomerGatewayArns",
    key=("CustomerGatewayArn",),
    references={"DeviceId": "Device", "LinkId": "Link"},
    rules=(rules.customer_gateway_is_known, rules.link_of_device),
)

TRANSIT_GATEWAY_CONNECT_PEER_ASSOCIATION = Resource(
    name="TransitGatewayConnectPeerAssociation",
    kind="transit-gateway-connect-peer-association",
    many="TransitGatewayConnectPeerAssociations",
    create="AssociateTransitGatewayConnectPeer",
    read="GetTransitGatewayConnectPeerAssociations",
    delete="DisassociateTransitGatewayConnectPeer",
    ids="TransitGatewayConnectPeerArns",
    id_limit=None,  # the model states no maximum for this one
    key=("TransitGatewayConnectPeerArn",),
    references={"DeviceId": "Device", "LinkId": "Link"},
    rules=(rules.transit_gateway_of_peer_is_registered, rules.link_of_device),
)

CONNECT_PEER_ASSOCIATION = Resource(
    name="ConnectPeerAssociation",
    kind="connect-peer-association",
    many="ConnectPeerAssociations",
    create="AssociateConnectPeer",
    read="GetConnectPeerAssociations",
    delete="DisassociateConnectPeer",
    ids="ConnectPeerIds",
    id_limit=None,  # the model states no maximum for this one
    key=("ConnectPeerId",),
    references={"DeviceId": "Device", "LinkId": "Link"},
    rules=(rules.connect_peer_is_within, rules.link_of_device),
)

ALL = (
    GLOBAL_NETWORK,
    SITE,
    DEVICE,
    LINK,
    CONNECTION,
    LINK_ASSOCIATION,
    TRANSIT_GATEWAY_REGISTRATION,
    CUSTOMER_GATEWAY_ASSOCIATION,
    TRANSIT_GATEWAY_CONNECT_PEER_ASSOCIATION,
    CONNECT_PEER_ASSOCIATION,
)
BY_NAME: Mapping[str, Resource] = {resource.name: resource for resource in ALL}
