"""`doctor amnesia`: would the plan be another one if the state directory were lost?  Called by the verb `doctor`.

Both plans are made at one moment, from one look: what is asked of AWS twice is asked once.  Nothing is written
anywhere, not even into the state directory.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from reconciler.aws.gateway import Gateway
from reconciler.aws.recall import ReadOnlyMemory, Recall
from reconciler.doctor.amnesia import Comparison, Sight, as_data, as_text
from reconciler.exits import FAILED, OK
from reconciler.loop import Loop
from reconciler.model.config import Config
from reconciler.model.plan import Plan
from reconciler.program import Program
from reconciler.say import as_text as as_json
from reconciler.show import plan as show_plan
from reconciler.verbs.estate import unread
from reconciler.wall import Wall

NOWHERE = Path(os.devnull) / "state"
"""A state directory that has nothing in it, and that nobody can put anything into."""


def amnesia(program: Program) -> int:
    """Compare the usual plan with that of an empty state directory: 0 when they are equal, 1 when they are not."""
    config = program.config()
    answers = Recall(program.gateway(config).sessions)
    clock = Still(program.clock.now())
    usual = Beside(program, program.settings.state_dir, answers, clock).trial(config)
    lost = Beside(program, NOWHERE, answers, clock).trial(config)
    # whom the flap breaker has stopped is forgotten with the directory; what a plan rests on is not
    lost.memory.flaps, lost.resumed = usual.memory.flaps, usual.resumed
    with program.working(usual):
        before, found = sight(usual)
        after, _ = sight(lost)
    compared = Comparison(config.stack, before, after, found.unseen)
    program.voice.answer(lambda: as_data(compared), lambda: as_text(compared))
    if not compared.equal:
        return FAILED
    return unread(found) if found.unseen else OK  # equal is only what could be read


def sight(loop: Loop) -> tuple[Sight, Plan]:
    """The plan of a loop, as `plan` tells it."""
    planner, found = loop.plan()
    stop = loop.guard(planner, found)
    data = {**show_plan.as_data(found, loop.facts), "guard": stop.why if stop else None}
    told = Sight(
        document=as_json(data),
        text=show_plan.as_text(found, loop.facts),
        things={thing.id: f"{thing.id} ({thing.scope})" for thing in planner.world.things},
        removals=len(loop.guards.removals),
    )
    return told, found


class Still(Wall):
    """A clock that stands, so that no window opens and no pause ends between two plans."""

    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now


class Beside(Program):
    """The same run of the verb with a state directory of its choice, which looks and leaves no trace."""

    def __init__(self, program: Program, state_dir: Path, answers: Recall, clock: Still) -> None:
        settings = replace(program.settings, state_dir=state_dir)
        super().__init__(program.options, settings, program.environment, program.voice)
        self.clock, self._answers = clock, answers

    def gateway(self, config: Config) -> Gateway:
        """One for both plans."""
        return self._answers

    def trial(self, config: Config) -> Loop:
        """A loop that can be asked for its plan."""
        loop = self.loop(config, self.choices())
        loop.memory = ReadOnlyMemory.open(self.state(config), self.clock.now)
        return loop
