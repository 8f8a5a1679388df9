"""status, pause, resume and trigger: what works while AWS, the daemon or the config does not.

No AWS is there.  The other process is a real one that holds the lock as a daemon does, and tells of USR1.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler import pauses, status
from reconciler.moments import seconds, text
from reconciler.status import Status

from .support import ACCOUNT, HEAD, Cli, run

HOLDER = """
import signal, sys
from pathlib import Path
from reconciler.lock import held
signal.signal(signal.SIGUSR1, lambda *_: print("looks", flush=True))
with held(Path(sys.argv[1]), "ai", sys.argv[2], 0.0):
    print("held", flush=True)
    while sys.stdin.readline():
        pass
"""


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """The command where there is no AWS."""
    return Cli(tmp_path, "http://127.0.0.1:9")


class Other:
    """Another process that holds the stack."""

    def __init__(self, cli: Cli, what: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(cli.state / "ai"), what],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.said() == "held"

    @property
    def pid(self) -> int:
        return self.process.pid

    def said(self) -> str:
        """Its next word."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        with self.process:
            self.process.kill()


@pytest.fixture
def other(cli: Cli) -> Iterator[Callable[..., Other]]:
    """Begins processes that hold the stack until the end of the test."""
    begun: list[Other] = []

    def begin(what: str = "daemon") -> Other:
        begun.append(Other(cli, what))
        return begun[-1]

    yield begin
    for one in begun:
        one.kill()


def left(cli: Cli, stack: str = "ai", **more: Any) -> None:
    """A process has left a status: of a daemon that is well, but for what is said."""
    now = time.time()
    found = Status(
        stack=stack, account=ACCOUNT, what="daemon", pid=1, instance="ops1", program="1.0", started=now
    )
    well = {
        "state": "idle",
        "sentence": f"{stack}: settled at {text(now)[11:]}",
        "written": now,
        "interval": 300.0,
        "last_success": now,
        "last_pass": {"outcome": "settled", "ended": now},
        "config": {
            "path": str(cli.file),
            "hash": "9f2c1b7e",
            "resources": 2,
            "loaded": now,
            "stale": None,
            "stale_reason": "",
        },
    }
    for name, value in {**well, **more}.items():
        setattr(found, name, value)
    status.write(cli.state / stack, found)


def paused(cli: Cli) -> list[tuple[str, str, str]]:
    """Address, person and reason of the pauses in force."""
    found = pauses.read(pauses.place(cli.file), "ai", time.time())
    return [(one.address, one.by, one.reason) for one in found]


def reason(cli: Cli, *words: str, status: int = 64) -> str:
    """Why a command is refused: one sentence."""
    found = cli(*words)
    assert (found.status, found.out) == (status, ""), found
    if status == 64:
        (told,) = found.err.splitlines()
        assert told.startswith("reconciler: ")
        return told.removeprefix("reconciler: ")
    *_, line = found.log
    assert line["level"] == "error"
    return str(line["reason"])


# ---- status


def test_nothing_is_known_at_first(cli: Cli) -> None:
    found = cli("status")
    assert found.status == 0
    assert found.out.startswith(f"Nothing is known yet in {cli.state}: ")
    assert cli("status", "--json").data == {"version": 1, "stacks": []}
    assert cli("status", "--exit-code").status == 1


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, 0),
        ({"last_pass": {"outcome": "waiting", "ended": 0}}, 2),
        ({"guard": "2 would go"}, 3),
        ({"last_pass": {"outcome": "failed", "ended": 0}}, 1),
        ({"last_success": 0.0}, 1),
        ({"problem": "no answer"}, 1),
    ],
    ids=["good", "pending", "guarded", "failing", "stale", "no pass possible"],
)
def test_the_exit_status_tells_how_a_running_daemon_stands(
    cli: Cli, other: Callable[..., Other], more: dict[str, Any], code: int
) -> None:
    left(cli, pid=other().pid, **more)
    assert cli("status", "--exit-code").status == code
    assert cli("status", "--exit-code", "--json").status == code
    assert cli("status").status == 0, "only where it is asked for"


