"""The way of an EC2 request: checks that EC2 makes of all operations, then a correction or moto, then pages.

Called by `pipeline.py`. To correct an operation, add a row to `ANSWERS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from ..tokens import digest
from ..world import World
from . import (
    acls,
    capacity,
    endpoints,
    flowlogs,
    gateways,
    groups,
    images,
    instances,
    interfaces,
    launches,
    listings,
    metadata,
    modify,
    networks,
    options,
    peerings,
    placement,
    prefix_lists,
    ranges,
    routes,
    tags,
    templates,
    volumes,
)
from .backend import backend_of
from .guards import check_guards
from .missing import check_references
from .transit.answers import ANSWERS as TRANSIT

ANSWERS: Mapping[str, Callable[[Request, Any], Answer]] = {
    "AcceptVpcPeeringConnection": peerings.accept,
    "AllocateAddress": gateways.allocate,
    "AssociateAddress": gateways.associate,
    "AssociateDhcpOptions": ranges.associate_options,
    "AssociateRouteTable": routes.associate,
    "AssociateVpcCidrBlock": ranges.associate,
    "AssociateIamInstanceProfile": options.associate_profile,
    "AttachInternetGateway": gateways.attach,
    "AttachNetworkInterface": interfaces.attach,
    "AttachVolume": volumes.attach,
    "AuthorizeSecurityGroupEgress": groups.authorize,
    "AuthorizeSecurityGroupIngress": groups.authorize,
    "CreateDhcpOptions": ranges.create_options,
    "CreateFlowLogs": flowlogs.create,
    "CreateManagedPrefixList": prefix_lists.create,
    "CreateNatGateway": gateways.create_nat,
    "CreateNetworkAcl": acls.create,
    "CreateNetworkAclEntry": acls.create_entry,
    "CreateRoute": routes.create_route,
    "CreateRouteTable": routes.create_table,
    "CancelCapacityReservation": capacity.cancel,
    "CreateCapacityReservation": capacity.create,
    "CreateLaunchTemplate": templates.create,
    "CreateLaunchTemplateVersion": templates.create_version,
    "CreateNetworkInterface": interfaces.create,
    "CreatePlacementGroup": placement.create,
    "CreateSecurityGroup": groups.create,
    "CreateSubnet": networks.create_subnet,
    "CreateTags": tags.create_tags,
    "CreateVolume": volumes.create,
    "CreateVpc": networks.create_vpc,
    "CreateVpcEndpoint": endpoints.create,
    "CreateVpcPeeringConnection": peerings.create,
    "DeleteDhcpOptions": ranges.delete_options,
    "DeleteFlowLogs": flowlogs.delete,
    "DeleteManagedPrefixList": prefix_lists.delete,
    "DeleteNatGateway": gateways.delete_nat,
    "DeleteNetworkAclEntry": acls.delete_entry,
    "DeleteRoute": routes.delete_route,
    "DeleteSubnet": networks.delete_subnet,
    "DeleteTags": tags.delete_tags,
    "DeleteVpc": networks.delete_vpc,
    "DeleteVpcEndpoints": endpoints.delete,
    "DeleteVpcPeeringConnection": peerings.delete,
    "DescribeAddresses": gateways.describe_addresses,
    "DescribeDhcpOptions": ranges.describe_options,
    "DeleteKeyPair": placement.delete_key,
    "DeletePlacementGroup": placement.delete,
    "DescribeCapacityReservations": capacity.describe,
    "DescribeIamInstanceProfileAssociations": options.describe_profiles,
    "DescribeInstances": instances.describe,
    "DescribeInstanceAttribute": modify.describe_attribute,
    "DescribeInstanceCreditSpecifications": options.describe_credits,
    "DescribeKeyPairs": placement.describe_keys,
    "DescribeLaunchTemplates": templates.describe,
    "DescribeManagedPrefixLists": prefix_lists.describe,
    "DescribeNatGateways": gateways.describe_nats,
    "DescribeNetworkAcls": acls.describe,
    "DescribeNetworkInterfaces": interfaces.describe,
    "DescribePlacementGroups": placement.describe,
    "DescribeRegions": networks.describe_regions,
    "DescribeRouteTables": routes.describe,
    "DescribeSecurityGroupRules": groups.describe_rules,
    "DescribeSecurityGroups": groups.describe,
    "DescribeSubnets": networks.describe_subnets,
    "DescribeTags": tags.describe_tags,
    "DescribeVpcEndpoints": endpoints.describe,
    "DescribeVpcPeeringConnections": peerings.describe,
    "DescribeVpcs": ranges.describe_vpcs,
    "DisassociateAddress": gateways.disassociate,
    "DisassociateRouteTable": routes.disassociate,
    "DisassociateVpcCidrBlock": ranges.disassociate,
    "DescribeVolumes": volumes.describe,
    "DetachNetworkInterface": interfaces.detach,
    "DetachVolume": volumes.detach,
    "GetManagedPrefixListEntries": prefix_lists.entries,
    "ImportKeyPair": placement.import_key,
    "ModifyCapacityReservation": capacity.modify,
    "ModifyInstanceAttribute": modify.modify_attribute,
    "ModifyInstanceCapacityReservationAttributes": options.changes(
        "CapacityReservationSpecification", stopped=True, inside="CapacityReservationSpecification"
    ),
    "ModifyInstanceCpuOptions": options.changes("CpuOptions", stopped=True),
    "ModifyInstanceCreditSpecification": options.modify_credits,
    "ModifyInstanceMaintenanceOptions": options.changes("MaintenanceOptions", stopped=False),
    "ModifyInstanceMetadataOptions": metadata.modify_options,
    "ModifyInstanceNetworkPerformanceOptions": options.changes("NetworkPerformanceOptions", stopped=True),
    "ModifyInstancePlacement": options.modify_placement,
    "ModifyPrivateDnsNameOptions": options.modify_dns,
    "ModifySecurityGroupRules": groups.modify_rules,
    "ModifySubnetAttribute": networks.modify_subnet,
    "ModifyLaunchTemplate": templates.modify,
    "ModifyNetworkInterfaceAttribute": interfaces.modify,
    "ModifyManagedPrefixList": prefix_lists.modify,
    "ModifyVolume": volumes.modify,
    "ModifyVpcAttribute": networks.modify_vpc,
    "ModifyVpcEndpoint": endpoints.modify,
    "MonitorInstances": options.monitor,
    "ModifyVpcPeeringConnectionOptions": peerings.modify_options,
    "ReleaseAddress": gateways.release,
    "ReplaceNetworkAclAssociation": acls.replace_association,
    "ReplaceNetworkAclEntry": acls.replace_entry,
    "ReplaceRoute": routes.replace_route,
    "ReplaceRouteTableAssociation": routes.replace_association,
    "ReplaceIamInstanceProfileAssociation": options.associate_profile,
    "RevokeSecurityGroupEgress": groups.revoke,
    "RevokeSecurityGroupIngress": groups.revoke,
    "RunInstances": launches.run,
    "StartInstances": instances.start,
    "StopInstances": instances.stop,
    "TerminateInstances": instances.terminate,
    "UnmonitorInstances": options.monitor,
    "UpdateSecurityGroupRuleDescriptionsEgress": groups.describe_anew,
    "UpdateSecurityGroupRuleDescriptionsIngress": groups.describe_anew,
    **TRANSIT,
}

# what a repeated request is answered with; other operations get their first answer again
REPEATS: Mapping[str, Callable[[Request, Any, Mapping[str, Any]], Answer]] = {
    "CreateCapacityReservation": capacity.create_again,
    "CreateNatGateway": gateways.create_nat_again,
    "RunInstances": launches.run_again,
}


# operations that look at images; making those of a region takes longer than all the rest of it
_MAY_NAME_AN_IMAGE = re.compile(r"Image|RunInstances|Fleet|Spot|Snapshot|ami-")


def answer(request: Request) -> Answer:
    """The answer to any EC2 operation, as boto3 shows it; raises AwsError."""
    backend = backend_of(request)
    prepare(request.world, request.account, request.region)
    if _MAY_NAME_AN_IMAGE.search(f"{request.operation} {request.parameters.get('Resources')}"):
        images.add_public_images(request.world, request.account, request.region)
    if request.parameters.get("DryRun"):
        # how much EC2 looks at before this is not documented and differs by operation; what names things that do not
        # exist is refused here, so that nobody takes the rehearsal with an invented id for leave
        check_references(request, backend)
        raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
    tags.check_specifications(request)
    token = str(request.parameters.get("ClientToken") or "")
    if token and not request.operation.startswith("Describe"):
        return _once(request, backend, token)
    return _answer(request, backend)


def prepare(world: World, account: str, region: str) -> None:
    """Gives a region what moto leaves out of it; once for each."""
    from moto.ec2.models import ec2_backends

    if (account, region) not in world.prepared:
        world.prepared.add((account, region))
        groups.give_default_group_its_rule(ec2_backends[account][region])


def _once(request: Request, backend: Any, token: str) -> Answer:
    """Has the same token make one thing only."""
    if len(token) > 64 and request.operation == "RunInstances":
        raise AwsError("InvalidParameterValue", "The client token is longer than 64 characters.")
    scope = (request.account, request.region, request.operation, *launches.token_scope(request, backend))
    first = request.world.tokens.find(scope, token)
    if first is None:
        made = _answer(request, backend)
        request.world.tokens.remember(scope, token, request.parameters, made)
        return made
    again = REPEATS.get(request.operation)
    if first.digest != digest(request.parameters):
        if again is not None and not request.world.settings.token_mismatch_first:
            again(request, backend, first.answer)
        raise AwsError(
            "IdempotentParameterMismatch",
            "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
        )
    return again(request, backend, first.answer) if again is not None else dict(first.answer)


def _answer(request: Request, backend: Any) -> Answer:
    check_references(request, backend)
    check_guards(request, backend)
    own = ANSWERS.get(request.operation)
    if own is None and request.operation in tags.GONE_WITH:
        return tags.forget(request, backend)
    if not listings.is_list(request.operation):
        return own(request, backend) if own is not None else request.ask_moto(request.parameters)
    listings.check_page_parameters(request)
    if own is not None:
        return listings.chosen(request, own(request, backend))
    return listings.chosen(request, request.ask_moto(listings.without_list_parameters(request)))
