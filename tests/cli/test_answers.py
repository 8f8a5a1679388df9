"""stdout is the answer and nothing but the answer: as text for people, with --json as one document for programs."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout

import pytest

from reconciler import log
from reconciler.cli import main
from reconciler.events import EVENTS

from .support import ACCOUNT, VPCS, Cli, networks, run

TEN = """\
stack: Ai
account: 123456789012
region: us-wst-2
regoin: us-west-2
resources:
  global-network/wan: {}
  site/berlin:
    GlobalNetworkId: ${global-network/wann}
    Locaton: {Address: Unter den Linden}
  site/rome: {}
  vpc/main: {InstanceTenancy: dedicatd}
  subnet/a: {VpcId: "${global-network/wan}", CidrBlock: 10.0.0.0/24}
  sight/rome: {}
outputs:
  x: ${site/nowhere}
"""
PLACES = ["1:8", "2:10", "3:9", "4:1", "8:22", "9:5", "10:3", "11:31", "12:21", "13:3", "15:6"]


def test_a_plan_is_a_versioned_document_with_every_address(cli: Cli) -> None:
    cli.write(VPCS)
    cli("run", "--once")
    cli.write(VPCS.replace("vpc/c", "vpc/d").replace("protect: false}", "protect: false, Tags: {x: y}}", 1))
    found = cli("plan", "--json").data
    assert (found["version"], found["stack"], found["settled"], found["guard"]) == (1, "ai", False, None)
    assert [(entry["address"], entry["verdict"], entry["verb"]) for entry in found["addresses"]] == [
        ("vpc/a", "steps", "update"),
        ("vpc/b", "settled", None),
        ("vpc/d", "steps", "create"),
        ("vpc/c", "steps", "delete"),
    ]
    update, settled, creation, deletion = found["addresses"]
    assert update["drift"] == [{"path": "Tags.x", "wanted": "y", "seen": None, "origin": "pending"}]
    assert [call["operation"] for call in update["calls"]] == ["CreateTags"]
    assert (settled["drift"], settled["calls"]) == ([], [])
    assert (creation["id"], creation["account"], creation["region"]) == (None, ACCOUNT, "us-west-2")
    assert [call["operation"] for call in deletion["calls"]] == ["DeleteVpc"]
    assert deletion["reason"] == "not in the config"
    assert found["summary"].endswith("1 settled, 1 to delete.")


def test_a_run_is_a_versioned_document_with_every_address(cli: Cli) -> None:
    cli.write("""
        resources:
          vpc/a: {CidrBlock: 10.0.0.0/16}
          instance/bad: {ImageId: ami-00000000000000bad, InstanceType: t2.micro}
    """)
    done = cli("run", "--once", "--json")
    found = done.data
    assert (done.status, found["version"], found["stack"]) == (1, 1, "ai")
    assert found["outcome"] == "partial"
    assert found["changes"] == {"created": 1}
    assert {entry["address"]: entry["status"] for entry in found["addresses"]}.keys() == {
        "vpc/a",
        "instance/bad",
    }
    assert next(e for e in found["addresses"] if e["address"] == "vpc/a")["status"] == "settled"
    assert (found["unread"], found["undiscovered"], found["conflicts"]) == ([], {}, [])


def test_outputs_are_one_flat_object_of_strings(cli: Cli) -> None:
    before = cli("outputs", "--json")
    assert (before.status, before.data) == (75, {})
    assert [line["reason"] for line in before.log if line["level"] == "error"] == [
        "not known yet: network, site; see `reconciler plan`"
    ]
    cli("run", "--once")
    after = cli("outputs", "--json")
    network = networks(cli.url)[0]["GlobalNetworkId"]
    assert (after.status, after.data["network"]) == (0, network)
    assert after.data["site"].startswith("site site-")


def test_what_needs_no_config(cli: Cli) -> None:
    kinds = run(["kinds", "--json"]).data
    assert kinds["version"] == 1
    names = [kind["kind"] for kind in kinds["kinds"]]
    assert {"global-network", "site", "vpc", "subnet", "security-group", "instance"} <= set(names)
    assert [line.split()[0] for line in run(["kinds"]).out.splitlines()] == names
    site = run(["kinds", "site", "--json"]).data
    assert (site["version"], site["kind"]) == (1, "site")
    text = run(["kinds", "site"]).out
    assert "GlobalNetworkId *" in text
    assert "-> global-network (id)" in text
    assert "UpdateSite" in text

    events = run(["events", "--json"]).data
    assert (events["version"], events["schema"]) == (1, log.SCHEMA)
    assert events["events"].keys() == EVENTS.keys()
    assert [line.split()[0] for line in run(["events"]).out.splitlines()] == list(EVENTS)

    schema = run(["schema"]).data
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert run(["schema", "--json"]).data == schema


def test_check_answers_with_the_problems(cli: Cli) -> None:
    good = cli("check", "--endpoint-url", "http://127.0.0.1:9")
    assert (good.status, good.out, good.err) == (0, "2 resources, 2 outputs: no problems\n", "")
    assert cli("check", "--json").data == {"version": 1, "problems": []}

    cli.file.write_text(TEN)
    bad = cli("check", "--endpoint-url", "http://127.0.0.1:9")
    told = bad.out.splitlines()
    assert (bad.status, bad.err) == (78, "")
    assert told[-1] == f"{len(PLACES)} problems; nothing was asked of AWS"
    for place, line in zip(PLACES, told[:-1], strict=True):
        assert line.startswith(f"{cli.file}:{place}: "), line
    assert "did you mean global-network/wan?" in bad.out

    data = cli("check", "--json").data
    assert data["version"] == 1
    assert [f"{found['line']}:{found['column']}" for found in data["problems"]] == PLACES
    assert all(found["file"] == str(cli.file) and found["what"] for found in data["problems"])


@pytest.mark.parametrize("verb", ["plan", "run", "drift", "outputs", "destroy"])
def test_other_verbs_put_the_problems_into_the_log(cli: Cli, verb: str) -> None:
    cli.file.write_text(TEN)
    found = cli(verb, "--json", *(["--once"] if verb == "run" else []))
    assert (found.status, found.out) == (78, "")
    told = found.events("config.refused")
    assert [f"{line['line']}:{line['column']}" for line in told] == PLACES
    assert all(line["reason"].startswith(f"{cli.file}:") for line in told)
    console = cli(verb, "--log-format", "console")
    assert console.err.splitlines()[-1] == f"reconciler: {len(PLACES)} problems; nothing was asked of AWS"


def test_carets_on_a_terminal(cli: Cli) -> None:
    cli.write("resources: {vpc/a: {CidrBlok: 10.0.0.0/16}}\n")
    for shown in (cli.seen("check").out.splitlines(), cli.seen("plan").err.splitlines()):
        caret = next(number for number, line in enumerate(shown) if line.strip() == "^")
        assert shown[caret - 1].strip() == "resources: {vpc/a: {CidrBlok: 10.0.0.0/16}}"
        assert shown[caret - 1][shown[caret].index("^") :].startswith("CidrBlok")
        assert "did you mean CidrBlock?" in shown[caret - 2]
    assert "^" not in cli("check").out


CREATE = "  + global-network/main: create"


def test_colours_are_for_terminals_that_want_them(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert f"\x1b[32m{CREATE}\x1b[0m\n" in cli.seen("plan").out
    assert f"{CREATE}\n" in cli("plan").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert f"\x1b[32m{CREATE}\x1b[0m\n" in cli("plan").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert f"{CREATE}\n" in cli("plan").out
    monkeypatch.delenv("FORCE_COLOR")
    for name, value in {"TERM": "dumb", "NO_COLOR": "1"}.items():
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv(name, value)
        shown = cli.seen("plan")
        assert f"{CREATE}\n" in shown.out
        assert "\x1b[" not in shown.out + shown.err, f"{name}={value}"


@pytest.mark.parametrize("words", [["schema"], ["events"]], ids=["more than a pipe holds", "less"])
def test_a_reader_that_goes_early_is_no_failure(words: list[str]) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with (
        open(writes, "w") as stream,
        redirect_stdout(stream),
    ):  # what it holds must not fail at its end either
        assert main(words) == 0


def test_an_answer_that_cannot_be_written_is_a_failure() -> None:
    err = io.StringIO()
    with open("/dev/full", "w") as full, redirect_stdout(full), redirect_stderr(err):
        assert main(["kinds", "--log-format", "console"]) == 1
    assert err.getvalue() == "reconciler: the answer could not be written: No space left on device\n"


class Full(io.StringIO):
    """A stream whose disk is full."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("stream", [Full(), None], ids=["full", "closed"])
def test_a_log_that_cannot_be_written_stops_nothing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None
) -> None:
    monkeypatch.setattr("sys.stderr", stream)
    log.be_strict(False)
    out = io.StringIO()
    try:
        with redirect_stdout(out):
            assert main(cli.line("plan", "--detailed-exitcode")) == 2
            assert main(cli.line("plan", "--log-format", "console", "--endpoint-url", "nowhere")) == 64
    finally:
        log.be_strict()
        if stream is None:
            sys.stderr.close()
    assert "2 to create" in out.getvalue()


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_stream_that_knows_few_letters(cli: Cli, form: list[str]) -> None:
    cli.write("resources: {global-network/main: {Description: Zürich → Genève}}\n")
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii")
    with redirect_stdout(stream):
        assert main(cli.line("plan", *form)) == 0
    told = written.getvalue().decode("ascii")
    if form:
        (planned,) = json.loads(told)["addresses"]
        assert planned["calls"][0]["parameters"]["Description"] == "Zürich → Genève"
