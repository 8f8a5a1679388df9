"""What must be and what may happen in a random world: the promises of docs/guarantees.md, in our own words.

Nothing of the engine is asked here: a wish is compared with what AWS would show to anybody.  Used by `machine`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from reconciler.kinds import ALL
from tests.faults.worlds.estates import Wish, Wishes, fixed_fields
from tests.faults.worlds.seen import SHOWN, Holders, is_blind, mismatches
from tests.faults.worlds.truth import Thing, Truth, is_at_rest, whole
from tests.harness import FACTS, STACK, Host

PROTECTED = {kind.name for kind in ALL if kind.protected}
"""The kinds whose things stay although nobody wants them any more, unless the config has said otherwise."""
OURS = "reconciler:"
HAD_BY = {
    *("InstanceId", "AssociationId", "NetworkInterfaceId", "NetworkInterfaceOwnerId", "PrivateIpAddress"),
}
"""Members of an address that say who has it."""
MADE_ONCE = {"customer-gateway", "vpn-connection", "listener", "load-balancer", "target-group"}
"""Kinds of which AWS makes no second one that is the same, but answers with the first, whosever that is: see
CreateCustomerGateway and CreateVpnConnection in https://docs.aws.amazon.com/AWSEC2/latest/APIReference/, CreateListener
and others in https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/"""
MIRRORED = frozenset(
    {"Associations", "Attachment", "Attachments", "NetworkInterfaces", "Roles", "VpcAttachments"}
)
"""Members of somebody's thing that say what AWS ties to it, and that change as the other end is tied elsewhere: a
subnet that is given to one network ACL leaves another."""
FOLLOWS = {
    "auto-scaling-group": {
        "AvailabilityZones": {"VPCZoneIdentifier"},  # those of its subnets
        "DesiredCapacity": {"MinSize", "MaxSize"},  # AWS keeps it between the two
    }
}
"""Members of things of a kind that AWS changes with fields that the config may name."""
LET_GO = {"accelerator": {"Enabled"}, "auto-scaling-group": {"DesiredCapacity", "MaxSize", "MinSize"}}
"""What changes of a thing of a kind before it is deleted."""
OF_A_MACHINE = {"Groups", "SourceDestCheck"}
"""Fields of a machine that its first network interface shows as well."""
MADE_BY_EKS = "eks:nodegroup-name"
"""The tag of what EKS has made for a group of nodes."""
ROOT = re.compile(r"^[A-Za-z]+")


# ---- whose things are


def claims(truth: Truth, *addresses: str) -> list[Thing]:
    """The things that say that they are at one of these addresses of our stack, or of none."""
    return [thing for thing in truth.values() if thing.claim in addresses and thing.stack in {STACK, ""}]


def is_ours(thing: Thing, truth: Truth) -> bool:
    """Whether it may be touched at all: both tags, and no other thing with the same claim, if it is to stay."""
    return thing.has_both_tags and (thing.claim.endswith("@old") or len(claims(truth, thing.claim)) == 1)


def is_protected(thing: Thing) -> bool:
    """Whether an orphan stays."""
    said = thing.tags.get("reconciler:protect")
    return said == "true" or (thing.kind in PROTECTED and said != "false")


# ---- what one pass may do


def judge(
    before: Truth,
    after: Truth,
    wishes: Wishes,
    *,
    created: Mapping[str, int],
    unread: Collection[tuple[str, str]],
    calm: bool,
    foreign: Collection[str],
    touched: Collection[str] = (),
) -> Iterator[str]:
    """What is wrong with what the program did between two moments.

    `created` counts its create calls by kind; `unread` are the kinds and regions that it says it could not read whole;
    `calm`: its lists lag nowhere; `foreign` are the ids of what others have made, `touched` of what others have
    changed since the program has looked: it may not delete that, but change what it has seen.
    """
    # AWS makes things of its own, such as the group of a network, and takes them away again
    born = [thing for id, thing in after.items() if id not in before and (thing.claim or thing.stack)]
    gone = [
        thing
        for id, thing in before.items()
        if id not in after and (thing.claim or thing.stack or id in foreign)
    ]
    for kind, count in created.items():
        tagged = sum(thing.kind == kind for thing in born)
        # AWS answers once more with what a token has made
        repeated = FACTS[kind].takes_token or kind in MADE_ONCE
        if tagged > count or (tagged < count and not repeated):
            yield f"{kind}: {count} creations, and {tagged} new things that are ours"
    for thing in born:
        yield from _birth(thing, before, after, wishes, unread)
    for thing in gone:
        yield from _death(thing, before, wishes, unread)
    for id, thing in before.items():
        if id in after and id not in touched:
            yield from _change(thing, after[id], before, after, wishes)
    twice = Counter(thing.claim for thing in born)
    yield from (f"{claim} was born {count} times in one pass" for claim, count in twice.items() if count > 1)
    if len(gone) > wishes.limits["deletes"]:
        yield f"{len(gone)} things deleted, and the limit is {wishes.limits['deletes']}"
    owned = sum(thing.has_both_tags for thing in before.values())
    share = max(1, math.ceil(owned * wishes.limits["percent"] / 100))
    if calm and len(gone) > share:
        yield f"{len(gone)} of {owned} things deleted, and the limit is {wishes.limits['percent']} %"
    if wishes.mode == "upsert" and gone:
        yield f"mode is upsert, and {gone[0].claim} was deleted"
    if wishes.mode == "observe" and (born or gone or before != after):
        yield "mode is observe, and something was changed"


def _birth(
    thing: Thing, before: Truth, after: Truth, wishes: Wishes, unread: Collection[tuple[str, str]]
) -> Iterator[str]:
    what = f"{thing.kind} {thing.id} was made for {thing.claim or 'no address'}"
    wish = wishes.at(thing.claim)
    if not thing.has_both_tags or wish is None:
        yield f"{what}, which the config does not want so"
        return
    if wish.region != thing.region:
        yield f"{what} in {thing.region}"
    if (thing.kind, thing.region) in unread:
        yield f"{what}, and the kind could not be read"
    for other in claims(before, wish.address):
        if other.id in after and after[other.id].claim == wish.address:
            yield f"{what}, and there is {other.id}"
    former = [name for name in wish.previously if wishes.at(name) is None]
    for other in claims(before, *former):
        makes_way = other.id not in after or after[other.id].claim.endswith("@old")
        if not claims(before, wish.address) and not makes_way:
            yield f"{what}, and {other.id} is to be renamed from {other.claim}"
    for other in before.values():
        if other.kind == thing.kind and other.stack == STACK and "/" not in other.claim:
            yield f"{what}, and {other.id} has lost its address and may be it"


def _death(thing: Thing, before: Truth, wishes: Wishes, unread: Collection[tuple[str, str]]) -> Iterator[str]:
    what = f"{thing.kind} {thing.id} ({thing.claim or 'foreign'}) was deleted"
    if not is_ours(thing, before):
        yield f"{what}, and it was not ours alone"
        return
    if (thing.kind, thing.region) in unread:
        yield f"{what}, and the kind could not be read"
    address = thing.claim.removesuffix("@old")
    heirs = [wish for wish in wishes if address in wish.previously and not claims(before, wish.address)]
    wish = wishes.at(address) or next(iter(heirs), None)
    if wish is not None and not thing.claim.endswith("@old"):
        if wish.replace is None:
            yield f"{what}, and the config wants it as {wish.address}"
        if wish.protect or (wish.kind in PROTECTED and wish.protect is None):
            yield f"{what} to be replaced, and the config protects it"
    elif is_protected(thing):
        yield f"{what}, and it was protected"


def _change(thing: Thing, now: Thing, before: Truth, after: Truth, wishes: Wishes) -> Iterator[str]:
    what = f"{thing.kind} {thing.id} ({thing.claim or 'foreign'})"
    if MADE_BY_EKS in thing.tags:
        return  # it changes with the group of nodes that it was made for
    ours = is_ours(thing, before)
    wish = wishes.at(now.claim.removesuffix("@old")) or wishes.at(thing.claim)
    said = set(wish.spec) - set(wish.ignore) if wish and ours else set()
    fields = {
        name
        for name in {*thing.still, *now.still} & _fields(thing.kind, ours)
        if thing.still.get(name) != now.still.get(name)
    }
    if not is_at_rest(thing):
        fields = set()  # AWS goes on with what somebody has begun, and shows what comes of it
    tags = {key for key in {*thing.tags, *now.tags} if thing.tags.get(key) != now.tags.get(key)}
    if thing.kind == "elastic-ip" and ("InstanceId" in said or not _has_owner(thing, now, after)):
        fields -= HAD_BY  # it was taken by what a NAT gateway does, or came free with its instance
    if thing.kind == "network-interface" and (thing.row.get("Attachment") or {}).get("DeviceIndex") == 0:
        fields -= OF_A_MACHINE
    fields -= {name for name, led in FOLLOWS.get(thing.kind, {}).items() if said & led}
    if ours and (wish is None or wish.replace == "delete-first"):
        fields -= LET_GO.get(thing.kind, set()) | MIRRORED
    if not ours:
        if fields or tags:
            yield f"{what} was changed ({fields | tags}), and it is not ours alone"
        return
    if extra := fields - said - {_root(thing.kind, name) for name in said}:
        yield f"{what}: {sorted(extra)} changed, and the config does not say so"
    if extra := {key for key in tags if not key.startswith(OURS)} - set(wish.all_tags if wish else ()):
        yield f"{what}: the tags {sorted(extra)} changed, and the config does not say so"
    if wish and "Tags" in wish.ignore and (extra := {key for key in tags if not key.startswith(OURS)}):
        yield f"{what}: the tags {sorted(extra)} changed, and the config says to ignore them"


def _root(kind: str, name: str) -> str:
    """The member of a row that shows a field."""
    found = ROOT.match(SHOWN.get(kind, {}).get(name, name))
    return found[0] if found else name


def _fields(kind: str, ours: bool) -> set[str]:
    """The members of rows that say what a config can; of others' things not those that say what AWS ties to them."""
    roots = {_root(kind, name) for name in SHOWN.get(kind, {})}
    return (FACTS[kind].fields.keys() - MIRRORED) | (roots if ours else roots - MIRRORED)


