"""The command line: verbs, options and exit statuses.  Thin: it loads, asks `loop`, prints, and chooses the status.

stdout is the answer, stderr the log.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from reconciler import __version__, log
from reconciler.aws.gateway import Gateway
from reconciler.aws.memory import Memory
from reconciler.aws.schema import BotocoreSchema
from reconciler.aws.session import Sessions
from reconciler.desired import fingerprint, json_schema, load, problems_as_data, render
from reconciler.errors import (
    AwsError,
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
from reconciler.kinds import ALL, BY_NAME
from reconciler.lock import held
from reconciler.loop import Choices, Loop, Wall, workers
from reconciler.model.config import Config
from reconciler.model.fields import Facts, facts
from reconciler.model.plan import Report
from reconciler.settings import Settings
from reconciler.show import kinds as show_kinds
from reconciler.show import plan as show_plan

OK, FAILED, CHANGES, GUARDED, USAGE, LATER, NOT_ALLOWED, BAD_CONFIG = 0, 1, 2, 3, 64, 75, 77, 78
"""Exit statuses: those of sysexits.h where it has one, terraform's 2 for changes."""

EXAMPLES = """examples:
  reconciler check --config config/ai-global.yaml          is the config right?
  reconciler plan --config config/ai-global.yaml           what would be done?
  reconciler run --once --config config/ai-global.yaml     do it, and stop when all is settled
"""