def test_a_daemon_that_has_died_is_told_from_one_that_runs(cli: Cli, other: Callable[..., Other]) -> None:
    one = other()
    left(cli, pid=one.pid)
    (found,) = cli("status", "--json").data["stacks"]
    assert (found["running"], found["holder"]["pid"], found["holder"]["what"]) == (True, one.pid, "daemon")
    one.kill()
    (found,) = cli("status", "--json").data["stacks"]
    assert (found["running"], found["holder"]) == (False, None)
    told = cli("status", "--exit-code")
    assert told.status == 1
    assert f"! daemon, process {one.pid} on ops1, is not running; its last word is of 20" in told.out


def test_another_process_that_holds_the_stack_is_named(cli: Cli, other: Callable[..., Other]) -> None:
    one = other("destroy")
    left(cli, pid=1)
    told = cli("status", "--exit-code")
    assert "is not running; its last word is of " in told.out
    assert f"; held now by process {one.pid} (destroy) since 20" in told.out
    assert told.status == 1, "the daemon that was there is not"


def test_what_ended_by_itself_is_well_though_it_does_not_run(cli: Cli) -> None:
    left(cli, what="run --once", state="stopped", interval=None)
    told = cli("status", "--exit-code")
    assert told.status == 0
    assert "run --once, process 1 on ops1, ended 20" in told.out


def test_a_pause_counts_from_the_moment_it_is_made(cli: Cli, other: Callable[..., Other]) -> None:
    """The daemon may hang, and its status be older than the pause."""
    left(cli, pid=other().pid)
    assert cli("pause", "--reason", "moving links").status == 0
    told = cli("status", "--exit-code")
    assert told.status == 2
    assert "  ! everything is paused until `reconciler resume`, by " in told.out
    (found,) = cli("status", "--json").data["stacks"]
    assert [one["reason"] for one in found["pauses"]] == ["moving links"]
    assert cli("resume").status == 0
    assert cli("status", "--exit-code").status == 0


def test_the_worst_of_several_stacks_counts(cli: Cli) -> None:
    left(cli, state="stopped")
    left(cli, "other", state="stopped", guard="2 would go")
    every = [verb for verb in cli.line("status", "--exit-code") if verb not in ("--config", str(cli.file))]
    found = run(every)
    assert (found.status, found.out.count("settled at")) == (3, 2)
    assert cli("status", "--exit-code").status == 0, "the config's own alone"
    assert cli("status", "--stack", "other", "--exit-code").status == 3


def test_a_stack_that_nobody_knows(cli: Cli) -> None:
    assert (
        reason(cli, "status", "--stack", "ai", status=1) == f"nothing is known of the stack ai in {cli.state}"
    )
    left(cli, "prod")
    assert "of the stack prd (did you mean prod?)" in reason(cli, "status", "--stack", "prd", status=1)


def test_with_a_config_that_is_refused_all_stacks_are_shown(cli: Cli) -> None:
    for stack in ("ai", "other"):
        left(cli, stack, state="stopped")
    cli.file.write_text("stack: [\n")
    found = cli("status", "--json")
    assert [one["stack"] for one in found.data["stacks"]] == ["ai", "other"]
    (told,) = found.events("config.refused")
    assert (told["file"], told["reason"].endswith("; all stacks of this host are shown")) == (
        str(cli.file),
        True,
    )
    assert "estate.yaml" in cli.seen("status").err


def test_what_is_known_of_other_stacks_is_not_denied(cli: Cli) -> None:
    left(cli, "prod")
    assert cli("status").out == f"Nothing is known yet of ai in {cli.state} (but of prod).\n"


def test_a_daemon_that_is_gone_promises_no_next_look(cli: Cli) -> None:
    left(cli, sentence="ai: settled at 14:00:00Z, next look at 14:05:00Z")
    (found,) = cli("status", "--json").data["stacks"]
    assert found["sentence"].startswith("ai: not running; the last word of its daemon, of 20")
    assert found["sentence"].endswith(": settled at 14:00:00Z, next look at 14:05:00Z")
    assert cli("status").out.splitlines()[0] == found["sentence"]


