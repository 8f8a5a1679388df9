"""What people and programs get to see of a plan: signs, order, counts, and never a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from reconciler.aws.schema import BotocoreSchema
from reconciler.kinds import ALL
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.fields import Facts
from reconciler.model.kind import Kind
from reconciler.model.plan import Entry, Plan
from reconciler.model.reads import Read
from reconciler.model.schema import Shape
from reconciler.model.things import Observed, Parameter, Pending, Scope
from reconciler.model.verdicts import Blocked, Drift, Mover, Settled, Steps, Verb, Verdict, Wait
from reconciler.show import explain as show_explain
from reconciler.show.plan import as_data, as_text, summary

ACCOUNT = "123456789012"
SCHEMA = BotocoreSchema()
VPN = Kind(
    name="vpn-connection",
    about="A kind with secrets deep inside.",
    service="ec2",
    read=Read(operation="DescribeVpnConnections", path="VpnConnections", ids="VpnConnectionIds", page=None),
    create="CreateVpnConnection",
    delete="DeleteVpnConnection",
    id="VpnConnectionId",
    tag_type="vpn-connection",
)
FACTS: dict[str, Facts] = {kind.name: Facts(kind, SCHEMA) for kind in (*ALL, VPN)}
MARK = "s3cr3t-m4rk"


def entry(label: str, verdict: Verdict, id: str = "", *, region: str = "us-west-2", **more: Any) -> Entry:
    """An entry; with an id, of a thing that was seen."""
    address = Address.parse(label)
    where = region if FACTS[address.kind].kind.regional else ""
    seen = Observed(
        kind=address.kind,
        account=ACCOUNT,
        region=where,
        id=id,
        arn="",
        state=None,
        spec={},
        tags={},
        raw={},
        address=address,
    )
    scope = Scope(address.kind, ACCOUNT, where)
    return Entry(address=address, scope=scope, verdict=verdict, seen=seen if id else None, **more)


def call(operation: str, service: str = "ec2", why: str = "because", **parameters: Any) -> Call:
    return Call(service=service, operation=operation, parameters=parameters, why=why, region="us-west-2")


def plan(*entries: Entry, **more: Any) -> Plan:
    return Plan(stack="ai", entries=entries, **more)


def steps(verb: Verb, *calls: Call, drift: tuple[Drift, ...] = (), why: str = "") -> Steps:
    return Steps(verb, calls, drift=drift, why=why)


def tags(**given: str) -> list[dict[str, str]]:
    return [{"Key": key.replace("__", ":"), "Value": value} for key, value in given.items()]


OURS = {
    "reconciler__stack": "ai",
    "reconciler__address": "instance/worker",
    "reconciler__digest.UserData": "1:abc",
}
EVERYTHING = plan(
    entry("global-network/ai", Settled(), "global-network-1"),
    entry(
        "site/one",
        steps(
            "create",
            call(
                "CreateSite",
                "networkmanager",
                GlobalNetworkId="global-network-1",
                Description="Köln",
                Location={"Address": "123 AI Lane"},
                Tags=tags(reconciler__stack="ai", reconciler__address="site/one", team="ml"),
            ),
        ),
    ),
    entry("vpc/main", steps("create", call("CreateVpc", CidrBlock="10.0.0.0/16"))),
    entry(
        "instance/worker",
        steps(
            "create",
            call(
                "RunInstances",
                SubnetId=Pending(Address("subnet", "a")),
                ImageId=Parameter("/aws/x"),
                MinCount=1,
                UserData="#!/bin/sh",
                SecurityGroupIds=[Pending(Address("security-group", "a")), "sg-1"],
                TagSpecifications=[{"ResourceType": "instance", "Tags": tags(Name="w", **OURS)}],
            ),
        ),
    ),
    entry(
        "site/two",
        steps(
            "update",
            call("UpdateSite", "networkmanager", Description="new"),
            drift=(
                Drift("Description", "new", "old", "drift"),
                Drift("Location.Address", "there", "here", "both"),
                Drift("Tags.team", "ml", None, "pending"),
                Drift("Tags.gone", None, "x"),
            ),
        ),
        "site-2",
    ),
    entry("subnet/a", Wait("needs vpc/main")),
    entry("subnet/b", Settled(("an update is available",)), "subnet-2"),
    entry("subnet/c", Blocked("CidrBlock cannot change", (Drift("CidrBlock", "b", "a"),)), "subnet-3"),
    entry(
        "instance/old",
        steps("replace", call("TerminateInstances"), drift=(Drift("ImageId", "b", "a"),), why="ImageId cannot"),
        "i-1",
    ),
    entry("subnet/x", steps("delete", call("DeleteSubnet"), why="not in the config"), "subnet-9", wanted=False),
    entry(
        "vpc/x", steps("delete", call("DeleteVpc"), why="it makes way"), "vpc-9", wanted=False, old=True
    ),
    conflicts=("vpc vpc-7 claims vpc/y and has no stack tag",),
    unread={Scope("security-group", ACCOUNT, "eu-west-1"): "Denied"},
)  # fmt: skip

GOLDEN = """\
  + site/one: create
      GlobalNetworkId: "global-network-1"
      Description: "Köln"
      Location: (sensitive)
      Tags.team: "ml"
  + vpc/main (us-west-2): create
      CidrBlock: "10.0.0.0/16"
  + instance/worker (us-west-2): create
      SubnetId: (known after apply)
      ImageId: "${ssm:/aws/x}"
      UserData: (sensitive)
      SecurityGroupIds: ["(known after apply)", "sg-1"]
      Tags.Name: "w"
  ~ site/two site-2: update
      Description: "old" -> "new"  (changed in AWS)
      Location.Address: (sensitive) -> (sensitive)  (changed in AWS and in the config)
      Tags.team: "ml"  (changed in the config)
      Tags.gone: "x" -> (none)  (unknown who has changed it)
  … subnet/a (us-west-2): waits, needs vpc/main
    subnet/b: an update is available
  ! subnet/c (us-west-2) subnet-3: blocked, CidrBlock cannot change
      CidrBlock: "a" -> "b"  (unknown who has changed it)
  -/+ instance/old (us-west-2) i-1: replace (ImageId cannot)
      ImageId: "a" -> "b"  (unknown who has changed it)
  - subnet/x (us-west-2) subnet-9: delete (not in the config)
  - vpc/x@old (us-west-2) vpc-9: delete (it makes way)
  ? security-group in eu-west-1 of 123456789012 could not be read, so nothing of it is created or deleted: Denied
  ! vpc vpc-7 claims vpc/y and has no stack tag

