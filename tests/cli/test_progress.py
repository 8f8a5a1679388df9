"""Progress as somebody at a terminal sees it, and as a log never does."""

from __future__ import annotations

import re

import pytest

from .support import Cli
from .wire import Wire

SHOWN = r"\r\d+s ai: looking, \d+ requests"


@pytest.mark.parametrize("verb", ["run", "destroy", "plan", "outputs"])
def test_on_a_terminal_a_long_work_shows_what_it_is_at(cli: Cli, line: Wire, verb: str) -> None:
    options = {"run": ["--once"], "destroy": ["--yes"]}.get(verb, [])
    line.hold("GetCallerIdentity")
    seen = cli.terminal(verb, *options, typed={"s ai: looking": line.released.set})
    assert re.search(SHOWN, seen.out), seen.out
    after = seen.out[seen.out.rindex(" requests") :]
    assert re.match(r" requests[^\r\n]*\r +\r", after), "it has gone before what comes next"


def test_what_waits_is_on_the_line(cli: Cli, line: Wire) -> None:
    line.never_ready = True
    seen = cli.terminal("run", "--once", "--timeout", "3s")
    assert re.search(r"\r\ds ai: 0 of 2 settled, \d+ requests, waiting for global-network/main \(", seen.out)
    told = [line.rpartition("\r")[2] for line in seen.out.split("\n")]
    assert not [line for line in told if "requests" in line], "a line of the log begins where nothing is"


@pytest.mark.parametrize("form", ["json", "console"])
def test_elsewhere_it_is_not_there(cli: Cli, line: Wire, form: str) -> None:
    line.never_ready = True
    done = cli("run", "--once", "--timeout", "2s", "--log-format", form)
    assert "\r" not in done.out + done.err
    assert " requests" not in done.err


def test_a_dumb_terminal_is_spared(cli: Cli, line: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    line.never_ready = True
    seen = cli.terminal("run", "--once", "--timeout", "2s")
    assert " requests" not in seen.out
