"""Which filters the Describe operations of transit gateways and VPNs have, and what they compare.

Source: EC2 API reference, the Filter.N list of each operation, as in `filter_paths.py` of all EC2.
"""

from __future__ import annotations

from collections.abc import Mapping

CUSTOMER_GATEWAYS: Mapping[str, str] = {
    "bgp-asn": "BgpAsn",
    "customer-gateway-id": "CustomerGatewayId",
    "ip-address": "IpAddress",
    "state": "State",
    "type": "Type",
}
VPN_GATEWAYS: Mapping[str, str] = {
    "amazon-side-asn": "AmazonSideAsn",
    "attachment.state": "VpcAttachments.State",
    "attachment.vpc-id": "VpcAttachments.VpcId",
    "availability-zone": "AvailabilityZone",
    "state": "State",
    "type": "Type",
    "vpn-gateway-id": "VpnGatewayId",
}
TRANSIT_GATEWAYS: Mapping[str, str] = {
    "options.amazon-side-asn": "Options.AmazonSideAsn",
    "options.association-default-route-table-id": "Options.AssociationDefaultRouteTableId",
    "options.auto-accept-shared-attachments": "Options.AutoAcceptSharedAttachments",
    "options.default-route-table-association": "Options.DefaultRouteTableAssociation",
    "options.default-route-table-propagation": "Options.DefaultRouteTablePropagation",
    "options.dns-support": "Options.DnsSupport",
    "options.propagation-default-route-table-id": "Options.PropagationDefaultRouteTableId",
    "options.vpn-ecmp-support": "Options.VpnEcmpSupport",
    "owner-id": "OwnerId",
    "state": "State",
    "transit-gateway-id": "TransitGatewayId",
}
VPC_ATTACHMENTS: Mapping[str, str] = {
    "state": "State",
    "transit-gateway-attachment-id": "TransitGatewayAttachmentId",
    "transit-gateway-id": "TransitGatewayId",
    "vpc-id": "VpcId",
}
ROUTE_TABLES: Mapping[str, str] = {
    "default-association-route-table": "DefaultAssociationRouteTable",
    "default-propagation-route-table": "DefaultPropagationRouteTable",
    "state": "State",
    "transit-gateway-id": "TransitGatewayId",
    "transit-gateway-route-table-id": "TransitGatewayRouteTableId",
}
VPN_CONNECTIONS: Mapping[str, str] = {
    "bgp-asn": "",
    "customer-gateway-configuration": "CustomerGatewayConfiguration",
    "customer-gateway-id": "CustomerGatewayId",
    "option.static-routes-only": "Options.StaticRoutesOnly",
    "route.destination-cidr-block": "Routes.DestinationCidrBlock",
    "state": "State",
    "transit-gateway-id": "TransitGatewayId",
    "type": "Type",
    "vpn-connection-id": "VpnConnectionId",
    "vpn-gateway-id": "VpnGatewayId",
}
ATTACHMENTS: Mapping[str, str] = {
    "association.state": "Association.State",
    "association.transit-gateway-route-table-id": "Association.TransitGatewayRouteTableId",
    "resource-id": "ResourceId",
    "resource-owner-id": "ResourceOwnerId",
    "resource-type": "ResourceType",
    "state": "State",
    "transit-gateway-attachment-id": "TransitGatewayAttachmentId",
    "transit-gateway-id": "TransitGatewayId",
    "transit-gateway-owner-id": "TransitGatewayOwnerId",
}
PEERINGS: Mapping[str, str] = {
    "local-owner-id": "",
    "remote-owner-id": "",
    "state": "State",
    "transit-gateway-attachment-id": "TransitGatewayAttachmentId",
    "transit-gateway-id": "RequesterTgwInfo.TransitGatewayId",
}
CONNECTS: Mapping[str, str] = {
    "options.protocol": "Options.Protocol",
    "state": "State",
    "transit-gateway-attachment-id": "TransitGatewayAttachmentId",
    "transit-gateway-id": "TransitGatewayId",
    "transport-transit-gateway-attachment-id": "TransportTransitGatewayAttachmentId",
}
CONNECT_PEERS: Mapping[str, str] = {
    "state": "State",
    "transit-gateway-attachment-id": "TransitGatewayAttachmentId",
    "transit-gateway-connect-peer-id": "TransitGatewayConnectPeerId",
}