Plan: 3 to create, 1 to update, 1 to replace, 1 waiting, 1 blocked, 2 settled, 2 to delete.
"""


def test_a_plan_for_people() -> None:
    assert as_text(EVERYTHING, FACTS) == GOLDEN


def test_colour_changes_nothing_but_colour() -> None:
    coloured = as_text(EVERYTHING, FACTS, colour=True)
    assert "\x1b[31m  - subnet/x" in coloured
    assert "\x1b[32m  + site/one" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == GOLDEN


def test_what_looks_like_a_rename_is_asked() -> None:
    create, delete = (
        Steps("create", (), (), "it does not exist"),
        Steps("delete", (), (), "not in the config"),
    )
    renamed = (
        entry("vpc/new", create),
        entry("vpc/far", create, region="eu-west-1"),
        entry("vpc/lost", delete, "vpc-1", wanted=False),
        entry("vpc/new", delete, "vpc-2", wanted=False, old=True),
    )
    shown = as_text(Plan(stack="ai", entries=renamed), FACTS)
    assert "rename? then say `previously: [vpc/lost]` at vpc/new, and it stays" in shown
    assert shown.count("rename?") == 1, "not of another place, nor of what makes way"


def test_nothing_to_do_is_one_line() -> None:
    settled = plan(entry("vpc/main", Settled(), "vpc-1"), entry("subnet/a", Settled(), "subnet-1"))
    assert as_text(settled, FACTS) == "No changes. ai is as declared (2 settled).\n"


@pytest.mark.parametrize(
    "odd", [{"conflicts": ("vpc-7 is in doubt",)}, {"unread": {Scope("vpc", ACCOUNT, "eu-west-1"): "why"}}]
)
def test_what_is_in_doubt_is_never_no_changes(odd: dict[str, Any]) -> None:
    found = plan(entry("vpc/main", Settled(), "vpc-1"), **odd)
    assert summary(found) == "Plan: 0 to create, 0 to update, 0 to replace, 1 settled, 0 to delete."
    assert as_text(found, FACTS).count("\n") == 3


def test_what_others_have_written_does_not_reach_the_terminal_as_orders() -> None:
    evil = "\x1b[2J\r\n  + vpc/fake: create\x9b\u202e"
    found = plan(
        entry("vpc/a", Wait(evil)),
        entry("vpc/b", Settled((evil,)), "vpc-1"),
        entry("vpc/c", steps("update", drift=(Drift("Tags.x", "good", evil),)), "vpc-2"),
        entry("vpc/d", steps("create", call("CreateVpc", CidrBlock=evil, Tags=tags(x=evil)))),
        conflicts=(evil,),
        unread={Scope("vpc", ACCOUNT, "eu-west-1"): evil},
    )
    text = as_text(found, FACTS)
    assert not set("\x1b\r\x9b\u202e") & set(text)
    assert not any(line.startswith("  + vpc/fake") for line in text.splitlines())


def test_long_values_are_cut_for_people_only() -> None:
    long = "x" * 5000
    found = plan(entry("vpc/a", steps("create", call("CreateVpc", CidrBlock=long))))
    assert max(map(len, as_text(found, FACTS).splitlines())) < 160
    assert as_data(found, FACTS)["addresses"][0]["calls"][0]["parameters"]["CidrBlock"] == long


# ---- for programs


def test_a_plan_for_programs() -> None:
    data = as_data(EVERYTHING, FACTS)
    assert json.loads(json.dumps(data)) == data
    assert (data["version"], data["stack"], data["settled"]) == (1, "ai", False)
    assert data["summary"] == GOLDEN.splitlines()[-1]
    assert data["conflicts"] == list(EVERYTHING.conflicts)
    scope = {"kind": "security-group", "account": ACCOUNT, "region": "eu-west-1"}
    assert data["unread"] == [{"scope": scope, "reason": "Denied"}]
    assert [one["address"] for one in data["addresses"]] == [one.label for one in EVERYTHING.entries]
    members = {
        "address",
        "kind",
        "account",
        "region",
        "id",
        "verdict",
        "verb",
        "reason",
        "disruptive",
        "drifted",
        "drift",
        "calls",
    }
    assert all(one.keys() == members for one in data["addresses"])


def test_each_verdict_for_programs() -> None:
    found = {one["address"]: one for one in as_data(EVERYTHING, FACTS)["addresses"]}
    verdicts = {address: (one["verdict"], one["verb"], one["reason"]) for address, one in found.items()}
    assert verdicts["global-network/ai"] == ("settled", None, "")
    assert verdicts["subnet/b"] == ("settled", None, "an update is available")
    assert verdicts["subnet/a"] == ("wait", None, "needs vpc/main")
    assert verdicts["subnet/c"] == ("blocked", None, "CidrBlock cannot change")
    assert verdicts["vpc/x@old"] == ("steps", "delete", "it makes way")
    assert found["vpc/x@old"]["calls"] == [
        {
            "service": "ec2",
            "operation": "DeleteVpc",
            "account": "",
            "region": "us-west-2",
            "parameters": {},
            "reason": "because",
        }
    ]
    assert found["subnet/c"]["drift"] == [
        {"path": "CidrBlock", "wanted": "b", "seen": "a", "origin": "unknown"}
    ]
    assert (found["site/two"]["id"], found["site/one"]["id"]) == ("site-2", None)
    assert (found["site/two"]["region"], found["vpc/main"]["region"]) == ("", "us-west-2")
    given = found["instance/worker"]["calls"][0]["parameters"]
    assert given["SubnetId"] == "(known after apply)"
    assert given["ImageId"] == "${ssm:/aws/x}"
    assert given["UserData"] == "(sensitive)"


# ---- secrets


def secret_fields() -> Iterator[tuple[str, str]]:
    for name, found in FACTS.items():
        for field in found.fields.values():
            if field.write_only or any(marked(field.shape)):
                yield name, field.name


def marked(shape: Shape, above: tuple[str, ...] = ()) -> Iterator[bool]:
    """Whether a shape, or one inside it, is marked by AWS."""
    if shape.sensitive:
        yield True
    if shape.name not in above:
        for inner in (*shape.members.values(), *([shape.item] if shape.item else [])):
            yield from marked(inner, (*above, shape.name))


def filled(shape: Shape, secret: bool, above: tuple[str, ...] = ()) -> Any:
    """A value of a shape whose every secret place holds the mark, and every other place the word `plain`."""
    secret = secret or shape.sensitive
    if shape.name in above:
        return {}
    if shape.type == "structure":
        return {name: filled(inner, secret, (*above, shape.name)) for name, inner in shape.members.items()}
    if shape.item is not None:
        return [filled(shape.item, secret, (*above, shape.name))]
    return MARK if secret else "plain"


@pytest.mark.parametrize(("kind", "name"), list(secret_fields()))
def test_no_secret_is_shown(kind: str, name: str) -> None:
    """In a creation, in an update's parameters at any depth, and in drift: whole, or path by path."""
    field = FACTS[kind].fields[name]
    value = filled(field.shape, field.write_only)
    assert MARK in json.dumps(value)
    drift = (
        Drift(name, value, None),
        Drift(name, None, value),
        *(Drift(path, MARK, MARK) for path in paths(name, value)),
    )
    nested = call("Modify", Outer=[{"Inner": {name: {"Value": value}}}], **{name: value})
    shown = plan(
        entry(f"{kind}/a", steps("create", call("Create", **{name: value}))),
        entry(f"{kind}/b", steps("update", nested, drift=drift), "id-b"),
        entry(f"{kind}/c", Blocked("it cannot change", drift), "id-c"),
        entry(f"{kind}/d", steps("replace", nested, drift=drift), "id-d"),
    )
    assert MARK not in as_text(shown, FACTS)
    assert MARK not in json.dumps(as_data(shown, FACTS))


