"""What the records of machines do with values; that the calls are AWS's is held by the lint."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.kinds.compute import INSTANCE
from reconciler.kinds.launching import CAPACITY_RESERVATION, KEY_PAIR, LAUNCH_TEMPLATE
from reconciler.kinds.volumes import VOLUME
from reconciler.model.verdicts import Blocked
from tests.engine.build import planner, thing, wish, world


@pytest.mark.parametrize(
    "written", ["2030-01-02T03:04:05Z", "2030-01-02 03:04:05", "2030-01-02T03:04:05.250+00:00"]
)
def test_a_time_is_the_same_however_it_is_written(written: str) -> None:
    normal = CAPACITY_RESERVATION.normal["EndDate"]
    assert normal(written) == normal(datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert normal(written) != normal("2030-01-02T03:04:05+02:00")


@pytest.mark.parametrize(
    ("spec", "field"),
    [({"EndDate": "2030-01-02T03:04:05Z"}, "EndDate"), ({"EndDateType": "limited"}, "EndDateType")],
)
def test_when_a_reservation_ends_is_said_with_that_it_does(spec: dict[str, Any], field: str) -> None:
    fits = CAPACITY_RESERVATION.fits
    assert fits is not None
    assert [found[0] for found in fits(wish("capacity-reservation/c", spec), {})] == [field]


@pytest.mark.parametrize(("type", "fits"), [("t3.micro", False), ("m3.xlarge", True)])
def test_what_aws_does_in_any_case_cannot_be_switched_off(type: str, fits: bool) -> None:
    assert INSTANCE.fits is not None
    wanted = wish("instance/i", {"InstanceType": type, "EbsOptimized": False})
    assert (list(INSTANCE.fits(wanted, {})) == []) is fits


def test_a_key_is_the_same_whatever_its_comment() -> None:
    normal = KEY_PAIR.normal["PublicKeyMaterial"]
    assert (
        normal("ssh-ed25519 AAAA me@home")
        == normal("ssh-ed25519 AAAA subject")
        != normal("ssh-ed25519 BBBB me@home")
    )


def test_a_template_wants_its_user_data_in_base64() -> None:
    refuses = LAUNCH_TEMPLATE.refuses["LaunchTemplateData"]
    assert "base64" in (refuses({"UserData": "#!/bin/sh"}) or "")
    assert refuses({"UserData": "IyEvYmluL3NoCg=="}) is None


def test_a_profile_is_the_same_by_name_and_by_arn_and_a_stopped_machine_changes_it_in_two_calls() -> None:
    normal = INSTANCE.normal["IamInstanceProfile"]
    assert normal({"Arn": "arn:aws:iam::123456789012:instance-profile/path/worker"}) == normal(
        {"Name": "worker"}
    )
    make = INSTANCE.remedies["IamInstanceProfile"].make
    profiles = {"Profiles": [{"AssociationId": "iip-assoc-1"}]}
    running = thing("instance/i", "i-1", profiles)
    stopped = thing("instance/i", "i-1", profiles, state="stopped")
    assert [call.operation for call in make(running, {"Name": "x"})] == [
        "ReplaceIamInstanceProfileAssociation"
    ]
    assert [call.operation for call in make(stopped, {"Name": "x"})] == [
        "DisassociateIamInstanceProfile",
        "AssociateIamInstanceProfile",
    ]


def test_a_volume_on_its_way_off_is_attached_nowhere() -> None:
    (part,) = VOLUME.parts
    rows = [{"InstanceId": "i-1", "Device": "/dev/sdf", "State": "detaching"}]
    assert part.rows({"Attachments": rows}) == []


# ---- the disks of an instance

DISK = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1", "DeleteOnTermination": True}}
VOLUME_1 = {
    "VolumeId": "vol-1",
    "Size": 8,
    "VolumeType": "gp3",
    "Encrypted": True,
    "KmsKeyId": "arn:aws:kms:us-west-2:123456789012:key/k-1",
}


def disks(**ebs: Any) -> Any:
    """What is said of an instance with one disk of 8 GiB whose config wants this of it."""
    wanted = wish("instance/m", {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": ebs}]})
    seen = thing("instance/m", "i-1", {"BlockDeviceMappings": [DISK], "Volumes": [VOLUME_1]})
    return planner([wanted], world(seen)).verdict(wanted.address)


@pytest.mark.parametrize(
    "ebs", [{}, {"VolumeSize": 8}, {"Encrypted": False}, {"KmsKeyId": "k-1"}, {"KmsKeyId": "alias/mine"}]
)
def test_of_a_disk_only_what_the_config_says_counts_and_what_can_be_told(ebs: dict[str, Any]) -> None:
    assert not getattr(disks(**ebs), "drift", ())


def test_a_disk_grows_and_stays_by_calls_of_their_own() -> None:
    calls = {
        call.operation: call.parameters
        for call in disks(VolumeSize=9, DeleteOnTermination=False).calls
        if call.operation != "CreateTags"
    }
    assert calls == {
        "ModifyInstanceAttribute": {
            "InstanceId": "i-1",
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": False}}],
        },
        "ModifyVolume": {"VolumeId": "vol-1", "Size": 9},
    }


def test_another_key_or_one_disk_more_takes_another_instance() -> None:
    assert "BlockDeviceMappings./dev/xvda.KmsKeyId cannot change" in disks(KmsKeyId="k-2").why
    wanted = wish(
        "instance/m", {"BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1}}]}
    )
    seen = thing("instance/m", "i-1", {"BlockDeviceMappings": [DISK], "Volumes": [VOLUME_1]})
    verdict = planner([wanted], world(seen)).verdict(wanted.address)
    assert isinstance(verdict, Blocked)
    assert "/dev/sdf.DeviceName cannot change" in verdict.why
