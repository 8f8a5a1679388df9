"""The local AWS against the samples that AWS publishes; skipped where the pinned release of its command line is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import client
from .compare import differences
from .package import HOW, VERSION, cache, folder
from .replay import KNOWN, replay_all
from .samples import read

# how many there are in the pinned release, and how many of them are alike in every member
SAMPLES, AGREEING = 35, 28


@pytest.fixture(scope="module")
def samples() -> Path:
    """The folder with the samples."""
    found = folder()
    if found is None:
        pytest.skip(f"awscli {VERSION} is neither installed nor in {cache().parent}; {HOW}")
    return found


def test_every_sample_agrees_or_differs_as_is_known(samples: Path) -> None:
    verdicts = list(replay_all(samples))
    assert {one.sample.operation: set(one.found) for one in verdicts if one.found} == {
        operation: set(known) for operation, known in KNOWN.items()
    }
    assert [one.sample.operation for one in verdicts if one.sample.unread] == ["StartRouteAnalysis"]
    assert (len(verdicts), sum(one.agrees for one in verdicts)) == (SAMPLES, AGREEING)


# --------------------------------------------------------------------------- that the suite can fail, without samples

WRITTEN = """\
**To make a device**

The following makes one. ::

    aws networkmanager create-device
        --global-network-id global-network-01231231231231231 \\
        --location Latitude=1.0,Longitude=-2.0 \\
        --tags Key=Name,Value="two words" Key=b,Value= \\
        --region us-west-2

Output::

    {"Device": {"State": "PENDING"}}

For more, ask.
"""


def test_a_sample_is_read_as_boto3_would_be_given_it(tmp_path: Path) -> None:
    (tmp_path / "create-device.rst").write_text(WRITTEN)
    (tmp_path / "put-object.rst").write_text(WRITTEN)  # of another service
    (found,) = read(tmp_path, client("networkmanager").meta.service_model)
    assert found.operation == "CreateDevice"
    assert found.parameters == {
        "GlobalNetworkId": "global-network-01231231231231231",
        "Location": {"Latitude": "1.0", "Longitude": "-2.0"},
        "Tags": [{"Key": "Name", "Value": "two words"}, {"Key": "b", "Value": ""}],
    }
    assert found.output == {"Device": {"State": "PENDING"}}


def test_an_answer_that_is_not_as_the_sample_shows_it_is_found(tmp_path: Path) -> None:
    (tmp_path / "create-device.rst").write_text(WRITTEN)
    (verdict,) = replay_all(tmp_path)
    assert "Device.DeviceArn: not in the sample" in verdict.found
    assert not verdict.agrees


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("site-0123456789abcdef0", "site-444555aaabbb11223", True),
        ("site-0123456789abcdef01", "site-444555aaabbb11223", False),
        ("device-0123456789abcdef0", "site-444555aaabbb11223", False),
        (
            "arn:aws:networkmanager::123456789012:site/global-network-0123456789abcdef0/site-0123456789abcdef0",
            "arn:aws:networkmanager::210987654321:site/global-network-01231231231231231/site-444555aaabbb11223",
            True,
        ),
        (
            "arn:aws:networkmanager::123456789012:site/site-0123456789abcdef0",
            "arn:aws:networkmanager::210987654321:site/global-network-01231231231231231/site-444555aaabbb11223",
            False,
        ),
        ("PENDING", "AVAILABLE", False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([1], [1, 2], False),
    ],
)
def test_ids_and_arns_are_alike_by_their_form(one: object, other: object, alike: bool) -> None:
    assert (list(differences(other, one)) == []) is alike
