"""Every read of a look × everything that can befall a read: one estate with orphans, one pass for each.

Used by test_unreadable.py for a spread, and by benchmarks/unreadable.py for all of them.  AWS refuses every write
meanwhile, so that one estate serves all passes: what counts is what the program has tried.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import jmespath

from reconciler.errors import ConfigError, ReconcilerError
from reconciler.kinds import ALL, BY_NAME
from reconciler.model.kind import Kind
from reconciler.model.plan import Plan
from reconciler.model.service import SERVICES, Search
from reconciler.model.verdicts import Steps
from reconciler.sandbox import AwsError, Call
from tests import documents
from tests.conformance.fixture import READ, load
from tests.faults.estate import SELDOM, estate
from tests.harness import Host, host, read

TOLD: Mapping[str, str] = {
    "denied": "do: {fail: denied}",
    "expired": "do: {fail: expired}",
    "throttled": "do: {fail: throttled}",
    "internal error": "do: {fail: internal}",
    "unavailable": "do: {fail: unavailable}",
    "connection closed": "do: drop",
    "no answer in time": "do: {slow: {seconds: 40, patience: 30}}",
    "cut body": "do: cut",
    "no list in the body": "do: blank",
    "not found": "do: {fail: not-found}",
    "denied half-way": "page: 2, do: {fail: denied}",
    "closed half-way": "page: 2, do: drop",
    "no list half-way": "page: 2, do: blank",
}
"""Faults that can be told from the truth."""
LIES: Mapping[str, str] = {
    "empty": "do: empty",
    "empty half-way": "page: 2, do: empty",
    "all left out": "do: leave-out",
    "flapping": "nth: odd, do: leave-out",
}
"""Faults of lists that nobody can tell from the truth at once."""


def _with_details() -> tuple[dict[str, Any], dict[str, Any]]:
    """The whole estate, and what stays of it when the subjects go.

    Each read is made in both: fields that need a detail read are given to a thing that stays; where a kind has no
    such thing beside its subject, or none that takes them, the subject stays.
    """
    whole: dict[str, Any] = documents.load(estate(kinds=READ, protect=False))["resources"]
    subjects = {f"{kind}/subject" for kind in READ}
    for kind in map(BY_NAME.__getitem__, READ):
        details = {detail.field for detail in kind.read.details}
        given = {
            name: value
            for name, value in load(kind.name)["resources"][f"{kind.name}/subject"].items()
            if name in details
        }
        if not given:
            continue
        others = [one for one in whole if one.startswith(f"{kind.name}/") and one not in subjects]
        if others and _good(more := {**whole, others[0]: {**given, **whole[others[0]]}}):
            whole = more
        else:
            subjects.discard(f"{kind.name}/subject")
    return whole, {address: one for address, one in whole.items() if address not in subjects}


def _text(resources: Mapping[str, Any]) -> str:
    return documents.dump({"resources": dict(resources)})


def _good(resources: Mapping[str, Any]) -> bool:
    try:
        read(_text(resources))
    except ConfigError:
        return False
    return True


_WHOLE, _LEFT = _with_details()
WHOLE, LEFT = _text(_WHOLE), _text(_LEFT)
ORPHANS = _WHOLE.keys() - _LEFT.keys()
PRESENT = [kind for kind in ALL if any(address.startswith(f"{kind.name}/") for address in _WHOLE)]


@dataclass(frozen=True, order=True)
class Operation:
    """An operation that a look calls."""

    service: str
    name: str

    def __str__(self) -> str:
        return f"{self.service}:{self.name}"


def operations(kind: Kind) -> set[Operation]:
    """What reads things of a kind."""
    read = kind.read
    here = [one for address, one in _LEFT.items() if address.startswith(f"{kind.name}/")]
    named = {field for one in here for field in one or ()}
    goes = any(address.startswith(f"{kind.name}/") for address in ORPHANS)
    lists = [one for one in read.companions if (one.leaving and goes) or not one.fields or one.fields & named]
    details = [
        one
        for one in read.details
        if one.needed is None
        and ((one.leaving and goes) or one.field in named)  # nothing here is in such a state
    ]
    names = [read.operation, *(one.operation for one in (*details, *lists))]
    names += [read.completed.operation] if read.completed else []
    return {Operation(kind.service, name) for name in names}


IDENTITY = Operation("sts", "GetCallerIdentity")


def _of(search: Search) -> Operation:
    return Operation(search.service, search.operation)


SEARCHES = tuple(_of(one.search) for one in SERVICES.values() if one.search)
TRUTHS = {
    (Operation(kind.service, one.operation), name)
    for kind in ALL
    for one in kind.read.details
    for name in ("not found", "no list in the body")
    if (one.absent if name == "not found" else jmespath.search(one.path, {}) is not None)
}
"""What AWS may say of something that there is none of: no fault can be told from it, and nothing else hangs on it."""
DISCOVERY = (Operation("ec2", "DescribeRegions"), *SEARCHES)
ALIKE = {
    Operation(kind.service, kind.read.operation)
    for kind in ALL
    if not kind.regional or (kind.service, kind.type) in {(one.service, one.type) for one in PRESENT}
}
"""Lists that discovery asks for, or a look since AWS's word for the type is that of something which is there."""
READS = sorted({*DISCOVERY, IDENTITY, *ALIKE}.union(*map(operations, PRESENT)))
"""Every read of a look, from the records; a test holds it against what a look asks."""
LISTS = sorted(
    (
        {Operation(kind.service, kind.read.operation) for kind in PRESENT}
        | {Operation(kind.service, one.operation) for kind in PRESENT for one in kind.read.companions}
        | {*DISCOVERY}
    )
    & {*READS}
)
"""Those that give many rows."""


