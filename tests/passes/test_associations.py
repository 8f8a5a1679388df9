"""Devices and global networks with what is tied to them: it has no tags, and is owned through them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.harness import ACCOUNT, Host, host

ESTATE = """
    resources:
      global-network/g: {}
      site/s: {GlobalNetworkId: "${global-network/g}"}
      link/a: {GlobalNetworkId: "${global-network/g}", SiteId: "${site/s}", Bandwidth: {UploadSpeed: 1}}
      link/b: {GlobalNetworkId: "${global-network/g}", SiteId: "${site/s}", Bandwidth: {UploadSpeed: 1}}
      device/d:
        GlobalNetworkId: ${global-network/g}
        SiteId: ${site/s}
        Links: [{LinkId: "${link/a}"}]
"""
BOTH = ESTATE.replace('"${link/a}"}]', '"${link/a}"}, {LinkId: "${link/b}"}]')
NO_WORD = ESTATE.replace('        Links: [{LinkId: "${link/a}"}]\n', "")
NONE = ESTATE.replace('[{LinkId: "${link/a}"}]', "[]")


def links(ops: Host) -> list[str]:
    (network,) = ops.rows("global-network")
    found = ops.by_hand(
        "networkmanager",
        "GetLinkAssociations",
        GlobalNetworkId=network["GlobalNetworkId"],
        DeviceId=device(ops),
    )
    return sorted(
        row["LinkId"] for row in found["LinkAssociations"] if row["LinkAssociationState"] == "AVAILABLE"
    )


def device(ops: Host) -> str:
    (row,) = ops.rows("device")
    return str(row["DeviceId"])


def settle(ops: Host, text: str) -> None:
    report = ops.run(text)
    assert report.outcome == "settled", report.outcomes
    ops.aws.clock.advance(60)
    ops.aws.clear_calls()
    assert ops.run(text).outcome == "settled"
    assert ops.writes() == []


def test_links_are_put_in_taken_out_and_mended(ops: Host) -> None:
    settle(ops, ESTATE)
    assert links(ops) == [ops.seen(ESTATE, "link/a").id]
    settle(ops, BOTH)
    assert len(links(ops)) == 2
    first = {"GlobalNetworkId": ops.seen(BOTH, "global-network/g").id, "DeviceId": device(ops)}
    ops.by_hand("networkmanager", "DisassociateLink", **first, LinkId=ops.seen(BOTH, "link/a").id)
    ops.aws.clock.advance(60)
    settle(ops, BOTH)
    assert len(links(ops)) == 2, "what was taken out by hand is back"
    settle(ops, NO_WORD)
    assert len(links(ops)) == 2, "what the config does not mention is nobody's business"
    settle(ops, NONE)
    assert links(ops) == []


def test_what_ties_a_device_goes_before_it(ops: Host) -> None:
    settle(ops, BOTH)
    gone = BOTH[: BOTH.index("      device/d:")]
    settle(ops, gone)
    assert ops.rows("device") == []
    settle(ops, BOTH)
    ops.destroy()
    assert [call.error for call in ops.aws.writes if call.error] == [], "AWS is asked for nothing too early"
    assert ops.ours("device") == ops.ours("link") == ops.ours("global-network") == []


SITES = """
    resources:
      global-network/g: {}
      site/a: {GlobalNetworkId: "${global-network/g}"}
      site/b: {GlobalNetworkId: "${global-network/g}"}
      link/a: {GlobalNetworkId: "${global-network/g}", SiteId: "${site/a}", Bandwidth: {UploadSpeed: 1}}
      link/b: {GlobalNetworkId: "${global-network/g}", SiteId: "${site/b}", Bandwidth: {UploadSpeed: 1}}
      device/d: {GlobalNetworkId: "${global-network/g}", SiteId: "${site/SITE}", Links: [{LinkId: "${link/SITE}"}]}
      device/e: {GlobalNetworkId: "${global-network/g}", SiteId: "${site/b}", Links: [{LinkId: "${link/b}"}]}
