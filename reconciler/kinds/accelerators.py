"""Accelerators of Global Accelerator, with their listeners and the groups of endpoints behind these.

Facts: https://docs.aws.amazon.com/global-accelerator/latest/api/ (CreateAccelerator, UpdateAccelerator,
UpdateAcceleratorAttributes, CreateListener, UpdateListener, CreateEndpointGroup, UpdateEndpointGroup,
DeleteAccelerator, ListTagsForResource) and https://docs.aws.amazon.com/global-accelerator/latest/dg/

Only accelerators can be tagged: listeners and their groups are a part of theirs.  After every change an accelerator is
IN_PROGRESS for minutes, and no other one is begun meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.kinds.calls import accelerator
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.kind import Item, Kind, Part, Remedy
from reconciler.model.reads import Completion, Detail, Read
from reconciler.model.things import Desired, Observed, Ref, Spec
from reconciler.model.verdicts import Steps, Wait

BUSY = "IN_PROGRESS"
FIELD, LISTENING, GROUPS = "Listeners", "Listening", "EndpointGroups"
"""The field of the config, and where listeners and groups stand in `raw`, as AWS lists them."""
ENDPOINTS = "EndpointConfigurations"
CHANGING = ("Protocol", "PortRanges", "ClientAffinity")
"""What can be said of a listener."""


# ---- listeners and groups in the words of the config


def _said(item: Mapping[str, Any] | None) -> Item:
    """What an item says; one that is not written yet says nothing."""
    return {name: value for name, value in (item or {}).items() if value is not None}


def _sorted(items: Any, *names: str) -> list[Item]:
    """Items in an order of their own: AWS's says nothing."""
    return sorted(map(_said, items or ()), key=lambda one: [str(one.get(name)).zfill(5) for name in names])


def _listener(item: Item) -> Item:
    """A listener as it is compared; what it does not say is not looked at."""
    found = {**_said(item), "PortRanges": _sorted(item.get("PortRanges"), "FromPort", "ToPort")}
    if item.get(GROUPS) is not None:
        found[GROUPS] = sorted(map(_group, item[GROUPS]), key=_region)
    return found


def _group(item: Item) -> Item:
    found = _said(item)
    if ENDPOINTS in found:
        found[ENDPOINTS] = _sorted(found[ENDPOINTS], "EndpointId")
    if "PortOverrides" in found:
        found["PortOverrides"] = _sorted(found["PortOverrides"], "ListenerPort")
    return found


def _region(group: Item) -> str:
    """A listener has one group in a region."""
    return str(group.get("EndpointGroupRegion"))


def _ports(listener: Item) -> list[tuple[int, int]]:
    return [(one.get("FromPort", 0), one.get("ToPort", 0)) for one in listener.get("PortRanges") or ()]


def _key(listener: Item) -> tuple[Any, ...]:
    return listener.get("Protocol"), *sorted(_ports(listener))


def _overlap(one: Item, other: Item) -> bool:
    """Whether both would hear the same: AWS allows no two such listeners."""
    same = one.get("Protocol") == other.get("Protocol")
    return same and any(a <= d and c <= b for a, b in _ports(one) for c, d in _ports(other))


def _there(raw: Spec) -> list[Item]:
    """The listeners of an accelerator, each with its groups."""
    found = []
    for row in raw.get(LISTENING) or ():
        within = f"{row['ListenerArn']}/endpoint-group/"
        groups = [one for one in raw.get(GROUPS) or () if str(one["EndpointGroupArn"]).startswith(within)]
        found.append(_listener({**row, GROUPS: [_shown(one) for one in groups]}))
    return found


def _shown(group: Mapping[str, Any]) -> Item:
    """A group in CreateEndpointGroup's words: how its endpoints are is no part of it."""
    endpoints = [
        {name: value for name, value in one.items() if not name.startswith("Health")}
        for one in group.get("EndpointDescriptions") or ()
    ]
    return {**{k: v for k, v in group.items() if k != "EndpointDescriptions"}, ENDPOINTS: endpoints}


# ---- how they change


def _exchange(
    thing: Observed, added: Sequence[Item], changed: Sequence[Item], removed: Sequence[Item]
) -> list[Call]:
    """What goes and is in the way comes first, what else goes last.  A listener that gets other ports is changed, so
    that its groups stay; those of a new one are made by the next look, which knows what it is called."""
    there = {_key(one): one for one in _there(thing.raw)}
    live = [there.get(_key(one), one) for one in removed]
    moved: list[tuple[Item, Item]] = []
    for wanted in added:
        if old := next((one for one in live if _overlap(one, wanted)), None):
            moved.append((old, wanted))
            live.remove(old)
    fresh = [one for one in added if all(one is not wanted for _, wanted in moved)]
    first = [one for one in live if any(_overlap(one, wanted) for wanted in added)]
    calls = [call for one in first for call in _removed(one)]
    calls += [_listening(old, wanted) for old, wanted in moved]
    calls += [accelerator("CreateListener", AcceleratorArn=thing.id, **_own(one)) for one in fresh]
    for wanted in changed:
        calls += _mended(there.get(_key(wanted), wanted), wanted)
    return [*calls, *(call for one in live if one not in first for call in _removed(one))]