class Parser(argparse.ArgumentParser):
    """argparse exits with 2 on a typo, which here means "changes"."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


class Program:
    """One run of a verb: the options, the settings, and what is made of them when it is needed."""

    def __init__(
        self, options: argparse.Namespace, settings: Settings, environment: Mapping[str, str]
    ) -> None:
        self.options, self.settings, self.environment = options, settings, environment
        self.schema = BotocoreSchema()
        self.stop_signal: int | None = None

    def config(self) -> Config:
        """The config, checked; ConfigError with all problems when it is not good."""
        found = load(
            Path(self.settings.config or ""),
            kinds=BY_NAME,
            schema=self.schema,
            variables=self.settings.variables,
            environment=self.environment,
            default_region=self.settings.region or "",
        )
        logger = log.get_logger()
        logger.debug("config.loaded", files=list(found.files), resources=len(found.resources))
        if ignored := not_in_force(found):
            logger.warning("config.not_in_force", keys=ignored)
        return found

    def facts(self) -> dict[str, Facts]:
        """All kinds, read against the service model."""
        return {kind.name: facts(kind, self.schema) for kind in ALL}

    def state_directory(self, config: Config) -> Path:
        """Where what may be lost about this stack is kept."""
        return self.settings.state_dir / config.stack

    def loop(self, config: Config, choices: Choices) -> Loop:
        """Everything that a pass needs."""
        self._note_endpoints()
        sessions = Sessions(
            account=config.account,
            accounts=config.accounts,
            region=config.region,
            stack=config.stack,
            profile=self.settings.profile,
            endpoint_url=self.settings.endpoint_url,
        )
        clock = Wall()
        return Loop(
            config=config,
            gateway=Gateway(sessions),
            facts=self.facts(),
            memory=Memory.open(self.state_directory(config), clock.now),
            executor=workers(self.settings.workers),
            new_id=lambda: uuid.uuid4().hex,
            clock=clock,
            choices=choices,
            stopped=lambda: self.stop_signal is not None,
            unchanged=lambda: self.same_as(config),
        )

    def same_as(self, config: Config) -> bool:
        """Whether the files still hold what this config was made from."""
        try:
            return fingerprint(Path(self.settings.config or "")) == config.digest
        except ConfigError:
            return False

    def _note_endpoints(self) -> None:
        urls = {name: url for name, url in self.environment.items() if name.startswith("AWS_ENDPOINT_URL")}
        if self.settings.endpoint_url:
            urls["--endpoint-url"] = self.settings.endpoint_url
        if urls:
            log.get_logger().warning("endpoint.overridden", endpoints=urls)

    def choices(self, **more: Any) -> Choices:
        settings = self.settings
        return Choices(
            grace=settings.grace, allow_empty=settings.allow_empty, allow_shrink=settings.allow_shrink, **more
        )

    def answer(self, data: Callable[[], Any], text: Callable[[], str]) -> None:
        """Print the answer in the form that was asked for."""
        if self.options.format == "json":
            print(json.dumps(data(), indent=2, ensure_ascii=False))
        else:
            print(text(), end="")

    @property
    def colour(self) -> bool:
        """Whether the answer goes to a terminal that wants colours."""
        if self.environment.get("FORCE_COLOR"):
            return True
        plain = self.environment.get("NO_COLOR") or self.environment.get("TERM") == "dumb"
        return sys.stdout.isatty() and not plain

    def catch_signals(self) -> None:
        """The first INT or TERM lets the call in flight finish; the second stops at once."""

        def note(number: int, _: object) -> None:
            self.stop_signal = number
            signal.signal(number, signal.SIG_DFL)

        signal.signal(signal.SIGINT, note)
        signal.signal(signal.SIGTERM, note)


# ---- verbs


def check(program: Program) -> int:
    """Is the config right?"""
    config = program.config()
    message = f"{len(config.resources)} resources, {len(config.outputs)} outputs: no problems"
    program.answer(lambda: {"version": 1, "problems": []}, lambda: message + "\n")
    return OK


def plan(program: Program) -> int:
    """What would be done?"""
    loop = program.loop(program.config(), program.choices())
    planner, found = loop.plan()
    why = loop.guard(planner, found)
    program.answer(
        lambda: {**show_plan.as_data(found, loop.facts), "guard": why},
        lambda: show_plan.as_text(found, loop.facts, colour=program.colour),
    )
    if why:
        log.get_logger().error("guard.stopped", reason=why)
        return GUARDED
    if found.unread:
        return NOT_ALLOWED if found.denied else LATER
    return CHANGES if program.options.detailed_exitcode and not found.settled else OK


def drift(program: Program) -> int:
    """What differs from the config?"""
    loop = program.loop(program.config(), program.choices())
    _, found = loop.plan()
    program.answer(
        lambda: show_plan.as_data(found, loop.facts),
        lambda: show_plan.as_text(found, loop.facts, colour=program.colour),
    )
    return OK if found.settled else CHANGES


def run(program: Program) -> int:
    """Do it: once, or again and again."""
    config = program.config()
    if not program.options.once:
        from reconciler.daemon import Daemon  # the scheduler is not needed by any other verb

        with held(program.state_directory(config), config.stack, "daemon", program.settings.lock_wait):
            return Daemon(program.loop(config, program.choices()), config.every or DEFAULT_INTERVAL).run()
    program.catch_signals()
    loop = program.loop(config, program.choices())
    with held(program.state_directory(config), config.stack, "run --once", program.settings.lock_wait):
        report = loop.until_settled(program.settings.timeout)
    program.answer(lambda: report_data(report, loop), lambda: report_text(report, loop, program.colour))
    status = status_of(report)
    if status == OK and program.options.detailed_exitcode and (loop.changes or report.count("planned")):
        return CHANGES
    return status


def destroy(program: Program) -> int:
    """Delete everything that is the stack's."""
    config = program.config()
    if config.mode == "observe":
        raise GuardError("the config says `mode: observe`: nothing is deleted")
    loop = program.loop(config, program.choices(destroy=True, unprotected=program.options.protected))
    with held(program.state_directory(config), config.stack, "destroy", program.settings.lock_wait):
        planner, found = loop.plan()
        kept = [entry.label for entry in found.entries if planner.keeps(entry)]
        if kept:
            raise GuardError(
                f"{', '.join(kept)} protected: nothing was done; say --protected to delete them too"
            )
        if found.entries and not agreed(
            program, config, show_plan.as_text(found, loop.facts, colour=program.colour)
        ):
            raise GuardError("not agreed to: nothing was done")
        program.catch_signals()
        report = loop.until_settled(program.settings.timeout)
    program.answer(lambda: report_data(report, loop), lambda: report_text(report, loop, program.colour))
    if loop.undiscovered.keys() - loop.denied_discovery:
        return LATER  # whether all is gone cannot be told
    return status_of(report)


