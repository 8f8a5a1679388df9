"""Prefix lists: entries that are exchanged while a list is full, and lists that something refers to."""

from __future__ import annotations

from pathlib import Path

from tests.harness import Host, host

CONFIG = """
resources:
  vpc/a: {CidrBlock: 10.1.0.0/16, protect: false}
  internet-gateway/a: {VpcId: "${vpc/a}"}
  prefix-list/a:
    PrefixListName: offices
    AddressFamily: IPv4
    MaxEntries: 2
    Entries: [{Cidr: 10.2.0.0/16, Description: Lyon}, {Cidr: 10.3.0.0/16}]
  security-group/a:
    {VpcId: "${vpc/a}", GroupName: a, Description: a, Ingress: [{IpProtocol: "-1", PrefixListId: "${prefix-list/a}"}]}
  route-table/a:
    VpcId: ${vpc/a}
    Routes: [{DestinationPrefixListId: "${prefix-list/a}", GatewayId: "${internet-gateway/a}"}]
"""


def changed(ops: Host, text: str) -> int:
    """How many changes of a list it takes to come to a config."""
    ops.aws.clear_calls()
    assert ops.run(text).outcome == "settled"
    return ops.writes().count("ModifyManagedPrefixList")


def test_a_list_is_changed_as_one_and_deleted_after_what_refers_to_it(tmp_path: Path) -> None:
    with host(tmp_path, 10.0, regions=("us-west-2",)) as ops:
        assert ops.run(CONFIG).outcome == "settled"
        assert changed(ops, CONFIG.replace("10.3.0.0/16", "10.4.0.0/16")) == 1
        # the words of an entry alone cannot be changed: it goes, and comes again
        assert changed(ops, CONFIG.replace("10.3.0.0/16", "10.4.0.0/16").replace("Lyon", "Nice")) == 2
        rows = ops.seen(CONFIG, "prefix-list/a").raw["Entries"]
        assert sorted((row["Cidr"], row.get("Description")) for row in rows) == [
            ("10.2.0.0/16", "Nice"),
            ("10.4.0.0/16", None),
        ]
        ops.aws.clear_calls()
        assert ops.destroy(CONFIG).count("failed", "blocked", "waiting") == 0
        order = [call.operation for call in ops.aws.writes]
        assert order.index("DeleteManagedPrefixList") > order.index("DeleteRouteTable")
        assert order.index("DeleteManagedPrefixList") > order.index("DeleteSecurityGroup")
