"""How an instance reads back: what moto leaves out of it, and what one that has ended no longer shows.

Source: EC2 API reference, Instance and RunInstances (defaults); AWS CLI command reference, run-instances (what a
pending instance shows). Called by `instances.py` for every answer that shows one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..world import World

# members that read back as they were asked for -> what they are when nobody asks
_ECHOED: Mapping[str, Mapping[str, Any]] = {
    "CapacityReservationSpecification": {"CapacityReservationPreference": "open"},
    "EnclaveOptions": {"Enabled": False},
    "HibernationOptions": {"Configured": False},
    "MaintenanceOptions": {"AutoRecovery": "default", "RebootMigration": "default"},
    "NetworkPerformanceOptions": {"BandwidthWeighting": "default"},
    "PrivateDnsNameOptions": {
        "HostnameType": "ip-name",
        "EnableResourceNameDnsARecord": False,
        "EnableResourceNameDnsAAAARecord": False,
    },
}
_ECHOED_PLACEMENT = ("Affinity", "GroupId", "GroupName", "HostId", "PartitionNumber", "Tenancy")

# What a terminated instance no longer shows; it has neither addresses nor a network any more.
_NOT_WHEN_TERMINATED = frozenset(
    {"SubnetId", "VpcId", "PrivateIpAddress", "PublicIpAddress", "IamInstanceProfile", "Ipv6Address"}
)
_EMPTY_WHEN_TERMINATED: Mapping[str, Any] = {
    "NetworkInterfaces": [],
    "SecurityGroups": [],
    "BlockDeviceMappings": [],
    "PrivateDnsName": "",
    "PublicDnsName": "",
}


def remember_launch(world: World, instance_id: str, parameters: Mapping[str, Any]) -> None:
    """Keeps what a launch asked for and moto does not."""
    world.facts.setdefault(instance_id, {})["launch"] = parameters


def show(world: World, reservation: Mapping[str, Any]) -> dict[str, Any]:
    """A reservation of moto's as EC2 shows it."""
    return {**reservation, "Instances": [_instance(world, one) for one in reservation.get("Instances", [])]}


def _instance(world: World, plain: Mapping[str, Any]) -> dict[str, Any]:
    launch = world.facts.get(plain["InstanceId"], {}).get("launch", {})
    shown = {**plain, "EnaSupport": True, "PublicDnsName": plain.get("PublicDnsName") or ""}
    for name, default in _ECHOED.items():
        # what moto keeps of one of them (it can be modified) counts more than what was asked for
        shown[name] = {**default, **(launch.get(name) or {}), **(plain.get(name) or {})}
    shown["CpuOptions"] = {**_cores(plain["InstanceType"]), **(launch.get("CpuOptions") or {})}
    asked = launch.get("Placement") or {}
    shown["Placement"] = {**plain["Placement"], **{k: asked[k] for k in _ECHOED_PLACEMENT if asked.get(k)}}
    if plain["State"]["Name"] == "pending":
        shown |= _not_yet(plain)
    elif not plain["StateReason"]["Code"]:
        del shown["StateReason"]
    if plain["State"]["Name"] == "terminated":
        left = {k: v for k, v in shown.items() if k not in _NOT_WHEN_TERMINATED}
        return {**left, **_EMPTY_WHEN_TERMINATED}
    shown["NetworkInterfaces"] = [
        {k: v for k, v in interface.items() if k != "Association" or v}
        for interface in shown["NetworkInterfaces"]
    ]
    return shown


def _not_yet(plain: Mapping[str, Any]) -> dict[str, Any]:
    """What of an instance is not complete while it is pending."""
    monitoring = {"State": "pending"} if plain["Monitoring"]["State"] == "enabled" else plain["Monitoring"]
    return {
        "StateReason": {"Code": "pending", "Message": "pending"},
        "Monitoring": monitoring,
        "MetadataOptions": {**plain["MetadataOptions"], "State": "pending"},
        "BlockDeviceMappings": [],
        "NetworkInterfaces": [
            {**interface, "Attachment": {**interface["Attachment"], "Status": "attaching"}}
            for interface in plain["NetworkInterfaces"]
        ],
    }


def _cores(instance_type: str) -> dict[str, int]:
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    facts = INSTANCE_TYPES.get(instance_type, {}).get("VCpuInfo", {})
    return {
        "CoreCount": int(facts.get("DefaultCores", 1)),
        "ThreadsPerCore": int(facts.get("DefaultThreadsPerCore", 1)),
    }
