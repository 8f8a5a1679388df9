"""No secret, user data or location gets out: not into a plan, a log line, a document or an error, at any level."""

from __future__ import annotations

import base64
import io
import logging
import re
from collections.abc import Iterator

import boto3
import pytest

from reconciler import log

from .support import ACCOUNT, REGION, Cli, Result, client

SECRETS = {
    "street": "Geheimgasse 17",
    "latitude": "47.3769123",
    "longitude": "8.5417456",
    "data": "hunter2-tok",
}
KEYS = {"AWS_SECRET_ACCESS_KEY": "kEyOfOurs/4711", "AWS_SESSION_TOKEN": "tOkEnOfOurs//0815=="}
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
    texts = [text for one in (*kept, KEYS) for text in one.values()]
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
LOUD = (
    *("auth", "credentials", "endpoint", "hooks", "httpsession"),
    *("parsers", "regions", "retryhandler", "utils"),
)
"""Loggers of botocore, most of which tell secrets at DEBUG."""


@pytest.fixture(autouse=True)
def loud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials with a session token, and somebody who wants to see everything that libraries say."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    loggers = [logging.getLogger(f"botocore.{name}") for name in LOUD] + [
        logging.getLogger("urllib3.connectionpool")
    ]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield
    for logger in loggers:
        logger.setLevel(logging.NOTSET)


def test_what_botocore_tells_at_debug_is_in_no_line(cli: Cli, image: str) -> None:
    ours, plain, root = io.StringIO(), logging.StreamHandler(io.StringIO()), logging.getLogger()
    log.configure(stream=ours, level="debug", environment={})
    before, above = root.level, logging.getLogger("botocore").level
    for logger in (root, logging.getLogger("botocore")):
        logger.setLevel(logging.DEBUG)
    root.addHandler(plain)
    try:
        told = tell_secrets(cli.url, image)
    finally:
        root.removeHandler(plain)
        root.setLevel(before)
        logging.getLogger("botocore").setLevel(above)
    assert [name for name, text in told.items() if text not in plain.stream.getvalue()] == []
    assert [name for name, text in told.items() if text in ours.getvalue()] == []
    logging.getLogger("botocore.auth").info("what may be said")
    assert "what may be said" in ours.getvalue(), "it is the log"


def tell_secrets(url: str, image: str) -> dict[str, str]:
    """Make calls that carry secrets there and back; gives the secrets by what they are."""
    session = boto3.session.Session(region_name=REGION)  # the default one may have other credentials by now
    ec2, sts = (session.client(name, endpoint_url=url) for name in ("ec2", "sts"))
    script = f"#!/bin/sh\nlogin {SECRETS['data']}\n"
    ec2.run_instances(ImageId=image, InstanceType="t2.micro", MinCount=1, MaxCount=1, UserData=script)
    theirs = ec2.create_customer_gateway(Type="ipsec.1", PublicIp="192.0.2.1", BgpAsn=65000)
    ours = ec2.create_vpn_gateway(Type="ipsec.1")
    made = ec2.create_vpn_connection(
        Type="ipsec.1",
        CustomerGatewayId=theirs["CustomerGateway"]["CustomerGatewayId"],
        VpnGatewayId=ours["VpnGateway"]["VpnGatewayId"],
        Options={"TunnelOptions": [{"PreSharedKey": "oUrPreSharedKey4711"}]},
    )["VpnConnection"]
    (key, *_) = re.findall("<pre_shared_key>(.+?)</pre_shared_key>", made["CustomerGatewayConfiguration"])
    role = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/x", RoleSessionName="reconciler")[
        "Credentials"
    ]
    return {
        "the session token": KEYS["AWS_SESSION_TOKEN"],
        "the user data": base64.b64encode(script.encode()).decode(),
        "our pre-shared key": "oUrPreSharedKey4711",
        "their pre-shared key": key,
        "the role's key": role["SecretAccessKey"],
        "the role's token": role["SessionToken"],
    }


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
