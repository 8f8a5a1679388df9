"""The facts about every kind of thing.  `ALL` is the whole list; a kind that is not in it does not exist."""

from __future__ import annotations

from reconciler.kinds.accelerators import ACCELERATOR
from reconciler.kinds.acls import NETWORK_ACL
from reconciler.kinds.balancing import LISTENER, LOAD_BALANCER, TARGET_GROUP
from reconciler.kinds.cloudwan import (
    CONNECT_ATTACHMENT,
    DIRECT_CONNECT_GATEWAY_ATTACHMENT,
    SITE_TO_SITE_VPN_ATTACHMENT,
    TRANSIT_GATEWAY_ROUTE_TABLE_ATTACHMENT,
    VPC_ATTACHMENT,
)
from reconciler.kinds.compute import INSTANCE
from reconciler.kinds.corenetwork import CORE_NETWORK
from reconciler.kinds.dns import HOSTED_ZONE
from reconciler.kinds.endpoints import VPC_ENDPOINT
from reconciler.kinds.firewall import SECURITY_GROUP
from reconciler.kinds.flowlogs import FLOW_LOG
from reconciler.kinds.gateways import (
    EGRESS_ONLY_INTERNET_GATEWAY,
    ELASTIC_IP,
    INTERNET_GATEWAY,
    NAT_GATEWAY,
)
from reconciler.kinds.iam import INSTANCE_PROFILE, ROLE
from reconciler.kinds.interfaces import NETWORK_INTERFACE
from reconciler.kinds.kubernetes import EKS_CLUSTER, EKS_NODEGROUP
from reconciler.kinds.launching import CAPACITY_RESERVATION, KEY_PAIR, LAUNCH_TEMPLATE, PLACEMENT_GROUP
from reconciler.kinds.networkmanager import CONNECTION, DEVICE, GLOBAL_NETWORK, LINK, SITE
from reconciler.kinds.peering import TRANSIT_GATEWAY_PEERING_ATTACHMENT, VPC_PEERING_CONNECTION
from reconciler.kinds.prefixlists import PREFIX_LIST
from reconciler.kinds.routing import ROUTE_TABLE
from reconciler.kinds.scaling import AUTO_SCALING_GROUP
from reconciler.kinds.transit import (
    TRANSIT_GATEWAY,
    TRANSIT_GATEWAY_CONNECT,
    TRANSIT_GATEWAY_CONNECT_PEER,
    TRANSIT_GATEWAY_VPC_ATTACHMENT,
)
from reconciler.kinds.transitrouting import TRANSIT_GATEWAY_ROUTE_TABLE
from reconciler.kinds.volumes import VOLUME
from reconciler.kinds.vpc import DHCP_OPTIONS, SUBNET, VPC
from reconciler.kinds.vpn import CUSTOMER_GATEWAY, VPN_GATEWAY
from reconciler.kinds.vpnconnections import VPN_CONNECTION
from reconciler.kinds.wanpeers import CONNECT_PEER, TRANSIT_GATEWAY_PEERING
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
    PREFIX_LIST,
    SECURITY_GROUP,
    KEY_PAIR,
    PLACEMENT_GROUP,
    LAUNCH_TEMPLATE,
    CAPACITY_RESERVATION,
    ROLE,
    INSTANCE_PROFILE,
    INSTANCE,
    VOLUME,
    NETWORK_INTERFACE,
    INTERNET_GATEWAY,
    EGRESS_ONLY_INTERNET_GATEWAY,
    ELASTIC_IP,
    NAT_GATEWAY,
    ROUTE_TABLE,
    NETWORK_ACL,
    DHCP_OPTIONS,
    FLOW_LOG,
    CUSTOMER_GATEWAY,
    VPN_GATEWAY,
    TRANSIT_GATEWAY,
    TRANSIT_GATEWAY_VPC_ATTACHMENT,
    TRANSIT_GATEWAY_CONNECT,
    TRANSIT_GATEWAY_CONNECT_PEER,
    TRANSIT_GATEWAY_PEERING_ATTACHMENT,
    VPN_CONNECTION,
    TRANSIT_GATEWAY_ROUTE_TABLE,
    VPC_ENDPOINT,
    VPC_PEERING_CONNECTION,
    VPC_ATTACHMENT,
    CONNECT_ATTACHMENT,
    CONNECT_PEER,
    DIRECT_CONNECT_GATEWAY_ATTACHMENT,
    SITE_TO_SITE_VPN_ATTACHMENT,
    TRANSIT_GATEWAY_PEERING,
    TRANSIT_GATEWAY_ROUTE_TABLE_ATTACHMENT,
    TARGET_GROUP,
    LOAD_BALANCER,
    LISTENER,
    AUTO_SCALING_GROUP,
    HOSTED_ZONE,
    ACCELERATOR,
    EKS_CLUSTER,
    EKS_NODEGROUP,
)
BY_NAME = {kind.name: kind for kind in ALL}