def paths(path: str, value: Any) -> Iterator[str]:
    """The paths of all marks in a value, as drift spells them."""
    match value:
        case dict():
            for name, inner in value.items():
                yield from paths(f"{path}.{name}", inner)
        case list():
            for index, inner in enumerate(value):
                yield from paths(f"{path}[{index}]", inner)
        case _ if value == MARK:
            yield path


def test_what_lies_beside_a_secret_is_shown() -> None:
    options = {"TunnelOptions": [{"PreSharedKey": MARK, "TunnelInsideCidr": "169.254.0.0/30"}]}
    found = plan(entry("vpn-connection/a", steps("create", call("CreateVpnConnection", Options=options))))
    for shown in (as_text(found, FACTS), json.dumps(as_data(found, FACTS))):
        assert "169.254.0.0/30" in shown
        assert MARK not in shown


def test_the_digest_of_a_secret_is_not_shown_either() -> None:
    """It would tell whether a guess is right."""
    digest = {"Key": "reconciler:digest.UserData", "Value": MARK}
    found = plan(
        entry("instance/a", steps("create", call("RunInstances", TagSpecifications=[{"Tags": [digest]}]))),
        entry(
            "instance/b",
            steps("update", call("CreateTags", Tags=[digest]), drift=(Drift(f"Tags.{digest['Key']}", MARK, MARK),)),
            "i-1",
        ),
    )  # fmt: skip
    assert MARK not in as_text(found, FACTS)
    assert MARK not in json.dumps(as_data(found, FACTS))


def test_a_tag_that_is_called_like_a_secret_is_none() -> None:
    found = plan(entry("instance/a", steps("update", drift=(Drift("Tags.UserData", "new", "old"),)), "i-1"))
    assert 'Tags.UserData: "old" -> "new"' in as_text(found, FACTS)


@pytest.mark.parametrize("mover", get_args(Mover))
def test_whatever_is_waited_for_can_be_explained(mover: Mover) -> None:
    told = show_explain.Told(
        entries=(entry("vpc/a", Wait("until then", mover)),), desired=None, facts=FACTS["vpc"]
    )
    first = show_explain.as_text(told).splitlines()[0]
    assert first.startswith("vpc/a: ")
    assert first.endswith(": until then")