def agreed(program: Program, config: Config, question: str) -> bool:
    """Whether a person has typed the stack's name, or said --yes."""
    if program.options.yes:
        return True
    if not sys.stdin.isatty():
        raise GuardError("nobody can be asked (no terminal): nothing was done; say --yes")
    print(question, file=sys.stderr)
    print(
        f"Type the name of the stack ({config.stack}) to delete all of this: ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    return sys.stdin.readline().strip() == config.stack


def outputs(program: Program) -> int:
    """The outputs of the config, as AWS has them now."""
    loop = program.loop(program.config(), program.choices())
    planner, found = loop.plan()
    values = loop.outputs(planner)
    known = {name: value for name, value in values.items() if value is not None}
    program.answer(lambda: known, lambda: "".join(f"{name} = {value}\n" for name, value in known.items()))
    if missing := sorted(values.keys() - known.keys()):
        print(f"reconciler: not known yet: {', '.join(missing)}", file=sys.stderr)
        return NOT_ALLOWED if found.denied else LATER
    return OK


def kinds(program: Program) -> int:
    """The kinds there are, or one of them."""
    found = program.facts()
    name = program.options.kind
    if program.options.markdown:
        print(show_kinds.as_markdown(found.values()), end="")
    elif name is None:
        program.answer(
            lambda: [show_kinds.as_data(one) for one in found.values()],
            lambda: "".join(f"{one.kind.name:18} {one.kind.about}\n" for one in found.values()),
        )
    elif name not in found:
        print(f"reconciler: no kind called {name!r}; there are {', '.join(sorted(found))}", file=sys.stderr)
        return USAGE
    else:
        data = show_kinds.as_data(found[name])
        program.answer(lambda: data, lambda: show_kinds.as_text(data))
    return OK


def schema(program: Program) -> int:
    """The JSON Schema of the config, for editors."""
    print(json.dumps(json_schema(BY_NAME, program.schema), indent=2, ensure_ascii=False))
    return OK


def events(program: Program) -> int:
    """The events that the log can hold."""
    catalogue = EVENTS
    program.answer(
        lambda: {name: {"level": event.level, "meaning": event.meaning} for name, event in catalogue.items()},
        lambda: "".join(f"{name:24} {event.level:8} {event.meaning}\n" for name, event in catalogue.items()),
    )
    return OK


def sandbox(program: Program) -> int:
    """A local AWS."""
    try:
        from reconciler.sandbox import serve
    except ImportError as error:
        print(
            f"reconciler: the sandbox is not installed ({error}): pip install 'reconciler[sandbox]'",
            file=sys.stderr,
        )
        return FAILED
    ready = program.options.ready_file
    return serve(port=program.options.port, ready_file=ready, delays=program.options.delays)


# ---- what came of it

NOT_IN_FORCE = ("windows", "lease")
"""Keys that the language has and this version does not act on: said aloud, since they are there for safety."""


def not_in_force(config: Config) -> list[str]:
    """The keys of a config that have no effect yet."""
    found = [key for key in NOT_IN_FORCE if getattr(config, key)]
    return found + (["limits.per-hour"] if "per-hour" in config.limits else [])


DEFAULT_INTERVAL = 300.0
"""Seconds between two looks at a settled estate, when the config has no `every`."""


def status_of(report: Report) -> int:
    """The exit status of a run that made changes until nothing was under way."""
    if report.plan.denied:
        return NOT_ALLOWED
    if report.count("failed", "blocked"):
        return FAILED
    return LATER if report.count("waiting") or report.plan.unread else OK


def report_text(report: Report, loop: Loop, colour: bool) -> str:
    """What a run has done, and what is left."""
    made = ", ".join(f"{count} {status}" for status, count in loop.changes.items()) or "nothing to do"
    left = [outcome for outcome in report.outcomes if outcome.status in {"waiting", "blocked", "failed"}]
    lines = [f"  {outcome.label}: {outcome.status}, {outcome.why}" for outcome in left]
    lines += [f"  {scope} could not be read: {why}" for scope, why in report.plan.unread.items()]
    if loop.choices.destroy:
        lines += [f"  {where} could not be asked: {why}" for where, why in loop.undiscovered.items()]
    lines.append(f"{report.plan.stack}: {made}; {report.count('settled')} settled.")
    return "\n".join(lines) + "\n"


def report_data(report: Report, loop: Loop) -> dict[str, Any]:
    """The same for programs."""
    return {
        "version": 1,
        "stack": report.plan.stack,
        "outcome": report.outcome,
        "changes": dict(loop.changes),
        "addresses": [
            {"address": outcome.label, "status": outcome.status, "reason": outcome.why, "code": outcome.code}
            for outcome in report.outcomes
        ],
        "unread": [{"scope": scope._asdict(), "reason": why} for scope, why in report.plan.unread.items()],
        "undiscovered": dict(loop.undiscovered),
    }


# ---- options


def parser() -> Parser:
    """All verbs and options."""
    top = Parser(
        prog="reconciler",
        description="Keeps an AWS estate as a YAML config declares it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"reconciler {__version__}")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(
        name: str, function: Callable[[Program], int], *, config: bool = True, aws: bool = True
    ) -> Parser:
        found: Parser = verbs.add_parser(name, help=function.__doc__, description=function.__doc__)
        found.set_defaults(function=function, format=None)
        found.add_argument(
            "--json", dest="format", action="store_const", const="json", help="the same as --format json"
        )
        found.add_argument("--format", choices=("text", "json"), help="how to answer (text)")
        found.add_argument("--log-format", choices=("auto", "console", "json"))
        found.add_argument("--log-level", choices=("debug", "info", "warning", "error"))
        if config:
            found.add_argument(
                "--config", metavar="PATH", help="a file, or a folder of *.yaml (RECONCILER_CONFIG)"
            )
            found.add_argument(
                "--var", action="append", metavar="NAME=VALUE", help="a variable of the config"
            )
            found.add_argument("--region", help="counts only where the config names none")
        if aws:
            found.add_argument("--state-dir", metavar="PATH", help="what may be lost (RECONCILER_STATE_DIR)")
            found.add_argument("--endpoint-url", metavar="URL", help="another AWS, such as the sandbox")
            found.add_argument("--profile", help="as for the AWS CLI")
            found.add_argument("--workers", metavar="N", help="requests side by side (8)")
            found.add_argument("--grace", metavar="TIME", help="how long creations wait without memory (5s)")
            found.add_argument(
                "--allow-empty", action="store_const", const=True, help="an empty config is meant"
            )
            found.add_argument(
                "--allow-shrink", action="store_const", const=True, help="losing more than half is meant"
            )
        return found

    def changing(found: Parser) -> None:
        found.add_argument("--timeout", metavar="TIME", help="how long to go on looking (10m)")
        found.add_argument("--lock-wait", metavar="TIME", help="how long to wait for another process (0s)")

    verb("check", check, aws=False)
    for name, function in (("plan", plan), ("run", run)):
        found = verb(name, function)
        found.add_argument(
            "--detailed-exitcode", action="store_true", help="2 when there are, or were, changes"
        )
        if name == "run":
            found.add_argument("--once", action="store_true", help="stop when all is settled")
            changing(found)
    verb("drift", drift)
    verb("outputs", outputs)
    found = verb("destroy", destroy)
    changing(found)
    found.add_argument("--protected", action="store_true", help="delete protected things too")
    found.add_argument("--yes", action="store_true", help="do not ask")
    found = verb("kinds", kinds, config=False, aws=False)
    found.add_argument("kind", nargs="?", metavar="KIND")
    found.add_argument("--markdown", action="store_true", help="docs/kinds.md")
    verb("schema", schema, config=False, aws=False)
    verb("events", events, config=False, aws=False)
    found = verb("sandbox", sandbox, config=False, aws=False)
    found.add_argument("--port", type=int, default=0, help="0: any free one")
    found.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="gets the endpoint URL when calls are accepted"
    )
    found.add_argument("--delays", choices=("fast", "aws"), default="fast", help="how long AWS's work takes")
    return top


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> int:
    """Run a verb and give the exit status.  No traceback for anything that a user can cause."""
    environment = os.environ if environment is None else environment
    options = parser().parse_args(arguments)
    given = {
        name: value for name, value in vars(options).items() if name not in {"function", "format", "verb"}
    }
    given.setdefault("region", None)
    given["region"] = (
        given["region"] or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    )
    try:
        settings = Settings.gather(given, environment)
    except ValueError as error:
        print(f"reconciler: {error}", file=sys.stderr)
        return USAGE
    log.configure(format=settings.log_format, level=settings.log_level, environment=environment)
    program = Program(options, settings, environment)
    if hasattr(options, "config") and settings.config is None:
        print("reconciler: which config? say --config PATH", file=sys.stderr)
        return USAGE
    try:
        status: int = options.function(program)
    except ReconcilerError as error:
        return refused(error, program)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - the reader has gone; nothing else may be written there
        return FAILED
    if program.stop_signal is not None:
        os.kill(os.getpid(), program.stop_signal)
    return status


