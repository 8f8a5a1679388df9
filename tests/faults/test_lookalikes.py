"""Nothing foreign is touched: things of others that look like ours, of many kinds, in every way that tags get copied.

Somebody else's estate stands beside ours, with the same names, descriptions and fields.  Its things get one disguise
after the other; what would be done is compared with what would be done without them, and then it is done.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import Any

import pytest
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends

from reconciler.aws.ownership import MADE_BY_OTHERS
from reconciler.kinds import BY_NAME
from reconciler.model.plan import Outcome, Plan
from reconciler.model.verdicts import Blocked, Steps, Wait
from reconciler.sandbox import Call
from reconciler.sandbox.autoscaling.store import store_of as scaling
from reconciler.sandbox.eks.store import store_of as kubernetes
from reconciler.sandbox.elbv2.store import store_of as balancing
from reconciler.sandbox.globalaccelerator.store import store_of as accelerators
from reconciler.sandbox.networkmanager.models import store_of
from reconciler.sandbox.route53.store import store_of as zones
from reconciler.sandbox.world import current
from tests import documents
from tests.conformance.fixture import ONE_OF_EACH, named_anew
from tests.faults.estate import SELDOM, without_subjects
from tests.faults.estate import estate as of_kinds
from tests.harness import ACCOUNT, HEAD, STACK, Host, host, move_home

pytestmark = pytest.mark.xdist_group("lookalikes")  # one worker: what they share is dear to make

ABROAD = "eu-west-1"
OURS, ADDRESS, PROTECT = "reconciler:stack", "reconciler:address", "reconciler:protect"
estate = partial(of_kinds, kinds=ONE_OF_EACH)
NEXT = dict(zip(ONE_OF_EACH, (*ONE_OF_EACH[1:], ONE_OF_EACH[0]), strict=True))
"""For each kind another one."""
AWS_OWN = dict(zip(ONE_OF_EACH, cycle(MADE_BY_OTHERS), strict=False))
"""For each kind one of the tags that AWS's controllers put on what they make."""
FREE = {"protect": False}
CONFIGS = {
    "kept": estate(),
    "updated": estate("update"),
    "replaced": estate("fixed", replace="delete-first", **FREE),
    "renamed": estate().replace("/subject", "/new"),
    "orphaned": without_subjects(ONE_OF_EACH),
    "destroyed": "resources: {}",
}
PARENTS = {"eks-cluster", "global-network", "load-balancer"}
"""Kinds that others are listed within."""
Tags = Mapping[str, str]
Disguise = Callable[[str], Tags]
"""The owner tags that somebody's thing of a kind has got."""
PLAIN: dict[str, Disguise] = {
    "no tags": lambda kind: {},
    "another stack's": lambda kind: {OURS: "theirs", ADDRESS: f"{kind}/subject"},
    "another stack's, making way": lambda kind: {OURS: "theirs", ADDRESS: f"{kind}/subject@old"},
    "made by a controller of AWS": lambda kind: {
        OURS: STACK,
        ADDRESS: f"{kind}/subject",
        AWS_OWN[kind]: "theirs",
    },
}
"""These are nothing to us."""
ODD: dict[str, Disguise] = {
    "making way, of no stack": lambda kind: {ADDRESS: f"{kind}/subject@old"},
    "our stack alone": lambda kind: {OURS: STACK},
    "our stack and no address": lambda kind: {OURS: STACK, ADDRESS: "Subject of somebody"},
    "no stack and no address": lambda kind: {ADDRESS: "Subject of somebody"},
}
"""These are told, and nothing else, as long as our own thing is there."""
DOUBTFUL: dict[str, Disguise] = {
    "our address alone": lambda kind: {ADDRESS: f"{kind}/subject"},
    "both our tags": lambda kind: {OURS: STACK, ADDRESS: f"{kind}/subject"},
    "another kind's address": lambda kind: {OURS: STACK, ADDRESS: f"{NEXT[kind]}/subject"},
    "another kind's address alone": lambda kind: {ADDRESS: f"{NEXT[kind]}/subject"},
}
"""These stop the address that they claim, until a person has decided."""


