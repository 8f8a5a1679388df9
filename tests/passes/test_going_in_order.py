"""What holds on to something while it goes is let go of first: AWS refuses nothing on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import Host, host
from tests.passes.test_moves import CARD, DISK, TWO

LISTED = """
  transit-gateway/t: {protect: false}
  prefix-list/p: {PrefixListName: p, AddressFamily: IPv4, MaxEntries: 1, Entries: [{Cidr: 10.9.0.0/16}]}
  transit-gateway-route-table/r:
    TransitGatewayId: ${transit-gateway/t}
    PrefixListReferences: [{PrefixListId: "${prefix-list/p}", Blackhole: true}]
"""


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path, 10.0, regions=("us-west-2",)) as made:
        yield made


def test_nothing_is_deleted_while_it_is_held(ops: Host) -> None:
    """A disk and a card that are being taken off; a list to which a table refers until it is gone."""
    text = TWO + DISK + CARD + LISTED
    assert ops.run(text).outcome == "settled"
    without = TWO + LISTED
    ops.aws.clear_calls()
    assert ops.run(without, allow_shrink=True).outcome == "settled"
    assert {"DetachVolume", "DeleteVolume", "DetachNetworkInterface", "DeleteNetworkInterface"} <= {
        *ops.writes()
    }
    assert ops.destroy(text).outcome == "settled"
    assert [(call.operation, call.error) for call in ops.aws.calls if call.error] == []
    assert ops.ours("prefix-list") == []
