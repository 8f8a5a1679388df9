"""The command line: which verb it is, what its end means, and the exit status.

stdout is the answer, stderr the log.  The options are in `options`, the verbs in `verbs`, the words in `show`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from reconciler import log
from reconciler.desired import render
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
from reconciler.exits import BAD_CONFIG, FAILED, GUARDED, LATER, NOT_ALLOWED, USAGE
from reconciler.options import parse
from reconciler.program import Program, UsageError
from reconciler.say import Voice, counted, event_of
from reconciler.settings import Settings
from reconciler.verbs import estate

STATUSES: list[tuple[tuple[type[ReconcilerError], ...], int]] = [
    ((UsageError,), USAGE),
    ((ConfigError,), BAD_CONFIG),
    ((IdentityError, Denied), NOT_ALLOWED),
    ((GuardError,), GUARDED),
    ((BusyError, Throttled, Lost), LATER),
]
"""The exit status of what ends a verb; of anything else it is 1."""
VERBS = {
    "check": "estate.check",
    "plan": "estate.plan",
    "run": "estate.run",
    "drift": "estate.drift",
    "outputs": "estate.outputs",
    "status": "host.told",
    "explain": "explain.explain",
    "approve": "approve.approve",
    "pause": "host.pause",
    "resume": "host.resume",
    "trigger": "host.trigger",
    "destroy": "estate.destroy",
    "doctor": "doctor.doctor",
    "history": "history.history",
    "iam-policy": "policy.iam_policy",
    "kinds": "facts.kinds",
    "schema": "facts.schema",
    "events": "facts.events",
    "sandbox": "sandbox.sandbox",
}
"""Where in `verbs` each is; only the module of the one that is asked for is loaded."""


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
    log.configure(
        format=settings.log_format,
        level=settings.log_level,
        environment=environment,
        queued=options.verb == "run" and not options.once,  # the daemon waits for no reader
    )
    program = Program(options, settings, environment, voice)
    try:
        status = _verb(options.verb)(program)
    except ReconcilerError as error:
        status = refused(error, voice)
    except KeyboardInterrupt:
        program.stop_signal = signal.SIGINT
        status = FAILED
    log.flush()
    if program.stop_signal is not None:  # the shell is to see what it sees of any program
        signal.signal(program.stop_signal, signal.SIG_DFL)
        os.kill(os.getpid(), program.stop_signal)
    return status


def _verb(name: str) -> Callable[[Program], int]:
    module, _, function = VERBS[name].partition(".")
    found: Callable[[Program], int] = getattr(import_module(f"reconciler.verbs.{module}"), function)
    return found


def refused(error: ReconcilerError, voice: Voice) -> int:
    """Say what is wrong, and the status that goes with it."""
    if isinstance(error, ConfigError):
        show_problems(error, voice)
    elif isinstance(error, UsageError):
        voice.line(f"reconciler: {error}")
    elif isinstance(error, estate.Disagreement) or not isinstance(error, GuardError):
        voice.tell(event_of(error), str(error))
    return next((status for sorts, status in STATUSES if isinstance(error, sorts)), FAILED)


def show_problems(error: ConfigError, voice: Voice) -> None:
    """All problems of a config, in the log."""
    if not voice.logs_json:
        voice.line(render(error.problems, carets=sys.stderr.isatty(), read=estate.read))
        voice.line(f"reconciler: {counted(error.problems)}")
        return
    for problem in error.problems:
        place = problem.place
        voice.tell("config.refused", str(problem), file=place.file, line=place.line, column=place.column)
