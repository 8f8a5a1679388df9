"""Accelerators: what a change of listeners does to what they serve, and how one goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import ConfigError
from tests.harness import Host, host

ADDRESS = "accelerator/a"
BEHIND = """
resources:
  elastic-ip/near: {protect: false}
  elastic-ip/far: {region: eu-west-1, protect: false}
"""
GROUPS = """
        EndpointGroups:
          - EndpointGroupRegion: us-west-2
            EndpointConfigurations: [{EndpointId: "${elastic-ip/near}", Weight: 10}]
          - EndpointGroupRegion: eu-west-1
            EndpointConfigurations: [{EndpointId: "${elastic-ip/far}"}]
"""


def front(*listeners: str, more: str = "") -> str:
    """A config with listeners: protocol, first and last port of each."""
    text = f"{BEHIND}\n  {ADDRESS}:\n    Name: a\n    protect: false\n{more}    Listeners:\n"
    for listener in listeners:
        protocol, first, last = listener.split()
        text += f"      - Protocol: {protocol}\n"
        text += f"        PortRanges: [{{FromPort: {first}, ToPort: {last}}}]{GROUPS}"
    return text


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path, 10.0, regions=("us-west-2", "eu-west-1"), page_size=50) as made:
        yield made


def written(ops: Host) -> list[str]:
    return [call.operation for call in ops.aws.writes if call.service == "globalaccelerator"]


def listening(ops: Host) -> dict[str, tuple[Any, ...]]:
    """Protocol and ports of each listener, by its ARN."""
    (one,) = ops.rows("accelerator")
    arn = one["AcceleratorArn"]
    rows = ops.by_hand("globalaccelerator", "ListListeners", AcceleratorArn=arn)["Listeners"]
    return {
        row["ListenerArn"]: (row["Protocol"], *(tuple(one.values()) for one in row["PortRanges"]))
        for row in rows
    }


def groups(ops: Host, listener: str) -> dict[str, dict[str, Any]]:
    """The groups of a listener by their regions."""
    found = ops.by_hand("globalaccelerator", "ListEndpointGroups", ListenerArn=listener)["EndpointGroups"]
    return {row["EndpointGroupRegion"]: row for row in found}


def test_a_listener_that_gets_other_ports_keeps_its_groups(ops: Host) -> None:
    ops.run(front("TCP 443 443", "UDP 443 443"))
    before = {ports: arn for arn, ports in listening(ops).items()}
    served = groups(ops, before["TCP", (443, 443)])
    ops.aws.clear_calls()
    assert ops.run(front("TCP 80 443", "UDP 53 53")).outcome == "settled"
    after = {ports: arn for arn, ports in listening(ops).items()}
    assert after["TCP", (80, 443)] == before["TCP", (443, 443)]
    assert groups(ops, after["TCP", (80, 443)]) == served
    assert after["UDP", (53, 53)] not in before.values(), "it hears nothing that the other one heard"
    assert written(ops).count("UpdateListener") == 1
    assert written(ops).index("CreateListener") < written(ops).index("DeleteListener")


def test_two_listeners_can_become_one(ops: Host) -> None:
    ops.run(front("TCP 80 80", "TCP 443 443"))
    assert ops.run(front("TCP 80 443")).outcome == "settled"
    ((arn, ports),) = listening(ops).items()
    assert ports == ("TCP", (80, 443))
    assert groups(ops, arn).keys() == {"us-west-2", "eu-west-1"}


def test_what_somebody_has_dialled_down_stays_where_the_config_says_nothing_of_it(ops: Host) -> None:
    text = front("TCP 443 443")
    ops.run(text)
    (listener,) = listening(ops)
    group = groups(ops, listener)["us-west-2"]["EndpointGroupArn"]
    ops.by_hand("globalaccelerator", "UpdateEndpointGroup", EndpointGroupArn=group, TrafficDialPercentage=5)
    ops.by_hand(
        "globalaccelerator",
        "UpdateEndpointGroup",
        EndpointGroupArn=group,
        EndpointConfigurations=[
            {**{name: one[name] for name in ("EndpointId", "ClientIPPreservationEnabled")}, "Weight": 99}
            for one in groups(ops, listener)["us-west-2"]["EndpointDescriptions"]
        ],
    )
    assert ops.run(text).outcome == "settled"
    found = groups(ops, listener)["us-west-2"]
    assert found["TrafficDialPercentage"] == 5
    assert [one["Weight"] for one in found["EndpointDescriptions"]] == [10]


def test_flow_logs_end_before_they_go_elsewhere(ops: Host) -> None:
    def logging(bucket: str) -> str:
        more = f"    Attributes: {{FlowLogsEnabled: true, FlowLogsS3Bucket: {bucket}}}\n"
        return front("TCP 443 443", more=more)

    ops.run(logging("one"))
    ops.aws.clear_calls()
    assert ops.run(logging("two")).outcome == "settled"
    assert written(ops) == ["UpdateAcceleratorAttributes"] * 2 + ["TagResource"]  # what was applied
    assert ops.seen(logging("two"), ADDRESS).spec["Attributes"]["FlowLogsS3Bucket"] == "two"


def test_it_is_disabled_emptied_and_gone_before_what_it_leads_to(ops: Host) -> None:
    ops.run(front("TCP 443 443"))
    ops.aws.clear_calls()
    assert ops.run(BEHIND, allow_shrink=True).outcome == "settled"
    groups = ["DeleteEndpointGroup"] * 2
    assert written(ops) == ["UpdateAccelerator", *groups, "DeleteListener", "DeleteAccelerator"]
    ops.run(front("TCP 443 443"))
    ops.aws.clear_calls()
    assert ops.destroy(front("TCP 443 443")).outcome == "settled"
    every = [call.operation for call in ops.aws.writes]
    assert every.index("DeleteListener") < every.index("ReleaseAddress")


def test_one_that_left_the_config_is_found_although_nothing_of_its_sort_is_left_there(ops: Host) -> None:
    ops.run(front("TCP 443 443"))
    ops.forget()
    assert ops.run(BEHIND, allow_shrink=True).outcome == "settled"
    assert ops.rows("accelerator") == []


WRONG = {
    "two listeners of TCP share a port (80-443 and 443)": front("TCP 80 443", "TCP 443 443"),
    "elastic-ip/far is in eu-west-1, and its group in us-west-2": front("TCP 443 443").replace(
        "/near}", "/far}"
    ),
    "a listener has two groups in us-west-2": front("TCP 443 443").replace("eu-west-1\n", "us-west-2\n"),
    "AWS would add an address of its own": front("TCP 443 443", more="    IpAddresses: [192.0.2.1]\n"),
    "AttachmentArn is not reported": front("TCP 443 443").replace("Weight: 10", "AttachmentArn: arn:x"),
}


@pytest.mark.parametrize("why", WRONG)
def test_what_aws_would_refuse_is_told_before(ops: Host, why: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ops.run(WRONG[why])
    assert why in str(refused.value)
    assert ops.aws.calls == []
