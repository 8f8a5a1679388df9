"""Accidents of configs on the command line: the exit status, that nothing is done, and the words a person needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .support import HEAD, OTHER_ACCOUNT, Cli, client, vpcs

ESTATE = "\nresources:\n" + "".join(
    f"  vpc/{name}: {{CidrBlock: 10.{number}.0.0/16, protect: false}}\n" for number, name in enumerate("abcd")
)
ALL = [f"10.{number}.0.0/16" for number in range(4)]


@pytest.fixture
def made(cli: Cli) -> Iterator[Cli]:
    """Four VPCs, which are still there in the end."""
    cli.write(ESTATE)
    assert cli("run", "--once").status == 0
    yield cli
    assert vpcs(cli.url) == ALL
    assert client("ec2", cli.url, "eu-west-1").describe_vpcs()["Vpcs"][1:] == []


def test_accidents_that_are_refused(made: Cli) -> None:
    """78, with the place; nothing is asked of AWS."""
    whole = made.file.read_text()
    folder = made.folder / "conf.d"
    folder.mkdir()
    (folder / "a.yaml").write_text(whole)
    (folder / "b.yaml").write_text("")
    (folder / "c.yaml").symlink_to(folder / "nowhere")
    for text, words in (
        ("", "estate.yaml: is empty: no stack, no account, no resources (was the file cut short?)"),
        (whole[: whole.index(", protect")], f"estate.yaml:{len(HEAD.splitlines()) + 3}:"),
        (
            whole.replace("  vpc/c", "<<<<<<< HEAD\n  vpc/c"),
            "a merge conflict stands in the file (keep one side",
        ),
        (HEAD + "resources:\n", "was the file cut short?"),
    ):
        made.file.write_text(text)
        for verb in (("run", "--once"), ("plan",)):
            done = made(*verb)
            assert done.status == 78
            assert words in done.events("config.refused")[0]["reason"], done.err
    done = made("run", "--once", "--config", str(folder))
    told = [line["reason"] for line in done.events("config.refused")]
    assert done.status == 78
    assert told == [
        f"{folder}/b.yaml: is empty (was it cut short? remove it if nothing belongs there)",
        f"{folder}/c.yaml: cannot be read: No such file or directory",
    ]


@pytest.mark.parametrize(
    ("text", "guard", "words"),
    [
        (
            ESTATE[: ESTATE.index("  vpc/b")],
            "shrink",
            "lost 3 of the 4 things that this stack owns (vpc/b, vpc/c, vpc/d)",
        ),
        (
            ESTATE[: ESTATE.index("  vpc/c")],
            "percent",
            "and `limits: percent` allows 1. Do it in smaller steps",
        ),
        (
            ESTATE.replace("vpc/", "vpc/new-"),
            "shrink",
            "Renamed? 4 others of the same kinds are new: say `previously:",
        ),
        ("\nresources: {}\n", "empty", "say --allow-empty"),
    ],
)
def test_accidents_that_are_stopped(made: Cli, text: str, guard: str, words: str) -> None:
    """3, with the command that agrees to it, where one can."""
    made.write(text)
    done = made("run", "--once")
    [line] = done.events("guard.stopped")
    assert (done.status, line["guard"]) == (3, guard)
    assert words in line["reason"]
    assert ("or agree to it: `reconciler approve " in line["reason"]) is (guard != "empty")
    assert f" --config {made.file} --reason …`" in line["reason"] or guard == "empty"


def test_the_wrong_account_and_the_wrong_region(made: Cli) -> None:
    made.write(ESTATE, HEAD.replace("123456789012", OTHER_ACCOUNT))
    done = made("run", "--once")
    assert done.status == 77
    assert (
        "choose other credentials (--profile) or correct `account:`"
        in done.events("identity.mismatch")[0]["reason"]
    )
    made.write(ESTATE, HEAD.replace("us-west-2", "eu-west-1"), discovered=False)
    done = made("run", "--once")
    assert done.status == 1
    assert done.out.count("region cannot change after creation: change it back") == 4
