"""AWS Network Manager's classic things: what is written down about a network.

Facts: https://docs.aws.amazon.com/networkmanager/latest/APIReference/ and botocore's service model.  Every list
answers tags inline, none filters by tag, and no create call takes a token.
"""

from __future__ import annotations

from reconciler.model.kind import Kind, Read

READY = frozenset({"AVAILABLE"})
LEAVING = frozenset({"DELETING"})

GLOBAL_NETWORK = Kind(
    name="global-network",
    about="The container of a private network: sites, devices, links, transit gateways, a core network.",
    service="networkmanager",
    read=Read(operation="DescribeGlobalNetworks", path="GlobalNetworks", ids="GlobalNetworkIds", page=500),
    create="CreateGlobalNetwork",
    update="UpdateGlobalNetwork",
    delete="DeleteGlobalNetwork",
    id="GlobalNetworkId",
    arn="GlobalNetworkArn",
    state="State",
    ready=READY,
    leaving=LEAVING,
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
