"""Who we are, and where calls go: a wrong account ends everything before it begins."""

from __future__ import annotations

import pytest

from .support import NETWORK, OTHER_ACCOUNT, Cli, networks, run
from .wire import Wire

ELSEWHERE = f'stack: ai\naccount: "{OTHER_ACCOUNT}"\nregion: us-west-2\n'


@pytest.mark.parametrize("words", [["plan"], ["drift"], ["outputs"], ["run", "--once"], ["destroy", "--yes"]])
def test_in_a_wrong_account_nothing_is_asked_but_who_we_are(cli: Cli, line: Wire, words: list[str]) -> None:
    cli.write(NETWORK, ELSEWHERE)
    found = cli(*words)
    assert (found.status, found.out) == (77, "")
    assert line.calls == ["GetCallerIdentity"]
    assert [one["reason"] for one in found.events("identity.mismatch")] == [
        "the credentials belong to account 123456789012 and the config says 210987654321: nothing was done; "
        "choose other credentials (--profile) or correct `account:`"
    ]


def test_a_person_reads_a_sentence(cli: Cli) -> None:
    cli.write(NETWORK, ELSEWHERE)
    told = cli("plan", "--log-format", "console").err.splitlines()
    assert told[-1].startswith("reconciler: the credentials belong to account 123456789012")
    assert len(told) == 2, "the endpoint, and this"


def test_the_endpoint_of_the_environment_is_honoured_and_told(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", cli.url)
    words = cli.line("run", "--once")
    at = words.index("--endpoint-url")
    done = run(words[:at] + words[at + 2 :])
    assert done.status == 0
    (warning,) = done.events("endpoint.overridden")
    assert (warning["level"], warning["endpoints"]) == ("warning", {"AWS_ENDPOINT_URL": cli.url})
    assert len(networks(cli.url)) == 1


def test_the_option_counts_before_the_environment(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "")
    found = cli("plan")
    assert found.status == 0
    (warning,) = found.events("endpoint.overridden")
    assert warning["endpoints"] == {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "--endpoint-url": cli.url}


@pytest.mark.parametrize("url", ["localhost:9", "ftp://x", "https://", "https://user:secret@host"])
def test_an_endpoint_that_is_no_url_is_a_typo(cli: Cli, url: str) -> None:
    found = cli("plan", "--endpoint-url", url)
    assert found.status == 64
    assert found.err.startswith("reconciler: --endpoint-url: ")
    assert "secret" not in found.err
