"""Verbs that look at the estate, and those that change it: check, plan, drift, run, destroy, outputs."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from reconciler import log
from reconciler.aws.outcomes import without_steps
from reconciler.desired import problems_as_data, render
from reconciler.engine.guard import Stop
from reconciler.errors import BusyError, ConfigError, GuardError, ReconcilerError
from reconciler.exits import BAD_CONFIG, CHANGES, FAILED, GUARDED, LATER, NOT_ALLOWED, OK
from reconciler.hold import Hold
from reconciler.loop import Loop
from reconciler.model.config import Config
from reconciler.model.plan import Ended, Plan, Report
from reconciler.program import Program
from reconciler.say import counted
from reconciler.show import plan as show_plan
from reconciler.signals import INBOX


class Disagreement(GuardError):
    """A guard of the command line itself.  Guards of a pass are in the log before they get here."""


def check(program: Program) -> int:
    """Is the config right?  Here the problems are the answer."""
    try:
        config = program.config()
    except ConfigError as error:
        problems = error.problems
        told = f"{render(problems, carets=sys.stdout.isatty(), read=read)}\n{counted(problems)}"
    else:
        problems = ()
        told = f"{len(config.resources)} resources, {len(config.outputs)} outputs: no problems"
    program.voice.answer(lambda: {"version": 1, "problems": problems_as_data(problems)}, lambda: f"{told}\n")
    return BAD_CONFIG if problems else OK


def plan(program: Program) -> int:
    """What would be done?"""
    loop = program.loop(program.config(), program.choices())
    found, stop = looked(program, loop, "plan")
    program.answer_plan(loop, found, guard=stop.why if stop else None)
    if stop:
        program.voice.tell("guard.stopped", stop.why, guard=stop.guard)
        return GUARDED
    if found.unseen:
        return unread(found)
    return CHANGES if program.options.detailed_exitcode and not found.settled else OK


def drift(program: Program) -> int:
    """What has changed in AWS?  What has only changed in the config is told, and no drift."""
    loop = program.loop(program.config(), program.choices())
    found, _ = looked(program, loop, "drift")
    program.answer_plan(loop, found, show_plan.drift_summary)
    if found.conflicts or any(entry.drifted for entry in found.entries):
        return CHANGES
    return unread(found) if found.unseen else OK


def looked(program: Program, loop: Loop, trigger: str) -> tuple[Plan, Stop | None]:
    """What a pass would do, and why a guard would stop it; the line of the log is for programs alone."""
    pass_id = loop.new_id()
    with log.bind_pass(pass_id=pass_id, stack=loop.config.stack, trigger=trigger):
        started, before = loop.clock.monotonic(), loop.gateway.counts.copy()
        with program.working(loop):
            planner, found = loop.plan()
            found = loop.with_newer(found)
        stop = loop.guard(planner, found)
        if program.voice.logs_json:
            made = loop.gateway.counts - before
            report = Report(
                outcomes=tuple(map(without_steps, found.entries)),
                plan=found,
                calls=made["read"],
                throttled=made["throttled"],
                seconds=loop.clock.monotonic() - started,
            )
            word = "guarded" if stop else "settled" if found.settled else "planned"
            loop.narrator.finished(Ended(pass_id, trigger, word, report), loop.config)
        return found, stop


def unread(found: Plan) -> int:
    """The status of a plan that is not whole."""
    return NOT_ALLOWED if found.forbidden else LATER


def run(program: Program) -> int:
    """Do it: once, or again and again."""
    if not program.options.once:
        return stay(program)
    config = program.config()
    with program.held(config, "run --once") as lock, program.catching_signals():
        loop = program.loop(
            config, program.choices()
        )  # now: who held the stack has left what is to be remembered
        board = program.board(config, loop, "run --once")
        hold = program.hold(lock, loop)
        with hold.kept():
            try:
                take(program, hold, loop)
                with program.working(loop):
                    report = loop.until_settled(program.settings.timeout)
            finally:
                board.write("stopped", f"{config.stack}: {board.last}")
    program.answer_run(loop, report)
    status = status_of(report)
    if status == OK and program.options.detailed_exitcode and (loop.changes or report.count("planned")):
        return CHANGES
    return status


def take(program: Program, hold: Hold, loop: Loop) -> None:
    """Make the stack ours among hosts; who we are comes first, for the lease is in our own account."""
    if hold.lease is not None:
        loop.gateway.sessions.verify()
        hold.take(program.settings.lock_wait, program.stopping)


def stay(program: Program) -> int:
    """The daemon; systemd hears of it too when it does not even begin."""
    from reconciler.daemon.notify import Notifier

    try:
        return looking(program, program.config())
    except ReconcilerError as error:
        if isinstance(error, BusyError) and program.stopping():
            return OK  # asked to stop while it waited for the lock
        first = error.problems[0] if isinstance(error, ConfigError) else error
        Notifier(program.environment).failed(str(first))
        raise


def looking(program: Program, config: Config) -> int:
    """Look again and again, until told to stop."""
    from reconciler.daemon.process import Daemon, Rhythm  # the scheduler is not needed by any other verb

    with program.held(config, "daemon") as lock:
        loop = program.loop(config, program.choices())
        hold = program.hold(lock, loop)
        daemon = Daemon(
            loop,
            hold=hold,
            board=program.board(config, loop, "daemon"),
            inbox=INBOX,
            reload=program.config,
            digest=program.digest,
            environment=program.environment,
            rhythm=Rhythm(heartbeat=program.settings.heartbeat),
        )
        with hold.kept():
            return daemon.run()


def destroy(program: Program) -> int:
    """Delete everything that is the stack's."""
    config = program.config()
    if config.mode == "observe":
        raise Disagreement("the config says `mode: observe`, so nothing is deleted")
    choices = program.choices(destroy=True, unprotected=program.options.protected, by=program.who)
    with program.held(config, "destroy") as lock:
        loop = program.loop(config, choices)
        hold = program.hold(lock, loop)
        if paused := next((pause for pause in loop.pauses() if not pause.address), None):
            mend = "" if paused.unreadable else "; to go on, say `reconciler resume`"
            raise Disagreement(f"{config.stack} is {paused.sentence}{mend}")
        with program.working(loop):
            planner, found = loop.plan()
        if kept := [entry.label for entry in found.entries if planner.keeps(entry)]:
            raise Disagreement(
                f"{', '.join(kept)} {'is' if len(kept) == 1 else 'are'} protected, so nothing was done; "
                "to delete what is protected too, say --protected"
            )
        if found.entries and not program.options.yes:
            ask(program, config, show_plan.as_text(found, loop.facts, colour=program.voice.colour))
        board = program.board(config, loop, "destroy")
        with program.catching_signals(), hold.kept(), program.working(loop):
            try:
                take(program, hold, loop)
                report = loop.until_settled(program.settings.timeout)
            finally:
                board.write("stopped", f"{config.stack}: destroy: {board.last}")
    program.answer_run(loop, report)
    status = status_of(report)
    if status == OK and not loop.knows_everywhere:
        return LATER  # whether all is gone cannot be told
    return status