def _own(listener: Item) -> Item:
    return {name: listener[name] for name in CHANGING if listener.get(name) is not None}


def _listening(old: Item, wanted: Item) -> Call:
    return accelerator("UpdateListener", ListenerArn=old["ListenerArn"], **_own(wanted))


def _removed(listener: Item) -> Iterator[Call]:
    """A listener goes once it has no groups."""
    for group in listener.get(GROUPS) or ():
        yield accelerator("DeleteEndpointGroup", EndpointGroupArn=group["EndpointGroupArn"])
    yield accelerator("DeleteListener", ListenerArn=listener["ListenerArn"])


def _mended(live: Item, wanted: Item) -> Iterator[Call]:
    if wanted.get("ClientAffinity") not in {None, live.get("ClientAffinity")}:
        yield _listening(live, wanted)
    before = {_region(one): one for one in live.get(GROUPS) or ()}
    after = {_region(one): one for one in wanted.get(GROUPS) or ()}
    for region, group in after.items():
        if region not in before:
            yield accelerator("CreateEndpointGroup", ListenerArn=live["ListenerArn"], **_made(group))
        elif any(_differs(value, before[region].get(name)) for name, value in group.items()):
            yield _group_call(before[region], group)
    if GROUPS in wanted:
        for region in before.keys() - after.keys():
            arn = before[region]["EndpointGroupArn"]
            yield accelerator("DeleteEndpointGroup", EndpointGroupArn=arn)


def _made(group: Item) -> Item:
    return {name: value for name, value in group.items() if name != "EndpointGroupArn"}