"""


def test_a_device_moves_to_another_site_with_links_there(ops: Host) -> None:
    """AWS keeps a device where its links are: they are taken out first, and those of the other site come after."""
    here, there = (SITES.replace("SITE", site) for site in "ab")
    settle(ops, here)
    report = ops.run(there)
    assert report.outcome == "settled", report.outcomes
    order = ["DisassociateLink", "UpdateDevice", "AssociateLink", "TagResource"]
    assert ops.writes() == order, "and nothing of the other device's"
    assert [call.error for call in ops.aws.writes if call.error] == []


def test_a_device_with_links_that_no_config_speaks_of_stays_at_its_site(ops: Host) -> None:
    settle(ops, SITES.replace("SITE", "a"))
    silent = SITES.replace("${site/SITE}", "${site/b}").replace(', Links: [{LinkId: "${link/SITE}"}]', "")
    report = ops.run(silent)
    assert report.count("failed") == 1
    assert set(ops.writes()) == {"UpdateDevice"}


def test_what_was_cleared_is_the_same_absent_or_empty(tmp_path: Path) -> None:
    fields = (
        "Vendor: v, AWSLocation: {Zone: us-west-2a}, Location: {Address: a, Latitude: '1', Longitude: '2'}"
    )
    empty = (
        "Vendor: null, AWSLocation: {Zone: null}, Location: {Address: null, Latitude: '1', Longitude: null}"
    )
    for form in ("absent", "empty"):
        with host(tmp_path / form, cleared_fields=form) as ops:
            device = '      device/x: {GlobalNetworkId: "${global-network/g}", FIELDS}\n'
            settle(ops, ESTATE + device.replace("FIELDS", fields))
            settle(ops, ESTATE + device.replace("FIELDS", empty))
            row = next(row for row in ops.rows("device") if "SiteId" not in row)
            assert ("Vendor" in row, "Address" in row["Location"]) == ((form == "empty"),) * 2
            settle(ops, ESTATE + device.replace("FIELDS", fields))


def test_a_device_that_is_replaced_lets_go_of_links_that_no_config_speaks_of(ops: Host) -> None:
    """AWS keeps it while there are any."""
    config = SITES.replace("${site/SITE}", "${site/a}").replace(', Links: [{LinkId: "${link/SITE}"}]', "")
    config = config.replace("device/d: {", "device/d: {replace: delete-first, ")
    config = "\n".join(line for line in config.splitlines() if "device/e" not in line)
    settle(ops, config)
    network, link = (ops.seen(config, address).id for address in ("global-network/g", "link/a"))
    by_hand = {"GlobalNetworkId": network, "DeviceId": device(ops), "LinkId": link}
    ops.by_hand("networkmanager", "AssociateLink", **by_hand)
    ops.aws.clock.advance(60)
    settle(ops, config)
    assert links(ops) == [link]
    elsewhere = config.replace(
        'device/d: {replace: delete-first, GlobalNetworkId: "${global-network/g}", SiteId: "${site/a}"',
        'device/d: {replace: delete-first, GlobalNetworkId: "${global-network/other}"',
    ).replace("      site/a:", "      global-network/other: {}\n      site/a:")
    ops.aws.clear_calls()
    assert ops.run(elsewhere).outcome == "settled"
    assert ops.writes() == ["CreateGlobalNetwork", "DisassociateLink", "DeleteDevice", "CreateDevice"]


PEERS = """
    resources:
      transit-gateway/t: {protect: false}
      customer-gateway/one: {Type: ipsec.1, BgpAsn: 65010, IpAddress: 203.0.113.9}
      customer-gateway/two: {Type: ipsec.1, BgpAsn: 65011, IpAddress: 203.0.113.10}
      vpn-connection/one:
        Type: ipsec.1
        protect: false
        CustomerGatewayId: ${customer-gateway/one}
        TransitGatewayId: ${transit-gateway/t}
      vpn-connection/two:
        Type: ipsec.1
        protect: false
        CustomerGatewayId: ${customer-gateway/two}
        TransitGatewayId: ${transit-gateway/t}
      global-network/g: {TransitGateways: [{TransitGatewayArn: "${transit-gateway/t}"}]}
      site/s: {GlobalNetworkId: "${global-network/g}"}
      link/a: {GlobalNetworkId: "${global-network/g}", SiteId: "${site/s}", Bandwidth: {UploadSpeed: 1}}
      link/b: {GlobalNetworkId: "${global-network/g}", SiteId: "${site/s}", Bandwidth: {UploadSpeed: 1}}
      device/d:
        GlobalNetworkId: ${global-network/g}
        SiteId: ${site/s}
        Links: [{LinkId: "${link/a}"}, {LinkId: "${link/b}"}]
        CustomerGateways: [{CustomerGatewayArn: "${customer-gateway/ONE}", LinkId: "${link/LINK}"}]
      device/e:
        GlobalNetworkId: ${global-network/g}
        SiteId: ${site/s}
        CustomerGateways: [{CustomerGatewayArn: "${customer-gateway/TWO}"}]
