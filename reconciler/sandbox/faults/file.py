"""Rules from YAML, with every mistake in its place.  docs/faults.md has the language.

Called by the verb `sandbox` and by `inprocess.LocalAws.faults`.  Services, operations and parameters are looked up in
botocore's models.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import OperationModel, StructureShape
from moto.core.utils import get_service_model

from ..errors import AwsError
from .nodes import FaultsFileError, Reader, plain, shown
from .refusals import WORDS
from .rules import (
    Blank,
    ByAnother,
    Cut,
    Drop,
    Effect,
    Empty,
    Lag,
    LeaveOut,
    LoseAnswer,
    Nth,
    OtherCall,
    Refuse,
    Rule,
    Slow,
    Stale,
    Target,
    Throttle,
)

SERVICES = (
    "autoscaling",
    "dynamodb",
    "ec2",
    "eks",
    "elbv2",
    "globalaccelerator",
    "iam",
    "networkmanager",
    "resourcegroupstaggingapi",
    "route53",
    "ssm",
    "sts",
)
"""Those that the local AWS has, as boto3 names them."""
SORTS = ("*", "reads", "writes")
RULE_KEYS = ("call", "region", "with", "page", "nth", "times", "chance", "from", "until", "do")
COUNTED = ("page", "nth", "times", "chance")
PLAIN: Mapping[str, Callable[[], Effect]] = {
    "blank": Blank,
    "cut": Cut,
    "drop": Drop,
    "empty": Empty,
    "leave-out": LeaveOut,
    "lose-answer": LoseAnswer,
    "throttle": Throttle,
}
"""Effects that need no more than their word."""
TOLD_MORE = ("after", "before", "fail", "lag", "slow", "stale")
NTH = re.compile(r"([1-9][0-9]*)(?:(-)([1-9][0-9]*)?)?")


@dataclass(frozen=True)
class Rules:
    """What a file says: rules in their order, and the seed of their chance."""

    rules: tuple[Rule, ...]
    seed: int = 0


def read_rules(text: str, name: str) -> Rules:
    """The rules of a text, which `name` names in mistakes and in the log; FaultsFileError for any mistake."""
    parser = _Parser(name)
    found = parser.file(text)
    if parser.reader.mistakes:
        raise FaultsFileError(name, parser.reader.mistakes)
    return found


class _Parser:
    def __init__(self, name: str) -> None:
        self.name, self.reader = name, Reader()

    def file(self, text: str) -> Rules:
        root = self.reader.compose(text)
        if root is None:
            return Rules(())
        if not isinstance(plain(root), Mapping):
            return Rules(self.rules(root, ""))
        entries = self.reader.entries(root, "", ("seed", "faults"))
        seed = self.reader.number(entries["seed"][1], "seed", whole=True) if "seed" in entries else 0
        rules = self.rules(entries["faults"][1], "faults") if "faults" in entries else ()
        return Rules(rules, int(seed or 0))

    def rules(self, node: Any, path: str) -> tuple[Rule, ...]:
        if not isinstance(plain(node), list):
            self.reader.wrong(node, path, f"expected a list of rules, got {shown(node)}")
            return ()
        made = [self.rule(item, f"{path}[{number}]") for number, item in enumerate(node.value)]
        return tuple(rule for rule in made if rule is not None)

    def rule(self, node: Any, path: str) -> Rule | None:
        entries = self.reader.entries(node, path, RULE_KEYS)
        values = {key: value for key, (_, value) in entries.items()}
        if not entries:
            return None
        for key in ("call", "do"):
            if key not in entries:
                self.reader.wrong(node, path, f"a rule needs `{key}`")
        calls = self.targets(values["call"], f"{path}.call") if "call" in values else ()
        effect = self.effect(values["do"], f"{path}.do") if "do" in values else None
        number = self.reader.number
        times = number(values["times"], f"{path}.times", least=1, whole=True) if "times" in values else None
        page = number(values["page"], f"{path}.page", least=1, whole=True) if "page" in values else None
        chance = number(values["chance"], f"{path}.chance", most=1) if "chance" in values else 1.0
        start = number(values["from"], f"{path}.from") if "from" in values else 0.0
        end = number(values["until"], f"{path}.until") if "until" in values else math.inf
        nth = self.nth(values["nth"], f"{path}.nth") if "nth" in values else Nth()
        parameters = self.parameters(values["with"], f"{path}.with", calls) if "with" in values else {}
        regions = self.reader.items(values["region"], f"{path}.region") if "region" in values else []
        if isinstance(effect, Lag | Stale):
            for key in sorted(set(COUNTED) & entries.keys()):
                what = f"{effect.word} is about things and time, and counts no calls"
                self.reader.wrong(entries[key][0], f"{path}.{key}", what, f"remove {key}")
        if effect is None or None in (chance, start, end, nth):
            return None
        return Rule(
            calls=calls,
            do=effect,
            regions=frozenset(filter(None, (self.reader.text(one, f"{path}.region") for one in regions))),
            parameters=parameters,
            page=None if page is None else int(page),
            nth=nth or Nth(),
            times=None if times is None else int(times),
            chance=1.0 if chance is None else chance,
            start=start or 0.0,
            end=math.inf if end is None else end,
            label=f"{self.name}:{node.start_mark.line + 1}",
        )

    def nth(self, node: Any, path: str) -> Nth | None:
        word = str(plain(node))
        if word in ("odd", "even"):
            return Nth(parity="odd" if word == "odd" else "even")
        found = NTH.fullmatch(word)
        if found is None or (found[3] and int(found[3]) < int(found[1])):
            self.reader.wrong(
                node, path, f"expected which calls, got {shown(node)}", "as 3, 2-4, 2-, odd, even"
            )
            return None
        last = float(found[3]) if found[3] else math.inf if found[2] else float(found[1])
        return Nth(int(found[1]), last)

    # ---- which calls

    def targets(self, node: Any, path: str) -> tuple[Target, ...]:
        made = [self.target(item, path) for item in self.reader.items(node, path)]
        return tuple(target for target in made if target is not None)

    def target(self, node: Any, path: str) -> Target | None:
        text = self.reader.text(node, path)
        if text is None:
            return None
        service, colon, operation = text.rpartition(":")
        if not colon:
            return Target("*", text) if text in SORTS else self.alone(node, path, text)
        if service not in (*SERVICES, "*"):
            self.reader.unknown(node, path, f"the local AWS has no service {service}", service, SERVICES)
            return None
        if operation in SORTS:
            return Target(service, operation)
        if service == "*":
            self.reader.wrong(node, path, f"say which service has {operation}", "or `*:reads`, `*:writes`")
            return None
        return self.named(node, path, service, operation)

    def alone(self, node: Any, path: str, operation: str) -> Target | None:
        """An operation without its service."""
        services = [name for name in SERVICES if operation in get_service_model(name).operation_names]
        if len(services) == 1:
            return Target(services[0], operation)
        if services:
            these = ", ".join(f"{name}:{operation}" for name in services)
            self.reader.wrong(node, path, f"several services have {operation}", f"say which: {these}")
            return None
        words = {name for service in SERVICES for name in get_service_model(service).operation_names}
        self.reader.unknown(node, path, f"no service has an operation {operation}", operation, words)
        return None

    def named(self, node: Any, path: str, service: str, operation: str) -> Target | None:
        words = get_service_model(service).operation_names
        if operation in words:
            return Target(service, operation)
        self.reader.unknown(node, path, f"{service} has no operation {operation}", operation, words)
        return None

    def parameters(self, node: Any, path: str, calls: tuple[Target, ...]) -> dict[str, Any]:
        entries = self.reader.entries(node, path)
        models = [_model(call) for call in calls]
        if models and all(models):
            words = {name for model in models if model is not None for name in _members(model)}
            for name, (key, _) in entries.items():
                if name not in words:
                    where = " or ".join(call.operation for call in calls)
                    self.reader.unknown(key, path, f"{where} has no parameter {name}", name, words)
        return {name: plain(value) for name, (_, value) in entries.items()}

    # ---- what happens

    def effect(self, node: Any, path: str) -> Effect | None:
        value = plain(node)
        words = (*PLAIN, *TOLD_MORE)
        if isinstance(value, str):
            if value in PLAIN:
                return PLAIN[value]()
            if value in words:
                self.reader.wrong(node, path, f"{value} needs to be told more", f"as {{{value}: …}}")
            else:
                self.reader.unknown(node, path, f"there is no fault {value}", value, words)
            return None
        entries = self.reader.entries(node, path, words)
        if len(entries) != 1:
            if entries or not isinstance(value, Mapping):
                self.reader.wrong(node, path, "expected one fault", "give each its own rule")
            return None
        ((word, (_, inner)),) = entries.items()
        return self.told(word, inner, f"{path}.{word}")

    def told(self, word: str, node: Any, path: str) -> Effect | None:
        """An effect that is told more than its word."""
        number = self.reader.number
        if word == "fail":
            return self.fail(node, path)
        if word in ("before", "after"):
            return self.by_another(word, node, path)
        if word == "leave-out":
            texts = [self.reader.text(item, path) for item in self.reader.items(node, path)]
            return LeaveOut(tuple(text for text in texts if text is not None))
        if word == "stale":
            seconds = number(node, path)
            return None if seconds is None else Stale(seconds)
        if word in ("slow", "lag") and not isinstance(plain(node), Mapping):
            seconds = number(node, path)
            return None if seconds is None else Slow(seconds) if word == "slow" else Lag(seconds)
        keys = {"slow": ("seconds", "patience"), "lag": ("seconds", "lists"), "throttle": ("burst", "refill")}
        if word not in keys:
            self.reader.wrong(node, path, f"{word} takes nothing more", f"write `do: {word}`")
            return None
        entries = self.reader.entries(node, path, keys[word])
        values = {key: number(value, f"{path}.{key}") for key, (_, value) in entries.items()}
        if None in values.values():
            return None
        given = {key: value for key, value in values.items() if value is not None}
        if word == "lag" and len(given) == 1:
            return Lag(given.get("seconds"), int(given["lists"]) if "lists" in given else None)
        if word == "slow" and "seconds" in given:
            return Slow(**given)
        if word == "throttle" and given.keys() == {"burst", "refill"}:
            return Throttle(**given)
        self.reader.wrong(
            node,
            path,
            {"lag": "say either seconds or lists", "slow": "say seconds"}.get(
                word, "say both burst and refill"
            ),
        )
        return None

    def fail(self, node: Any, path: str) -> Refuse | None:
        value = plain(node)
        if isinstance(value, str):
            if value in WORDS:
                return Refuse(value)
            if value[:1].isupper():
                return Refuse(AwsError(value, "injected"))
            self.reader.unknown(
                node, path, f"there is no refusal {value}; a code begins with a capital", value, WORDS
            )
            return None
        entries = self.reader.entries(node, path)
        values = {key: plain(inner) for key, (_, inner) in entries.items()}
        code, status = values.pop("code", None), values.pop("status", None)
        for name, (key, _) in entries.items():  # AWS's members begin with a capital
            if name[:1].islower() and name not in ("code", "status", "message"):
                what = f"a refusal has no {name}"
                self.reader.unknown(key, path, what, name, ("code", "message", "status"))
        if not isinstance(code, str):
            self.reader.wrong(node, path, "a refusal needs `code`", "as {fail: {code: Busy, status: 409}}")
            return None
        if "status" in entries:
            self.reader.number(entries["status"][1], f"{path}.status", least=300, most=599, whole=True)
        return Refuse(AwsError(code, str(values.pop("message", "injected")), status, **values))

    def by_another(self, word: str, node: Any, path: str) -> ByAnother | None:
        made = [self.other_call(item, path) for item in self.reader.items(node, path)]
        calls = tuple(call for call in made if call is not None)
        return ByAnother("before" if word == "before" else "after", calls)

    def other_call(self, node: Any, path: str) -> OtherCall | None:
        entries = self.reader.entries(node, path, ("call", "with", "region"))
        if "call" not in entries:
            self.reader.wrong(node, path, "what somebody else does needs `call`")
            return None
        target = self.target(entries["call"][1], f"{path}.call")
        if target is None:
            return None
        if _model(target) is None:
            self.reader.wrong(
                entries["call"][1], f"{path}.call", "somebody else makes one call", "name its operation"
            )
            return None
        given = self.parameters(entries["with"][1], f"{path}.with", (target,)) if "with" in entries else {}
        region = self.reader.text(entries["region"][1], f"{path}.region") if "region" in entries else None
        return OtherCall(target.service, target.operation, given, region)


def _model(call: Target) -> OperationModel | None:
    """botocore's model of one operation; None for a sort of calls."""
    if call.service == "*" or call.operation in SORTS:
        return None
    found: OperationModel = get_service_model(call.service).operation_model(call.operation)
    return found


def _members(model: OperationModel) -> Mapping[str, Any]:
    shape = model.input_shape
    return shape.members if isinstance(shape, StructureShape) else {}