def is_owner(key: str) -> bool:
    """Whether a tag says whose a thing is."""
    return key.startswith("reconciler:") or key in MADE_BY_OTHERS


@dataclass
class Twin:
    """Somebody else's thing."""

    kind: str
    id: str
    arn: str
    region: str

    def dress(self, owner: Tags) -> None:
        """Give it these owner tags and no others.  AWS lets nobody but itself put tags that begin with aws:."""
        if BY_NAME[self.kind].service == "iam":
            self._dress_name(owner)
            return
        if BY_NAME[self.kind].service == "ec2":
            found = ec2_backends[ACCOUNT][self.region].tags[self.id]
        elif BY_NAME[self.kind].service == "elbv2":
            found = balancing(current(), ACCOUNT, self.region).any(self.arn).tags
        elif BY_NAME[self.kind].service == "route53":
            found = zones(current(), ACCOUNT).zone(self.id).tags
        elif BY_NAME[self.kind].service == "eks":
            found = kubernetes(current(), ACCOUNT, self.region).row(self.arn)["tags"]
        elif BY_NAME[self.kind].service == "globalaccelerator":
            found = accelerators(current(), ACCOUNT).accelerator(self.arn).tags
        elif BY_NAME[self.kind].service == "autoscaling":
            group = scaling(current(), ACCOUNT, self.region).group(self.arn.rpartition("/")[2])
            kept = {key: value for key, (value, _) in group.tags.items() if not is_owner(key)}
            group.tags = {key: (value, False) for key, value in {**kept, **owner}.items()}
            return
        else:
            item = store_of(ACCOUNT, "aws").by_arn(self.arn)
            assert item is not None
            found = item.tags
        for key in filter(is_owner, list(found)):
            del found[key]
        found.update(owner)

    def _dress_name(self, owner: Tags) -> None:
        """The same, where tags are a list."""
        backend = iam_backends[ACCOUNT]["aws"]
        for one in (*backend.roles.values(), *backend.instance_profiles.values()):
            if one.id == self.id:
                rest = [tag for tag in one.tags if not is_owner(tag["Key"])]
                one.tags = [*rest, *({"Key": key, "Value": value} for key, value in owner.items())]


