"""Options, variables and the environment: what counts before what, and what is said of a word that is wrong."""

from __future__ import annotations

import pytest

from reconciler.options import VERBS

from .support import ACCOUNT, REGION, Cli, run

VARIABLE = 'variables: {size: {}}\nresources: {global-network/main: {Description: "is ${var.size}"}}\n'
NO_REGION = f'stack: ai\naccount: "{ACCOUNT}"\n'
VPC = "resources: {vpc/a: {CidrBlock: 10.0.0.0/16}}\n"


def description(cli: Cli, *options: str) -> str:
    found: str = cli("plan", "--json", *options).data["addresses"][0]["calls"][0]["parameters"]["Description"]
    return found


def region(cli: Cli, *options: str) -> str:
    found: str = cli("plan", "--json", *options).data["addresses"][0]["region"]
    return found


def test_variables(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.write(VARIABLE)
    refused = cli("check")
    assert refused.status == 78
    assert (
        "variables.size: this variable has no value (give --var size=… or RECONCILER_VAR_SIZE" in refused.out
    )
    monkeypatch.setenv("RECONCILER_VAR_SIZE", "small")
    assert description(cli) == "is small"
    assert description(cli, "--var", "size=large") == "is large"
    assert cli("plan", "--var", "size").status == 64
    unknown = cli("check", "--var", "siez=x")
    assert unknown.status == 78
    assert "siez" in unknown.out


def test_the_config_of_the_environment(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = run(["check"])
    assert (missing.status, missing.err) == (
        64,
        "reconciler: which config? say --config PATH, or set RECONCILER_CONFIG\n",
    )
    monkeypatch.setenv("RECONCILER_CONFIG", str(cli.file))
    assert run(["check"]).status == 0
    assert run(["check", "--config", "/nowhere"]).status == 78


def test_a_folder_is_one_config(cli: Cli) -> None:
    folder = cli.folder / "conf.d"
    folder.mkdir()
    (folder / "a.yaml").write_text(NO_REGION)
    (folder / "b.yaml").write_text("resources: {global-network/main: {}}\n")
    assert cli("check", "--config", str(folder)).out == "1 resources, 0 outputs: no problems\n"


def test_a_region_counts_only_where_the_config_names_none(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.write(VPC)
    monkeypatch.setenv("AWS_REGION", "us-nowhere-1")
    assert region(cli, "--region", "eu-west-1") == REGION
    cli.write(VPC, NO_REGION)
    assert cli("check").status == 78
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert region(cli) == "eu-central-1"
    monkeypatch.setenv("RECONCILER_REGION", "ap-south-1")
    assert region(cli) == "ap-south-1"
    assert region(cli, "--region", "eu-west-1") == "eu-west-1"


def test_no_region_at_all(cli: Cli) -> None:
    cli.write(VPC, NO_REGION)
    found = cli("check")
    assert found.status == 78
    assert "region" in found.out


WRONG = [
    ([], "reconciler: say what to do: check, plan, run, "),
    (["pln"], "reconciler: there is no verb 'pln' (did you mean plan?); see reconciler --help\n"),
    (["--config", "x", "plan"], "reconciler: options follow the verb: reconciler VERB --config …"),
    (["plan", "--cofig", "x"], "reconciler plan: there is no option --cofig (did you mean --config?); see"),
    (["plan", "--zzz=1"], "reconciler plan: there is no option --zzz; see reconciler plan --help\n"),
    (["plan", "x"], "reconciler plan: 'x' is one word too many; see"),
    (["destroy", "--y"], "reconciler destroy: there is no option --y (did you mean --yes?); see"),
    (["plan", "--yes"], "reconciler plan: there is no option --yes"),
    (["plan", "--log-level", "loud"], "reconciler plan: argument --log-level: invalid choice: 'loud'"),
    (["run", "--timeout"], "reconciler run: argument --timeout: expected one argument; see"),
    (["run", "--timeout", "soon"], "reconciler: --timeout: 'soon' is not a duration; write it like 90s"),
    (["run", "--workers", "0"], "reconciler: --workers: '0' is not a whole number from 1 to 64\n"),
    (["sandbox", "--port", "65536"], "reconciler sandbox: argument --port: '65536' is not a port"),
    (
        ["sandbox", "--faults", "/nowhere/faults.yaml"],
        "reconciler: --faults: /nowhere/faults.yaml cannot be read",
    ),
    (["sandbox", "--ready-file", "/nowhere/url"], "reconciler: --ready-file: there is no folder /nowhere\n"),
    (["kinds", "sight"], "reconciler: there is no kind 'sight' (did you mean site?)\n"),
]


@pytest.mark.parametrize(("words", "told"), WRONG, ids=lambda value: " ".join(value))
def test_a_wrong_word_gets_one_sentence(words: list[str], told: str) -> None:
    found = run(words)
    assert (found.status, found.out) == (64, "")
    assert found.err.startswith(told)
    assert len(found.err.splitlines()) == 1


def test_a_bad_file_of_faults_is_told_as_a_bad_config_is(cli: Cli) -> None:
    file = cli.file.parent / "rules.yaml"
    file.write_text("- {call: CreatSite, do: drop}\n- {call: GetSites, do: dorp}\n")
    found = run(["sandbox", "--log-format", "console", "--faults", str(file)])
    assert (found.status, found.out) == (78, "")
    told = found.err.replace(f"{file.parent}/", "")
    assert (
        "rules.yaml:1:10: [0].call: no service has an operation CreatSite (did you mean CreateSite?)" in told
    )
    assert "rules.yaml:2:24: [1].do: there is no fault dorp (did you mean drop?)" in told


def test_a_wrong_variable_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_LOG_LEVEL", "loud")
    found = run(["check", "--config", str(cli.file)])
    assert (found.status, found.err) == (
        64,
        "reconciler: RECONCILER_LOG_LEVEL: 'loud' is none of debug, info, warning, error\n",
    )


def test_help_begins_with_three_examples() -> None:
    shown = run(["--help"]).out.splitlines()
    assert shown[2] == "examples:"
    assert [line.split()[:2] for line in shown[3:6]] == [
        ["reconciler", "check"],
        ["reconciler", "plan"],
        ["reconciler", "run"],
    ]
    assert all(any(line.split()[:1] == [verb] for line in shown) for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_and_takes_the_common_options(verb: str, cli: Cli) -> None:
    shown = run([verb, "--help"])
    assert (shown.status, shown.err) == (0, "")
    assert VERBS[verb] in shown.out
    for option in ("--json", "--log-format", "--log-level"):
        assert option in shown.out