def _differs(wanted: Any, seen: Any) -> bool:
    """Whether a value is another one, less what is not said of it."""
    if isinstance(wanted, Mapping) and isinstance(seen, Mapping):
        return any(_differs(value, seen.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(seen, list) and len(wanted) == len(seen):
        return any(_differs(one, other) for one, other in zip(wanted, seen, strict=True))
    return bool(wanted != seen) and bool(wanted or seen)


def _group_call(live: Item, wanted: Item) -> Call:
    """What is said is sent; endpoints are sent whole, since those that are left out go."""
    given = {name: value for name, value in _made(wanted).items() if name != "EndpointGroupRegion"}
    if ENDPOINTS in given:
        seen = {one.get("EndpointId"): one for one in live.get(ENDPOINTS) or ()}
        given[ENDPOINTS] = [{**seen.get(one.get("EndpointId"), {}), **one} for one in given[ENDPOINTS]]
    return accelerator("UpdateEndpointGroup", EndpointGroupArn=live["EndpointGroupArn"], **given)


# ---- the accelerator itself


def _words(raw: Spec) -> Spec:
    """A row in CreateAccelerator's words."""
    addresses = [
        address
        for one in raw.get("IpSets") or ()
        if one.get("IpAddressFamily") != "IPv6"
        for address in one.get("IpAddresses") or ()
    ]
    return {**raw, "IpAddresses": addresses, FIELD: _there(raw)}


def _attributes(thing: Observed, wanted: Any) -> list[Call]:
    """Flow logs do not move while they are written: they are ended first, and begun anew when that is done.

    AWS does not document it; terraform-provider-aws does so."""
    seen: Mapping[str, Any] = thing.spec.get("Attributes") or {}
    where = ("FlowLogsS3Bucket", "FlowLogsS3Prefix")
    moves = any(name in wanted and wanted[name] != seen.get(name) for name in where)
    ended = [{"FlowLogsEnabled": False}] if moves and seen.get("FlowLogsEnabled") else []
    return [
        accelerator("UpdateAcceleratorAttributes", AcceleratorArn=thing.id, **given)
        for given in (*ended, wanted)
    ]


def _emptied(thing: Observed) -> Steps | Wait | None:
    """It is disabled first, then its groups and listeners go, one after the other each when AWS is done."""
    if FIELD not in thing.spec or LISTENING not in thing.raw:
        return Wait("its listeners have not been read")
    if thing.state == BUSY:
        return Wait(f"it is {BUSY}")
    if thing.raw.get("Enabled"):
        return Steps("delete", (accelerator("UpdateAccelerator", AcceleratorArn=thing.id, Enabled=False),))
    calls = [call for one in _there(thing.raw) for call in _removed(one)]
    return Steps("delete", tuple(calls)) if calls else None


def _two(addresses: Any) -> str | None:
    if isinstance(addresses, list) and len(addresses) == 1:
        return "AWS would add an address of its own that no config can name: say two, or none"
    return None


def _no_attachment(listeners: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """AWS does not report by which attachment of another account an endpoint came."""
    for place, listener in enumerate(listeners if isinstance(listeners, list) else ()):
        for inner, group in enumerate(_list(listener, GROUPS)):
            for last, endpoint in enumerate(_list(group, ENDPOINTS)):
                if isinstance(endpoint, Mapping) and "AttachmentArn" in endpoint:
                    where = (place, GROUPS, inner, ENDPOINTS, last)
                    yield where, "an AttachmentArn is not reported by AWS: it would always differ"


def _list(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def _fits(thing: Desired, resources: Mapping[Address, Desired]) -> Iterable[tuple[str, str, str]]:
    """Listeners that AWS would not have beside each other, and endpoints that are not where their group is."""
    listeners = [_listener(one) for one in thing.spec.get(FIELD) or () if isinstance(one, dict)]
    for place, one in enumerate(listeners):
        if other := next((other for other in listeners[:place] if _overlap(one, other)), None):
            ports = " and ".join(
                ", ".join("-".join(map(str, dict.fromkeys(each))) for each in _ports(listener))
                for listener in (other, one)
            )
            yield (
                FIELD,
                f"two listeners of {one.get('Protocol')} share a port ({ports})",
                "let each port be one's",
            )
        regions = [_region(group) for group in one.get(GROUPS) or ()]
        for region in {region for region in regions if regions.count(region) > 1}:
            yield FIELD, f"a listener has two groups in {region}", "put their endpoints into one"
        for group in one.get(GROUPS) or ():
            for endpoint in group.get(ENDPOINTS) or ():
                target = endpoint.get("EndpointId")
                to = resources.get(target.to) if isinstance(target, Ref) else None
                if to is not None and to.region != _region(group):
                    what = f"{to.address} is in {to.region}, and its group in {_region(group)}"
                    yield FIELD, what, "a group leads to endpoints of its own region"


ENDPOINT = f"{FIELD}[].{GROUPS}[].{ENDPOINTS}[].EndpointId"

ACCELERATOR = Kind(
    name="accelerator",
    about="Two addresses at AWS's edge that are the same all over the world, with what listens there and the groups of "
    "endpoints (load balancers, elastic IPs, instances) that each region has behind it.",
    service="globalaccelerator",
    read=Read(
        operation="ListAccelerators",
        path="Accelerators",
        ids=None,
        page=100,
        completed=Completion(
            operation="ListTagsForResource",
            ids="ResourceArn",
            by="AcceleratorArn",
            path="Tags.{Tags: @}",  # nothing at all where an answer has none
        ),
        details=[
            Detail(
                field=FIELD,
                name=LISTENING,
                operation="ListListeners",
                path="Listeners",
                many=True,
                leaving=True,
            ),
            Detail(
                field=FIELD,
                name=GROUPS,
                operation="ListEndpointGroups",
                path="EndpointGroups",
                given={"ListenerArn": f"{LISTENING}[].ListenerArn"},
                each="ListenerArn",
                alone=True,
                many=True,
                leaving=True,
            ),
            Detail(
                field="Attributes",
                name="Attributes",
                operation="DescribeAcceleratorAttributes",
                path="AcceleratorAttributes",
            ),
        ],
    ),
    create="CreateAccelerator",
    update="UpdateAccelerator",
    delete="DeleteAccelerator",
    id="AcceleratorArn",
    arn="AcceleratorArn",
    answers_tags=False,
    state="Status",
    ready=frozenset({"DEPLOYED"}),
    usable=frozenset({BUSY}),
    refs={ENDPOINT: ("load-balancer.arn", "elastic-ip", "instance")},
    finished=frozenset({ENDPOINT}),  # "must be valid and active when you add it"
    across=True,
    unordered=frozenset({"IpAddresses"}),
    refuses={"IpAddresses": _two, FIELD: _no_attachment},
    project=_words,
    fits=_fits,
    remedies={
        "Attributes": Remedy(
            operations=("UpdateAcceleratorAttributes",), make=_attributes, shape="AcceleratorAttributes"
        )
    },
    parts=(
        Part(
            field=FIELD,
            shape="CreateListenerRequest",
            lists={GROUPS: "CreateEndpointGroupRequest"},
            given=frozenset({"AcceleratorArn", "ListenerArn", "IdempotencyToken"}),
            rows=_there,
            normal=_listener,
            key=_key,
            add=lambda thing, items: _exchange(thing, items, [], []),
            change=lambda thing, items: _exchange(thing, [], items, []),
            remove=lambda thing, items: _exchange(thing, [], [], items),
            at_once=_exchange,
            operations=(
                *("CreateListener", "UpdateListener", "DeleteListener"),
                *("CreateEndpointGroup", "UpdateEndpointGroup", "DeleteEndpointGroup"),
            ),
        ),
    ),
    release=_emptied,
    sequential=True,
    protected=True,
)