@pytest.mark.parametrize("content", ["", "{", '{"version": 99}'])
def test_a_status_that_cannot_be_read_is_no_good_one(cli: Cli, content: str) -> None:
    left(cli)
    (cli.state / "ai" / "status.json").write_text(content)
    found = cli("status", "--exit-code")
    assert found.status == 1
    assert "is not a status that this version can read" in found.out
    (one,) = cli("status", "--json").data["stacks"]
    assert (one["stack"], one["state"]) == ("ai", "unknown")


def test_a_directory_that_may_not_be_read_is_not_called_empty(cli: Cli) -> None:
    left(cli)
    cli.state.chmod(0)
    before = os.geteuid()
    os.seteuid(before or 65534)  # root may read everything
    try:
        found = run(["status", "--state-dir", str(cli.state), "--log-format", "json"])
    finally:
        os.seteuid(before)
        cli.state.chmod(0o755)
    assert found.status == 1
    assert "cannot be read (Permission denied)" in found.log[-1]["reason"]


def test_one_stack_that_cannot_be_read_hides_no_other(cli: Cli) -> None:
    left(cli, "other", state="stopped")
    (cli.state / "prod").symlink_to(cli.state / "prod")  # an error for root, too
    found = run(["status", "--state-dir", str(cli.state), "--log-format", "json"])
    assert found.status == 0
    assert f"{cli.state / 'prod'} cannot be read: Too many levels of symbolic links" in found.out
    assert "other: settled at" in found.out


def test_words_of_others_do_nothing_to_the_terminal(cli: Cli) -> None:
    left(cli, state="stopped", guard="\x1b]0;owned\x07", sentence="ai: \x1b[2J")
    assert "\x1b" not in cli("status").out
    (found,) = cli("status", "--json").data["stacks"]
    assert found["guard"] == "\x1b]0;owned\x07", "programs get what there is"


# ---- pause and resume


def test_a_pause_of_the_stack_and_its_end(cli: Cli) -> None:
    found = cli("pause", "--reason", "  moving links ")
    assert found.status == 0
    assert found.out == (
        "ai: everything is paused until `reconciler resume`; a change that is in flight is finished.\n"
    )
    ((address, by, why),) = paused(cli)
    assert (address, why) == ("", "moving links")
    assert by
    assert cli("resume").out == "ai: everything goes on.\n"
    assert paused(cli) == []
    again = cli("resume")
    assert (again.status, again.out) == (0, "ai: nothing was paused.\n")


def test_a_pause_of_one_address_for_some_time(cli: Cli) -> None:
    before = int(time.time())
    found = cli("pause", "site/one", "--reason", "r", "--for", "2h", "--json")
    told = found.data["paused"]
    assert (told["stack"], told["address"]) == ("ai", "site/one")
    assert before + 7200 <= seconds(told["until"]) <= time.time() + 7200
    (kept,) = json.loads(pauses.place(cli.file).read_text())["pauses"]
    assert kept == told
    said = cli("pause", "site/one", "--reason", "again", "--for", "90m").out
    (one,) = pauses.read(pauses.place(cli.file), "ai", time.time())
    assert one.until is not None
    assert (
        said == f"ai: site/one is paused until {text(one.until)}; a change that is in flight is finished.\n"
    )


def test_one_of_several_pauses_ends(cli: Cli) -> None:
    for words in ([], ["site/one"], ["global-network/main"]):
        cli("pause", *words, "--reason", "r")
    assert cli("resume", "site/one").out == (
        "ai: site/one goes on; everything, global-network/main are still paused.\n"
    )
    found = cli("resume", "site/one", "--json")
    assert found.data["resumed"] == []
    assert [one["address"] for one in found.data["left"]] == ["", "global-network/main"]
    assert cli("resume", "site/one").out.startswith("ai: site/one was not paused; everything")
    assert cli("resume").out == "ai: everything, global-network/main go on.\n"