def _has_owner(thing: Thing, now: Thing, after: Truth) -> bool:
    """Whether an address is, or was until now, an instance's that lives on."""
    return any(one.row.get("InstanceId") in after for one in (thing, now))


# ---- what must be at the end


def unequal(ops: Host, truth: Truth, wishes: Wishes) -> Iterator[str]:
    """Where the estate is not what the config says; nothing where all is well."""
    holders: dict[str, Thing] = {}
    for wish in wishes:
        found = claims(truth, wish.address)
        if len(found) == 1 and is_ours(found[0], truth) and found[0].region == wish.region:
            holders[wish.slot] = found[0]
        else:
            yield f"{wish.address} is held by {[thing.id for thing in found]}"
    addresses = {wish.address for wish in wishes}
    for thing in truth.values():
        if thing.stack == STACK and thing.claim not in addresses:
            yield f"{thing.kind} {thing.id} is left over, as {thing.claim or 'no address'}"
    for wish in wishes:
        if wish.slot in holders:
            yield from differences(ops, wish, holders)


def differences(ops: Host, wish: Wish, holders: Holders) -> Iterator[str]:
    """Where the thing of one wish is not as the config says."""
    thing = holders[wish.slot]
    for name, wrong in mismatches(ops, wish, thing, holders):
        if name not in wish.ignore:
            yield f"{wish.address}: {name} {wrong}"
    said = {None: None, True: "true", False: "false"}[wish.protect]
    kept = {} if "Tags" in wish.ignore else wish.all_tags
    for key, value in {**kept, "reconciler:protect": said}.items():
        if thing.tags.get(key) != value:
            yield f"{wish.address}: its tag {key} is {thing.tags.get(key)!r} and should be {value!r}"


def may_differ_for_good(ops: Host, wish: Wish, holders: Holders) -> bool:
    """Whether what cannot change after creation differs, as far as AWS shows it."""
    thing = holders.get(wish.slot)
    if thing is None:
        return False
    told = fixed_fields(wish.kind)
    fixed = told | {name for name in wish.spec if not FACTS[wish.kind].fields[name].mutable}
    row = whole(ops, thing, told)
    return any(is_blind(wish.kind, name, wish.spec.get(name), row) for name in told) or any(
        name in fixed for name, _ in mismatches(ops, wish, thing, holders)
    )
