"""No secret, user data or location gets out: not into a plan, a log line, a document or an error, at any level."""

from __future__ import annotations

import base64

import pytest

from .support import Cli, Result, client

SECRETS = {
    "street": "Geheimgasse 17",
    "latitude": "47.3769123",
    "longitude": "8.5417456",
    "data": "hunter2-tok",
}
NEW = {"street": "Stillestrasse 9", "latitude": "46.9481321", "longitude": "7.4474132", "data": "other5-tok"}


def config(found: dict[str, str], image: str = "ami-00000000000000bad") -> str:
    return f"""
resources:
  global-network/main: {{}}
  site/one:
    GlobalNetworkId: ${{global-network/main}}
    Location: {{Address: {found["street"]}, Latitude: "{found["latitude"]}", Longitude: "{found["longitude"]}"}}
  instance/one:
    ImageId: {image}
    InstanceType: t2.micro
    UserData: "#!/bin/sh\\nlogin {found["data"]}\\n"
"""


def leaks(found: Result, *kept: dict[str, str]) -> list[str]:
    """The secrets that got out, plain or as AWS is told them."""
    texts = [text for one in kept for text in one.values()]
    for one in kept:
        script = f"#!/bin/sh\nlogin {one['data']}\n"
        texts += [base64.b64encode(script.encode()).decode(), base64.b64encode(one["data"].encode()).decode()]
    return [text for text in texts if text in found.out + found.err]


@pytest.fixture
def image(cli: Cli) -> str:
    """An image that there is."""
    found: str = client("ec2", cli.url).describe_images()["Images"][0]["ImageId"]
    return found


DEBUG = ("--log-level", "debug")


def test_a_life_without_a_leak(cli: Cli, image: str) -> None:
    cli.write(config(SECRETS, image))
    for words in (["plan"], ["plan", "--json"], ["run", "--once", "--json"], ["outputs"]):
        found = cli(*words, *DEBUG)
        assert found.status == 0, found
        assert leaks(found, SECRETS) == []
    cli.write(config(NEW, image))
    for words in (["drift"], ["plan", "--json"], ["run", "--once"], ["run", "--once", "--json"]):
        found = cli(*words, *DEBUG)
        assert found.out, "there is something to be told"
        assert leaks(found, SECRETS, NEW) == []
    assert leaks(cli("destroy", "--yes", *DEBUG), SECRETS, NEW) == []


@pytest.mark.parametrize("form", [("--log-format", "console"), ("--json",)])
def test_an_error_tells_none(cli: Cli, form: tuple[str, ...]) -> None:
    cli.write(config(SECRETS))
    failed = cli("run", "--once", *form, *DEBUG)
    assert failed.status == 1
    assert "InvalidAMIID.NotFound" in failed.out + failed.err
    assert leaks(failed, SECRETS) == []


def test_a_sensitive_value_is_marked(cli: Cli) -> None:
    cli.write(config(SECRETS))
    shown = cli("plan").out
    assert "      Location: (sensitive)\n" in shown
    assert "      UserData: (sensitive)\n" in shown
    calls = [entry["calls"][0] for entry in cli("plan", "--json").data["addresses"]]
    parameters = {name: value for call in calls for name, value in call["parameters"].items()}
    assert (parameters["Location"], parameters["UserData"]) == ("(sensitive)", "(sensitive)")
