"""The runs in which the program is killed: how the stage is set for each, and what is run then.  Used by `killing`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.errors import NotYet
from reconciler.kinds import BY_NAME
from reconciler.model.calls import Call
from reconciler.model.verdicts import Steps
from tests import documents
from tests.conformance.fixture import TRIED
from tests.faults.estate import Kinds, estate, without_subjects
from tests.harness import Host


@dataclass(frozen=True)
class Run:
    """One run of the program: `text` with `choices`, after the stage was set."""

    name: str
    stage: Callable[[Host], object]
    text: str
    choices: Mapping[str, Any] = field(default_factory=dict)


def settle(text: str) -> Callable[[Host], object]:
    """An estate that stands."""

    def stage(host: Host) -> None:
        report = host.run(text)
        assert report.outcome == "settled", report.outcomes

    return stage


def drifted(kinds: Kinds) -> Callable[[Host], object]:
    """What somebody does by hand: fields and tags of every subject are changed, what nobody needs is deleted."""
    edited = estate("update", kinds, Tags={"Name": "by hand", "theirs": "stays"})
    base = documents.load(estate(kinds=kinds))["resources"]
    used = set(re.findall(r"\$\{([^}]+)\}", estate(kinds=kinds)))
    used |= {other for resource in base.values() for other in resource.get("depends-on", ())}
    for address in list(base):
        needed = any(one == address or one.startswith(f"{address}.") for one in used)
        if not needed and not address.endswith("/subject"):
            del base[address]

    def stage(host: Host) -> None:
        settle(estate(kinds=kinds))(host)
        for text, wanted in ((edited, True), (documents.dump({"resources": base}), False)):
            for entry in host.plan(text).entries:
                if entry.wanted is not wanted:  # what was changed stays changed
                    continue
                assert isinstance(entry.verdict, Steps) or not entry.label.endswith("/subject") or not wanted
                for call in entry.verdict.calls if isinstance(entry.verdict, Steps) else ():
                    by_hand(host, call)
        host.aws.clock.advance(60)

    return stage


def by_hand(host: Host, call: Call) -> None:
    """Somebody makes a call, and again while AWS is still at the one before."""
    for _ in range(20):
        try:
            host.hand.perform(call)
        except NotYet:
            host.aws.clock.advance(30)
        else:
            return
    raise AssertionError(f"{call} is never taken")


def replaced(how: str, kinds: Kinds) -> str:
    """What cannot change in place has changed; kinds that cannot have a successor beside them make way first."""
    resources = documents.load(estate("fixed", kinds, replace=how, protect=False))["resources"]
    for kind in kinds:
        if BY_NAME[kind].unique:
            resources[f"{kind}/subject"]["replace"] = "delete-first"
    return documents.dump({"resources": resources})


def runs(kinds: Kinds = TRIED) -> dict[str, Run]:
    """All of them, by name, for an estate of some kinds."""
    plain = estate(kinds=kinds)
    unprotected = settle(estate(kinds=kinds, protect=False))
    found = (
        Run("create", lambda host: None, plain),
        Run("heal", drifted(kinds), plain),
        Run("update", settle(plain), estate("update", kinds)),
        Run("replace-delete-first", unprotected, replaced("delete-first", kinds)),
        Run("replace-create-first", unprotected, replaced("create-first", kinds)),
        Run("prune", unprotected, without_subjects(kinds)),
        Run("destroy", settle(plain), plain, {"destroy": True, "unprotected": True}),
    )
    return {run.name: run for run in found}
