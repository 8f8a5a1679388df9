"""`reconciler history`: what was changed, read from the state directory by whoever may, whatever else is broken."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.aws.audit import Answer, Audit, Sending
from reconciler.verbs.history import moment

from .support import Cli, Result, run

START = datetime(2026, 11, 23, 3, 12, tzinfo=UTC).timestamp()
DONE = Answer(outcome="done", aws_request_id="request-1", http_status=200)


class Past:
    """The audit log of a stack, a change a minute."""

    def __init__(self, state: Path, stack: str = "ai") -> None:
        self.now, self._changes = START, 0
        self._audit = Audit(state / stack, lambda: self.now)

    def change(self, address: str, answer: Answer | None = DONE, **more: Any) -> None:
        self._changes += 1
        known = {"verb": "create", "id": f"id-{self._changes}", "reason": "it does not exist", **more}
        sending = Sending(change_id=str(self._changes), call=1, address=address, **known)
        self._audit.begun(sending)
        if answer is not None:
            self._audit.answered(sending, answer)
        self.now += 60


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def past(state: Path) -> Past:
    return Past(state)


def history(state: Path, *words: str) -> Result:
    """The verb alone: no config, no AWS."""
    return run(["history", "--state-dir", str(state), *words])


def addresses(found: Result) -> list[str]:
    return [change["address"] for change in found.data["changes"]]


# ---- what is shown


def test_a_run_is_in_the_history_with_the_ids_of_its_log(cli: Cli) -> None:
    done = cli("run", "--once")
    assert done.status == 0
    shown = cli("history", "--json")
    assert shown.status == 0
    assert addresses(shown) == ["global-network/main", "site/one"]
    succeeded = done.events("change.succeeded")
    for change, line in zip(shown.data["changes"], succeeded, strict=True):
        [call] = change["calls"]
        assert call["aws_request_id"] == line["aws_request_id"] != ""
        assert (call["api"], change["outcome"], change["verb"]) == (line["api"], "done", "create")
        for name in ("change_id", "pass_id", "trigger", "id", "arn", "region", "account", "kind", "verb"):
            assert change[name] == line[name]
    text = cli("history").out.splitlines()
    assert len(text) == 2
    for line, change in zip(text, shown.data["changes"], strict=True):
        assert change["id"] in line
        assert line.endswith(change["calls"][0]["aws_request_id"])


def test_explain_ends_with_the_last_change(cli: Cli) -> None:
    cli("run", "--once")
    [change] = cli("history", "site/one", "--json").data["changes"]
    assert cli("explain", "site/one", "--json").data["last"] == change
    told = cli("explain", "site/one").out.splitlines()[-1]
    assert told == f"last change: {change['at']} create {change['id']}, done: it does not exist"


def test_a_change_is_a_line_in_columns_the_newest_last(state: Path, past: Past) -> None:
    past.change("vpc/a", reason="it is absent")
    refused = Answer(
        outcome="refused", aws_error_code="VpcLimitExceeded", aws_request_id="r-2", http_status=400
    )
    past.change("instance/worker", refused, verb="update", reason="differs: Tags.x")
    past.change("vpc/b", None, id="", reason="it is absent")
    past.change("vpc/c", replace(DONE, aws_request_id=""), steps=3, verb="replace", reason="aged")
    assert history(state).out == (
        "2026-11-23T03:12:00Z  create   vpc/a            id-1  done                        it is absent     request-1\n"
        "2026-11-23T03:13:00Z  update   instance/worker  id-2  refused (VpcLimitExceeded)  differs: Tags.x  r-2\n"
        "2026-11-23T03:14:00Z  create   vpc/b            -     no answer on record         it is absent     -\n"
        "2026-11-23T03:15:00Z  replace  vpc/c            id-4  1 of 3 steps                aged             -\n"
    )


def test_what_aws_or_others_wrote_cannot_steer_the_terminal(state: Path, past: Past) -> None:
    past.change("vpc/a", reason="\x1b[2Jdiffers\n2026-01-01T00:00:00Z  delete", id="vpc\r-1")
    shown = history(state).out
    assert shown.count("\n") == 1
    assert shown.rstrip("\n").isprintable()


def test_colours_only_where_they_are_wanted(state: Path, past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    past.change("vpc/a")
    past.change("vpc/b", None)
    monkeypatch.setenv("FORCE_COLOR", "1")
    good, bad = history(state).out.splitlines()
    assert "\x1b[" not in good
    assert bad.startswith("\x1b[31;1m")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in history(state).out


def test_the_last_ones(state: Path, past: Past) -> None:
    for number in range(25):
        past.change(f"vpc/v{number}")
    shown = history(state).out.splitlines()
    assert len(shown) == 21
    assert shown[0].startswith("(5 earlier;")
    assert "vpc/v24 " in shown[-1]
    assert addresses(history(state, "--last", "2", "--json")) == ["vpc/v23", "vpc/v24"]
    assert history(state, "--last", "2", "--json").data["earlier"] == 23
    assert len(addresses(history(state, "--last", "100", "--json"))) == 25


def test_since(state: Path, past: Past) -> None:
    for number in range(25):
        past.change(f"vpc/v{number}")
    assert len(addresses(history(state, "--since", "2026-11-23", "--json"))) == 25, "all of them"
    assert len(addresses(history(state, "--since", "2026-11-23T03:35Z", "--json"))) == 2
    assert len(addresses(history(state, "--since", "2026-11-23T04:35+01:00", "--json"))) == 2
    assert addresses(history(state, "--since", "2026-11-23T03:35", "--last", "1", "--json")) == ["vpc/v24"]
    none = history(state, "--since", "2026-11-24")
    assert (none.status, none.out) == (
        0,
        "no change since 2026-11-24T00:00:00.000Z; the last one was at 2026-11-23T03:36:00.000Z\n",
    )


def test_one_address_and_what_made_way_for_it(state: Path, past: Past) -> None:
    for address in ("vpc/a", "vpc/b", "vpc/a@old", "vpc/ab"):
        past.change(address)
    assert addresses(history(state, "vpc/a", "--json")) == ["vpc/a", "vpc/a@old"]
    assert addresses(history(state, "vpc/a@old", "--json")) == ["vpc/a@old"]


def test_an_address_that_never_appears_is_said_with_one_that_does(state: Path, past: Past) -> None:
    past.change("instance/worker")
    past.change("vpc/a@old")
    shown = history(state, "instance/wroker")
    assert (shown.status, shown.out) == (
        0,
        "no change of instance/wroker is recorded (did you mean instance/worker?)\n",
    )
    assert history(state, "site/x").out == (
        "no change of site/x is recorded (there are instance/worker, vpc/a)\n"
    )
    assert history(state, "site/x", "--json").data == {
        "version": 1,
        "stack": "ai",
        "earlier": 0,
        "changes": [],
        "stopped": [],
    }


def test_nothing_recorded_is_no_failure(state: Path, past: Past) -> None:
    (state / "ai").mkdir(parents=True)
    shown = history(state)
    assert (shown.status, shown.out) == (0, f"no change of ai is recorded in {state}\n")
    past.change("vpc/a")
    other = history(state, "--stack", "aii")
    assert (other.status, other.out) == (0, f"no change of aii is recorded in {state} (did you mean ai?)\n")


# ---- which stack


def test_a_broken_config_does_not_matter_where_the_stack_is_said(
    state: Path, past: Past, tmp_path: Path
) -> None:
    past.change("vpc/a")
    Past(state, "other").change("vpc/b")
    config = tmp_path / "estate.yaml"
    config.write_text("stack: [")
    assert history(state, "--config", str(config)).status == 78
    shown = history(state, "--config", str(config), "--stack", "other", "--json")
    assert (shown.status, shown.data["stack"], addresses(shown)) == (0, "other", ["vpc/b"])


def test_a_broken_config_does_not_matter_where_it_is_known_who_runs_on_it(cli: Cli) -> None:
    cli("run", "--once")
    cli.file.write_text("stack: [")
    found = cli("history", "--json")
    assert (found.status, found.data["stack"], len(found.data["changes"])) == (0, "ai", 2)
    assert "ai is meant" in found.events("config.refused")[0]["reason"]


def test_explain_goes_on_without_the_record(cli: Cli) -> None:
    (cli.state / "ai/audit.jsonl").mkdir(parents=True)
    found = cli("explain", "site/one")
    assert found.status == 0
    assert "site/one: create is due" in found.out
    assert f"last change: {cli.state}/ai/audit.jsonl: the audit log cannot be read" in found.out


def test_the_config_says_which_stack(state: Path, past: Past, tmp_path: Path) -> None:
    past.change("vpc/a")
    Past(state, "other").change("vpc/b")
    config = tmp_path / "estate.yaml"
    config.write_text('stack: other\naccount: "123456789012"\nresources: {}\n')
    assert addresses(history(state, "--config", str(config), "--json")) == ["vpc/b"]


def test_of_several_stacks_one_has_to_be_said(state: Path, past: Past) -> None:
    past.change("vpc/a")
    assert history(state).status == 0
    Past(state, "other").change("vpc/b")
    asked = history(state)
    assert asked.status == 64
    assert f"{state} has ai, other: say --stack" in asked.err
    assert asked.out == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "knows of no stack: say --state-dir"),
        (["--stack", "../ai"], "'../ai' is not the name of a stack"),
        (["--stack", "ai", "--last", "0"], "--last: '0' is not a whole number"),
        (["--stack", "ai", "--since", "yesterday"], "--since: 'yesterday' is no time; write it like"),
    ],
)
def test_words_that_are_wrong(state: Path, words: list[str], said: str) -> None:
    found = history(state, *words)
    assert (found.status, found.out) == (64, "")
    assert said in found.err
    assert "Traceback" not in found.err


def test_a_file_that_cannot_be_read_is_said(state: Path) -> None:
    (state / "ai/audit.jsonl").mkdir(parents=True)
    found = history(state)
    assert found.status == 1
    assert "the audit log cannot be read" in found.err
    assert "Traceback" not in found.err


# ---- times


NOW = datetime(2026, 11, 23, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", "2026-11-23T01:12:00.000Z"),
        ("1d12h", "2026-11-21T15:12:00.000Z"),
        ("90", "2026-11-23T03:10:30.000Z"),
        ("03:00", "2026-11-23T03:00:00.000Z"),
        ("03:13", "2026-11-22T03:13:00.000Z"),
        ("2026-11-20", "2026-11-20T00:00:00.000Z"),
        ("2026-11-20 10:30", "2026-11-20T10:30:00.000Z"),
        ("2026-11-20T10:30:15Z", "2026-11-20T10:30:15.000Z"),
        ("2026-11-20T10:30-05:00", "2026-11-20T15:30:00.000Z"),
    ],
)
def test_a_moment(text: str, expected: str) -> None:
    assert moment(text, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "-2h", "25:00", "2026-13-01", "9999999999d", "0001-01-01T00:00+14:00"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match="is no time; write it like"):
        moment(text, NOW)
