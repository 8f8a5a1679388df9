"""What has to be alike between a resource and those that it refers to is found before any call."""

from __future__ import annotations

import pytest

from .support import HERE, config, problem, problem_here, resources

ESTATE = """
global-network/g: {}
global-network/h: {}
site/s: {GlobalNetworkId: "${global-network/g}"}
site/t: {GlobalNetworkId: "${global-network/g}"}
site/h: {GlobalNetworkId: "${global-network/h}"}
link/s: {GlobalNetworkId: "${global-network/g}", SiteId: "${site/s}", Bandwidth: {UploadSpeed: 1, DownloadSpeed: 1}}
device/d:
  GlobalNetworkId: ${global-network/g}
  SiteId: ${site/s}
  Links:
    - LinkId: ${link/s}
device/e: {GlobalNetworkId: "${global-network/g}"}
connection/c:
  GlobalNetworkId: ${global-network/g}
  DeviceId: ${device/d}
  ConnectedDeviceId: ${device/e}
"""


def test_the_good_one() -> None:
    assert len(config(resources(ESTATE)).resources) == 9


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (
            "SiteId: ${site/s}\n  Links:\n    - LinkId: ${link/s}",
            f"SiteId: ${{site/t}}\n  Links:\n    - LinkId: {HERE}${{link/s}}",
            "device/d.Links[].LinkId: link/s has SiteId ${site/s}, and this one ${site/t}",
        ),
        (
            "SiteId: ${site/s}\n  Links:\n    - LinkId: ${link/s}",
            f"SiteId: {HERE}${{site/h}}",
            "device/d.SiteId: site/h has GlobalNetworkId ${global-network/h}, and this one ${global-network/g}",
        ),
        (
            "ConnectedDeviceId: ${device/e}",
            "ConnectedDeviceId: ${device/d}",
            "connection/c.DeviceId: ConnectedDeviceId and DeviceId are both ${device/d}",
        ),
        (
            'device/e: {GlobalNetworkId: "${global-network/g}"}',
            'device/e: {GlobalNetworkId: "${global-network/h}"}',
            "connection/c.ConnectedDeviceId: device/e has GlobalNetworkId ${global-network/h}, and this one "
            "${global-network/g}",
        ),
    ],
)
def test_what_does_not_go_together(right: str, wrong: str, told: str) -> None:
    assert right in ESTATE
    text = resources(ESTATE.replace(right, wrong))
    found = problem_here(text) if HERE in text else problem(text)
    assert told in str(found)


def test_what_cannot_be_compared_is_left_to_aws() -> None:
    text = ESTATE.replace("  SiteId: ${site/s}\n  Links", "  SiteId: site-0123456789abcdef0\n  Links")
    assert len(config(resources(text)).resources) == 9
