"""The table of exit statuses is a promise: each is reached by something that a person does."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from reconciler.lock import held

from .support import COMMAND, OTHER_ACCOUNT, ROOT, VPCS, Cli, Result
from .wire import Wire

NOWHERE = ("--endpoint-url", "http://127.0.0.1:9")
BAD = "resources: {vpc/a: {CidrBlok: 10.0.0.0/16}}"
NO_SUCH_IMAGE = "resources: {instance/bad: {ImageId: ami-00000000000000bad, InstanceType: t2.micro}}"


def _made(cli: Cli) -> None:
    assert cli("run", "--once").status == 0


def settled(cli: Cli) -> Result:
    _made(cli)
    return cli("plan", "--detailed-exitcode")


def done(cli: Cli) -> Result:
    return cli("run", "--once")


def changes_without_the_option(cli: Cli) -> Result:
    return cli("plan")


def nothing_differs(cli: Cli) -> Result:
    _made(cli)
    return cli("drift")


def only_the_config_has_changed(cli: Cli) -> Result:
    cli.write(VPCS)
    _made(cli)
    cli.write(VPCS.replace("10.1.0.0/16", "10.1.0.0/16, Tags: {team: other}"))
    found = cli("drift")
    assert found.out.endswith("\nNo drift; 1 change of the config pending.\n"), found.out
    return found


def good(cli: Cli) -> Result:
    return cli("check")


def failed(cli: Cli) -> Result:
    cli.write(NO_SUCH_IMAGE)
    return cli("run", "--once")


def blocked(cli: Cli) -> Result:
    cli.write(VPCS)
    _made(cli)
    cli.write(VPCS.replace("10.1.0.0/16", "10.9.0.0/16"))
    return cli("run", "--once")


def pending(cli: Cli) -> Result:
    return cli("plan", "--detailed-exitcode")


def changed(cli: Cli) -> Result:
    return cli("run", "--once", "--detailed-exitcode")


def differs(cli: Cli) -> Result:
    return cli("drift")


def emptied(cli: Cli) -> Result:
    cli.write("resources: {}\n")
    return cli("run", "--once")


def emptied_plan(cli: Cli) -> Result:
    cli.write("resources: {}\n")
    return cli("plan", "--detailed-exitcode")


def unasked(cli: Cli) -> Result:
    _made(cli)
    return cli("destroy")


def typo(cli: Cli) -> Result:
    return cli("plan", "--detailed-exitcodes")


def no_duration(cli: Cli) -> Result:
    return cli("run", "--once", "--timeout", "soon")


def no_url(cli: Cli) -> Result:
    return cli("plan", "--endpoint-url", "localhost:9")


def busy(cli: Cli) -> Result:
    with held(cli.state / "ai", "ai", "daemon", 0.0):
        return cli("run", "--once")


def unreachable(cli: Cli) -> Result:
    return cli("plan", *NOWHERE)


def unreachable_run(cli: Cli) -> Result:
    return cli("run", "--once", *NOWHERE)


def wrong_account(cli: Cli) -> Result:
    cli.write("resources: {}\n", f'stack: ai\naccount: "{OTHER_ACCOUNT}"\n')
    return cli("run", "--once", "--allow-empty")


def no_profile(cli: Cli) -> Result:
    return cli("plan", "--profile", "nobody")


def bad_config(cli: Cli) -> Result:
    cli.write(BAD)
    return cli("run", "--once")


def bad_check(cli: Cli) -> Result:
    cli.write(BAD)
    return cli("check")


def no_file(cli: Cli) -> Result:
    return cli("plan", "--config", str(cli.folder / "nowhere.yaml"))


TABLE: dict[int, tuple[Callable[[Cli], Result], ...]] = {
    0: (settled, done, changes_without_the_option, nothing_differs, only_the_config_has_changed, good),
    1: (failed, blocked),
    2: (pending, changed, differs),
    3: (emptied, emptied_plan, unasked),
    64: (typo, no_duration, no_url),
    75: (busy, unreachable, unreachable_run),
    77: (wrong_account, no_profile),
    78: (bad_config, bad_check, no_file),
}


@pytest.mark.parametrize(
    ("status", "arrange"),
    [(status, each) for status, all_of_it in TABLE.items() for each in all_of_it],
    ids=lambda value: value if isinstance(value, int) else value.__name__,
)
def test_the_table(cli: Cli, status: int, arrange: Callable[[Cli], Result]) -> None:
    found = arrange(cli)
    assert found.status == status, found
    assert "Traceback" not in found.err
    if status not in (0, 2):
        assert found.err or found.out, "what is not well is said"


def test_a_run_that_only_waits_is_to_be_tried_later(cli: Cli, line: Wire) -> None:
    line.never_ready = True
    found = cli("run", "--once", "--timeout", "1s")
    assert found.status == 75
    assert "  site/one: waiting, needs global-network/main: global-network-" in found.out
    assert found.out.splitlines()[-1] == "ai: 1 created; 0 settled, 2 waiting."
    waits = {line["address"]: line["reason"] for line in found.events("wait.slow")}
    assert "PENDING" in waits["site/one"], "while it waits it says what for"


def test_a_run_whose_time_is_over_has_not_seen_what_came_of_its_changes(cli: Cli) -> None:
    cli.write("resources: {vpc/a: {CidrBlock: 10.0.0.0/16}}\n")
    found = cli("run", "--once", "--timeout", "0s")
    told = "  vpc/a: created, and not looked at since\nai: 1 created; 0 settled.\n"
    assert (found.status, found.out) == (75, told)


def test_no_credentials(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    found = cli("run", "--once")
    assert (found.status, found.out) == (77, "")
    assert [(line["event"], line["reason"]) for line in found.log if line["level"] == "error"] == [
        ("credentials.failed", "there are no AWS credentials: set them as for the AWS CLI, or say --profile")
    ]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["pln"], 64),
        (["check", "--config", "/nowhere/at/all"], 78),
    ],
)
def test_what_the_shell_sees(words: list[str], status: int) -> None:
    found = subprocess.run([*COMMAND, *words], capture_output=True, text=True, cwd=ROOT, check=False)
    assert found.returncode == status, found
    assert "Traceback" not in found.stderr
