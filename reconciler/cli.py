"""The command line: verbs and exit statuses.  Thin: it asks `loop`, answers, and chooses the status.

stdout is the answer, stderr the log.  The options are in `options`, what they make in `program`, the words in `show`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from reconciler import log
from reconciler.aws.apply import without_steps
from reconciler.desired import json_schema, problems_as_data, render
from reconciler.errors import (
    BusyError,
    ConfigError,
    Denied,
    GuardError,
    IdentityError,
    Lost,
    ReconcilerError,
    Throttled,
)
from reconciler.events import EVENTS
from reconciler.kinds import BY_NAME
from reconciler.loop import Loop
from reconciler.model.config import Config
from reconciler.model.place import Problem
from reconciler.model.plan import Plan, Report
from reconciler.options import near, parse
from reconciler.program import Program, UsageError
from reconciler.say import Voice, as_text, event_of
from reconciler.settings import Settings
from reconciler.show import kinds as show_kinds
from reconciler.show import plan as show_plan

OK, FAILED, CHANGES, GUARDED, USAGE, LATER, NOT_ALLOWED, BAD_CONFIG = 0, 1, 2, 3, 64, 75, 77, 78
"""Exit statuses: those of sysexits.h where it has one, terraform's 2 for changes."""

DEFAULT_INTERVAL = 300.0
"""Seconds between two looks at a settled estate, when the config has no `every`."""


class Disagreement(GuardError):
    """A guard of the command line itself.  Guards of a pass are in the log before they get here."""


# ---- verbs


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
    found, why = looked(program, loop, "plan")
    program.answer_plan(loop, found, guard=why)
    if why:
        program.voice.tell("guard.stopped", why)
        return GUARDED
    if found.unread:
        return unread(found)
    return CHANGES if program.options.detailed_exitcode and not found.settled else OK


def drift(program: Program) -> int:
    """What differs from the config?"""
    loop = program.loop(program.config(), program.choices())
    found, _ = looked(program, loop, "drift")
    program.answer_plan(loop, found)
    if found.settled:
        return OK
    return unread(found) if found.unread and not found.steps else CHANGES


def looked(program: Program, loop: Loop, trigger: str) -> tuple[Plan, str | None]:
    """What a pass would do, and why a guard would stop it; the line of the log is for programs alone."""
    with log.bind_pass(pass_id=loop.new_id(), stack=loop.config.stack, trigger=trigger):
        started, before = loop.clock.now(), loop.gateway.counts.copy()
        planner, found = loop.plan()
        why = loop.guard(planner, found)
        if program.voice.logs_json:
            report = Report(
                outcomes=tuple(map(without_steps, found.entries)),
                plan=found,
                calls=(loop.gateway.counts - before)["read"],
                seconds=loop.clock.now() - started,
            )
            planned = "guarded" if why else "settled" if found.settled else "planned"
            loop.narrator.finished(report, loop.config, outcome=planned)
        return found, why


def unread(found: Plan) -> int:
    """The status of a plan that is not whole."""
    return NOT_ALLOWED if found.denied else LATER


def run(program: Program) -> int:
    """Do it: once, or again and again."""
    config = program.config()
    loop = program.loop(config, program.choices())
    if not program.options.once:
        from reconciler.daemon import Daemon  # the scheduler is not needed by any other verb

        with program.held(config, "daemon"):
            return Daemon(loop, config.every or DEFAULT_INTERVAL).run()
    with program.held(config, "run --once"), program.catching_signals():
        report = loop.until_settled(program.settings.timeout)
    program.answer_run(loop, report)
    status = status_of(report)
    if status == OK and program.options.detailed_exitcode and (loop.changes or report.count("planned")):
        return CHANGES
    return status


def destroy(program: Program) -> int:
    """Delete everything that is the stack's."""
    config = program.config()
    if config.mode == "observe":
        raise Disagreement("the config says `mode: observe`, so nothing is deleted")
    loop = program.loop(config, program.choices(destroy=True, unprotected=program.options.protected))
    with program.held(config, "destroy"):
        planner, found = loop.plan()
        if kept := [entry.label for entry in found.entries if planner.keeps(entry)]:
            raise Disagreement(
                f"{', '.join(kept)} {'is' if len(kept) == 1 else 'are'} protected, so nothing was done; "
                "to delete what is protected too, say --protected"
            )
        if found.entries and not program.options.yes:
            ask(program, config, show_plan.as_text(found, loop.facts, colour=program.voice.colour))
        with program.catching_signals():
            report = loop.until_settled(program.settings.timeout)
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
    typed = sys.stdin.readline()
    if not typed.endswith("\n"):
        program.voice.line("")
    if typed.strip() != config.stack:
        raise Disagreement("not agreed to, so nothing was done")


def outputs(program: Program) -> int:
    """The outputs of the config, as AWS has them now."""
    loop = program.loop(program.config(), program.choices())
    planner, found = loop.plan()
    values = loop.outputs(planner)
    known = {name: value for name, value in values.items() if value is not None}
    program.voice.answer(
        lambda: known, lambda: "".join(f"{name} = {value}\n" for name, value in known.items())
    )
    if missing := sorted(values.keys() - known.keys()):
        program.voice.tell("wait.slow", f"not known yet: {', '.join(missing)}; see `reconciler plan`")
        return unread(found)
    return OK


