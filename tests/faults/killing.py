"""The program killed at a boundary of a call, and started again.  Used by `lives` and `benchmarks.kills`.

A run is made in one thread; at a boundary the whole process is forked.  The copy is the world in which the program has
just been killed: AWS as it is at that instant, the state directory as it lies on the disk, and nothing else goes on, no
other thread, no `finally`.  In it the program is started again and runs to its end, which is held against the end of
a run that nobody disturbed.  The run itself goes on to its next boundary.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Literal, TypeVar

from reconciler.aws.gateway import Gateway
from reconciler.errors import ReconcilerError
from reconciler.kinds import ALL
from reconciler.loop import Loop
from reconciler.model.batch import parsed
from reconciler.model.calls import Call
from reconciler.model.plan import Report
from reconciler.model.service import SERVICES
from reconciler.sandbox import HeldClock, local_aws
from reconciler.sandbox import calls as sandbox
from reconciler.workers import Workers
from tests.conformance.fixture import ALL_OF_THEM, TRIED
from tests.faults.estate import Kinds, estate
from tests.faults.forking import Copy, in_a_copy
from tests.faults.runs import Run
from tests.faults.shown import Differences, Shown, differences, shown
from tests.harness import REGIONS, Host, Time, tags

T = TypeVar("T")
Moment = Literal["before", "after", "answered"]
"""Before the call reaches AWS; after its effect, the answer unseen; once it is answered, before anything else."""
Memory = Literal["kept", "lost", "torn"]
"""What becomes of the state directory.  torn: the last line of its journals was only half written."""
TIMEOUT = 3600.0
"""Seconds of the held clock until a run that does not settle ends."""
LONGEST_STRIDE = 60.0
"""Seconds beyond which a wait is not stretched."""
PATIENCE = 600
"""Seconds until a program that was started again is given up."""


class Inline(Workers):
    """One worker, the calling thread: calls are always made in the same order."""

    def __init__(self) -> None:
        super().__init__(max_workers=1)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Strides(Time):
    """Waits longer than it is asked to, yet less than any grace: looks while nothing changes are what takes time."""

    def __init__(self, held: HeldClock, least: float = 3.0) -> None:
        super().__init__(held, least)

    def wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        super().wait(max(seconds, min(10 * seconds, LONGEST_STRIDE)), stopped)


class Unhurried(Host):
    """A host whose program waits in strides."""

    def loop(self, text: str, **choices: Any) -> Loop:
        loop = super().loop(text, **choices)
        loop.clock = Strides(self.aws.clock)
        return loop


@dataclass(frozen=True)
class Boundary:
    """One instant of a run: around its `number`th call, counted from 1."""

    number: int
    operation: str
    moment: Moment
    call: str = field(default="", compare=False)
    """The operation and what is asked of it, whatever its token is: the same for the same call of another process."""

    @property
    def changes(self) -> bool:
        return not sandbox.is_read(self.operation)


@dataclass(frozen=True)
class Point:
    """One death: where, and what was left of the memory."""

    run: str
    boundary: Boundary
    memory: Memory

    def __str__(self) -> str:
        where = self.boundary
        return f"{self.run}:{where.number}:{where.operation}:{where.moment}:{self.memory}"


@dataclass(frozen=True)
class Course:
    """A run that nobody disturbs: its boundaries, what was made by address, and what there is at its end."""

    boundaries: list[Boundary]
    births: Counter[str]
    shown: Shown


@dataclass(frozen=True)
class Damage:
    """What came of a death.

    `births` are addresses of which more was made than should be, `differs` is about what AWS shows at the end,
    `unsettled` what the program says or does although all should be done.
    """

    births: list[str]
    differs: Differences
    unsettled: list[str]

    @property
    def problems(self) -> list[str]:
        """All that is wrong, a line each."""
        made = [f"made too often: {address}" for address in self.births]
        return [*made, *self.differs.lines, *self.unsettled]


class Births:
    """What was made, by address: a creation that AWS has done before, by its token, is none."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self._tokens: set[str] = set()

    def hook(self, moment: str, call: sandbox.Call) -> None:
        if moment != "after" or not is_birth(call):
            return
        token = next((call.parameters[name] for name in TOKENS if name in call.parameters), None)
        if token is None or token not in self._tokens:
            self._tokens |= {token} - {None}
            self.count.update(addresses_of(call.parameters))


