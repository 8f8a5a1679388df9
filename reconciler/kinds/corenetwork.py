"""Core networks, and how a policy becomes live: put, change set, execute, each a step of its own pass.

Facts: https://docs.aws.amazon.com/networkmanager/latest/APIReference/API_PutCoreNetworkPolicy.html,
API_GetCoreNetworkPolicy.html and API_ExecuteCoreNetworkChangeSet.html there; `wanpolicy` knows what documents say.

The policy does not go with CreateCoreNetwork, so that there is one way to make one live, and AWS's errors about it are
about it alone.  Versions never change: what a look has read of one stays true.

A policy may lead to attachments of its own network, which are made once a policy is live: those routes come later
(docs/decisions/0014-a-policy-that-names-what-rests-on-it.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.kinds import cloudwan, policies, wanpolicy
from reconciler.kinds.wanpolicy import FIELD, canonical, differences, mistakes, tree
from reconciler.model.calls import Call
from reconciler.model.kind import Item, Kind, Part, Remedy
from reconciler.model.reads import Companion, Detail, Read
from reconciler.model.things import Desired, Observed, Ref, Spec, within
from reconciler.model.verdicts import Blocked, Drift, Settled, Steps, Verdict, Wait

ALL, LIVE, LATEST, CHANGES = "PolicyVersions", "LivePolicy", "LatestPolicy", "ChangeSet"
"""Where what is read of policies is kept in `raw`: the list of versions, the one that is live, the latest where that is
another one, and its change set while that is ready.  That there is none of these is said by the list alone, since the
error that AWS answers for a missing version says other things too."""
FOLLOW = "Routes to attachments follow once these are ready."
"""The description of a version that was put without them: what it lacks then is nobody's change."""
MOST_CHANGES = 8
"""How many changes of a change set are told by name."""

# ---- becoming live


def towards_live(desired: Desired, network: Observed) -> Verdict:
    """The next step on the way of the wanted policy, from what was read about the live and the latest version.

    Somebody else's version is never executed: ours is put after it.
    """
    wanted = desired.spec.get(FIELD)
    if wanted is None:
        return Settled()
    if ALL not in network.raw:
        return Wait("its policy has not been read yet")
    live, latest = network.raw[LIVE], network.raw[LATEST]
    wanted, unknown = wanpolicy.spelt(wanted)
    follow = False
    if unknown and (policy := tree(wanted)) is not None:
        now = tree(live[FIELD]) if live else None
        if live and wanpolicy.same_but_for_routes(policy, now, unknown):
            return Settled((f"its policy leads to {', '.join(unknown)} once that is ready",))
        wanted = canonical(json.dumps(wanpolicy.for_now(policy, now, unknown)))
        follow = wanpolicy.postponed(now, unknown)
    if missing := next((name for name in unknown if name in wanted), None):
        return Wait(f"its policy needs {missing}", "other")
    if _is(live, wanted):
        ready = latest is not None and latest["ChangeSetState"] == "READY_TO_EXECUTE"
        note = f"policy version {latest['PolicyVersionId']} is not ours, and not live" if ready else ""
        return Settled((note,) if note else ())
    if latest is None:
        return _put(desired, network, wanted, follow)
    version, state = f"policy version {latest['PolicyVersionId']}", latest["ChangeSetState"]
    if state in {"PENDING_GENERATION", "EXECUTING"}:
        return Wait(f"{version} is {state}")
    if not _is(latest, wanted) or state == "OUT_OF_DATE":
        return _put(desired, network, wanted, follow)
    if state == "READY_TO_EXECUTE":
        why = f"the change set of {version} is ready{_told(network.raw.get(CHANGES))}"
        execute = Call(
            service="networkmanager",
            operation="ExecuteCoreNetworkChangeSet",
            parameters={"CoreNetworkId": network.id, "PolicyVersionId": latest["PolicyVersionId"]},
        )
        # no drift: the policy was put right by the step before this one, and is no second time (`engine.flaps`)
        return Steps("update", (execute,), why=why, disruptive=live is not None)
    if state == "FAILED_GENERATION":
        said = "; ".join(_error(error) for error in latest.get("PolicyErrors") or ())
        again = f"change the policy, or restore version {latest['PolicyVersionId']} to have AWS try again"
        return Blocked(
            f"AWS cannot make a change set of {version} ({said or 'it does not say why'}): {again}",
            tuple(_drift(wanted, live)),
        )
    return Wait(f"{version} is {state}, and not live yet")


def _error(error: Mapping[str, Any]) -> str:
    """An error in a policy in AWS's words, of which some name the place and some do not."""
    where, said = error.get("Path") or error.get("ErrorCode") or "", str(error.get("Message"))
    return said if said.startswith(where) else f"{where}: {said}"


def _is(version: Mapping[str, Any] | None, wanted: Any) -> bool:
    return version is not None and canonical(version.get(FIELD)) == canonical(wanted)


