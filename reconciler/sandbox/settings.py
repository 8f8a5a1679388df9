"""What can be set about a local AWS: its clock, how fast things settle, how long its pages are, its quotas.

Built by `inprocess.local_aws` and `server.serve`, read through `World.settings`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .clock import Clock, RealClock
from .faults.rules import Rule

Profile = Literal["fast", "aws"]

# Seconds per transition. Keys are "<kind>" or "<kind>:<state that is left>"; the second wins.
# Classic Network Manager objects: the run times that terraform-provider-aws quotes for its acceptance tests (create,
# update and destroy of a global network 12-18 s, of a site 15-20 s, of a connection 25-44 s) divided by the steps.
# Instances and networks: EC2 User Guide, "Instance lifecycle"; typical values, AWS publishes no figures.
_AWS: Mapping[str, float] = {
    "global-network": 5.0,
    "site": 5.0,
    "device": 5.0,
    "link": 5.0,
    "connection": 8.0,
    "link-association": 6.0,
    "transit-gateway-registration": 60.0,
    # terraform-provider-aws asks again for a minute until a global network knows a customer gateway
    "customer-gateway": 30.0,
    # AWS Cloud WAN user guide and the acceptance tests of terraform-provider-aws: minutes to half an hour
    "core-network": 300.0,
    "core-network-policy": 45.0,
    "vpc-attachment": 420.0,
    "site-to-site-vpn-attachment": 600.0,
    "connect-attachment": 300.0,
    "transit-gateway-route-table-attachment": 600.0,
    "direct-connect-gateway-attachment": 600.0,
    "connect-peer": 300.0,
    "peering": 420.0,
    # issues of terraform-provider-aws: five minutes, at times more than ten
    "accelerator": 300.0,
    # Amazon EKS user guide: a cluster takes 10 to 15 minutes, an update some, nodes of a group a few
    "eks-cluster": 600.0,
    "eks-nodegroup": 150.0,
    "vpc": 2.0,
    "subnet": 2.0,
    "instance:pending": 20.0,
    "instance:stopping": 40.0,
    "instance:shutting-down": 40.0,
    "metadata-options": 3.0,
}

# EC2 User Guide, "Terminate Amazon EC2 instances": a terminated instance stays visible "for a short while"
# (about an hour) and is then removed from the list.
TERMINATED_LISTED_SECONDS = 3600.0


@dataclass(frozen=True)
class Delays:
    """Seconds that each transition takes.

    In: `default` for what `each` does not name; `each` by kind or by "kind:state".
    """

    default: float = 0.2
    each: Mapping[str, float] = field(default_factory=dict)

    def of(self, kind: str, state: str) -> float:
        """Seconds from `state` of a thing of `kind` to the state that follows."""
        return self.each.get(f"{kind}:{state}", self.each.get(kind, self.default))

    @staticmethod
    def named(profile: Profile) -> Delays:
        """`fast`: 0.2 s for everything; `aws`: the published or observed times. ValueError for another name."""
        if profile == "fast":
            return Delays()
        if profile == "aws":
            return Delays(default=10.0, each=_AWS)
        raise ValueError(f"delays must be 'fast' or 'aws', not {profile!r}")


# AWS Global Networks for Transit Gateways user guide, "Quotas": 5 global networks per account; 200 devices, links and
# sites each, per global network.  Connections: 500 per global network.
# VPC User Guide, "Amazon VPC quotas": 5 VPCs per region, 200 subnets per VPC, 2,500 security groups per region.  Most
# accounts have these raised, so they hold only where `Settings.quotas` says so: "Vpc", "Subnet", "SecurityGroup".
# AWS Cloud WAN user guide, "Quotas": one core network per global network, 5,000 attachments and 50 peerings per core
# network, 5 attachments per VPC, 4 Connect peers per Connect attachment.
# Amazon VPC Transit Gateways guide, "Quotas": 50 peering attachments per transit gateway, 10 of them pending.
QUOTAS: Mapping[str, int] = {
    "GlobalNetwork": 5,
    "Site": 200,
    "Device": 200,
    "Link": 200,
    "Connection": 500,
    "CoreNetwork": 1,
    "Attachment": 5000,
    "AttachmentsPerVpc": 5,
    "ConnectPeer": 4,
    "Peering": 50,
    "TransitGatewayPeering": 50,
    "PendingTransitGatewayPeering": 10,
}


@dataclass(frozen=True)
class Settings:
    """All that can be set.

    `page_size`: things per page when the caller gives no MaxResults; EC2 pages are never longer, whatever MaxResults
    says (AWS may answer fewer than asked for together with a NextToken).
    `short_pages`: Network Manager's pages are never longer either (its API says "the maximum number").
    `quotas`: things per account, region or parent, by resource name; overrides `QUOTAS`.
    `unverified_block`: the code of a refused delete where no public reference shows which one AWS uses (a device or
    link that is in use); tests set the other one to prove that callers stand both.
    `token_mismatch_first`: what a launch with other parameters gets whose token belongs to a terminated instance:
    IdempotentParameterMismatch (else IdempotentInstanceTerminated). No public reference shows the order.
    `unfiltered_link_associations`: whether GetLinkAssociations answers without a device or link. Its doc string wants
    one, while the AWS CLI's sample and terraform-provider-aws give none.
    `cleared_fields`: how fields of sites, devices, links and connections read back that were cleared: absent or as ""
    (terraform-provider-aws's tests see "" in one place; of others no reference shows it).
    `no_resource_policy`: the code of what GetResourcePolicy answers where there is none; "" for an empty answer.
    `connection_links_associated`: whether a connection takes only links that are associated with its devices.
    `regions`: those that are enabled for the account (None: all that need no opting in).
    `repeated_launch_shows_tags`: whether a launch repeated with its token answers the instances' tags; it is reported
    that it does not always (github.com/boto/boto/issues/619).
    `faults`, `seed`: the rules that are set from the start, and what their chance is drawn from.
    `tell`: gets a line for each call that a fault strikes.
    `check_answers`: every answer is held against botocore's output shape (in process only: it costs time).
    """

    clock: Clock = field(default_factory=RealClock)
    delays: Delays = field(default_factory=Delays)
    page_size: int = 50
    short_pages: bool = False
    quotas: Mapping[str, int] = field(default_factory=dict)
    unverified_block: Literal["ValidationException", "ConflictException"] = "ValidationException"
    token_mismatch_first: bool = True
    repeated_launch_shows_tags: bool = True
    unfiltered_link_associations: bool = True
    cleared_fields: Literal["absent", "empty"] = "absent"
    no_resource_policy: Literal["", "ResourceNotFoundException", "ValidationException"] = ""
    connection_links_associated: bool = False
    regions: tuple[str, ...] | None = None
    check_answers: bool = False
    faults: tuple[Rule, ...] = ()
    seed: int = 0
    tell: Callable[[str], None] | None = None

    def quota(self, resource: str) -> int | None:
        """How many of `resource` there may be; None: no limit is known."""
        return self.quotas.get(resource, QUOTAS.get(resource))
