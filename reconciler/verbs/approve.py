"""The verb `approve`: agree to one plan that a guard has stopped."""

from __future__ import annotations

from reconciler import approvals, log
from reconciler.exits import GUARDED, OK
from reconciler.model.approval import Approval
from reconciler.moments import text
from reconciler.program import Program, UsageError
from reconciler.settings import duration
from reconciler.verbs.estate import Disagreement

LASTS = 3600.0
"""Seconds that an agreement is good for, unless --for says otherwise."""
LONGEST = 86400.0


def approve(program: Program) -> int:
    """Look, show what the plan would do, and agree to it if it is still the one that is meant."""
    options = program.options
    if not options.reason or not options.reason.strip():
        raise UsageError("approve: say why, with --reason; it is kept in the audit log")
    lasts = _lasts(options.for_)
    config = program.config()
    loop = program.loop(config, program.choices())
    with log.bind_pass(pass_id=loop.new_id(), stack=config.stack, trigger="plan"), program.working(loop):
        planner, found = loop.plan()
        stop = loop.guard(planner, found)
    if stop is None:
        raise Disagreement("no guard stops this plan, so there is nothing to agree to")
    program.answer_plan(loop, found, guard=stop.why)
    if stop.plan != options.plan:
        wanted = (
            f"; this plan is {stop.plan}" if stop.plan else f", and this one cannot be agreed to: {stop.why}"
        )
        program.voice.tell(
            "guard.stopped", f"{options.plan} is not the plan of this moment{wanted}", guard=stop.guard
        )
        return GUARDED
    now = program.clock.now()
    approval = Approval(
        plan=stop.plan, reason=options.reason.strip(), by=program.who, at=now, until=now + lasts
    )
    approvals.add(program.state(config), approval)
    program.voice.line(
        f"reconciler: agreed to {stop.plan} until {text(approval.until)}; the next pass may do it, once"
    )
    return OK


def _lasts(given: str | None) -> float:
    try:
        lasts = LASTS if given is None else duration(given)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from None
    if not 0 < lasts <= LONGEST:
        raise UsageError(
            "--for: more than nothing, and at most 24h: what is agreed to later is looked at later"
        )
    return lasts