def test_who_has_paused_it_is_the_person_behind_sudo(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "anna")
    cli("pause", "--reason", "r")
    assert paused(cli) == [("", "anna", "r")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "pause: say why, with --reason; whoever is on call next will want to know"),
        (["--reason", "  "], "pause: say why, with --reason; whoever is on call next will want to know"),
        (["--reason", "r", "--for", "soon"], "--for: 'soon' is not a duration"),
        (["--reason", "r", "--for", "0s"], "--for: a pause of no time is none"),
        (["--reason", "r", "--for", "9999999d"], "--for: 9999999d is longer than any calendar"),
        (["--reason", "r", "--for", "9" * 400], "is longer than any calendar; leave it out for ever"),
        (["site", "--reason", "r"], "'site' is not an address: expected kind/name; write it like site/one"),
        (["site/oen", "--reason", "r"], "site/oen is not in the config (did you mean site/one?)"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_pause_that_is_not_meant_so(cli: Cli, words: list[str], told: str) -> None:
    assert told in reason(cli, "pause", *words)
    assert not pauses.place(cli.file).exists()


def test_the_longest_pause_there_is_can_be_read_again(cli: Cli) -> None:
    assert cli("pause", "--reason", "r", "--for", "2900000d").status == 0
    assert paused(cli)[0][2] == "r"
    assert cli("resume").status == 0


def test_what_the_config_has_lost_can_be_paused_while_it_is_there(cli: Cli) -> None:
    """An orphan is about to be deleted: that is when it is paused."""
    left(cli, addresses={"vpc/lost": {"status": "failed"}, "vpc/older@old": {"status": "waiting"}})
    for address in ("vpc/lost", "vpc/older"):
        assert cli("pause", address, "--reason", "r").status == 0
    assert [address for address, _, _ in paused(cli)] == ["vpc/lost", "vpc/older"]
    assert "is not in the config" in reason(cli, "pause", "vpc/never", "--reason", "r")


def test_a_pause_works_while_the_config_is_refused(cli: Cli) -> None:
    """The daemon goes on with the last good one, and has to be stoppable."""
    left(cli)
    cli.file.write_text("stack: [\n")
    found = cli("pause", "--reason", "r")
    assert (found.status, paused(cli)[0][2]) == (0, "r")
    assert found.events("config.refused")[0]["reason"].endswith("; ai is meant, which was last run on it")
    assert cli("resume").status == 0
    assert paused(cli) == []


def test_a_config_that_is_refused_and_that_nobody_has_run_says_nothing(cli: Cli) -> None:
    left(cli, config={"path": "/elsewhere/estate.yaml"})
    cli.file.write_text("stack: [\n")
    for words in (["pause", "--reason", "r"], ["resume"], ["trigger"]):
        assert cli(*words).status == 78
    assert not pauses.place(cli.file).exists()


@pytest.mark.parametrize("words", [["pause", "--reason", "r"], ["resume"]], ids=["pause", "resume"])
def test_a_pause_beside_a_config_that_nobody_reads_is_refused(
    cli: Cli, other: Callable[..., Other], words: list[str]
) -> None:
    """A copy of the config, say: the daemon would go on."""
    elsewhere = cli.folder / "conf.d"
    elsewhere.mkdir()
    left(cli, pid=other().pid, config={"path": str(elsewhere)})
    assert (
        reason(cli, *words)
        == f"ai is run on {elsewhere} here, and is paused beside that: say --config {elsewhere}"
    )
    left(cli, config={"path": str(cli.file)})
    assert cli(*words).status == 0


def test_a_file_of_pauses_that_makes_no_sense_is_left_to_a_person(cli: Cli) -> None:
    place = pauses.place(cli.file)
    place.write_text("{")
    for words in (["pause", "--reason", "r"], ["resume"]):
        assert f"{place} cannot be read as pauses" in reason(cli, *words, status=1)
    left(cli, state="stopped")
    assert "mend it, or delete it to go on" in cli("status").out
    assert place.read_text() == "{"


def test_a_folder_that_cannot_be_written_is_told(cli: Cli) -> None:
    folder = cli.folder / "conf.d"
    folder.mkdir()
    (folder / "estate.yaml").write_text(HEAD + "resources: {}\n")
    (folder / ".reconciler-pause.tmp").mkdir()  # root may write anywhere else
    found = cli("pause", "--reason", "r", "--config", str(folder))
    assert (found.status, found.out) == (1, "")
    assert f"{folder}/.reconciler-pause.json cannot be written: Is a directory" in found.log[-1]["reason"]


def test_files_that_name_another_stack_do_not_hide_the_one_that_runs(
    cli: Cli, other: Callable[..., Other]
) -> None:
    """Whoever pauses wants what runs to stop, and not what is meant to run some day."""
    left(cli, pid=other().pid)
    cli.write("resources: {}", head=HEAD.replace("stack: ai", "stack: next"))
    found = cli("pause", "--reason", "r")
    assert found.out.startswith("ai: everything is paused")
    (told,) = found.events("config.refused")
    assert "says `stack: next` now; ai is meant, which runs on it" in told["reason"]
    assert [(address, why) for address, _, why in paused(cli)] == [("", "r")]


# ---- trigger


def test_a_daemon_is_told_to_look(cli: Cli, other: Callable[..., Other]) -> None:
    one = other()
    assert cli("trigger").out == f"ai: process {one.pid} was told to look now; see `reconciler status`.\n"
    assert one.said() == "looks"
    assert cli("trigger", "--json").data == {"version": 1, "pid": one.pid}
    assert one.said() == "looks"


def test_it_works_while_the_config_is_refused(cli: Cli, other: Callable[..., Other]) -> None:
    one = other()
    left(cli, pid=one.pid)
    cli.file.write_text("stack: [\n")
    assert cli("trigger").status == 0
    assert one.said() == "looks"


def test_without_a_daemon_it_says_what_to_do(cli: Cli) -> None:
    told = "no daemon of ai runs here (nobody holds it); start it, or say `reconciler run --once`"
    assert reason(cli, "trigger", status=75) == told


def test_a_lock_file_that_was_left_over_means_nothing(cli: Cli, other: Callable[..., Other]) -> None:
    one = other()
    one.kill()
    assert str(one.pid) in (cli.state / "ai" / "lock").read_text()
    assert "(nobody holds it)" in reason(cli, "trigger", status=75)


def test_a_run_that_ends_is_not_told_to_look(cli: Cli, other: Callable[..., Other]) -> None:
    one = other("run --once")
    assert f"(process {one.pid} (run --once) holds it)" in reason(cli, "trigger", status=75)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"what": "daemon"}', '{"what": "daemon", "pid": "7"}', '{"what": "daemon", "pid": -1}'],
)
def test_nobody_is_told_by_a_lock_that_names_nobody(
    cli: Cli, other: Callable[..., Other], content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """-1 would be every process there is."""
    other()
    (cli.state / "ai" / "lock").write_text(content)

    def kill(pid: int, number: int) -> None:
        raise AssertionError(f"{pid} got signal {number}")

    with monkeypatch.context() as patch:
        patch.setattr(os, "kill", kill)
        told = reason(cli, "trigger", status=75)
    assert told.startswith("no daemon of ai runs here (another process holds it); ")


def test_the_daemon_of_another_user_is_told_by_sudo(
    cli: Cli, other: Callable[..., Other], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = other()
    if os.geteuid():
        pytest.skip("only root can be somebody else")
    for path in (cli.folder, cli.state, cli.state / "ai"):
        path.chmod(0o755)
    (cli.state / "ai" / "lock").chmod(0o644)
    monkeypatch.chdir(cli.folder)
    os.setresuid(65534, 65534, 0)
    try:
        found = run(["trigger", "--config", "estate.yaml", "--state-dir", "state", "--log-format", "json"])
    finally:
        os.setresuid(0, 0, 0)
    assert found.status == 1
    assert found.log[-1]["reason"] == (
        f"process {one.pid} belongs to another user: say `sudo -u root reconciler trigger …`, or "
        "`systemctl kill --signal=USR1 reconciler`"
    )
