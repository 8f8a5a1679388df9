"""The real program, killed with SIGKILL in the midst of its work, and started again.

`python -m benchmarks.kills --real 30` does it at thirty points of all runs.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from reconciler.kinds import ALL
from tests.cli.support import KEYS
from tests.cli.wire import wire
from tests.faults.real import CREATES, Kill, Killer, Program, Remote, answers_json, served
from tests.faults.runs import Run
from tests.harness import STACK, Host, tags

ESTATE = """
resources:
  global-network/base: {}
  site/one: {GlobalNetworkId: "${global-network/base}"}
  site/two: {GlobalNetworkId: "${global-network/base}"}
  vpc/base: {CidrBlock: 10.1.0.0/16}
  subnet/one: {VpcId: "${vpc/base}", CidrBlock: 10.1.1.0/24}
  security-group/one: {VpcId: "${vpc/base}", GroupName: one, Description: one}
"""


def test_what_an_answer_made_is_known_by_its_call_and_how_it_is_written() -> None:
    for call, kinds in CREATES.items():
        assert len({answers_json(kind) for kind in kinds}) == len(kinds), call


def test_killed_four_times_an_estate_comes_and_goes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    create = Run("create", lambda host: None, ESTATE)
    destroy = Run("destroy", lambda host: None, ESTATE, {"destroy": True})
    with served(tmp_path) as url, wire(url, line := Killer(url)):
        host = Host(Remote(), tmp_path / "state" / STACK, endpoint_url=url)
        program = Program(line, tmp_path)
        one = ("--workers", "1")  # with more, a creation may not have reached AWS, and that is waited for
        assert program.run(create, Kill(2, "after"), *one) == -signal.SIGKILL
        assert program.run(create, Kill(3, "answered"), *one) == -signal.SIGKILL
        assert program.run(create) == 0
        rows = [row for kind in ALL for row in host.ours(kind.name)]
        addresses = sorted(tags(row)["reconciler:address"] for row in rows)
        assert addresses == sorted(set(addresses)), "one of each"
        assert len(line.born) == len(addresses) == 6

        shutil.rmtree(program.state)
        assert program.run(destroy, Kill(2, "after")) == -signal.SIGKILL
        assert program.run(destroy, Kill(2, "before")) == -signal.SIGKILL
        assert program.run(destroy) == 0
        assert [row for kind in ALL for row in host.ours(kind.name)] == []
