"""Facts about IAM and AWS's services that no record of a kind holds.

Which resources an action looks at, and which keys of conditions it knows, is from the Service Authorization Reference:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_ec2.html and list_networkmanager.html there.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.service import SERVICES

MANAGED, INLINE, SESSION = 6144, 10240, 2048
"""Letters that a managed policy, all inline policies of a role, and a session policy may have; white space counts in
the last alone.  https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
ALWAYS_READ = ("ec2:DescribeRegions", *(one.search.action for one in SERVICES.values() if one.search))
"""What `discover` and `doctor` ask beside the lists of the kinds."""
TAGGED_BY_RESOURCE = frozenset({"ec2"})
"""Services that look at each resource of a creation by itself, and see the request's tags only at the new one.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html"""
OWN_TYPES: Mapping[str, str] = {
    "connect-attachment": "attachment",
    "direct-connect-gateway-attachment": "attachment",
    "eks-cluster": "cluster",
    "eks-nodegroup": "nodegroup",
    "iam-role": "role",
    "site-to-site-vpn-attachment": "attachment",
    "transit-gateway-peering": "peering",
    "transit-gateway-route-table-attachment": "attachment",
    "vpc-attachment": "attachment",
}
"""Kinds of other services than EC2 whose type in ARNs is not their name."""
BESIDE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "ec2:AcceptTransitGatewayPeeringAttachment": {"": ("transit-gateway-attachment",)},
    "ec2:AcceptVpcPeeringConnection": {"": ("vpc", "vpc-peering-connection")},
    "ec2:AssociateVpcCidrBlock": {"Ipv6CidrBlockAssociationSet": ("ipam-pool", "ipv6pool-ec2")},
    "ec2:CreateSubnet": {"Ipv4IpamPoolId": ("ipam-pool",), "Ipv6IpamPoolId": ("ipam-pool",)},
    "ec2:CreateVpc": {
        "Ipv4IpamPoolId": ("ipam-pool",),
        "Ipv6IpamPoolId": ("ipam-pool",),
        "Ipv6Pool": ("ipv6pool-ec2",),
    },
    "ec2:ModifyNetworkInterfaceAttribute": {
        "NetworkInterfaces": ("network-interface",),
        "network-interface.Attachment": ("network-interface",),
    },
    "ec2:ModifyVolume": {"BlockDeviceMappings": ("volume",)},
    "ec2:ModifySecurityGroupRules": {"": ("prefix-list", "security-group-rule")},
    "ec2:ReplaceNetworkAclAssociation": {"": ("network-acl",)},
    "ec2:RunInstances": {
        "": ("image", "network-interface", "volume"),
        "BlockDeviceMappings": ("snapshot",),
    },
}
"""Types of EC2's resources that an operation is allowed or denied for beside the thing itself and those that `refs`
names: by field of the config, "" for always; with a kind before it, where things of that kind beside it have it."""
FROM_OTHERS = frozenset(
    {
        "ec2:AcceptTransitGatewayPeeringAttachment",
        "ec2:AcceptVpcPeeringConnection",
        "ec2:ModifyNetworkInterfaceAttribute",
        "ec2:ModifyVolume",
        "ec2:ReplaceNetworkAclAssociation",
    }
)
"""Calls about things of a kind's own type that cannot be known by our tags: the default ACL of a network, which AWS
makes and a subnet is taken from or given back to; a peering as the other region sees it, with tags of its own; the
volumes and the first interface that an instance is launched with, which have no tags.  Of an instance with one
interface, nothing of that is changed but by the instance itself."""
HELD_AT: Mapping[str, str] = {
    f"networkmanager:Disassociate{what}": "global-network"
    for what in ("ConnectPeer", "CustomerGateway", "TransitGatewayConnectPeer")
}
"""Operations of parts for which AWS does not look at the thing that they are part of, and what it looks at instead:
that has to be ours."""
HELD_TO: Mapping[str, tuple[str, str, str]] = {
    "iam:AttachRolePolicy": ("iam:PolicyARN", "AttachedPolicies", "PolicyArn"),
}
"""Calls that are held to what the config names: the key of the condition, the field of the kind, and the member of its
items."""
ON_BEHALF: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "networkmanager:CreateTransitGatewayPeering": (
        ("ec2:AcceptTransitGatewayPeeringAttachment", "ec2:CreateTransitGatewayPeeringAttachment"),
        ("transit-gateway", "transit-gateway-attachment"),
    ),
    "networkmanager:DeletePeering": (
        ("ec2:DeleteTransitGatewayPeeringAttachment",),
        ("transit-gateway-attachment",),
    ),
}
"""Calls that AWS carries out with our own right to other calls, of other services, and the types that these look at.
What they make has no tags.  One that is missing shows later, as a peering that has FAILED with MISSING_PERMISSIONS."""
BY_TEMPLATE = {"auto-scaling-group": "", "eks-nodegroup": "launchTemplate"}
"""Kinds for which AWS asks whether we may ourselves launch what a launch template says, and the field that names it;
"" where they always have one.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html.  EKS documents
none of it; where the right is missing, it refuses CreateNodegroup with "You are not authorized to launch instances with
this launch template"."""
TEMPLATE_TYPES = (
    *("capacity-reservation", "image", "instance", "key-pair", "launch-template", "network-interface"),
    *("placement-group", "security-group", "snapshot", "subnet", "volume"),
)
"""What a launch looks at."""
FIRST_USE = {
    "autoscaling:CreateAutoScalingGroup": ("autoscaling", "AWSServiceRoleForAutoScaling"),
    "eks:CreateCluster": ("eks", "AWSServiceRoleForAmazonEKS"),
    "eks:CreateNodegroup": ("eks-nodegroup", "AWSServiceRoleForAmazonEKSNodegroup"),
    "elasticloadbalancing:CreateLoadBalancer": (
        "elasticloadbalancing",
        "AWSServiceRoleForElasticLoadBalancing",
    ),
    "globalaccelerator:CreateAccelerator": ("globalaccelerator", "AWSServiceRoleForGlobalAccelerator"),
    "networkmanager:CreateGlobalNetwork": ("networkmanager", "AWSServiceRoleForNetworkManager"),
}
"""Calls that make a service's own role in the account when they are the first of their sort.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/autoscaling-service-linked-role.html,
https://docs.aws.amazon.com/eks/latest/userguide/using-service-linked-roles.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-service-linked-roles.html,
https://docs.aws.amazon.com/global-accelerator/latest/dg/using-service-linked-roles.html and
https://docs.aws.amazon.com/network-manager/latest/tgwnm/nm-service-linked-roles.html"""
ACCEPTED_FIELD = "AcceptedAttachments"
"""The field of a core network that names what others attach to it."""
PROFILE_KIND = "instance-profile"
"""The kind whose role can be handed to a machine."""
PASSED: Mapping[str, tuple[str, str]] = {
    "eks-cluster": ("roleArn", "eks.amazonaws.com"),
    "eks-nodegroup": ("nodeRole", "eks.amazonaws.com"),
    "flow-log": ("DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com"),
}
"""Kinds with a field that hands a role to a service of AWS: the field, and the service."""
PROFILE_FIELD = "IamInstanceProfile"
"""The field that hands a role to a machine."""
TEMPLATE_FIELD = "LaunchTemplateData"
"""The field of what machines are launched with, which may have that one inside."""