def has_pages(operation: Operation) -> bool:
    """Whether the estate has so many things that a list of them can have a second page."""
    if operation in SEARCHES:
        searched = [kind for kind in ALL if (one := kind.home.search) and operation == _of(one)]
        return sum(address.startswith(f"{kind.name}/") for kind in searched for address in _WHOLE) > 1
    kinds = [kind for kind in ALL if operation == Operation(kind.service, kind.read.operation)]
    kinds = [kind for kind in kinds if kind.read.page is not None]
    several = any(sum(one.startswith(f"{kind.name}/") for one in _WHOLE) > 1 for kind in kinds)
    return several and operation in LISTS


def affected(operation: Operation) -> set[str]:
    """The kinds that are not read whole without an operation, and those that their things may use."""
    unread = {kind.name for kind in ALL if operation in operations(kind)}
    unread |= {kind.name for kind in ALL if kind.read.within in unread}
    return unread | {
        target for name in unread for each in BY_NAME[name].targets().values() for target in each
    }


@dataclass
class Pass:
    """What one pass did under a fault: the writes that it tried, and all that it says it could not read."""

    tried: list[Call]
    plan: Plan
    said: str
    struck: int

    @property
    def steps(self) -> dict[str, str]:
        """Address to verb of everything that the plan would do."""
        return {one.label: one.verdict.verb for one in self.plan.entries if isinstance(one.verdict, Steps)}

    @property
    def deletes(self) -> list[str]:
        """The deletions that were tried, of anything."""
        words = {kind.delete for kind in ALL}
        return [call.operation for call in self.tried if call.operation in words]

    def touched(self, kinds: set[str]) -> list[str]:
        """What was planned for, or tried on, things of these kinds: creations and deletions."""

        def words(names: Iterable[str]) -> set[str]:
            return {word for name in names for word in (BY_NAME[name].create, BY_NAME[name].delete)}

        theirs = words(kinds) - words(BY_NAME.keys() - kinds)  # kinds may share an operation
        planned = [
            f"{verb} {label}" for label, verb in self.steps.items() if label.partition("/")[0] in kinds
        ]
        return planned + [call.operation for call in self.tried if call.operation in theirs]


