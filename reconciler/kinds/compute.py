"""Machines.  Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (RunInstances, ModifyInstanceAttribute)."""

from __future__ import annotations

from typing import Any

from reconciler.kinds.calls import ec2
from reconciler.model.calls import Call
from reconciler.model.kind import Kind, Read, Remedy
from reconciler.model.things import Observed, Spec


def _spec(raw: Spec) -> Spec:
    """A row in RunInstances' words; groups, monitoring and profile are reported in another form than they are asked."""
    spec = dict(raw)
    spec["SecurityGroupIds"] = [group["GroupId"] for group in raw.get("SecurityGroups", ())]
    if "Monitoring" in raw:
        spec["Monitoring"] = {"Enabled": raw["Monitoring"]["State"] in {"enabled", "pending"}}
    return spec


def _groups(instance: Observed, wanted: Any) -> list[Call]:
    """The whole list of groups of the primary interface, in place."""
    return [ec2("ModifyInstanceAttribute", InstanceId=instance.id, Groups=wanted)]


def _source_check(instance: Observed, wanted: Any) -> list[Call]:
    return [ec2("ModifyInstanceAttribute", InstanceId=instance.id, SourceDestCheck={"Value": wanted})]


def _metadata(instance: Observed, wanted: Any) -> list[Call]:
    """Fields that are left out keep their value."""
    return [ec2("ModifyInstanceMetadataOptions", InstanceId=instance.id, **wanted)]


def _image(value: Any) -> str | None:
    """EC2 takes this form and reports the image that it led to: it would always differ."""
    if isinstance(value, str) and value.startswith("resolve:ssm:"):
        return f"AWS would report another value for it: write ${{ssm:{value.removeprefix('resolve:ssm:')}}}"
    return None


def _some_group(value: Any) -> str | None:
    return (
        "an instance has at least one group: leave the field out for the default one" if value == [] else None
    )


UNREPORTED = frozenset(
    {
        "AdditionalInfo",
        "BlockDeviceMappings",
        "CreditSpecification",
        "DisableApiStop",
        "DisableApiTermination",
        "ElasticGpuSpecification",
        "ElasticInferenceAccelerators",
        "EnablePrimaryIpv6",
        "IamInstanceProfile",
        "InstanceInitiatedShutdownBehavior",
        "InstanceMarketOptions",
        "Ipv6AddressCount",
        "Ipv6Addresses",
        "LaunchTemplate",
        "LicenseSpecifications",
        "NetworkInterfaces",
        "SecondaryInterfaces",
        "UserData",
    }
)
"""What DescribeInstances does not report, or reports in another form than RunInstances takes."""

INSTANCE = Kind(
    name="instance",
    about="A virtual machine.",
    service="ec2",
    read=Read(operation="DescribeInstances", path="Reservations[].Instances[]", ids="InstanceIds", page=1000),
    create="RunInstances",
    delete="TerminateInstances",
    destroy=lambda instance: [ec2("TerminateInstances", InstanceIds=[instance.id])],
    id="InstanceId",
    arn_tail="instance/{id}",
    state="State.Name",
    ready=frozenset({"running", "stopped"}),
    usable=frozenset({"pending"}),
    leaving=frozenset({"shutting-down"}),
    gone=frozenset({"terminated"}),
    refs={"SubnetId": "subnet", "SecurityGroupIds[]": "security-group"},
    tag_type="instance",
    always={"MinCount": 1, "MaxCount": 1},
    forbidden=frozenset({"SecurityGroups", "Operator"}),
    write_only=UNREPORTED,
    unordered=frozenset({"SecurityGroupIds"}),
    refuses={"ImageId": _image, "SecurityGroupIds": _some_group},
    project=_spec,
    remedies={
        "SecurityGroupIds": Remedy(operations=("ModifyInstanceAttribute",), make=_groups),
        "SourceDestCheck": Remedy(
            operations=("ModifyInstanceAttribute",),
            make=_source_check,
            shape="ModifyInstanceAttribute.SourceDestCheck.Value",
        ),
        "MetadataOptions": Remedy(operations=("ModifyInstanceMetadataOptions",), make=_metadata),
    },
)