def refused(error: ReconcilerError, program: Program) -> int:
    """Say what is wrong, and the status that goes with it."""
    if isinstance(error, ConfigError):
        show_problems(error, program)
        return BAD_CONFIG
    print(f"reconciler: {error}", file=sys.stderr)
    statuses: list[tuple[type[ReconcilerError] | tuple[type[ReconcilerError], ...], int]] = [
        (IdentityError, NOT_ALLOWED),
        (Denied, NOT_ALLOWED),
        (GuardError, GUARDED),
        ((BusyError, Throttled, Lost), LATER),
        (AwsError, FAILED),
    ]
    return next((status for sort, status in statuses if isinstance(error, sort)), FAILED)


def show_problems(error: ConfigError, program: Program) -> None:
    """All problems of a config: as data on stdout where that was asked for, else as lines on stderr."""
    if program.options.format == "json":
        print(
            json.dumps(
                {"version": 1, "problems": problems_as_data(error.problems)}, indent=2, ensure_ascii=False
            )
        )
        return
    print(
        render(error.problems, carets=sys.stderr.isatty(), read=lambda name: Path(name).read_text()),
        file=sys.stderr,
    )
    count = len(error.problems)
    print(
        f"reconciler: {count} problem{'s' if count != 1 else ''}; nothing was asked of AWS", file=sys.stderr
    )
