"""What goes wrong on request: refusals, lost connections, lost answers, cut bodies, lists that lag.

Tests set these through `inprocess.LocalAws`; `pipeline.py` asks for them around each operation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .calls import Call
from .clock import Clock
from .errors import AwsError

Moment = Literal["before", "after"]
Hook = Callable[[Moment, Call], None]
FaultName = Literal["fail", "drop", "lose_answer", "truncate"]


@dataclass
class Fault:
    """One thing that goes wrong the next `times` times; `operation` "*" is any."""

    name: FaultName
    service: str
    operation: str
    times: int
    error: AwsError | None = None


@dataclass
class Hiding:
    """New things are missing from lists for `seconds` of the clock, or from the next `calls` lists."""

    service: str
    operation: str
    seconds: float | None
    calls: int | None


class Faults:
    """All that is set to go wrong in one local AWS.

    `hooks` are called before each operation and after each that took effect; what they raise (AwsError, botocore's
    connection errors) reaches the client, "before" without the effect, "after" with it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.hooks: list[Hook] = []
        self._faults: list[Fault] = []
        self._hidings: list[Hiding] = []
        self._born: dict[str, float] = {}
        self._looks: Counter[tuple[int, str, str]] = Counter()

    def add(self, fault: Fault) -> None:
        """Sets a fault; those set first happen first."""
        self._faults.append(fault)

    def hide(self, hiding: Hiding) -> None:
        """Has new things missing from lists; things made before now are shown."""
        self._born.clear()
        self._hidings.append(hiding)

    def clear(self) -> None:
        """Nothing goes wrong any more, hooks included."""
        self.hooks.clear()
        self._faults.clear()
        self._hidings.clear()

    def pick(self, service: str, operation: str) -> Fault | None:
        """The fault that this call meets, counted as used; None: all goes well."""
        for fault in self._faults:
            if fault.times > 0 and fault.service == service and fault.operation in ("*", operation):
                fault.times -= 1
                return fault
        return None

    def call_hooks(self, moment: Moment, call: Call) -> None:
        """Calls all hooks, in the order in which they were added."""
        for hook in list(self.hooks):
            hook(moment, call)

    def note_birth(self, operation: str, answer: Mapping[str, Any]) -> None:
        """Remembers when the things in a create's answer came to be."""
        for identity in created_ids(operation, answer):
            self._born.setdefault(identity, self._clock.monotonic())

    def hidden(self, service: str, operation: str, identity: str, first_page: bool) -> bool:
        """Whether a list does not show a thing yet; asked once per list, page and thing, since first pages count."""
        born = self._born.get(identity)
        if born is None:
            return False
        for number, hiding in enumerate(self._hidings):
            if hiding.service != service or hiding.operation not in ("*", operation):
                continue
            if hiding.seconds is not None and self._clock.monotonic() < born + hiding.seconds:
                return True
            if hiding.calls is not None:
                self._looks[(number, operation, identity)] += 1 if first_page else 0
                if self._looks[(number, operation, identity)] <= hiding.calls:
                    return True
        return False


# operations whose new thing is not named after them
_ID_MEMBERS = {
    "CreateSecurityGroup": "GroupId",
    "RunInstances": "InstanceId",
    "AuthorizeSecurityGroupIngress": "SecurityGroupRuleId",
    "AuthorizeSecurityGroupEgress": "SecurityGroupRuleId",
    "AllocateAddress": "AllocationId",
}


def created_ids(operation: str, answer: Mapping[str, Any]) -> list[str]:
    """The ids of what a create made: `CreateSite` -> the `SiteId` in its answer; [] for other operations."""
    member = _ID_MEMBERS.get(operation)
    if member is None and operation.startswith("Create"):
        member = operation.removeprefix("Create") + "Id"
    return [] if member is None else _values(answer, member)


def _values(value: Any, member: str) -> list[str]:
    found: list[str] = []
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == member and isinstance(inner, str):
                found.append(inner)
            else:
                found += _values(inner, member)
    elif isinstance(value, list):
        for inner in value:
            found += _values(inner, member)
    return found