@dataclass
class Estate:
    """Everything there is, made once; the subjects are orphans to the config LEFT."""

    ops: Host
    saved: Path

    def one_pass(self, rule: str = "", *, small_pages: bool = False, memory: bool = True) -> Pass:
        """One pass of a new process with the config LEFT, under a rule, from the same state each time.

        Without `memory` the state directory is lost.
        """
        aws, ops = self.ops.aws, self.ops
        if IDENTITY.name in rule or not rule:
            ops = Host(aws, ops.state)  # who we are is asked once for each set of credentials
            ops.asks_everywhere = True
        ops.forget()
        if memory:
            shutil.copytree(self.saved, ops.state)
        aws.change(page_size=1 if small_pages else 50, short_pages=small_pages)
        aws.clear_calls()
        aws.on_call.append(_refuse_writes)
        before = len(aws.strikes)
        if rule:
            aws.faults(f"[{rule}]")
        loop, plan, said = ops.loop(LEFT), Plan(stack="test", entries=()), ""
        try:
            plan = loop.one_pass("test").plan
        except ReconcilerError as error:
            said = str(error)
        finally:
            aws.clear_faults()
        reasons = [said, *plan.unread.values(), *loop.undiscovered.values()]
        return Pass(aws.writes, plan, "\n".join(reasons), len(aws.strikes) - before)

    def under(self, operation: Operation, fault: str, *, memory: bool = True) -> Pass:
        """One pass in which a fault befalls every call of one operation."""
        rule = f"{{call: '{operation}', {fault}}}"
        found = self.one_pass(rule, small_pages="page: 2" in fault, memory=memory)
        assert found.struck, f"{rule} struck nothing"
        return found


def _refuse_writes(moment: str, call: Call) -> None:
    if moment == "before" and call.is_write:
        raise AwsError("Refused", "nothing is changed here")


@contextmanager
def everything(folder: Path) -> Iterator[Estate]:
    """The estate, settled; the SDK's back-off takes no real time."""
    with host(folder, SELDOM, asks_everywhere=True) as ops, _without_waiting(ops):
        report = ops.run(WHOLE)
        assert report.outcome == "settled", report.outcomes
        _propose(ops)
        ops.run(WHOLE)
        (ops.state / "discovery.json").unlink(missing_ok=True)  # so that each pass looks everywhere
        shutil.copytree(ops.state, folder / "saved")
        yield Estate(ops, folder / "saved")


def _propose(ops: Host) -> None:
    """Somebody else's policy of each core network is ready and not executed: change sets are read only then."""
    for row in ops.rows("core-network"):
        of = {"CoreNetworkId": row["CoreNetworkId"]}
        live = ops.by_hand("networkmanager", "GetCoreNetworkPolicy", **of)["CoreNetworkPolicy"]
        policy = json.loads(live["PolicyDocument"])
        policy["segments"] += [{"name": "theirs"}]
        ops.by_hand("networkmanager", "PutCoreNetworkPolicy", **of, PolicyDocument=json.dumps(policy))
    ops.aws.clock.advance(600)


@contextmanager
def _without_waiting(ops: Host) -> Iterator[None]:
    real = botocore.endpoint.time
    botocore.endpoint.time = SimpleNamespace(sleep=ops.aws.clock.advance)  # type: ignore[assignment]
    try:
        yield
    finally:
        botocore.endpoint.time = real


# ---- what must hold


def told_wrongs(estate: Estate, operation: Operation, name: str) -> list[str]:
    """What is wrong with a pass under a fault that can be told from the truth; [] when all is well."""
    found = estate.under(operation, TOLD[name])
    wrongs = [f"{what}, though {operation} was not read" for what in found.touched(affected(operation))]
    wrongs += [
        f"{verb} {label}" for label, verb in found.steps.items() if label not in ORPHANS or verb != "delete"
    ]
    if str(operation) not in found.said:
        wrongs.append(f"nothing is said of {operation}")
    return wrongs


def lie_wrongs(estate: Estate, operation: Operation, name: str, *, memory: bool = True) -> list[str]:
    """What is wrong with one pass under a lie: it creates nothing, and deletes nothing that is wanted."""
    found = estate.under(operation, LIES[name], memory=memory)
    creates = {(kind.service, kind.create) for kind in ALL}
    wrongs = [call.operation for call in found.tried if (call.service, call.operation) in creates]
    return wrongs + [
        f"{verb} {label}" for label, verb in found.steps.items() if verb != "update" and label not in ORPHANS
    ]


def cells(
    operations: Sequence[Operation], faults: Iterable[str], step: int = 1
) -> list[tuple[Operation, str]]:
    """Every operation with every fault that can befall it; of them every `step`-th, spread over both."""
    return [
        (operation, name)
        for row, operation in enumerate(operations)
        for column, name in enumerate(faults)
        if (row + column) % step == 0 and (has_pages(operation) or "half-way" not in name)
        if (operation, name) not in TRUTHS
    ]
