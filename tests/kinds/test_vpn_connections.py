"""Tunnels of VPN connections: found in whatever order AWS tells them, and their keys told by nobody."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.kinds.vpnconnections import VPN_CONNECTION, matched
from reconciler.model.address import Address
from reconciler.model.calls import digest
from reconciler.model.things import Desired, Observed, Parameter
from reconciler.model.verdicts import Settled, Steps, Verdict

ONE = {"OutsideIpAddress": "192.0.2.1", "PreSharedKey": "the.key.of.one", "DpdTimeoutSeconds": 30}
OTHER = {"OutsideIpAddress": "192.0.2.2", "PreSharedKey": "the.key.of.other", "DpdTimeoutSeconds": 30}


def verdict(wanted: list[dict[str, Any]], *seen: dict[str, Any], **more: Any) -> Verdict:
    raw = {"VpnConnectionId": "vpn-1", "Options": {"TunnelOptions": list(seen)}, **more}
    given: dict[str, Any] = {"kind": "vpn-connection", "account": "1", "region": "us-west-2", "tags": {}}
    thing = Observed(
        **given, id="vpn-1", arn="arn", state="available", spec=VPN_CONNECTION.project(raw), raw=raw
    )
    desired = Desired(
        address=Address("vpn-connection", "x"),
        account="1",
        region="us-west-2",
        spec={"Options": {"TunnelOptions": wanted}},
    )
    assert VPN_CONNECTION.then is not None
    return VPN_CONNECTION.then(desired, thing)


def test_the_order_in_which_aws_tells_tunnels_means_nothing() -> None:
    wanted = [{"PreSharedKey": "the.key.of.one"}, {"PreSharedKey": "the.key.of.other"}]
    assert verdict(wanted, ONE, OTHER) == Settled()
    assert verdict(wanted, OTHER, ONE) == Settled()
    inside = [{"TunnelInsideCidr": "169.254.9.0/30", "PreSharedKey": "a.new.key"}]
    other, one = (
        {**OTHER, "TunnelInsideCidr": "169.254.8.0/30"},
        {**ONE, "TunnelInsideCidr": "169.254.9.0/30"},
    )
    assert [seen for _, seen in matched(inside, [other, one])] == [one]


def test_one_tunnel_is_changed_and_only_what_differs_of_it() -> None:
    found = verdict([{"DPDTimeoutSeconds": 40, "StartupAction": None}] * 2, ONE, OTHER)
    assert isinstance(found, Steps)
    assert found.disruptive
    (call,) = found.calls
    assert call.parameters["VpnTunnelOutsideIpAddress"] == "192.0.2.1"
    assert call.parameters["TunnelOptions"] == {"DPDTimeoutSeconds": 40}


def test_lists_of_a_tunnel_are_sets() -> None:
    seen = {**ONE, "IkeVersions": [{"Value": "ikev1"}, {"Value": "ikev2"}]}
    assert verdict([{"IKEVersions": [{"Value": "ikev2"}, {"Value": "ikev1"}]}], seen) == Settled()
    assert isinstance(verdict([{"IKEVersions": [{"Value": "ikev2"}]}], seen), Steps)


def test_a_key_that_aws_keeps_elsewhere_differs_from_none() -> None:
    seen = {"OutsideIpAddress": "192.0.2.1"}
    assert verdict([{"PreSharedKey": "the.key.of.one"}], seen, PreSharedKeyArn="arn") == Settled()


def test_nothing_that_is_told_or_kept_of_a_key_leads_back_to_it() -> None:
    found = verdict([{"PreSharedKey": "a.new.key"}], ONE)
    assert isinstance(found, Steps)
    assert [(one.wanted, one.seen) for one in found.drift] == [("(sensitive)", "(sensitive)")]
    with_another = verdict([{"PreSharedKey": "another.key"}], ONE)
    assert isinstance(with_another, Steps)
    assert digest(found.calls[0].parameters) == digest(with_another.calls[0].parameters)
    assert digest({"Options": {"TunnelOptions": [ONE]}}) == digest(
        {"Options": {"TunnelOptions": [{**ONE, "PreSharedKey": "x"}]}}
    )


@pytest.mark.parametrize(
    ("tunnel", "says"),
    [
        ({"PreSharedKey": "0.begins.badly"}, "not beginning with 0"),
        ({"PreSharedKey": "short"}, "8 to 64"),
        ({"TunnelInsideCidr": "169.254.5.0/30"}, "does not reserve"),
        ({"TunnelInsideCidr": "169.254.6.0/29"}, "a /30"),
        ({"TunnelInsideCidr": "10.0.0.0/30"}, "169.254.0.0/16"),
        ({"PreSharedKey": Parameter("/x")}, "cannot hold a parameter"),
    ],
)
def test_what_cannot_work_is_said_before_any_call_and_keys_are_not(tunnel: dict[str, Any], says: str) -> None:
    why = VPN_CONNECTION.refuses["Options"]({"TunnelOptions": [tunnel]})
    assert why is not None
    assert says in why
    assert str(tunnel.get("PreSharedKey", "no key")) not in why
    good = {"TunnelOptions": [{"PreSharedKey": "good.key", "TunnelInsideCidr": "169.254.6.0/30"}]}
    assert VPN_CONNECTION.refuses["Options"](good) is None
