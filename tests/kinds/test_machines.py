"""What the records of machines do with values; that the calls are AWS's is held by the lint."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.kinds.compute import INSTANCE
from reconciler.kinds.launching import CAPACITY_RESERVATION, KEY_PAIR, LAUNCH_TEMPLATE
from reconciler.kinds.volumes import VOLUME
from tests.engine.build import thing


@pytest.mark.parametrize(
    "written", ["2030-01-02T03:04:05Z", "2030-01-02 03:04:05", "2030-01-02T03:04:05.250+00:00"]
)
def test_a_time_is_the_same_however_it_is_written(written: str) -> None:
    normal = CAPACITY_RESERVATION.normal["EndDate"]
    assert normal(written) == normal(datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert normal(written) != normal("2030-01-02T03:04:05+02:00")


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
