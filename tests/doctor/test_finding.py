"""Findings as text, as JSON and as an exit status."""

from __future__ import annotations

import pytest

from reconciler.doctor.finding import Finding, as_data, as_text, bad, exit_status, ok, unknown, warning

FOUND = [
    ok("clock", "agrees with AWS's"),
    warning("credentials", "from env", "use a role"),
    bad("rights", "not allowed: ec2:DeleteVpc", "allow it"),
    unknown("rights", "cannot be told: ec2:ModifyVpcAttribute"),
]

STATUSES = {
    "nothing": ([], 0),
    "warnings are no failure": (FOUND[:2] + FOUND[3:], 0),
    "something": (FOUND, 1),
    "the config before something": ([*FOUND, bad("config", "x", "y", 78)], 78),
    "who we are before all": ([bad("config", "x", "y", 78), *FOUND, bad("account", "x", "y", 77)], 77),
}


@pytest.mark.parametrize(("findings", "status"), STATUSES.values(), ids=STATUSES)
def test_the_exit_status(findings: list[Finding], status: int) -> None:
    assert exit_status(findings) == status


def test_a_line_each_and_one_that_counts() -> None:
    assert as_text(FOUND).splitlines() == [
        "ok       clock        agrees with AWS's",
        "warning  credentials  from env; use a role",
        "bad      rights       not allowed: ec2:DeleteVpc; allow it",
        "unknown  rights       cannot be told: ec2:ModifyVpcAttribute",
        "1 ok, 1 warning, 1 bad, 1 unknown.",
    ]


def test_what_others_have_written_stays_in_its_line() -> None:
    text = as_text([ok("files", "a\nbad      b\x1b[2J")])
    assert len(text.splitlines()) == 2
    assert "\x1b" not in text


def test_colours_are_around_the_status_alone() -> None:
    line = as_text(FOUND[2:3], colour=True).splitlines()[0]
    assert line == "\x1b[31;1mbad     \x1b[0m rights       not allowed: ec2:DeleteVpc; allow it"


def test_the_document() -> None:
    assert as_data(FOUND[:3])["findings"][0] == {
        "status": "ok",
        "topic": "clock",
        "what": "agrees with AWS's",
        "mend": None,
    }
    assert (as_data(FOUND)["version"], as_data(FOUND)["exit_status"]) == (1, 1)
