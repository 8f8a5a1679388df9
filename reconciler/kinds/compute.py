"""Instances.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (RunInstances, ModifyInstanceAttribute and the other
calls that begin with ModifyInstance, DescribeInstanceCreditSpecifications, ReplaceIamInstanceProfileAssociation, …)
and https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.kinds import devices
from reconciler.kinds.calls import ec2
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.kind import Halt, Kind, Remedy, Together
from reconciler.model.reads import Companion, Detail, Read
from reconciler.model.things import Desired, Observed, Spec


def _spec(raw: Spec) -> Spec:
    """A row in RunInstances' words; some of it is reported in another form than it is asked for in."""
    spec = dict(raw)
    spec["SecurityGroupIds"] = [group["GroupId"] for group in raw.get("SecurityGroups", ())]
    spec[devices.FIELD] = devices.devices(raw)
    spec["LicenseSpecifications"] = raw.get("Licenses", [])
    if "UserData" in raw:
        spec["UserData"] = _decoded(raw["UserData"])
    if "Monitoring" in raw:
        spec["Monitoring"] = {"Enabled": raw["Monitoring"]["State"] in {"enabled", "pending"}}
    if "Credits" in raw:  # a list of all does not show those with the standard option
        spec["CreditSpecification"] = {"CpuCredits": _first(raw["Credits"]).get("CpuCredits", "standard")}
    return spec


def _first(rows: Any) -> Mapping[str, Any]:
    return next(iter(rows or ()), {})


def _decoded(attribute: Any) -> str | None:
    """User data as a config has it."""
    value = attribute.get("Value") if isinstance(attribute, Mapping) else None
    return base64.b64decode(value).decode(errors="replace") if value else None


# ---- what changes while it runs


def _attribute(field: str, attribute: str = "", *, disruptive: bool = False, here: bool = True) -> Remedy:
    """One of those that ModifyInstanceAttribute takes, one at a call; `here`: RunInstances has it too."""
    name = attribute or field

    def make(instance: Observed, wanted: Any) -> list[Call]:
        return [ec2("ModifyInstanceAttribute", InstanceId=instance.id, **{name: {"Value": wanted}})]

    shape = None if here else f"ModifyInstanceAttribute.{name}.Value"
    return Remedy(operations=("ModifyInstanceAttribute",), make=make, shape=shape, disruptive=disruptive)


def _structure(
    operation: str,
    parameters: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
    *,
    disruptive: bool = False,
    fixed: frozenset[str] = frozenset(),
) -> Remedy:
    """A structure with a call of its own, which leaves alone what it does not name."""

    def make(instance: Observed, wanted: Any) -> list[Call]:
        given = parameters({name: value for name, value in (wanted or {}).items() if name not in fixed})
        return [ec2(operation, InstanceId=instance.id, **given)]

    return Remedy(operations=(operation,), make=make, disruptive=disruptive, fixed=fixed)


def _of_the_primary(attribute: str, value: Callable[[Any], Any], shape: str | None = None) -> Remedy:
    """An attribute of the first interface: of an instance that has more, AWS wants to know which is meant."""

    def make(instance: Observed, wanted: Any) -> list[Call]:
        given = {attribute: value(wanted)}
        if primary := _primary(instance.raw.get("NetworkInterfaces") or ()):
            return [ec2("ModifyNetworkInterfaceAttribute", NetworkInterfaceId=primary, **given)]
        return [ec2("ModifyInstanceAttribute", InstanceId=instance.id, **given)]

    operations = ("ModifyInstanceAttribute", "ModifyNetworkInterfaceAttribute")
    return Remedy(operations=operations, make=make, shape=shape)


def _primary(interfaces: Sequence[Mapping[str, Any]]) -> str | None:
    """The id of the first of several interfaces: at index 0 of the first network card."""
    for row in interfaces if len(interfaces) > 1 else ():
        if not any((row.get("Attachment") or {}).get(name) for name in ("DeviceIndex", "NetworkCardIndex")):
            return str(row["NetworkInterfaceId"])
    return None


def _monitoring(instance: Observed, wanted: Any) -> list[Call]:
    operation = "MonitorInstances" if (wanted or {}).get("Enabled") else "UnmonitorInstances"
    return [ec2(operation, InstanceIds=[instance.id])]


def _credits(instance: Observed, wanted: Any) -> list[Call]:
    given = {"InstanceId": instance.id, "CpuCredits": (wanted or {}).get("CpuCredits") or "standard"}
    return [ec2("ModifyInstanceCreditSpecification", InstanceCreditSpecifications=[given])]


def _profile(instance: Observed, wanted: Any) -> list[Call]:
    """A profile is replaced while the instance runs; at other times one leaves, and the other comes."""
    association = _first(instance.raw.get("Profiles")).get("AssociationId")
    if association and wanted and instance.state == "running":
        return [
            ec2(
                "ReplaceIamInstanceProfileAssociation",
                AssociationId=association,
                IamInstanceProfile=wanted,
            )
        ]
    gone = [ec2("DisassociateIamInstanceProfile", AssociationId=association)] if association else []
    come = ec2("AssociateIamInstanceProfile", InstanceId=instance.id, IamInstanceProfile=wanted)
    return [*gone, come] if wanted else gone


