"""A global network that is as large as AWS lets it be is read in as many calls as there are lists."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.kinds import BY_NAME
from reconciler.model.things import ADDRESS_TAG, STACK_TAG
from tests.harness import STACK, Host, host

SITES, CONNECTIONS = 200, 500
"""The default quotas: https://docs.aws.amazon.com/network-manager/latest/tgwnm/nm-quotas.html"""
NETWORK = {"GlobalNetworkId": "${global-network/g}"}
SPEED = {"UploadSpeed": 1, "DownloadSpeed": 1}


def large() -> dict[str, Any]:
    """Sites with a device and a link each, connections between the devices, and all that is associated is of ours."""
    none: dict[str, Any] = {"CustomerGateways": [], "TransitGatewayConnectPeers": [], "ConnectPeers": []}
    found: dict[str, Any] = {"global-network/g": {"TransitGateways": []}}
    for n in range(SITES):
        found[f"site/n{n}"] = {**NETWORK}
    for n in range(SITES):
        found[f"link/n{n}"] = {**NETWORK, "SiteId": f"${{site/n{n}}}", "Bandwidth": SPEED}
    for n in range(SITES):
        links = [{"LinkId": f"${{link/n{n}}}"}]
        found[f"device/n{n}"] = {**NETWORK, "SiteId": f"${{site/n{n}}}", "Links": links, **none}
    for n in range(CONNECTIONS):
        one, other = n % SITES, (n + 1 + n // SITES) % SITES
        ends = {"DeviceId": f"${{device/n{one}}}", "ConnectedDeviceId": f"${{device/n{other}}}"}
        found[f"connection/n{n}"] = {**NETWORK, **ends}
    return found


def make(ops: Host, resources: Mapping[str, Any]) -> None:
    """What a config wants, by hand and with the tags of ours: the program would note each of its calls on the disk."""
    ids: dict[str, str] = {}
    for address, wanted in resources.items():
        if address.endswith("/n0"):
            ops.aws.clock.advance(60)  # what was made so far is ready for those that need it
        kind = BY_NAME[address.partition("/")[0]]
        parts = {part.field for part in kind.parts}
        fields = {
            name: ids[value[2:-1]] if isinstance(value, str) else value
            for name, value in wanted.items()
            if name not in parts
        }
        tags = [{"Key": STACK_TAG, "Value": STACK}, {"Key": ADDRESS_TAG, "Value": address}]
        answer = ops.by_hand("networkmanager", kind.create, Tags=tags, **fields)
        ids[address] = next(row[kind.id] for row in answer.values() if kind.id in row)
        for link in wanted.get("Links", ()):
            where = {"GlobalNetworkId": fields["GlobalNetworkId"], "DeviceId": ids[address]}
            ops.by_hand("networkmanager", "AssociateLink", LinkId=ids[link["LinkId"][2:-1]], **where)
    ops.aws.clock.advance(60)


def test_two_hundred_sites_and_all_that_is_at_them_are_read_in_ten_calls(tmp_path: Path) -> None:
    with host(tmp_path) as ops:
        make(ops, large())
        entries = [f"  {address}: {json.dumps(wanted)}" for address, wanted in large().items()]
        loop = ops.loop("\n".join(["resources:", *entries]))
        loop.one_pass("test")  # with what is asked for once
        ops.aws.clear_calls()
        report = loop.one_pass("test")
        asked = Counter(call.operation for call in ops.aws.calls)
    assert (report.outcome, report.calls, report.discovery_calls) == ("settled", 10, 0)
    assert set(asked.values()) == {1}