def _drift(wanted: Any, live: Mapping[str, Any] | None) -> Iterator[Drift]:
    if live is None:
        yield Drift(FIELD, tree(wanted), None, "pending")
        return
    for found in differences(tree(wanted), tree(live.get(FIELD))):
        ours = live.get("Description") == FOLLOW and wanpolicy.is_route(found.path)
        yield replace(found, origin="pending") if ours else found


def _put(desired: Desired, network: Observed, wanted: Any, follow: bool) -> Verdict:
    """The token stands for this policy after that version, so that a put whose answer was lost is not made twice."""
    live, latest = network.raw[LIVE], network.raw[LATEST] or network.raw[LIVE]
    after = {} if latest is None else {"LatestVersionId": latest["PolicyVersionId"]}
    told = {"Description": FOLLOW} if follow else {}
    call = Call(
        service="networkmanager",
        operation="PutCoreNetworkPolicy",
        parameters={"CoreNetworkId": network.id, FIELD: str(wanted), **after, **told},
        seed=(
            str(network.stack),
            str(desired.address),
            network.id,
            str(canonical(wanted)),
            *map(str, after.values()),
        ),
    )
    why = "no policy is live" if live is None else "the live policy is another one"
    return Steps("update", (call,), tuple(_drift(wanted, live)), why)


def _told(changes: Any) -> str:
    """A change set in a few words."""
    if not changes:
        return ""
    said = [
        f"{change['Action']} {change['Type']} {change.get('Identifier', '')}".strip() for change in changes
    ]
    more = f" and {len(said) - MOST_CHANGES} more" if len(said) > MOST_CHANGES else ""
    return f": {', '.join(said[:MOST_CHANGES])}{more}"


def fits(desired: Desired, resources: cloudwan.Resources) -> Iterator[tuple[str, str, str]]:
    """A policy leads to attachments of its own network, and names nothing of that network anywhere else: it is live
    before there is any of them."""
    document = desired.spec.get(FIELD)
    besides = json.dumps(wanpolicy.outside_of_routes(tree(document)))
    for ref in dict.fromkeys(within(document, Ref)):
        network = cloudwan.network_of(resources.get(ref.to), resources)
        if network is None:
            continue
        if network != desired.address:
            yield FIELD, f"leads to {ref.to}, which is on {network}", ""
        elif str(ref) in besides:
            what = f"names {ref.to} otherwise than as a destination, and has to be live before that is made"
            yield FIELD, what, ""


# ---- what is tied to a core network

ATTACHMENTS, PREFIX_LISTS = "Attachments", "PrefixListAssociations"
"""Where the lists of these are kept in `raw`."""
WAITING = frozenset({"PENDING_ATTACHMENT_ACCEPTANCE", "PENDING_TAG_ACCEPTANCE"})


def _call(operation: str, **parameters: Any) -> Call:
    return Call(service="networkmanager", operation=operation, parameters=parameters)


def _accepted(raw: Spec) -> list[Item]:
    return [
        {"AttachmentId": row["AttachmentId"]}
        for row in raw.get(ATTACHMENTS, ())
        if row["State"] not in WAITING
    ]


def _accept(network: Observed, items: Sequence[Item]) -> list[Call]:
    """Only what waits is accepted: whatever is not there (any more) is left alone."""
    waiting = {row["AttachmentId"] for row in network.raw[ATTACHMENTS] if row["State"] in WAITING}
    return [
        _call("AcceptAttachment", AttachmentId=item["AttachmentId"])
        for item in items
        if item["AttachmentId"] in waiting
    ]


ACCEPTED = Part(
    field="AcceptedAttachments",
    shape="AcceptAttachmentRequest",
    rows=_accepted,
    normal=lambda item: {"AttachmentId": item["AttachmentId"]},
    key=lambda item: item["AttachmentId"],
    add=_accept,
    remove=lambda network, items: [],
    change=lambda network, items: [],
    operations=("AcceptAttachment",),
    keeps=True,
)
"""What others attach, and the owner of the core network accepts; that cannot be taken back."""


def _associated(raw: Spec) -> list[Item]:
    return [{name: row[name] for name in PREFIX_LIST} for row in raw.get(PREFIX_LISTS, ())]


def _associate(network: Observed, items: Sequence[Item]) -> list[Call]:
    """One at a time: the core network is UPDATING after each."""
    return [_call("CreateCoreNetworkPrefixListAssociation", CoreNetworkId=network.id, **items[0])]


def _disassociate(network: Observed, items: Sequence[Item]) -> list[Call]:
    arn = items[0]["PrefixListArn"]
    return [_call("DeleteCoreNetworkPrefixListAssociation", CoreNetworkId=network.id, PrefixListArn=arn)]