def _profile_name(value: Any) -> str | None:
    """A profile by its name, which is what its ARN ends with."""
    if not isinstance(value, Mapping):
        return None
    name = value.get("Name") or value.get("Arn")
    return str(name).rpartition("/")[2] if name else None


# ---- what changes only while it is stopped


def _user_data(instance: Observed, wanted: Any) -> list[Call]:
    """RunInstances takes a text, and this call what it is encoded from."""
    value = {"Value": (wanted or "").encode()}
    return [ec2("ModifyInstanceAttribute", InstanceId=instance.id, UserData=value)]


def _enclave(instance: Observed, wanted: Any) -> list[Call]:
    return [
        ec2("ModifyInstanceAttribute", InstanceId=instance.id, EnclaveOptions=wanted or {"Enabled": False})
    ]


def _cores(instance: Observed, wanted: Any) -> list[Call]:
    """Cores and threads go together."""
    options = {**(instance.spec.get("CpuOptions") or {}), **(wanted or {})}
    names = ("CoreCount", "ThreadsPerCore", "NestedVirtualization")
    given = {name: options[name] for name in names if options.get(name) is not None}
    return [ec2("ModifyInstanceCpuOptions", InstanceId=instance.id, **given)]


def _names(instance: Observed, wanted: Any) -> list[Call]:
    """The sort of name is given only where it changes, for which a machine has to stand still."""
    seen = instance.spec.get("PrivateDnsNameOptions") or {}
    given = dict(wanted or {})
    sort = given.pop("HostnameType", None)
    if sort is not None and sort != seen.get("HostnameType"):
        given["PrivateDnsHostnameType"] = sort
    return [ec2("ModifyPrivateDnsNameOptions", InstanceId=instance.id, **given)]


def _reservation(options: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"CapacityReservationSpecification": options}


# ---- what cannot be given


def _image(value: Any) -> str | None:
    """EC2 takes this form and reports the image that it led to: it would always differ."""
    if isinstance(value, str) and value.startswith("resolve:ssm:"):
        return f"AWS would report another value for it: write ${{ssm:{value.removeprefix('resolve:ssm:')}}}"
    return None


def _some_group(value: Any) -> str | None:
    return (
        "an instance has at least one group: leave the field out for the default one" if value == [] else None
    )


OPTIMISED_BY_CHOICE = frozenset(
    {"c1", "c3", "cc2", "cg1", "cr1", "g2", "hi1", "hs1", "i2", "m1", "m2", "m3", "r3", "t1", "t2"}
)
"""Families of types of which not all are always optimised for EBS.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ebs-optimized.html"""


def _fits(instance: Desired, _: Mapping[Address, Desired]) -> Iterator[tuple[str, str, str]]:
    """What AWS does whatever is said: it would be stopped for a change that changes nothing."""
    type = instance.spec.get("InstanceType")
    always = isinstance(type, str) and type.partition(".")[0] not in OPTIMISED_BY_CHOICE
    if always and instance.spec.get("EbsOptimized") is False:
        yield "EbsOptimized", f"false changes nothing: every {type} is optimised for EBS", "leave it out"


UNREPORTED = frozenset(
    {
        "AdditionalInfo",
        "ElasticGpuSpecification",
        "ElasticInferenceAccelerators",
        "EnablePrimaryIpv6",
        "InstanceMarketOptions",
        "Ipv6AddressCount",
        "Ipv6Addresses",
        "LaunchTemplate",
        "NetworkInterfaces",
        "SecondaryInterfaces",
        "UserData",
    }
)
"""What DescribeInstances does not report, or reports in another form than RunInstances takes."""


def _detail(field: str, path: str) -> Detail:
    """An attribute that is shown for one instance alone."""
    name = field[:1].lower() + field[1:]
    return Detail(
        field=field, operation="DescribeInstanceAttribute", path=path, arguments={"Attribute": name}
    )


