"""An estate of N resources in four regions, as a config and as what AWS shows of it once it is settled.

One global network; a twentieth each are sites, links and devices, a fiftieth VPCs, a twentieth each subnets and
security groups with three rules; the others, nearly three quarters, instances with four tags.  `benchmarks.answers`
serves what AWS shows; nothing is created, so that ten thousand cost no more than their bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.aws.schema import BotocoreSchema
from reconciler.engine.applied import applied_tag
from reconciler.kinds import BY_NAME
from reconciler.model.address import Address
from reconciler.model.fields import Facts
from reconciler.model.things import ADDRESS_TAG, APPLIED_TAG, STACK_TAG, Desired

ACCOUNT, STACK = "123456789012", "bench"
REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "ap-southeast-2")
IDS = {
    "global-network": "global-network",
    "vpc": "vpc",
    "subnet": "subnet",
    "security-group": "sg",
    "instance": "i",
}
"""What ids begin with, where it is not the name of the kind."""
EARLIER = "2026-01-01T00:00:00.000Z"
Row = dict[str, Any]
Where = tuple[str, str, str]
"""Service, region ("": the only one), operation."""


@dataclass(frozen=True)
class Resource:
    """One resource: its entry in the config, with references to others as `${kind/name}`."""

    kind: str
    name: str
    region: str
    spec: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def id(self) -> str:
        """As AWS would have given it: seventeen digits that tell it from the others of its kind."""
        return f"{IDS.get(self.kind, self.kind)}-{int(re.sub(r'[a-z]', '', self.name)):017x}"


def resources(size: int, regions: tuple[str, ...] = REGIONS) -> list[Resource]:
    """The estate."""
    twentieth, vpcs = max(1, size // 20), max(1, size // 50)
    found = [Resource("global-network", "g0", "", {"Description": "bench"})]
    within = {"GlobalNetworkId": "${global-network/g0}"}
    for number in range(twentieth):
        at_site = {**within, "SiteId": f"${{site/s{number}}}"}
        place = {
            "Address": f"{number} Main Street",
            "Latitude": f"{number % 90}.1",
            "Longitude": f"{number % 180}.2",
        }
        speed = {"UploadSpeed": 100, "DownloadSpeed": 200 + number % 50}
        model = {"Vendor": "acme", "Model": "m1", "SerialNumber": f"S{number:06d}", "Type": "router"}
        link = {"Description": f"link {number}", "Provider": "isp", "Type": "broadband", "Bandwidth": speed}
        found += [
            Resource(
                "site", f"s{number}", "", {**within, "Description": f"site {number}", "Location": place}
            ),
            Resource("link", f"l{number}", "", {**at_site, **link}),
            Resource("device", f"d{number}", "", {**at_site, "Description": f"device {number}", **model}),
        ]
    for number in range(vpcs):
        region = regions[number % len(regions)]
        found.append(Resource("vpc", f"v{number}", region, {"CidrBlock": f"10.{number}.0.0/16"}))
    for number in range(twentieth):
        vpc = number % vpcs
        region = regions[vpc % len(regions)]
        in_vpc = {"VpcId": f"${{vpc/v{vpc}}}"}
        subnet = {
            "CidrBlock": f"10.{vpc}.{16 * (number // vpcs)}.0/20",
            "AvailabilityZone": f"{region}{'ab'[number % 2]}",
        }
        ports = (("10.0.0.0/8", 22), ("0.0.0.0/0", 443), ("192.168.0.0/16", 8000 + number % 100))
        rules = [
            {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIpv4": cidr} for cidr, port in ports
        ]
        group = {"GroupName": f"g{number}", "Description": f"group {number}", "Ingress": rules}
        found += [
            Resource("subnet", f"n{number}", region, {**in_vpc, **subnet}),
            Resource("security-group", f"g{number}", region, {**in_vpc, **group}),
        ]
    for number in range(size - len(found)):
        subnet_number = number % twentieth
        vpc = subnet_number % vpcs
        spec = {
            "SubnetId": f"${{subnet/n{subnet_number}}}",
            "SecurityGroupIds": [f"${{security-group/g{vpc}}}"],
            "ImageId": "ami-0123456789abcdef0",
            "InstanceType": "t3.micro",
        }
        tags = {"env": "prod" if number % 2 else "dev", "role": f"role-{number % 10}"}
        found.append(Resource("instance", f"i{number}", regions[vpc % len(regions)], spec, tags))
    return found


def config(estate: list[Resource]) -> str:
    """The estate as YAML, in the style that people write: one line for each field."""
    lines = [f"stack: {STACK}", f'account: "{ACCOUNT}"', "region: us-west-2", "every: 1h"]
    lines.append("resources:" if estate else "resources: {}")
    for resource in estate:
        lines.append(f"  {resource.address}:")
        if resource.region:
            lines.append(f"    region: {resource.region}")
        lines += (f"    {name}: {json.dumps(value)}" for name, value in resource.spec.items())
        if resource.tags:
            lines.append(f"    Tags: {json.dumps(resource.tags)}")
    return "\n".join(lines) + "\n"


def shown(estate: list[Resource]) -> dict[Where, list[Row]]:
    """The rows that AWS lists, by the operation that does."""
    schema = BotocoreSchema()
    known = {name: Facts(BY_NAME[name], schema) for name in {resource.kind for resource in estate}}
    ids = {resource.address: resource.id for resource in estate}
    found: dict[Where, list[Row]] = {}
    for resource in estate:
        kind = BY_NAME[resource.kind]
        spec = _resolved(resource.spec, ids)
        tags = _tags(known[resource.kind], resource, spec)
        for operation, row in ROWS[resource.kind](resource, spec, tags):
            found.setdefault((kind.service, resource.region, operation), []).append(row)
    return found


def _tags(known: Facts, resource: Resource, spec: Mapping[str, Any]) -> list[dict[str, str]]:
    address = Address.parse(resource.address)
    desired = Desired(address=address, account=ACCOUNT, region=resource.region, spec=spec, tags=resource.tags)
    found = {
        **resource.tags,
        STACK_TAG: STACK,
        ADDRESS_TAG: resource.address,
        APPLIED_TAG: applied_tag(known, desired, resource.tags),
    }
    return [{"Key": key, "Value": str(value)} for key, value in sorted(found.items())]


def _resolved(value: Any, ids: Mapping[str, str]) -> Any:
    match value:
        case str():
            return ids[value[2:-1]] if value.startswith("${") else value
        case dict():
            return {name: _resolved(inner, ids) for name, inner in value.items()}
        case list():
            return [_resolved(inner, ids) for inner in value]
    return value


# ---- rows: what AWS shows beside what was asked for


def _arn(resource: Resource, tail: str, service: str = "ec2") -> str:
    return f"arn:aws:{service}:{resource.region}:{ACCOUNT}:{tail}"


Rows = Iterator[tuple[str, Row]]


def _network(operation: str, member: str) -> Any:
    def rows(resource: Resource, spec: Row, tags: list[dict[str, str]]) -> Rows:
        within = f"{spec['GlobalNetworkId']}/" if "GlobalNetworkId" in spec else ""
        arn = _arn(resource, f"{resource.kind}/{within}{resource.id}", "networkmanager")
        named = {f"{member}Id": resource.id, f"{member}Arn": arn}
        yield operation, {**spec, **named, "State": "AVAILABLE", "CreatedAt": 1767225600.5, "Tags": tags}

    return rows


def _vpc(resource: Resource, spec: Row, tags: list[dict[str, str]]) -> Rows:
    block = {
        "AssociationId": f"vpc-cidr-assoc-{resource.id[4:]}",
        "CidrBlock": spec["CidrBlock"],
        "CidrBlockState": {"State": "associated"},
    }
    yield (
        "DescribeVpcs",
        {
            **spec,
            "VpcId": resource.id,
            "OwnerId": ACCOUNT,
            "InstanceTenancy": "default",
            "Ipv6CidrBlockAssociationSet": [],
            "CidrBlockAssociationSet": [block],
            "IsDefault": False,
            "State": "available",
            "DhcpOptionsId": "dopt-0123456789abcdef0",
            "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"},
            "Tags": tags,
        },
    )


def _subnet(resource: Resource, spec: Row, tags: list[dict[str, str]]) -> Rows:
    names = {"HostnameType": "ip-name", "EnableResourceNameDnsARecord": False}
    yield (
        "DescribeSubnets",
        {
            **spec,
            "SubnetId": resource.id,
            "SubnetArn": _arn(resource, f"subnet/{resource.id}"),
            "AvailabilityZoneId": "use1-az6",
            "OwnerId": ACCOUNT,
            "AssignIpv6AddressOnCreation": False,
            "Ipv6CidrBlockAssociationSet": [],
            "EnableDns64": False,
            "Ipv6Native": False,
            "PrivateDnsNameOptionsOnLaunch": {**names, "EnableResourceNameDnsAAAARecord": False},
            "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"},
            "State": "available",
            "AvailableIpAddressCount": 4091,
            "DefaultForAz": False,
            "MapPublicIpOnLaunch": False,
            "MapCustomerOwnedIpOnLaunch": False,
            "Tags": tags,
        },
    )


def _group(resource: Resource, spec: Row, tags: list[dict[str, str]]) -> Rows:
    everything = {
        "IpProtocol": "-1",
        "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
        "Ipv6Ranges": [],
        "PrefixListIds": [],
        "UserIdGroupPairs": [],
    }
    yield (
        "DescribeSecurityGroups",
        {
            "GroupId": resource.id,
            "GroupName": spec["GroupName"],
            "Description": spec["Description"],
            "VpcId": spec["VpcId"],
            "OwnerId": ACCOUNT,
            "SecurityGroupArn": _arn(resource, f"security-group/{resource.id}"),
            "IpPermissionsEgress": [everything],
            "IpPermissions": [
                {
                    **everything,
                    **{name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort")},
                    "IpRanges": [{"CidrIp": rule["CidrIpv4"]}],
                }
                for rule in spec["Ingress"]
            ],
            "Tags": tags,
        },
    )
    outward = {"IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv4": "0.0.0.0/0"}
    for number, rule in enumerate((*spec["Ingress"], outward)):
        id = f"sgr-{resource.id[5:]}{number}"
        yield (
            "DescribeSecurityGroupRules",
            {
                **rule,
                "SecurityGroupRuleId": id,
                "SecurityGroupRuleArn": _arn(resource, f"security-group-rule/{id}"),
                "GroupId": resource.id,
                "GroupOwnerId": ACCOUNT,
                "IsEgress": rule is outward,
                "Tags": [],
            },
        )


def _instance(resource: Resource, spec: Row, tags: list[dict[str, str]]) -> Rows:
    tail, number = resource.id[2:], int(resource.name[1:])
    address = f"10.0.{number // 250 % 250}.{number % 250 + 4}"
    name = f"ip-{address.replace('.', '-')}.{resource.region}.compute.internal"
    groups = [{"GroupId": id, "GroupName": "group"} for id in spec["SecurityGroupIds"]]
    disk = {
        "AttachTime": EARLIER,
        "DeleteOnTermination": True,
        "Status": "attached",
        "VolumeId": f"vol-{tail}",
    }
    attachment = {
        "AttachTime": EARLIER,
        "AttachmentId": f"eni-attach-{tail}",
        "DeleteOnTermination": True,
        "DeviceIndex": 0,
        "Status": "attached",
        "NetworkCardIndex": 0,
    }
    interface = {
        "Attachment": attachment,
        "Description": "",
        "Groups": groups,
        "Ipv6Addresses": [],
        "MacAddress": "02:00:00:00:00:01",
        "NetworkInterfaceId": f"eni-{tail}",
        "OwnerId": ACCOUNT,
        "PrivateDnsName": name,
        "PrivateIpAddress": address,
        "PrivateIpAddresses": [{"Primary": True, "PrivateDnsName": name, "PrivateIpAddress": address}],
        "SourceDestCheck": True,
        "Status": "in-use",
        "SubnetId": spec["SubnetId"],
        "VpcId": "vpc-0123456789abcdef0",
        "InterfaceType": "interface",
        "Operator": {"Managed": False},
    }
    yield (
        "DescribeInstances",
        {
            "InstanceId": resource.id,
            "ImageId": spec["ImageId"],
            "InstanceType": spec["InstanceType"],
            "SubnetId": spec["SubnetId"],
            "SecurityGroups": groups,
            "Architecture": "x86_64",
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": disk}],
            "ClientToken": f"{number:064x}",
            "EbsOptimized": False,
            "EnaSupport": True,
            "Hypervisor": "xen",
            "NetworkInterfaces": [interface],
            "RootDeviceName": "/dev/xvda",
            "RootDeviceType": "ebs",
            "SourceDestCheck": True,
            "VirtualizationType": "hvm",
            "CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 2},
            "CapacityReservationSpecification": {"CapacityReservationPreference": "open"},
            "HibernationOptions": {"Configured": False},
            "MetadataOptions": {
                "State": "applied",
                "HttpTokens": "required",
                "HttpPutResponseHopLimit": 2,
                "HttpEndpoint": "enabled",
                "HttpProtocolIpv6": "disabled",
                "InstanceMetadataTags": "disabled",
            },
            "EnclaveOptions": {"Enabled": False},
            "PlatformDetails": "Linux/UNIX",
            "UsageOperation": "RunInstances",
            "UsageOperationUpdateTime": EARLIER,
            "PrivateDnsNameOptions": {
                "HostnameType": "ip-name",
                "EnableResourceNameDnsARecord": False,
                "EnableResourceNameDnsAAAARecord": False,
            },
            "MaintenanceOptions": {"AutoRecovery": "default", "RebootMigration": "default"},
            "CurrentInstanceBootMode": "legacy-bios",
            "AmiLaunchIndex": 0,
            "KeyName": "",
            "LaunchTime": EARLIER,
            "Monitoring": {"State": "disabled"},
            "Placement": {
                "AvailabilityZone": f"{resource.region}a",
                "GroupName": "",
                "Tenancy": "default",
            },
            "PrivateDnsName": name,
            "PrivateIpAddress": address,
            "PublicDnsName": "",
            "State": {"Code": 16, "Name": "running"},
            "StateTransitionReason": "",
            "VpcId": "vpc-0123456789abcdef0",
            "Tags": tags,
        },
    )


ROWS: Mapping[str, Any] = {
    "global-network": _network("DescribeGlobalNetworks", "GlobalNetwork"),
    "site": _network("GetSites", "Site"),
    "link": _network("GetLinks", "Link"),
    "device": _network("GetDevices", "Device"),
    "vpc": _vpc,
    "subnet": _subnet,
    "security-group": _group,
    "instance": _instance,
}