"""


def peers(one: str, two: str, link: str) -> str:
    return PEERS.replace("ONE", one).replace("TWO", two).replace("LINK", link)


def test_a_customer_gateway_goes_to_another_link_or_device_once_it_is_gone_where_it_was(ops: Host) -> None:
    """AWS refuses a second association of it while the first is on its way out."""
    settle(ops, peers("one", "two", "a"))
    for other in (peers("one", "two", "b"), peers("two", "one", "b")):
        report = ops.run(other)
        assert report.outcome == "settled", report.outcomes
        assert [call.error for call in ops.aws.writes if call.error] == []
        settle(ops, other)


def test_a_customer_gateway_that_two_devices_want_stays_where_it_is_and_the_other_says_so(ops: Host) -> None:
    """`check` finds it where both refer to it; here one says its ARN."""
    settle(ops, peers("one", "two", "a"))
    two = ops.seen(peers("one", "two", "a"), "customer-gateway/two").arn
    report = ops.run(
        peers("one", "two", "a").replace('"${customer-gateway/one}", LinkId', f'"{two}", LinkId')
    )
    waits = next(outcome for outcome in report.outcomes if outcome.label == "device/d")
    assert waits.status == "waiting"
    assert "is in device/e, and can be in one" in waits.why
    assert "AssociateCustomerGateway" not in ops.writes()


def test_an_aws_that_lists_associations_only_by_device_is_asked_so(tmp_path: Path) -> None:
    with host(tmp_path, unfiltered_link_associations=False) as ops:
        settle(ops, BOTH)
        assert len(links(ops)) == 2
        settle(ops, ESTATE)
        assert len(links(ops)) == 1


def test_transit_gateways_are_registered_and_let_go(ops: Host) -> None:
    made = ops.by_hand("ec2", "CreateTransitGateway")["TransitGateway"]["TransitGatewayArn"]
    other = ops.by_hand("ec2", "CreateTransitGateway")["TransitGateway"]["TransitGatewayArn"]
    ops.aws.clock.advance(600)

    def registering(*arns: str) -> str:
        items = ", ".join(f'{{TransitGatewayArn: "{arn}"}}' for arn in arns)
        return f"resources: {{global-network/g: {{TransitGateways: [{items}]}}}}"

    def registered() -> set[str]:
        (network,) = ops.rows("global-network")
        found = ops.by_hand(
            "networkmanager", "GetTransitGatewayRegistrations", GlobalNetworkId=network["GlobalNetworkId"]
        )["TransitGatewayRegistrations"]
        return {row["TransitGatewayArn"] for row in found if row["State"]["Code"] == "AVAILABLE"}

    settle(ops, registering(made))
    assert registered() == {made}
    settle(ops, registering(other))
    assert registered() == {other}
    ops.destroy()
    assert ops.ours("global-network") == []
    assert ACCOUNT in made


def test_the_calls_of_a_look_do_not_grow_with_the_things(tmp_path: Path) -> None:
    counts: list[Counter[str]] = []
    for many in (2, 12):
        text = ESTATE.replace(
            "      link/a:",
            "".join(
                f'      site/s{n}: {{GlobalNetworkId: "${{global-network/g}}"}}\n'
                f'      device/d{n}: {{GlobalNetworkId: "${{global-network/g}}", SiteId: "${{site/s}}", '
                f'Links: [{{LinkId: "${{link/a}}"}}]}}\n'
                for n in range(many)
            )
            + "      link/a:",
        )
        with host(tmp_path / str(many), page_size=500) as ops:
            settle(ops, text)
            ops.aws.clear_calls()
            ops.plan(text)
            counts.append(Counter(call.operation for call in ops.aws.calls))
    assert counts[0] == counts[1]
    assert counts[0]["GetLinkAssociations"] == 1
    assert "GetCustomerGatewayAssociations" not in counts[0], "no config says anything of them"
    assert sum(counts[0].values()) <= 10
