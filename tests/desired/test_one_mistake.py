"""One mistake is one problem: nothing that follows from it is told, and nothing else is hidden by it."""

from __future__ import annotations

import pytest

from .support import HEAD, config, problem, problems, resources

GOOD = """\
stack: ai
account: "123456789012"
accounts:
  data: {id: "210987654321", role: "arn:aws:iam::210987654321:role/r"}
region: us-west-2
variables: {cidr: {default: 10.0.0.0/16}, key: {default: k}}
lists:
  zones: {a: {block: 10.0.1.0/24, racks: [p, q]}, b: {block: 10.0.2.0/24, racks: []}}
limits: {deletes: 3}
resources:
  global-network/ai:
    Description: all of it
  site/${each.n}:
    for: {n: [a, b]}
    account: data
    GlobalNetworkId: ${global-network/ai}
    depends-on: global-network/ai
  vpc/main:
    CidrBlock: ${var.cidr}
  subnet/one:
    VpcId: ${vpc/main}
    CidrBlock: 10.0.0.0/24
  subnet/zone-${each.zone}:
    for: {zone: zones}
    VpcId: ${vpc/main}
    CidrBlock: ${each.zone.block}
  route-table/${each.zone}:
    for: {zone: zones}
    depends-on: [{for: {other: {except: zone}}, item: "subnet/zone-${each.other}"}]
    VpcId: ${vpc/main}
    Tags: {Name: "${each.zone.block}"}
    Associations:
      - {for: {o: {before: zone}, rack: zone.racks}, SubnetId: "${subnet/zone-${each.zone}}"}
      - {for: {one: [one]}, SubnetId: "${subnet/zone-${each.zone}}"}
  security-group/s:
    GroupName: s
    Description: s
    Ingress:
      - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIpv4: "${vpc/main.CidrBlock}"}
  instance/w:
    SubnetId: ${subnet/one}
    Tags: {Name: "${var.key}"}
outputs:
  worker: ${instance/w.PrivateIpAddress}
"""


def test_the_good_one() -> None:
    assert len(config(GOOD).resources) == 11


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("stack:", "stak:"),
        ("account:", "Account:"),
        ("accounts:", "acounts:"),
        ("region:", "regoin:"),
        ("variables:", "variabls:"),
        ("limits:", "limit:"),
        ("lists:", "list:"),
        ("zones: {a:", "zones: {A:"),
        ("racks: [p, q]", "racks: [p, p]"),
        ("racks: [p, q]", "racks: {p: 1, q: }"),
        ("racks: []", "rcks: []"),
        ("{zone: zones}", "{zone: zonse}"),
        ("zone-${each.zone}:", "zone-${each.zon}:"),
        ("{except: zone}", "{excpt: zone}"),
        ("{except: zone}", "{except: zon}"),
        ("{before: zone}", "{before: zon}"),
        ("rack: zone.racks", "rack: zone.rakcs"),
        ("rack: zone.racks", "rack: zon.racks"),
        ("rack: zone.racks", "rack: zone.block"),
        ("item: ", "itm: "),
        ("for: {one: [one]}", "for: {one: [One]}"),
        ("for: {one: [one]}", "fro: {one: [one]}"),
        ("${each.zone.block}", "${each.zone.blok}"),
        ("${each.zone.block}", "${each.zone.racks}"),
        ('{Name: "${each.zone.block}"}', '{Name: "${each.zone.blok}"}'),
        ("resources:", "resource:"),
        ("outputs:", "output:"),
        ("role:", "rol:"),
        ("default: k", "defalt: k"),
        ("global-network/ai:", "global-netwrk/ai:"),
        ("global-network/ai:", "Global-Network/ai:"),
        ("vpc/main:", "vpc/Main:"),
        ("vpc/main:", "vpcs/main:"),
        ("n: [a, b]", "n: [a, B]"),
        ("site/${each.n}:", "site/${each.m}:"),
        ("GlobalNetworkId:", "GlobalNetworkid:"),
        ("    VpcId:", "    VPCID:"),
        ("GroupName:", "groupName:"),
        ("subnet/one:", "subnet/one_:  # used nowhere else by this name"),
        ("${var.cidr}", "${var.cdr}"),
        ("${vpc/main.CidrBlock}", "${vpc/main.CidrBlok}"),
        ("${instance/w.", "${instances/w."),
        ("FromPort: 22", "FromPort: '22'"),
        ('"${var.key}"', "${var.key}"),
    ],
)
def test_a_slip_of_the_pen(right: str, wrong: str) -> None:
    assert right in GOOD
    problem(GOOD.replace(right, wrong, 1))


def test_a_second_block_is_read_as_well() -> None:
    """Two `resources:` in one file: what the second says is known, and checked."""
    found = problems(resources("subnet/a: {VpcId: '${vpc/a}'}") + "resources:\n  vpc/a: {Foo: x}\n")
    assert [one.what for one in found] == ["resources stands twice", "there is no such field"]


def test_a_resource_that_stands_twice_is_checked_twice() -> None:
    assert [one.what for one in problems(resources("vpc/a: {Foo: x}\nvpc/a: {Bar: x}"))] == [
        "there is no such field",
        "vpc/a stands twice",
        "there is no such field",
    ]
    found = problems(resources("vpc/a: {Foo: x}"), "resources:\n  vpc/a: {Bar: x}\n")
    assert [(one.place.file, one.what) for one in found] == [
        ("a.yaml", "there is no such field"),
        ("b.yaml", "vpc/a stands twice"),
        ("b.yaml", "there is no such field"),
    ]


def test_bare_references_are_told_all_and_hide_nothing() -> None:
    found = problems(
        resources(
            """
            global-network/ai: {Descripton: x}
            site/a: {GlobalNetworkId: ${global-network/ai}, Location: {Latitude: 5}}
            instance/b: {SecurityGroupIds: [${security-group/c}, "${security-group/c}"], Tags: {${var.x}: y}}
            security-group/c: {GroupName: g-${var.x}, Description: "in { } it is ${var.x}"}
            """,
            HEAD + "variables: {x: {default: x}}\n",
        )
    )
    assert [(one.place.line, one.place.column, one.what) for one in found] == [
        (6, 23, "there is no such field"),
        (7, 29, "a bare ${…} inside { } or [ ]"),
        (7, 72, "expected a string"),
        (8, 35, "a bare ${…} inside { } or [ ]"),
        (8, 87, "a bare ${…} inside { } or [ ]"),
        (9, 35, "a bare ${…} inside { } or [ ]"),
    ]


def test_a_tag_is_refused_and_its_value_taken_for_what_is_wanted() -> None:
    found = problems(
        resources("vpc/a: {CidrBlock: !!str 5, EnableDnsSupport: !!bool 'true', InstanceTenancy: !!str 5}")
    )
    assert [one.place.column for one in found] == [22, 49, 81, 81]


@pytest.mark.parametrize("text", ["[]", "text", "- a", "5", "''"])
def test_a_file_that_is_no_mapping(text: str) -> None:
    assert problem(text).what.startswith("expected a mapping, got ")


def test_items_of_other_files_are_not_called_missing() -> None:
    found = problems(resources("subnet/a: {VpcId: '${vpc/a}', account: data}"), "- a list\n")
    assert [str(one) for one in found] == ["b.yaml:1:1: expected a mapping, got a list"]