class Stage:
    """Our estate, and somebody else's that is its very image; what is planned without the other is known."""

    def __init__(self, ops: Host) -> None:
        self.ops = ops
        assert ops.run(CONFIGS["kept"]).outcome == "settled"
        self.baseline = self.plans()
        self.twins = self._stranger("us-west-2", "theirs")
        self.abroad = self._stranger(ABROAD, "abroad")

    def _stranger(self, region: str, stack: str) -> dict[str, Twin]:
        text = (HEAD.replace(STACK, stack) + named_anew(CONFIGS["kept"], stack)).replace("us-west-2", region)
        if region != ABROAD:
            text = self._in_our_networks(text)
        assert self.ops.run(text).outcome == "settled"
        seen = {str(thing.address): thing for thing in self.ops.loop(text).look().owned}
        subjects = {kind: seen[f"{kind}/subject"] for kind in ONE_OF_EACH}
        for kind, thing in subjects.items():
            move_home(kind, thing.id)
        return {kind: Twin(kind, thing.id, thing.arn, region) for kind, thing in subjects.items()}

    def _in_our_networks(self, text: str) -> str:
        """The same things in the global networks, on the load balancers and in the clusters of ours, where each look
        shows them; but core networks, of which one alone fits into each, in their own, and listeners at other ports,
        with target groups of ours, which are in the same network."""
        resources = documents.load(text)["resources"]
        ours = self.ops.loop(CONFIGS["kept"]).look().owned
        ids = {str(thing.address): BY_NAME[thing.kind].known_as(thing) for thing in ours}
        apart = {one: inner for one, inner in resources.items() if one.startswith("core-network/")}
        kept = {f"{parent}/subject" for parent in PARENTS}
        kept |= {*re.findall(r"global-network/\w+", str(apart))}
        rest = {
            one: inner
            for one, inner in resources.items()
            if one not in apart and (one in kept or one.partition("/")[0] not in PARENTS)
        }
        for one, inner in rest.items():
            if one.startswith("listener/"):
                inner["Port"] += 1000
                text_of = re.sub(
                    r"\$\{(target-group/\w+)\}", lambda found: ids[found[1]], documents.dump(inner)
                )
                rest[one] = documents.load(text_of)
        moved = re.sub(
            rf"\$\{{((?:{'|'.join(sorted(PARENTS))})/\w+)\}}",
            lambda found: ids[found[1]],
            documents.dump(rest),
        )
        config = {**documents.load(text), "resources": apart | documents.load(moved)}
        return documents.dump(config)

    def plans(self) -> dict[str, Plan]:
        """What would be done with each config, concluded from one look."""
        world = self.ops.loop(CONFIGS["kept"]).look()
        loops = {name: self.ops.loop(text) for name, text in CONFIGS.items()}
        return {name: loop.planner(world).plan() for name, loop in loops.items()}

    def dress(self, disguise: Disguise) -> dict[str, Twin]:
        """The twins of all kinds, in a disguise."""
        for kind, twin in self.twins.items():
            twin.dress(disguise(kind))
        return self.twins

    def rows(self) -> dict[str, Any]:
        """Everything of theirs, as AWS has it."""
        networks = store_of(ACCOUNT, "aws")
        found: dict[str, Any] = {}
        for twin in (*self.twins.values(), *self.abroad.values()):
            if BY_NAME[twin.kind].service == "networkmanager":
                found[twin.id] = deepcopy(networks.by_arn(twin.arn))
        for kind in ONE_OF_EACH:
            for region in ("us-west-2", ABROAD) if BY_NAME[kind].service != "networkmanager" else ():
                found |= {row[BY_NAME[kind].id]: row for row in self.ops.rows(kind, region)}
        theirs = {twin.id for twin in (*self.twins.values(), *self.abroad.values())}
        return {id: row for id, row in found.items() if id in theirs}

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Nothing of theirs is changed meanwhile, or named in any call that changes something."""
        before = self.rows()
        assert len(before) == len(self.twins) + len(self.abroad)
        self.ops.aws.clear_calls()
        yield
        assert self.rows() == before
        assert [call for call in self.ops.aws.writes for id in before if id in str(call.parameters)] == []

    def run(self, text: str, **choices: Any) -> dict[str, Outcome]:
        """`run --once`, whatever the guards of a whole config say; gives what became of each address."""
        report = self.ops.run(text, timeout=900, allow_empty=True, allow_shrink=True, **choices)
        return {outcome.label: outcome for outcome in report.outcomes}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with host(
        tmp_path_factory.mktemp("stage"),
        SELDOM,
        asks_everywhere=True,
        page_size=50,
        quotas={"GlobalNetwork": 100},
    ) as ops:
        yield Stage(ops)


# ---- what would be done


@pytest.mark.parametrize("name", [*PLAIN, *ODD])
def test_our_own_things_go_on_as_if_it_were_not_there(stage: Stage, name: str) -> None:
    twins = stage.dress({**PLAIN, **ODD}[name])
    nameless = name in ODD and "making way" not in name
    for config, plan in stage.plans().items():
        told = {twin.kind for twin in twins.values() if any(twin.id in why for why in plan.conflicts)}
        assert told == (set(ONE_OF_EACH) if name in ODD else set()), config
        if nameless and config in {"replaced", "renamed"}:
            continue  # the next test
        assert plan.entries == stage.baseline[config].entries, config


@pytest.mark.parametrize("name", [name for name in ODD if "making way" not in name])
def test_where_it_may_be_the_missing_one_nothing_is_made_and_nothing_makes_way(
    stage: Stage, name: str
) -> None:
    twins, plans = stage.dress(ODD[name]), stage.plans()
    for config in ("replaced", "renamed"):
        before = {entry.label: entry.verdict for entry in stage.baseline[config].entries}
        for entry in plans[config].entries:
            verdict = before[entry.label]
            if isinstance(verdict, Steps) and verdict.verb in {"create", "replace"}:
                assert isinstance(entry.verdict, Blocked), entry
                assert twins[entry.scope.kind].id in entry.verdict.why
            else:
                assert entry.verdict == verdict


def claimed(name: str, kind: str) -> str:
    """The kind whose subject a disguised twin claims to be."""
    return NEXT[kind] if "another kind" in name else kind


@pytest.mark.parametrize("name", [*DOUBTFUL, "abroad"])
def test_an_address_that_two_claim_stands_still_and_others_go_on(stage: Stage, name: str) -> None:
    disguise = DOUBTFUL.get(name, DOUBTFUL["both our tags"])
    twins = stage.dress(PLAIN["no tags"] if name == "abroad" else disguise)
    if name == "abroad":  # in another region, in another global network than the config's
        twins = stage.abroad
        for kind, twin in twins.items():
            twin.dress(disguise(kind))
        stage.ops.forget()  # what the last discovery look has found
    claims = {f"{claimed(name, kind)}/subject": twin for kind, twin in twins.items()}
    ids = {twin.id for twin in twins.values()}
    plans = stage.plans()
    for kind, twin in stage.abroad.items():
        twin.dress({OURS: "abroad", ADDRESS: f"{kind}/subject"})
    for config, plan in plans.items():
        assert not [entry for entry in plan.steps if entry.seen and entry.seen.id in ids]
        before = {entry.label: entry for entry in stage.baseline[config].entries}
        for entry in plan.entries:
            mine = before.get(entry.label)
            if entry.label in claims and (config != "renamed" or not entry.wanted):
                assert isinstance(entry.verdict, Blocked), (config, entry)
                assert claims[entry.label].id in entry.verdict.why
                assert "remove the tags of those that are not meant" in entry.verdict.why
            elif mine is not None:  # of things that wait for those that use them there are more now
                same = type(entry.verdict) is Wait is type(mine.verdict) or entry.verdict == mine.verdict
                assert same, (config, entry)


# ---- what is done

TAKEN: tuple[Tags, ...] = (
    {ADDRESS: "{kind}/subject"},
    {OURS: STACK},
    {},
    {OURS: "theirs", ADDRESS: "{kind}/subject"},
    {OURS: STACK, ADDRESS: "{kind}/other"},
)
"""What is left of our tags on a thing that somebody has taken for himself between our look and our deletion."""


def test_tags_are_read_again_right_before_each_deletion(stage: Stage) -> None:
    ops = stage.ops
    stage.dress(PLAIN["no tags"])
    stage.run(estate(**FREE))
    owned = ops.loop(CONFIGS["kept"]).look().owned
    subjects = {thing.kind: thing for thing in owned if thing.address and thing.address.name == "subject"}
    doomed = {thing.id: Twin(kind, thing.id, thing.arn, "us-west-2") for kind, thing in subjects.items()}
    left = dict(zip(ONE_OF_EACH, cycle(TAKEN), strict=False))
    for _ in range(2):  # the second look has nothing to discover
        ops.aws.clear_calls()
        ops.loop(CONFIGS["orphaned"], grace=0, allow_shrink=True).plan()
    looked = Counter(kind for kind in ONE_OF_EACH for call in ops.aws.calls if lists(kind, call))

    def take(moment: str, call: Call) -> None:
        """The first read that is about one thing alone is the one that asks for its tags again; where a list cannot be
        asked for one thing, it is the first after those of the look."""
        if moment != "before":
            return
        looked.subtract(kind for kind in ONE_OF_EACH if lists(kind, call))
        for id in taken_next(doomed, call, looked):
            taken.append(id)
            kind = doomed[id].kind
            doomed[id].dress({key: value.format(kind=kind) for key, value in left[kind].items()})

    taken: list[str] = []
    with stage.untouched():
        ops.aws.on_call.append(take)
        report = ops.loop(CONFIGS["orphaned"], grace=0, allow_shrink=True).one_pass("test")
        ops.aws.on_call.remove(take)
    assert set(taken) == set(doomed)
    told = {outcome.label: outcome for outcome in report.outcomes}
    for kind, thing in subjects.items():
        assert told[f"{kind}/subject"].status == "blocked", kind
        assert f"{thing.id} has lost its owner tags since it was seen" in told[f"{kind}/subject"].why
        doomed[thing.id].dress({OURS: STACK, ADDRESS: f"{kind}/subject", PROTECT: "false"})
    assert set(doomed) <= {thing.id for thing in ops.loop(CONFIGS["kept"]).look().owned}


def lists(kind: str, call: Call) -> bool:
    """Whether a call lists things of a kind."""
    read = BY_NAME[kind].read
    return call.operation == read.operation and read.arguments.items() <= call.parameters.items()


def taken_next(doomed: Mapping[str, Twin], call: Call, looked: Counter[str]) -> list[str]:
    """The ids of the things that a read is about; `looked` are the lists of each kind that the look still makes."""
    return [
        id
        for id, thing in doomed.items()
        if lists(thing.kind, call)
        and (
            looked[thing.kind] < 0
            if (ids := BY_NAME[thing.kind].read.ids) is None
            else known_by(thing) in str(call.parameters.get(ids, ""))
        )
    ]


def known_by(thing: Twin) -> str:
    """What a list takes that is asked for one thing."""
    return thing.arn.rpartition("/")[2] if thing.kind == "auto-scaling-group" else thing.id


HOLDERS = {"eks-cluster", "global-network", "iam-role", "load-balancer", "subnet", "target-group", "vpc"}
"""Kinds of ours in which theirs are, or which those use; the roles of clusters that stay."""
MIXED = {**PLAIN, **DOUBTFUL, "making way, of no stack": ODD["making way, of no stack"]}


def test_nothing_of_theirs_is_touched_while_ours_lives_and_dies(stage: Stage) -> None:
    """Each kind has another disguise; the last test, for nothing is left of ours."""
    worn = dict(zip(ONE_OF_EACH, cycle(MIXED), strict=False))
    for kind, name in worn.items():
        stage.twins[kind].dress(MIXED[name](kind))
    doubtful = [(kind, name) for kind, name in worn.items() if name in DOUBTFUL]
    stopped = {f"{claimed(name, kind)}/subject" for kind, name in doubtful}
    assert 0 < len(stopped) < len(ONE_OF_EACH)
    with stage.untouched():
        for text in (estate("update", **FREE), CONFIGS["replaced"]):
            told = stage.run(text)
            assert {label for label, outcome in told.items() if outcome.status == "blocked"} == stopped
            others = {label: outcome for label, outcome in told.items() if label not in stopped}
            assert {outcome.status for outcome in others.values()} == {"settled"}, others
        told = stage.run(CONFIGS["destroyed"], destroy=True, unprotected=True)
        assert {label for label, outcome in told.items() if outcome.status == "blocked"} == stopped
        left = {str(thing.address) for thing in stage.ops.loop(CONFIGS["kept"]).look().owned}
        assert {label for label in left if label.endswith("/subject")} >= stopped
    stage.dress(PLAIN["another stack's"])  # a person has decided
    with stage.untouched():
        told = stage.run(CONFIGS["destroyed"], destroy=True, unprotected=True)
        left = {str(thing.address) for thing in stage.ops.loop(CONFIGS["kept"]).look().owned}
        assert left == set(told)
        assert {thing.partition("/")[0] for thing in left} <= HOLDERS, (
            "theirs are inside these, or used by them"
        )