CREATES = frozenset((kind.service, kind.create) for kind in ALL)
TOKENS = frozenset(service.token for service in SERVICES.values())
"""What create calls call the parameter that keeps them from happening twice."""


def is_birth(call: sandbox.Call) -> bool:
    """Whether a call makes a thing of a kind: a part of another may be made by a call of the same name."""
    return (call.service, call.operation) in CREATES


def addresses_of(parameters: Mapping[str, Any]) -> list[str]:
    """Those of what a create call makes, by the tags that it brings."""
    found = tags(parameters) or {
        tag["Key"]: tag["Value"]
        for each in parameters.get("TagSpecifications", ())
        for tag in each.get("Tags", ())
    }
    comment = (parameters.get("HostedZoneConfig") or {}).get("Comment")
    mark = re.search(r"reconciler:address=(\S+)", str(comment))
    if found.get("reconciler:address") == "@batch":
        return [str(address) for address in parsed(found["reconciler:batch"])]
    return [found.get("reconciler:address", mark[1] if mark else "(without a tag)")]


class Watch:
    """Calls `at` at each boundary of a run."""

    def __init__(self, at: Callable[[Boundary], None]) -> None:
        self._at, self._number, self._operation, self._call = at, 0, "", ""

    def hook(self, moment: str, call: sandbox.Call) -> None:
        """At the door of AWS."""
        if moment == "before":
            self._number, self._operation = self._number + 1, call.operation
            asked = {name: value for name, value in call.parameters.items() if name not in TOKENS}
            self._call = f"{call.operation} {json.dumps(asked, sort_keys=True, default=str)}"
            self._visit("before")
        else:
            self._visit("after")

    def answered(self) -> None:
        """At the door of the program."""
        self._visit("answered")

    def _visit(self, moment: Moment) -> None:
        self._at(Boundary(self._number, self._operation, moment, self._call))


class Watched(Gateway):
    """Says when an answer, a refusal too, has come to the program."""

    answered: Callable[[], None]

    def perform(self, call: Call) -> dict[str, Any]:
        try:
            return super().perform(call)
        finally:
            self.answered()

    def rows(self, **question: Any) -> Iterator[Any]:
        yield from super().rows(**question)
        self.answered()


def undisturbed(host: Host, run: Run) -> Course:
    """The stage is set already; the run is made in a copy of this process."""

    def work() -> Course:
        births, boundaries = Births(), list[Boundary]()
        elsewhere = host.beside(_copied(host.state, host.state.with_name("undisturbed")))
        report = watched(elsewhere, run, births, boundaries.append)
        assert report.outcome == "settled", report.outcomes
        return Course(boundaries, births.count, shown(host, run.text))

    return in_a_copy(work)


def watched(host: Host, run: Run, births: Births, at: Callable[[Boundary], None]) -> Report:
    """Make a run."""
    watch, loop = Watch(at), host.loop(run.text, **run.choices)
    loop.gateway = gateway = Watched(loop.gateway.sessions)
    gateway.answered = watch.answered
    hooks = [births.hook, watch.hook]
    host.aws.on_call.extend(hooks)
    try:
        return loop.until_settled(TIMEOUT)
    finally:
        host.aws.on_call.remove(watch.hook)
        host.aws.on_call.remove(births.hook)