def ask(program: Program, config: Config, question: str) -> None:
    """Have a person type the stack's name; Disagreement without a person, or when it is another name."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        raise Disagreement("nobody can be asked (no terminal), so nothing was done; say --yes")
    program.voice.line(question)
    program.voice.line(f"Type the name of the stack ({config.stack}) to delete all of this: ", end="")
    # Python would only note a Ctrl-C that comes just before it reads, and go on waiting for the line
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        typed = sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, before)
    if not typed.endswith("\n"):
        program.voice.line("")
    if typed.strip() != config.stack:
        raise Disagreement("not agreed to, so nothing was done")


def outputs(program: Program) -> int:
    """The outputs of the config, as AWS has them now."""
    loop = program.loop(program.config(), program.choices())
    with program.working(loop):
        planner, found = loop.plan()
    values = loop.outputs(planner)
    known = {name: value for name, value in values.items() if value is not None}
    program.voice.answer(
        lambda: known, lambda: "".join(f"{name} = {value}\n" for name, value in known.items())
    )
    if missing := sorted(values.keys() - known.keys()):
        why = f", for {', '.join(found.unseen)} could not be read" if found.unseen else " yet"
        program.voice.tell("wait.slow", f"not known{why}: {', '.join(missing)}; see `reconciler plan`")
        return unread(found)
    return OK


def status_of(report: Report) -> int:
    """The exit status of a run that made changes until nothing was under way."""
    if report.plan.forbidden:
        return NOT_ALLOWED
    if report.count("failed", "blocked") or report.plan.conflicts:
        return FAILED
    # a run that has just changed something was stopped by its timeout: nobody has seen yet what came of it
    return LATER if report.count("waiting") or report.plan.unseen or report.changed else OK


def read(name: str) -> str:
    """The text of a file of the config."""
    return Path(name).read_text(encoding="utf-8")
