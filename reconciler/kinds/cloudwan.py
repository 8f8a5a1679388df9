"""What is attached to a core network; `wanpeers` has its peers.

Facts: https://docs.aws.amazon.com/networkmanager/latest/APIReference/API_Attachment.html, API_ListAttachments.html
and the create calls there; states and acceptance:
https://docs.aws.amazon.com/network-manager/latest/cloudwan/cloudwan-attachments-working-with.html

All attachments are listed at once, whatever their type, with their tags; what only one type has is read one by one.
Policies steer attachments by their tags, so that these carry no tag of ours that changes with the config.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.kinds import wanpolicy
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.kind import Kind, Remedy
from reconciler.model.reads import Companion, Detail, Read
from reconciler.model.things import Desired, Observed, Ref, Spec

ACCEPT = "somebody has to accept it, in the account of the core network"
ASKING = {
    "PENDING_ATTACHMENT_ACCEPTANCE": ACCEPT,
    "PENDING_TAG_ACCEPTANCE": f"its tags ask for another segment, and {ACCEPT}",
}
SUPPORT, RULES, ROUTES = "NatGatewaySupport", "NatGatewayRules", "NatSystemRouteSupport"
NAT = (SUPPORT, RULES)
RULE = ("RuleNumber", "MatchSourceCidr", "NatCidr")
REGIONAL = ("VpcArn", "VpnConnectionArn", "TransitGatewayArn")
"""Fields that name something regional, whose region is the edge."""
Resources = Mapping[Address, Desired]
Fits = Callable[[Desired, Resources], Iterator[tuple[str, str, str]]]
PACE = 30.0
"""What is on a core network takes minutes to come, to change and to go."""
LABEL = "RoutingPolicyLabel"
LABELS = Companion(
    name="RoutingPolicyLabels",
    operation="ListAttachmentRoutingPolicyAssociations",
    path="AttachmentRoutingPolicyAssociations",
    key="AttachmentId",
    leaving=False,
    within="core-network",
    fields=frozenset({LABEL}),
)
"""Labels are told by the core network, to its owner alone."""
NAT_CONFIGURATIONS = Companion(
    name="NatConfigurations",
    operation="ListAttachmentNatConfigurations",
    path="AttachmentNatConfigurations",
    key="AttachmentId",
    leaving=False,
    within="core-network",
    fields=frozenset({RULES}),
)
"""And so are the rules of NAT."""
SAID = "[].join(' ', [Code, Message][?@])"
"""What is wrong with a thing, from its list of errors."""


def _itself(arn: Any) -> Any:
    return arn


def _id(arn: Any) -> Any:
    """What stands last in an ARN."""
    return str(arn).rpartition("/")[2]


def _inner(type: str, resource: str, form: Callable[[Any], Any]) -> Callable[[Spec], Spec]:
    """A row in the words of the create call; `resource` is the field that says what is attached.

    What its own Get shows beside the attachment itself is kept under the type's name.
    """

    def project(raw: Spec) -> Spec:
        own = {name: value for name, value in (raw.get(type) or {}).items() if name != "Attachment"}
        named = {resource: form(raw["ResourceArn"])} if "ResourceArn" in raw else {}
        labels = [row[LABEL] for row in raw.get(LABELS.name, ())]
        return {**raw, **own, **named, **_nat(raw), LABEL: labels[0] if labels else None}

    return project


def _nat(raw: Spec) -> Spec:
    """What is said of NAT in the words of the create call; it is off where nothing is."""
    on = raw.get(SUPPORT) in {"ENABLED", "ENABLING"}
    rules = [
        {member: rule.get(member) for member in RULE}
        for row in raw.get(NAT_CONFIGURATIONS.name, ())
        for rule in row.get(RULES) or ()
        if rule.get("State") != "DELETING"
    ]
    return {SUPPORT: "ENABLE" if on else "DISABLE", RULES: rules}


def _translate(field: str) -> Remedy:
    """All that is said of NAT goes in one call: it cannot be on without a rule."""

    def make(thing: Observed, wanted: Any) -> list[Call]:
        given = {
            "AttachmentId": thing.id,
            field: "DISABLE" if wanted is None and field == SUPPORT else wanted,
        }
        return [Call(service="networkmanager", operation=TRANSLATING, parameters=given)]

    return Remedy(operations=(TRANSLATING,), make=make, joins=True)


TRANSLATING = "UpdateAttachmentNatConfiguration"
LABELING = ("PutAttachmentRoutingPolicyLabel", "RemoveAttachmentRoutingPolicyLabel")
NONE: Mapping[str, Remedy] = {}


def _label(thing: Observed, wanted: Any) -> list[Call]:
    """A label is changed by calls of its own, not by making the attachment anew."""
    where = {"CoreNetworkId": thing.raw["CoreNetworkId"], "AttachmentId": thing.id}
    operation, given = (LABELING[0], {LABEL: wanted}) if wanted else (LABELING[1], {})
    return [Call(service="networkmanager", operation=operation, parameters=where | given)]


def _where(desired: Desired, resources: Resources) -> Iterator[tuple[str, Any]]:
    """The edges at which an attachment is to be, as far as the config tells, each with the field that says so."""
    yield "EdgeLocation", desired.spec.get("EdgeLocation")
    yield from (("EdgeLocations", edge) for edge in desired.spec.get("EdgeLocations") or ())
    for field in REGIONAL:
        match desired.spec.get(field):
            case Ref(to) if to in resources:
                yield field, resources[to].region
            case str(arn) if arn.count(":") > 4:
                yield field, arn.split(":")[3]


def _named(desired: Desired | None, field: str, resources: Resources) -> Desired | None:
    """What a field refers to, where that is in this config."""
    value = desired.spec.get(field) if desired else None
    return resources.get(value.to) if isinstance(value, Ref) else None


def network_of(desired: Desired | None, resources: Resources) -> Address | None:
    """The core network that something rests on, maybe by way of a peering or a Connect attachment."""
    for field in ("PeeringId", "ConnectAttachmentId"):
        desired = _named(desired, field, resources) or desired
    network = _named(desired, "CoreNetworkId", resources)
    return network.address if network else None


def _network(desired: Desired, resources: Resources) -> tuple[Address, Any] | None:
    """The core network that something is on, and its policy."""
    address = network_of(desired, resources)
    policy = wanpolicy.tree(resources[address].spec.get(wanpolicy.FIELD)) if address else None
    return None if address is None or policy is None else (address, policy)


def at_edge(desired: Desired, resources: Resources) -> Iterator[tuple[str, str, str]]:
    """What is on a core network lies at one of its edges."""
    if found := _network(desired, resources):
        network, policy = found
        edges = wanpolicy.edges(policy)
        for field, edge in _where(desired, resources):
            if isinstance(edge, str) and edge and edge not in edges:
                yield field, f"the policy of {network} has no edge location {edge}", _one_of(edges)


def _fits(desired: Desired, resources: Resources) -> Iterator[tuple[str, str, str]]:
    """An attachment lies at an edge of its core network, and its tags name segments that there are."""
    yield from at_edge(desired, resources)
    yield from _owners_alone(desired, resources)
    found = _network(desired, resources)
    if found is None:
        return
    network, policy = found
    segments = wanpolicy.segments(policy)
    for key in sorted(wanpolicy.choosing_tags(policy)):
        value = desired.tags.get(key)
        if isinstance(value, str) and value not in segments:
            what = f"the tag {key} asks for the segment {value}, which the policy of {network} lacks"
            yield "Tags", what, _one_of(segments)


def _owners_alone(desired: Desired, resources: Resources) -> Iterator[tuple[str, str, str]]:
    """AWS takes labels and NAT from the owner of the core network alone, and shows them to nobody else."""
    network = network_of(desired, resources)
    if network and resources[network].account != desired.account:
        for field in (LABEL, *NAT, ROUTES):
            if field in desired.spec:
                yield field, f"only the account of {network} can set it", ""


ENDS = ("TransitGatewayId", "VpnGatewayId")


def _vpn_fits(desired: Desired, resources: Resources) -> Iterator[tuple[str, str, str]]:
    """A VPN on a core network has no other end on AWS's side."""
    yield from _fits(desired, resources)
    connection = _named(desired, "VpnConnectionArn", resources)
    for end in ENDS:
        if connection and connection.spec.get(end):
            yield "VpnConnectionArn", f"{connection.address} has a {end}", "it must have no gateway"


