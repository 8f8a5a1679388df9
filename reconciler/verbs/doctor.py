"""The verb `doctor`: would it work here, and if not, what is to be done?  It changes nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from reconciler.aws import checkup
from reconciler.aws.session import Sessions
from reconciler.doctor import Finding, aws_findings, exit_status, host_findings, questions
from reconciler.doctor.aws_findings import UNSETTLED
from reconciler.doctor.finding import as_data, as_text, bad, unknown
from reconciler.doctor.host import examine
from reconciler.errors import ConfigError, IdentityError, ReconcilerError
from reconciler.exits import NOT_ALLOWED
from reconciler.lock import holder
from reconciler.model.config import Config, Cron
from reconciler.model.place import Problem
from reconciler.program import Program, UsageError
from reconciler.verbs.amnesia import amnesia

ALWAYS_NEEDED = "UTC"
"""The time zone of the daemon's clock."""


def doctor(program: Program) -> int:
    """Look at config, host and AWS; 0 when nothing is bad.  With `amnesia` it is about the state directory alone."""
    if program.options.about == "amnesia":
        return amnesia(program)
    config: Config | None = None
    problems: tuple[Problem, ...] = ()
    try:
        config = program.config()
    except ConfigError as error:
        problems = error.problems
    findings = [*_host(program, config, problems), *_aws(program, config)]
    program.voice.answer(lambda: as_data(findings), lambda: as_text(findings, colour=program.voice.colour))
    return exit_status(findings)


def _host(program: Program, config: Config | None, problems: tuple[Problem, ...]) -> list[Finding]:
    resources = config.resources if config else {}
    regions = sorted({desired.region for desired in resources.values()} - {""})
    zones = {str(window["tz"]) for window in config.windows} if config else set[str]()
    if config and isinstance(config.every, Cron):
        zones.add(config.every.tz)
    state = program.state(config) if config else program.settings.state_dir
    host = examine(
        config=program.path,
        named=map(Path, config.files if config else ()),
        state=state,
        holder=_holder(state),
        zones=sorted({ALWAYS_NEEDED, *zones}),
        environment=program.environment,
    )
    return [
        host_findings.of_config(str(program.path), len(resources), regions, problems),
        *host_findings.of_host(host),
    ]


def _holder(state: Path) -> Mapping[str, object] | None:
    """Who has the lock; None too where that cannot be seen, which is a finding of its own."""
    with suppress(OSError):
        return holder(state)
    return None


def _aws(program: Program, config: Config | None) -> list[Finding]:
    """Nobody is asked for anything before it is settled who we are."""
    try:
        overrides = list(aws_findings.of_endpoints(program.endpoints()))
    except UsageError as error:
        return [bad("endpoints", str(error), "correct it, or leave it out")]
    settings = program.settings
    try:
        sessions = Sessions(
            account=config.account if config else "",
            accounts=config.accounts if config else {},
            region=config.region if config else settings.region or "",
            stack=config.stack if config else "doctor",
            profile=settings.profile,
            endpoint_url=settings.endpoint_url,
        )
    except IdentityError as error:
        return [*overrides, bad("credentials", str(error), aws_findings.RENEW, NOT_ALLOWED)]
    except ReconcilerError as error:
        return [*overrides, bad("aws", str(error), "correct `region:`, or say --region")]
    return [*overrides, *_asked(program, config, sessions)]


def _asked(program: Program, config: Config | None, sessions: Sessions) -> list[Finding]:
    accounts = questions.accounts(config) if config else [""]
    roles = {other.id: other.role for other in config.accounts.values()} if config else {}
    roles.pop(accounts[0], None)
    held = checkup.credentials(sessions, accounts)
    told = [aws_findings.of_credentials(one, roles.get(one.account, ""), time.time()) for one in held]
    usable = [one.account for one in held if one.method and one.error is None]
    who = checkup.ask(sessions, questions.identities(usable), now=time.time)
    if nowhere := aws_findings.unreachable(who):
        return [*told, nowhere]
    told += [
        aws_findings.of_identity(
            answer, roles.get(answer.call.account, ""), answer.call.account if config else ""
        )
        for answer in who
    ]
    if who:
        told.append(aws_findings.of_clock(who))
    if config is None:
        return told
    right = {answer.call.account for answer in who if answer.data.get("Account") == answer.call.account}
    if not right:
        return [*told, unknown("rights", f"not looked at {UNSETTLED}")]
    told += [aws_findings.not_entered(account) for account in accounts if account not in right]
    return [*told, *_rights(program, config, sessions, right)]


def _rights(program: Program, config: Config, sessions: Sessions, accounts: set[str]) -> list[Finding]:
    calls = [call for call in questions.doors(config) if call.account in accounts]
    doors = checkup.ask(sessions, calls, now=time.time)
    seen = aws_findings.seen(doors, config)
    wanted = questions.rehearsals(config, program.facts(), program.schema, seen)
    wanted = aws_findings.safe(aws_findings.within(wanted, accounts), doors)
    tried = checkup.ask(sessions, wanted.calls, now=time.time)
    asked = [answer for answer in doors if aws_findings.reached(answer)]
    return [*aws_findings.of_doors(doors), *aws_findings.of_rights([*asked, *tried], wanted.untold)]
