"""Site-to-site VPNs: the two ends of one.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (CreateCustomerGateway, AttachVpnGateway, …) and
https://docs.aws.amazon.com/vpn/latest/s2svpn/
"""

from __future__ import annotations

from typing import Any

from reconciler.kinds.calls import ec2
from reconciler.model.calls import Call
from reconciler.model.kind import Kind, Remedy
from reconciler.model.reads import Read
from reconciler.model.things import Desired, Observed, Spec
from reconciler.model.verdicts import Drift, Settled, Steps, Verdict, Wait

LEAVING, GONE = frozenset({"deleting"}), frozenset({"deleted"})

# ---- customer gateways


def _number(text: Any) -> Any:
    """EC2 takes an ASN as a number and reports it as text."""
    return int(text) if isinstance(text, str) and text.isdecimal() else text


def _numbered(raw: Spec) -> Spec:
    return {**raw, **{name: _number(raw.get(name)) for name in ("BgpAsn", "BgpAsnExtended")}}


CUSTOMER_GATEWAY = Kind(
    name="customer-gateway",
    about="The far end of VPNs: a device of a data centre or of another cloud, by its address and ASN.",
    service="ec2",
    private=True,
    read=Read(
        operation="DescribeCustomerGateways", path="CustomerGateways", ids="CustomerGatewayIds", page=None
    ),
    create="CreateCustomerGateway",
    delete="DeleteCustomerGateway",
    id="CustomerGatewayId",
    arn_tail="customer-gateway/{id}",
    state="State",
    ready=frozenset({"available"}),
    usable=frozenset({"pending"}),
    leaving=LEAVING,
    gone=GONE,
    tag_type="customer-gateway",
    forbidden=frozenset({"PublicIp"}),  # the old name of IpAddress
    project=_numbered,
)

# ---- virtual private gateways


def _attachment(raw: Spec) -> dict[str, Any] | None:
    """Where a gateway is attached, or is on its way to or from; one VPC at most."""
    live = (one for one in raw.get("VpcAttachments") or () if one["State"] != "detached")
    return next(live, None)


def _vpc(raw: Spec) -> str | None:
    there = _attachment(raw)
    return str(there["VpcId"]) if there and there["State"] != "detaching" else None


def _move(gateway: Observed, wanted: Any) -> list[Call]:
    """The next call on the way into a VPC: the one where it is has to be left first, and that takes minutes."""
    if there := _vpc(gateway.raw):
        return [ec2("DetachVpnGateway", VpnGatewayId=gateway.id, VpcId=there)]
    return [ec2("AttachVpnGateway", VpnGatewayId=gateway.id, VpcId=wanted)]


def _placed(desired: Desired, gateway: Observed) -> Verdict:
    """Attached where it is wanted, one step after the other; to leave a VPC cuts its VPNs off."""
    wanted, there, vpc = desired.spec.get("VpcId"), _attachment(gateway.raw), _vpc(gateway.raw)
    if "VpcId" not in desired.spec:
        return Settled()
    if there and there["State"] in {"attaching", "detaching"}:
        return Wait(f"{gateway.id} is {there['State']} ({there['VpcId']})")
    if (wanted or None) == vpc:
        return Settled()
    calls = tuple(_move(gateway, wanted))
    drift = (Drift("VpcId", wanted, vpc),)
    return Steps("update", calls, drift=drift, why="differs: VpcId", disruptive=vpc is not None)


def _detached(gateway: Observed) -> Steps | Wait | None:
    there = _attachment(gateway.raw)
    if there is None:
        return None
    if there["State"] == "attached":
        return Steps("update", tuple(_move(gateway, None)))
    return Wait(f"{gateway.id} is {there['State']} ({there['VpcId']})")


VPN_GATEWAY = Kind(
    name="vpn-gateway",
    about="The near end of VPNs to one VPC; VpcId says which VPC it is attached to.",
    service="ec2",
    private=True,
    read=Read(operation="DescribeVpnGateways", path="VpnGateways", ids="VpnGatewayIds", page=None),
    create="CreateVpnGateway",
    delete="DeleteVpnGateway",
    release=_detached,
    id="VpnGatewayId",
    arn_tail="vpn-gateway/{id}",
    state="State",
    ready=frozenset({"available"}),
    usable=frozenset({"pending"}),
    leaving=LEAVING,
    gone=GONE,
    refs={"VpcId": "vpc"},
    tag_type="vpn-gateway",
    project=lambda raw: {**raw, "VpcId": _vpc(raw)},
    remedies={
        "VpcId": Remedy(
            operations=("AttachVpnGateway", "DetachVpnGateway"), make=_move, shape="AttachVpnGateway.VpcId"
        )
    },
    then=_placed,
    then_owns=frozenset({"VpcId"}),
    then_operations=("AttachVpnGateway", "DetachVpnGateway"),
    unique="VpcId",
)
