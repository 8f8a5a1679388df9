"""The man page and the completions: as the code is, well formed, and they complete in the shells that are here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler import exits, manual
from reconciler.kinds import ALL
from reconciler.options import VERBS, parsers
from reconciler.settings import documented

ROOT = Path(__file__).parent.parent
MADE = {
    "man": "docs/reconciler.8",
    "bash": "completions/reconciler.bash",
    "zsh": "completions/_reconciler",
    "fish": "completions/reconciler.fish",
}


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


@pytest.mark.parametrize(("form", "path"), MADE.items(), ids=MADE)
def test_what_is_made_from_the_code_is_not_stale(
    form: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert manual.main([form]) == 0
    assert (ROOT / path).read_text() == capsys.readouterr().out, "say `make docs`"


@pytest.mark.parametrize("words", [[], ["html"], ["man", "bash"]], ids=str)
def test_a_wrong_word(words: list[str]) -> None:
    assert manual.main(words) == 64


# ------------------------------------------------------------------------------------------------------- man page


def page() -> str:
    """The page as it is read."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "GROFF_NO_SGR": "1", "GROFF_SGR": ""}
    words = ["groff", "-man", "-Tutf8", "-ww", "-P-cbou", "-rLL=100n", "-rHY=0", str(ROOT / MADE["man"])]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=True)
    assert done.stderr == ""
    return done.stdout


@needs("groff")
def test_the_page_is_well_formed_and_has_its_sections() -> None:
    headings = [line for line in page().splitlines() if line and line == line.upper() and line[0] != " "]
    assert [line for line in headings if not line.startswith("RECONCILER(8)")] == [
        *("NAME", "SYNOPSIS", "DESCRIPTION", "VERBS", "OPTIONS", "SETTINGS", "SIGNALS", "EXIT STATUS"),
        *("ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO"),
    ]


@needs("groff")
def test_the_page_has_every_verb_option_variable_and_example() -> None:
    told = page()
    assert "\x1b" not in told
    for name, verb in parsers()[1].items():
        assert f"reconciler {name} " in told
        assert VERBS[name] in " ".join(told.split())
        for option in verb.words:
            assert option in told, f"{name} {option}"
    for setting in documented():
        assert f"{setting.option}" in told
        assert setting.variable in told
    assert """jq '.findings[] | select(.status == "bad")'""" in told, "quotes and dashes can be copied"


@needs("man")
def test_man_has_nothing_to_complain_of() -> None:
    words = ["man", "--warnings", "-E", "UTF-8", "-l", str(ROOT / MADE["man"])]
    done = subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, "MANPAGER": "cat"}, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_exit_status_is_in_the_table() -> None:
    assert manual.STATUSES.keys() == {value for name, value in vars(exits).items() if name.isupper()}


# ---------------------------------------------------------------------------------------------------- completions

HARNESS = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
complete -p reconciler >/dev/null || exit 1
_reconciler
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(*words: str) -> list[str]:
    """What bash offers for the last of the words; it splits at `=`, as bash does."""
    given = ["bash", "--norc", "-c", HARNESS, "bash", str(ROOT / MADE["bash"]), "reconciler", *words]
    done = subprocess.run(given, capture_output=True, text=True, check=True, cwd=ROOT)
    # outside of a completion bash has no options of one to set
    assert done.stderr == ""
    return done.stdout.split()


@needs("bash")
@pytest.mark.parametrize("form", ["bash"])
def test_bash_can_read_it(form: str) -> None:
    subprocess.run(["bash", "-n", str(ROOT / MADE[form])], check=True)


BASH = {
    "a verb": (("dr",), ["drift"]),
    "all verbs": (("",), [*VERBS, "--help", "--version"]),
    "an option": (("plan", "--detailed"), ["--detailed-exitcode"]),
    "an option of another verb": (("plan", "--yes"), []),
    "no option that is not shown": (("check", "--state"), []),
    "a choice": (("plan", "--format", ""), ["text", "json"]),
    "the beginning of a choice": (("plan", "--log-level", "w"), ["warning"]),
    "a choice behind =": (("plan", "--format", "=", "j"), ["json"]),
    "nothing behind = yet": (("plan", "--format", "="), ["text", "json"]),
    "a value of one's own": (("plan", "--region", ""), []),
    "a file": (("plan", "--config", "pyproj"), ["pyproject.toml"]),
    "an option after a value": (("plan", "--config", "x", "--allow-e"), ["--allow-empty"]),
    "a kind": (("kinds", "sub"), ["subnet"]),
}


@needs("bash")
@pytest.mark.parametrize(("words", "offered"), BASH.values(), ids=BASH)
def test_bash_completes(words: tuple[str, ...], offered: list[str]) -> None:
    assert completed(*words) == offered


@needs("bash")
def test_bash_knows_every_kind_and_shown_option() -> None:
    assert {kind.name for kind in ALL} <= set(completed("kinds", ""))
    for name, verb in parsers()[1].items():
        assert set(verb.words) <= set(completed(name, "-")), name


@needs("zsh")
def test_zsh_can_read_it() -> None:
    subprocess.run(["zsh", "-n", str(ROOT / MADE["zsh"])], check=True)


FISH = {
    "a verb": ("reconciler dri", ["drift"]),
    "an option": ("reconciler plan --detailed", ["--detailed-exitcode"]),
    "a choice": ("reconciler plan --format ", ["json", "text"]),
    "a value of one's own": ("reconciler plan --region ", []),
}


@needs("fish")
@pytest.mark.parametrize(("line", "offered"), FISH.values(), ids=FISH)
def test_fish_completes(line: str, offered: list[str]) -> None:
    script = f"source {ROOT / MADE['fish']}; complete -C '{line}'"
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, check=True)
    assert [one.split("\t")[0] for one in done.stdout.splitlines()] == offered
