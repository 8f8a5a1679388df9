"""The facts about every kind of thing.  `ALL` is the whole list; a kind that is not in it does not exist."""

from __future__ import annotations

from reconciler.kinds.acls import NETWORK_ACL
from reconciler.kinds.cloudwan import (
    CONNECT_ATTACHMENT,
    CONNECT_PEER,
    DIRECT_CONNECT_GATEWAY_ATTACHMENT,
    VPC_ATTACHMENT,
)
from reconciler.kinds.compute import INSTANCE
from reconciler.kinds.corenetwork import CORE_NETWORK
from reconciler.kinds.firewall import SECURITY_GROUP
from reconciler.kinds.gateways import (
    EGRESS_ONLY_INTERNET_GATEWAY,
    ELASTIC_IP,
    INTERNET_GATEWAY,
    NAT_GATEWAY,
)
from reconciler.kinds.networkmanager import CONNECTION, DEVICE, GLOBAL_NETWORK, LINK, SITE
from reconciler.kinds.routing import ROUTE_TABLE
from reconciler.kinds.vpc import DHCP_OPTIONS, SUBNET, VPC
from reconciler.model.kind import Kind

ALL: tuple[Kind, ...] = (
    GLOBAL_NETWORK,
    SITE,
    LINK,
    DEVICE,
    CONNECTION,
    CORE_NETWORK,
    VPC,
    SUBNET,
    SECURITY_GROUP,
    INSTANCE,
    INTERNET_GATEWAY,
    EGRESS_ONLY_INTERNET_GATEWAY,
    ELASTIC_IP,
    NAT_GATEWAY,
    ROUTE_TABLE,
    NETWORK_ACL,
    DHCP_OPTIONS,
    VPC_ATTACHMENT,
    CONNECT_ATTACHMENT,
    CONNECT_PEER,
    DIRECT_CONNECT_GATEWAY_ATTACHMENT,
)
BY_NAME = {kind.name: kind for kind in ALL}