INSTANCE = Kind(
    name="instance",
    about="A virtual machine.",
    service="ec2",
    private=True,
    read=Read(
        operation="DescribeInstances",
        path="Reservations[].Instances[]",
        ids="InstanceIds",
        page=1000,
        details=[
            _detail("DisableApiStop", "DisableApiStop.Value"),
            _detail("DisableApiTermination", "DisableApiTermination.Value"),
            _detail("InstanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior.Value"),
            _detail("UserData", "UserData"),
        ],
        companions=[
            Companion(
                name="Credits",
                operation="DescribeInstanceCreditSpecifications",
                path="InstanceCreditSpecifications",
                filter="instance-id",
                key="InstanceId",
                leaving=False,
                fields=frozenset({"CreditSpecification"}),
            ),
            Companion(
                name="Profiles",
                operation="DescribeIamInstanceProfileAssociations",
                path="IamInstanceProfileAssociations[?State!='disassociated']",
                filter="instance-id",
                key="InstanceId",
                fields=frozenset({"IamInstanceProfile"}),
            ),
            devices.VOLUMES,
        ],
    ),
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
    refs={
        "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId": (
            "capacity-reservation"
        ),
        "IamInstanceProfile.Arn": "instance-profile.arn",
        "IamInstanceProfile.Name": "instance-profile.InstanceProfileName",
        "KeyName": "key-pair.KeyName",
        "LaunchTemplate.LaunchTemplateId": "launch-template",
        "Placement.GroupId": "placement-group",
        "SubnetId": "subnet",
        "SecurityGroupIds[]": "security-group",
    },
    finished=frozenset({"IamInstanceProfile.Arn", "IamInstanceProfile.Name"}),  # with its role
    tag_type="instance",
    always={"MinCount": 1, "MaxCount": 1},
    together=Together(
        counts=("MinCount", "MaxCount"),
        index="AmiLaunchIndex",
        since="(NetworkInterfaces[?Attachment.DeviceIndex==`0`].Attachment.AttachTime | [0]) || LaunchTime",
        most=100,
    ),
    forbidden=frozenset({"SecurityGroups", "Operator"}),
    write_only=UNREPORTED,
    normal={"IamInstanceProfile": _profile_name, devices.FIELD: devices.comparable},
    unordered=frozenset({"LicenseSpecifications", "SecurityGroupIds"}),
    fits=_fits,
    refuses={"ImageId": _image, "SecurityGroupIds": _some_group},
    project=_spec,
    halt=Halt(
        still=frozenset({"stopped"}),
        stop=lambda instance: ec2("StopInstances", InstanceIds=[instance.id]),
        start=lambda instance: ec2("StartInstances", InstanceIds=[instance.id]),
        operations=("StopInstances", "StartInstances"),
    ),
    remedies={
        devices.FIELD: devices.CHANGE,
        "CreditSpecification": Remedy(operations=("ModifyInstanceCreditSpecification",), make=_credits),
        "DisableApiStop": _attribute("DisableApiStop"),
        "DisableApiTermination": _attribute("DisableApiTermination"),
        "IamInstanceProfile": Remedy(
            operations=(
                "AssociateIamInstanceProfile",
                "DisassociateIamInstanceProfile",
                "ReplaceIamInstanceProfileAssociation",
            ),
            make=_profile,
        ),
        "InstanceInitiatedShutdownBehavior": _attribute("InstanceInitiatedShutdownBehavior"),
        "MaintenanceOptions": _structure("ModifyInstanceMaintenanceOptions"),
        "MetadataOptions": _structure("ModifyInstanceMetadataOptions"),
        "Monitoring": Remedy(operations=("MonitorInstances", "UnmonitorInstances"), make=_monitoring),
        "SecurityGroupIds": _of_the_primary("Groups", list),
        "SourceDestCheck": _of_the_primary(
            "SourceDestCheck",
            lambda wanted: {"Value": wanted},
            shape="ModifyInstanceAttribute.SourceDestCheck.Value",
        ),
        "CapacityReservationSpecification": _structure(
            "ModifyInstanceCapacityReservationAttributes", _reservation, disruptive=True
        ),
        "CpuOptions": Remedy(
            operations=("ModifyInstanceCpuOptions",),
            make=_cores,
            disruptive=True,
            fixed=frozenset({"AmdSevSnp"}),
        ),
        "EbsOptimized": _attribute("EbsOptimized", disruptive=True),
        "EnaSupport": _attribute("EnaSupport", disruptive=True, here=False),
        "EnclaveOptions": Remedy(operations=("ModifyInstanceAttribute",), make=_enclave, disruptive=True),
        "InstanceType": _attribute("InstanceType", disruptive=True),
        "KernelId": _attribute("KernelId", "Kernel", disruptive=True),
        "NetworkPerformanceOptions": _structure("ModifyInstanceNetworkPerformanceOptions", disruptive=True),
        "Placement": _structure(
            "ModifyInstancePlacement",
            disruptive=True,
            fixed=frozenset({"AvailabilityZone", "AvailabilityZoneId", "SpreadDomain", "Tenancy"}),
        ),
        "PrivateDnsNameOptions": Remedy(
            operations=("ModifyPrivateDnsNameOptions",),
            make=_names,
            disruptive=lambda drift: not drift.path.endswith("Record"),  # records come and go as it runs
        ),
        "RamdiskId": _attribute("RamdiskId", "Ramdisk", disruptive=True),
        "SriovNetSupport": _attribute("SriovNetSupport", disruptive=True, here=False),
        "UserData": Remedy(operations=("ModifyInstanceAttribute",), make=_user_data, disruptive=True),
    },
)
