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

from . import checks
from .models import NetworkManagerBackend
from .refusals import Refusal

Check = Callable[[NetworkManagerBackend, Mapping[str, Any]], Refusal | None]


@dataclass(frozen=True)
class Blocker:
    """Things of `resource` whose `member` names this thing keep it from being deleted."""

    resource: str
    member: str


@dataclass(frozen=True)
class Resource:
    """One resource type.

    `name`: its shape, and the member of answers that holds one; `kind`: prefix of its ids, part of its ARNs and key
    of its delays; `many`, `ids`: the list member of a read and the parameter that filters by id; `id_limit`: how many
    ids a read takes; `within`: the member that names the parent; `filters`: read parameter -> member; `exclusive`:
    a filter that may not stand beside others; `references`: member -> resource that must exist in the same parent;
    `blockers`, `blocked`: what a delete waits for and what it says; `block_is_known`: whether a public reference shows
    that code; `maxima`: lengths that doc strings set below the model's; `checks`: rules over the members as they would
    be after a create or update.
    """

    name: str
    kind: str
    many: str
    create: str
    read: str
    update: str
    delete: str
    ids: str
    id_limit: int | None = 10
    within: str | None = "GlobalNetworkId"
    filters: Mapping[str, str] = field(default_factory=dict)
    exclusive: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    blockers: tuple[Blocker, ...] = ()
    blocked: str = ""
    block_is_known: bool = True
    maxima: Mapping[str, int] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()

    @property
    def id(self) -> str:
        """The member that holds its id."""
        return f"{self.name}Id"

    @property
    def arn(self) -> str:
        """The member that holds its ARN."""
        return f"{self.name}Arn"


_DESCRIPTION = {"Description": 256}

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
        Blocker("Device", "GlobalNetworkId"),
        Blocker("Site", "GlobalNetworkId"),
        Blocker("Link", "GlobalNetworkId"),
    ),
    blocked="Global network cannot be deleted due to existing devices, sites, or links.",
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
    blockers=(Blocker("Device", "SiteId"), Blocker("Link", "SiteId")),
    blocked="Site cannot be deleted due to existing association.",
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
    blockers=(Blocker("Connection", "DeviceId"), Blocker("Connection", "ConnectedDeviceId")),
    blocked="Device cannot be deleted due to existing association.",
    block_is_known=False,
    maxima={**_DESCRIPTION, "Vendor": 128, "Model": 128, "SerialNumber": 128},
    checks=(checks.zone_or_subnet,),
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
    blockers=(Blocker("Connection", "LinkId"), Blocker("Connection", "ConnectedLinkId")),
    blocked="Link cannot be deleted due to existing association.",
    block_is_known=False,
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
)

ALL = (GLOBAL_NETWORK, SITE, DEVICE, LINK, CONNECTION)
BY_NAME: Mapping[str, Resource] = {resource.name: resource for resource in ALL}