def kinds(program: Program) -> int:
    """The kinds there are, or one of them."""
    found = program.facts()
    name = program.options.kind
    if program.options.markdown:
        program.voice.write(show_kinds.as_markdown(found.values()))
    elif name is None:
        program.voice.answer(
            lambda: {"version": 1, "kinds": [show_kinds.as_data(one) for one in found.values()]},
            lambda: "".join(f"{one.kind.name:18} {one.kind.about}\n" for one in found.values()),
        )
    elif name not in found:
        raise UsageError(f"there is no kind {name!r}{near(name, found)}")
    else:
        data = show_kinds.as_data(found[name])
        program.voice.answer(lambda: {"version": 1, **data}, lambda: show_kinds.as_text(data))
    return OK


def schema(program: Program) -> int:
    """The JSON Schema of the config, for editors."""
    program.voice.write(as_text(json_schema(BY_NAME, program.schema)))
    return OK


def events(program: Program) -> int:
    """The events that the log can hold."""
    told = {name: {"level": event.level, "meaning": event.meaning} for name, event in EVENTS.items()}
    program.voice.answer(
        lambda: {"version": 1, "schema": log.SCHEMA, "events": told},
        lambda: "".join(f"{name:24} {event.level:8} {event.meaning}\n" for name, event in EVENTS.items()),
    )
    return OK


def sandbox(program: Program) -> int:
    """A local AWS."""
    try:
        from reconciler.sandbox import serve
    except ImportError as error:
        raise ReconcilerError(
            f"the sandbox is not installed ({error}): pip install 'reconciler[sandbox]'"
        ) from error
    ready = program.options.ready_file
    if ready is not None and not ready.parent.is_dir():
        raise UsageError(f"--ready-file: there is no folder {ready.parent}")
    try:
        return serve(port=program.options.port, ready_file=ready, delays=program.options.delays)
    except OSError as error:
        raise ReconcilerError(f"the local AWS does not start: {error}") from error


STATUSES: list[tuple[tuple[type[ReconcilerError], ...], int]] = [
    ((UsageError,), USAGE),
    ((ConfigError,), BAD_CONFIG),
    ((IdentityError, Denied), NOT_ALLOWED),
    ((GuardError,), GUARDED),
    ((BusyError, Throttled, Lost), LATER),
]
"""The exit status of what ends a verb; of anything else it is 1."""
VERBS: dict[str, Callable[[Program], int]] = {
    "check": check,
    "plan": plan,
    "run": run,
    "drift": drift,
    "outputs": outputs,
    "destroy": destroy,
    "kinds": kinds,
    "schema": schema,
    "events": events,
    "sandbox": sandbox,
}


# ---- what came of it


def status_of(report: Report) -> int:
    """The exit status of a run that made changes until nothing was under way."""
    if report.plan.denied:
        return NOT_ALLOWED
    if report.count("failed", "blocked") or report.plan.conflicts:
        return FAILED
    return LATER if report.count("waiting") or report.plan.unread else OK


def counted(problems: Sequence[Problem]) -> str:
    """How many problems there are."""
    count = len(problems)
    return f"{count} problem{'' if count == 1 else 's'}; nothing was asked of AWS"


def read(name: str) -> str:
    """The text of a file of the config."""
    return Path(name).read_text(encoding="utf-8")


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> int:
    """Run a verb and give the exit status.  No traceback for anything that a user can cause."""
    environment = os.environ if environment is None else environment
    options = parse(arguments)
    given = {name: value for name, value in vars(options).items() if name not in {"format", "verb"}}
    if not (given["region"] or environment.get("RECONCILER_REGION")):
        given["region"] = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    as_json = options.format == "json"
    try:
        settings = Settings.gather(given, environment)
    except ValueError as error:
        Voice(as_json=as_json, log_format="console", environment=environment).line(f"reconciler: {error}")
        return USAGE
    voice = Voice(as_json=as_json, log_format=settings.log_format, environment=environment)
    log.configure(format=settings.log_format, level=settings.log_level, environment=environment)
    program = Program(options, settings, environment, voice)
    try:
        status = VERBS[options.verb](program)
    except ReconcilerError as error:
        status = refused(error, voice)
    except KeyboardInterrupt:
        program.stop_signal = signal.SIGINT
        status = FAILED
    if program.stop_signal is not None:  # the shell is to see what it sees of any program
        signal.signal(program.stop_signal, signal.SIG_DFL)
        os.kill(os.getpid(), program.stop_signal)
    return status


def refused(error: ReconcilerError, voice: Voice) -> int:
    """Say what is wrong, and the status that goes with it."""
    if isinstance(error, ConfigError):
        show_problems(error, voice)
    elif isinstance(error, UsageError):
        voice.line(f"reconciler: {error}")
    elif isinstance(error, Disagreement) or not isinstance(error, GuardError):
        voice.tell(event_of(error), str(error))
    return next((status for sorts, status in STATUSES if isinstance(error, sorts)), FAILED)


def show_problems(error: ConfigError, voice: Voice) -> None:
    """All problems of a config, in the log."""
    if not voice.logs_json:
        voice.line(render(error.problems, carets=sys.stderr.isatty(), read=read))
        voice.line(f"reconciler: {counted(error.problems)}")
        return
    for problem in error.problems:
        place = problem.place
        voice.tell("config.refused", str(problem), file=place.file, line=place.line, column=place.column)