def _table_fits(desired: Desired, resources: Resources) -> Iterator[tuple[str, str, str]]:
    """A route table is one of the transit gateway that the peering is with."""
    yield from _fits(desired, resources)
    peering = _named(desired, "PeeringId", resources)
    table = _named(desired, "TransitGatewayRouteTableArn", resources)
    if peering and table:
        beside, of = peering.spec.get("TransitGatewayArn"), table.spec.get("TransitGatewayId")
        if isinstance(beside, Ref) and isinstance(of, Ref) and beside.to != of.to:
            what = f"{table.address} is one of {of.to}, and {peering.address} is with {beside.to}"
            yield "TransitGatewayRouteTableArn", what, ""


def _one_of(words: Sequence[str]) -> str:
    return f"one of: {', '.join(words)}"


def attachment(
    type: str,
    *,
    name: str,
    about: str,
    listed: str,
    resource: str,
    refs: Mapping[str, str],
    form: Callable[[Any], Any] = _itself,
    detail: str = "",
    fits: Fits = _fits,
    nat: Sequence[str] = NAT,
    unordered: frozenset[str] = frozenset(),
    remedies: Mapping[str, Remedy] = NONE,
    **more: Any,
) -> Kind:
    """A kind of attachment: `type` as in the names of its operations, `listed` as in AttachmentType.

    `resource` is the field that says what is attached, which lists show as ResourceArn; `form` brings it from there to
    the field's form.  `detail` is a field that only its own Get shows, `nat` are the fields that it has of NAT.
    """
    details = [
        Detail(
            field=field,
            name=type,
            operation=f"Get{type}",
            path=type,
            leaving=True,
            stamp="UpdatedAt",
            stamped="Attachment.UpdatedAt",
        )
        for field in ([detail] if detail else [])
    ]
    return Kind(
        name=name,
        about=about,
        service="networkmanager",
        read=Read(
            operation="ListAttachments",
            path="Attachments",
            ids=None,
            page=500,
            only={"AttachmentType": listed},
            details=details,
            companions=[LABELS, *([NAT_CONFIGURATIONS] if nat else [])],
        ),
        create=f"Create{type}",
        delete="DeleteAttachment",
        accept="AcceptAttachment",
        asks="CoreNetworkArn",
        decline="RejectAttachment",
        id="AttachmentId",
        arn_tail="attachment/{id}",
        state="State",
        ready=frozenset({"AVAILABLE"}),
        failed=frozenset({"FAILED", "REJECTED"}),
        leaving=frozenset({"DELETING"}),
        pace=PACE,
        asking=ASKING,
        errors=f"LastModificationErrors{SAID}",
        refs=refs,
        fits=fits,
        unordered=unordered | ({RULES} & set(nat)),
        remedies={
            **remedies,
            LABEL: Remedy(operations=LABELING, make=_label),
            **{field: _translate(field) for field in nat},
        },
        sequential=True,  # it is UPDATING after each
        project=_inner(type, resource, form),
        tags_steer=True,
        **more,
    )