PREFIX_LIST = ("PrefixListArn", "PrefixListAlias")
ASSOCIATED = Part(
    field="PrefixLists",
    shape="CreateCoreNetworkPrefixListAssociationRequest",
    rows=_associated,
    normal=lambda item: {name: item[name] for name in PREFIX_LIST},
    key=lambda item: item["PrefixListArn"],
    add=_associate,
    remove=_disassociate,
    change=_disassociate,  # under its new alias it is put in by the next look
    operations=("CreateCoreNetworkPrefixListAssociation", "DeleteCoreNetworkPrefixListAssociation"),
    given=frozenset({"CoreNetworkId", "ClientToken"}),
    last=True,
)
"""What a policy may name by an alias: put in before the policy that does, taken out after it."""


SHARE = "ResourcePolicy"
NO_POLICY = frozenset({"ResourceNotFoundException", "ValidationException"})
"""Codes of GetResourcePolicy where there is none: the model names no error for it, and neither does the documentation.
"""


def _share(network: Observed, wanted: Any) -> list[Call]:
    """Who else may use the network."""
    if not wanted:
        return [_call("DeleteResourcePolicy", ResourceArn=network.arn)]
    return [_call("PutResourcePolicy", ResourceArn=network.arn, PolicyDocument=wanted)]


def _spec(raw: Spec) -> Spec:
    live = raw.get(LIVE) or {}
    return {**raw, FIELD: live[FIELD]} if FIELD in live else raw


CORE_NETWORK = Kind(
    name="core-network",
    about="A Cloud WAN network: edges in regions and segments between them, as its policy says.",
    service="networkmanager",
    read=Read(
        operation="ListCoreNetworks",
        path="CoreNetworks",
        ids=None,
        page=500,
        details=[
            Detail(
                field=SHARE,
                operation="GetResourcePolicy",
                path="[PolicyDocument]",
                arn="ResourceArn",
                absent=NO_POLICY,
            ),
            Detail(
                field=FIELD,
                name=ALL,
                operation="ListCoreNetworkPolicyVersions",
                path="CoreNetworkPolicyVersions",
                many=True,
            ),
            Detail(
                field=FIELD,
                name=LIVE,
                operation="GetCoreNetworkPolicy",
                path="CoreNetworkPolicy",
                given={"PolicyVersionId": f"{ALL}[?Alias=='LIVE'].PolicyVersionId | [0]"},
            ),
            Detail(
                field=FIELD,
                name=LATEST,
                operation="GetCoreNetworkPolicy",
                path="CoreNetworkPolicy",
                given={
                    "PolicyVersionId": f"sort_by({ALL}, &PolicyVersionId)[-1:]"
                    " | [?Alias!='LIVE'].PolicyVersionId | [0]"
                },
            ),
            Detail(
                field=FIELD,
                name=CHANGES,
                operation="GetCoreNetworkChangeSet",
                path="CoreNetworkChanges",
                many=True,
                given={
                    "PolicyVersionId": f"[{LATEST}][?ChangeSetState=='READY_TO_EXECUTE'].PolicyVersionId | [0]"
                },
            ),
        ],
        companions=[
            Companion(
                name=ATTACHMENTS,
                operation="ListAttachments",
                path="Attachments",
                key="CoreNetworkId",
                leaving=False,
                fields=frozenset({ACCEPTED.field}),
            ),
            Companion(
                name=PREFIX_LISTS,
                operation="ListCoreNetworkPrefixListAssociations",
                path="PrefixListAssociations",
                key="CoreNetworkId",
                leaving=False,
                within="core-network",
                fields=frozenset({ASSOCIATED.field}),
            ),
        ],
    ),
    create="CreateCoreNetwork",
    update="UpdateCoreNetwork",
    delete="DeleteCoreNetwork",
    id="CoreNetworkId",
    arn="CoreNetworkArn",
    state="State",
    ready=frozenset({"AVAILABLE"}),
    leaving=frozenset({"DELETING"}),
    pace=15.0,
    refs={"GlobalNetworkId": "global-network", "PrefixLists[].PrefixListArn": "prefix-list.arn"},
    documents=frozenset({FIELD, SHARE}),
    normal={FIELD: canonical, SHARE: policies.meaning},
    remedies={
        SHARE: Remedy(
            operations=("PutResourcePolicy", "DeleteResourcePolicy"),
            make=_share,
            shape="PutResourcePolicy.PolicyDocument",
        )
    },
    refuses={FIELD: mistakes, SHARE: policies.mistake},
    project=_spec,
    fits=fits,
    parts=(ASSOCIATED, ACCEPTED),
    then=towards_live,
    then_owns=frozenset({FIELD}),
    late=frozenset({FIELD}),
    then_operations=("PutCoreNetworkPolicy", "ExecuteCoreNetworkChangeSet"),
    protected=True,
    unique="GlobalNetworkId",
)
