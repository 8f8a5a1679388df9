"""What stops a whole pass, and what a person has agreed to all the same.  Used by `loop`, between plan and apply.

The rules are in `engine.guard`; here is what is remembered between passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from reconciler.choices import Choices
from reconciler.engine.agreement import NOTHING, Agreement, plan_hash
from reconciler.engine.guard import Stop, over_budget, shrunk
from reconciler.engine.planner import Planner
from reconciler.log import get_logger
from reconciler.model.approval import Approval
from reconciler.model.config import Config
from reconciler.model.plan import Outcome, Plan

HOUR = 3600.0


@dataclass
class Guards:
    """Times are seconds since the epoch.

    `approval` gives the agreement to the plan of a hash, used up by being asked for.  `options` are what the command
    line needs to mean this config, for commands that are shown.  `removals` is when something was deleted or replaced,
    for `limits: {per-hour}`; `agreement` what a person has agreed to.
    """

    approval: Callable[[str], Approval | None] = lambda _: None
    options: str = ""
    removals: list[float] = field(default_factory=list)
    agreement: Agreement = NOTHING

    def stop(self, planner: Planner, plan: Plan, config: Config, choices: Choices, now: float) -> Stop | None:
        """Why this plan must not be carried out; None when it may."""
        if choices.destroy or self.agreement.covers(plan, now):
            return None
        self.removals = [at for at in self.removals if abs(now - at) < HOUR]
        stop = shrunk(
            wanted=config.resources,
            renamed=[thing.address for thing in planner.renamed.values() if thing.address],
            world=planner.world,
            allow_empty=choices.allow_empty,
            allow_shrink=choices.allow_shrink,
        ) or over_budget(plan, config.limits, planner.world, len(self.removals))
        if stop is None or stop.guard == "empty":
            return stop
        found = plan_hash(plan, config)
        how = f"or agree to it: `reconciler approve {found}{self.options} --reason …`"
        return stop._replace(why=f"{stop.why}, {how}", plan=found)

    def agreed(self, stop: Stop, plan: Plan) -> bool:
        """Whether a person has agreed to this very plan; that is used up by being asked for."""
        approval = self.approval(stop.plan) if stop.plan else None
        if approval is None:
            return False
        self.agreement = Agreement.to(plan, approval)
        get_logger().warning("guard.agreed", reason=approval.reason, by=approval.by, guard=stop.guard)
        return True

    def by(self, now: float) -> str | None:
        """Who has agreed to what is being done; None when nobody had to."""
        return self.agreement.by if now < self.agreement.until else None

    def note(self, outcomes: Iterable[Outcome], now: float) -> None:
        """A pass is over: remember what it has taken away."""
        self.removals += [now for outcome in outcomes if outcome.status in {"replaced", "deleted"}]

    def forget(self) -> None:
        """There is another config: what was agreed to is void."""
        self.agreement = NOTHING