def points(run: str, course: Course) -> list[Point]:
    """Every death of a run: around each changing call, and around one read of each kind, in the middle of the run.

    A read has no effect, so that before it and after it are the same; what is torn was about to be written.
    """
    reads = set()
    for kind in ALL:
        numbers = sorted({b.number for b in course.boundaries if b.operation == kind.read.operation})
        reads |= {numbers[len(numbers) // 2]} if numbers else set()
    found: list[Point] = []
    for boundary in course.boundaries:
        memories: tuple[Memory, ...] = ("kept", "lost")
        if boundary.changes and boundary.moment == "before":
            memories = (*memories, "torn")
        if boundary.changes or (boundary.number in reads and boundary.moment != "after"):
            found += [Point(run, boundary, memory) for memory in memories]
    return found


def die(
    host: Host,
    run: Run,
    course: Course,
    chosen: Iterable[Point],
    jobs: int = 1,
    tell: Callable[[Point, Damage], None] = lambda *_: None,
) -> list[tuple[Point, Damage]]:
    """Make the run once, and let it die at each of the points, `jobs` of them at a time; what came of each.

    `tell` is told of each at once.
    """
    todo: dict[Boundary, list[Point]] = {}
    for point in chosen:
        todo.setdefault(point.boundary, []).append(point)
    births, flying, found = Births(), list[tuple[Point, Copy[Damage]]](), list[tuple[Point, Damage]]()

    def started_again(point: Point) -> Damage:
        host.aws.on_call[:] = [births.hook]
        return judged(host.beside(left_behind(host.state, str(point), point.memory)), run, course, births)

    def land() -> None:
        point, copy = flying.pop(0)
        found.append((point, copy.result()))
        tell(*found[-1])

    def at(boundary: Boundary) -> None:
        for point in todo.pop(boundary, ()):
            if len(flying) >= jobs:
                land()
            flying.append((point, Copy(partial(started_again, point), PATIENCE)))

    watched(host, run, births, at)
    assert not todo, f"the run took another course: it never came to {[*todo]}"
    while flying:
        land()
    return found


def judged(host: Host, run: Run, course: Course, births: Births) -> Damage:
    """Run to the end, once more to see that nothing is left to do, and hold the end against that of the course."""
    unsettled: list[str] = []
    try:
        unsettled += _unsettled(host.run(run.text, TIMEOUT, **run.choices))
        host.aws.clear_calls()
        unsettled += _unsettled(host.run(run.text, TIMEOUT, **run.choices))
        unsettled += [f"a settled estate is changed: {operation}" for operation in host.writes()]
    except ReconcilerError as error:
        unsettled.append(f"it ends with {error!r}")
    unsettled += host.aws.problems
    host.aws.clock.advance(3600)  # whatever lists have left out so far is shown
    more = births.count - course.births
    differs = differences(expected=course.shown, found=shown(host, run.text))
    return Damage(sorted(more.elements()), differs, unsettled)


def _unsettled(report: Report) -> list[str]:
    bad = {"failed", "blocked", "waiting"}
    found = [f"{one.label}: {one.status}, {one.why}" for one in report.outcomes if one.status in bad]
    return [*report.plan.conflicts, *found]


def left_behind(state: Path, name: str, memory: Memory) -> Path:
    """What a death leaves of a state directory, in a place of its own."""
    place = state.with_name(name.replace(":", "-"))
    if memory != "lost":
        _copied(state, place)
    if memory == "torn":
        for path in place.glob("*.jsonl"):
            content = path.read_bytes()
            begun = content.rstrip(b"\n").rfind(b"\n") + 1
            path.write_bytes(content[: begun + (len(content) - begun) // 2])
    return place


def _copied(state: Path, place: Path) -> Path:
    if state.exists():
        shutil.copytree(state, place)
    return place


@contextmanager
def account(folder: Path, lag: float = 4.0, kinds: Kinds = TRIED) -> Iterator[Host]:
    """A host in an empty account, whose clients, those that some kinds need, are made already: every copy of this
    process has them.

    All lists show what is made only after `lag` seconds, by default just less than the grace of who remembers nothing:
    who is started again does not see what was made right before.
    """
    with local_aws(regions=REGIONS, page_size=50) as aws:
        host = Unhurried(aws, folder / "warm", Inline())
        host.asks_everywhere = ALL_OF_THEM
        host.run(estate(kinds=kinds))
    with local_aws(regions=REGIONS, page_size=50) as host.aws:
        host.time = Strides(host.aws.clock)
        for kind in ALL:
            host.aws.hide(kind.service, kind.read.operation, seconds=lag)
        yield host


def on_stage(host: Host, run: Run, work: Callable[[Host, Course], T]) -> T:
    """Work with a run whose stage is set and whose undisturbed course is known, in a copy of this process."""
    host = host.beside(Path(mkdtemp(prefix=f"{run.name}-", dir=host.state.parent)) / "state")

    def staged() -> T:
        run.stage(host)
        return work(host, undisturbed(host, run))

    return in_a_copy(staged)