def _subnets(thing: Observed, wanted: Any) -> list[Call]:
    """Subnets are changed by what is added and what is taken away."""
    seen = thing.spec.get("SubnetArns") or []
    deltas = {
        "AddSubnetArns": [arn for arn in wanted if arn not in seen],
        "RemoveSubnetArns": [arn for arn in seen if arn not in wanted],
    }
    given = {name: arns for name, arns in deltas.items() if arns}
    return [
        Call(
            service="networkmanager",
            operation="UpdateVpcAttachment",
            parameters={"AttachmentId": thing.id, **given},
        )
    ]


VPC_ATTACHMENT = attachment(
    "VpcAttachment",
    name="vpc-attachment",
    about="A VPC on a core network, by one subnet in each zone.",
    listed="VPC",
    resource="VpcArn",
    refs={"CoreNetworkId": "core-network", "VpcArn": "vpc.arn", "SubnetArns[]": "subnet.arn"},
    detail="SubnetArns",
    update="UpdateVpcAttachment",
    unordered=frozenset({"SubnetArns"}),
    remedies={"SubnetArns": Remedy(operations=("UpdateVpcAttachment",), make=_subnets, joins=True)},
)

CONNECT_ATTACHMENT = attachment(
    "ConnectAttachment",
    name="connect-attachment",
    about="A way for appliances in an attached VPC into a core network, by GRE or without a tunnel.",
    listed="CONNECT",
    resource="TransportAttachmentId",
    form=_id,
    refs={"CoreNetworkId": "core-network", "TransportAttachmentId": "vpc-attachment"},
    alike={"TransportAttachmentId": ("CoreNetworkId",)},
    detail="Options",
)

SITE_TO_SITE_VPN_ATTACHMENT = attachment(
    "SiteToSiteVpnAttachment",
    name="site-to-site-vpn-attachment",
    about="A VPN connection that has no gateway, on a core network.",
    listed="SITE_TO_SITE_VPN",
    resource="VpnConnectionArn",
    refs={"CoreNetworkId": "core-network", "VpnConnectionArn": "vpn-connection.arn"},
    nat=(*NAT, ROUTES),
    fits=_vpn_fits,
)

DIRECT_CONNECT_GATEWAY_ATTACHMENT = attachment(
    "DirectConnectGatewayAttachment",
    name="direct-connect-gateway-attachment",
    about="A Direct Connect gateway at some edges of a core network.",
    listed="DIRECT_CONNECT_GATEWAY",
    resource="DirectConnectGatewayArn",
    refs={"CoreNetworkId": "core-network"},
    nat=(*NAT, ROUTES),
    update="UpdateDirectConnectGatewayAttachment",
    unordered=frozenset({"EdgeLocations"}),
)


TRANSIT_GATEWAY_ROUTE_TABLE_ATTACHMENT = attachment(
    "TransitGatewayRouteTableAttachment",
    name="transit-gateway-route-table-attachment",
    about="A route table of a transit gateway that is beside a core network, on that.",
    listed="TRANSIT_GATEWAY_ROUTE_TABLE",
    resource="TransitGatewayRouteTableArn",
    refs={
        "PeeringId": "transit-gateway-peering",
        "TransitGatewayRouteTableArn": "transit-gateway-route-table.arn",
    },
    through={"PeeringId": "CoreNetworkId"},
    detail="PeeringId",
    fits=_table_fits,
    nat=(),
)
