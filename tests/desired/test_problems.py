"""What a wrong config is told: each mistake once, at its place."""

from __future__ import annotations

import pytest

from .support import HEAD, problem, problems, resources

TEN = """\
stack: ai
account: 123456789012
region: us-wst-2
regoin: us-west-2
resources:
  global-network/wan: {}
  site/berlin:
    GlobalNetworkId: ${global-network/wann}
    Locaton: {Address: Unter den Linden}
  site/paris:
    GlobalNetworkId: ${global-network/wan}
    Location: {Latitude: 48.85}
  site/rome: {}
  vpc/main: {InstanceTenancy: dedicatd}
  subnet/a: {VpcId: "${global-network/wan}"}
  sight/rome: {}
"""


def test_ten_mistakes_at_once() -> None:
    assert [str(found) for found in problems(TEN)] == [
        "a.yaml:2:10: account: expected an account id: a string of 12 digits, got 123456789012 (quote it)",
        "a.yaml:3:9: region: no region is called 'us-wst-2' (did you mean us-west-2?)",
        "a.yaml:4:1: regoin: there is no such key (did you mean region?)",
        "a.yaml:8:22: site/berlin.GlobalNetworkId: refers to global-network/wann, which is nowhere in the config "
        "(did you mean global-network/wan?)",
        "a.yaml:9:5: site/berlin.Locaton: there is no such field (did you mean Location?)",
        "a.yaml:12:26: site/paris.Location.Latitude: expected a string, got 48.85 (quote it)",
        "a.yaml:13:3: site/rome: GlobalNetworkId is required",
        "a.yaml:14:31: vpc/main.InstanceTenancy: 'dedicatd' is not allowed (did you mean dedicated?)",
        "a.yaml:15:21: subnet/a.VpcId: needs a vpc, global-network/wan is a global-network",
        "a.yaml:16:3: sight/rome: there is no kind called 'sight' (did you mean site?)",
    ]


HEADERS = [
    ("stack: Ai", "'Ai' is not a name"),
    ("account: '12'", "'12' is not an account id"),
    ("account: 012345670123", "got 012345670123 (quote it)"),
    ("region: [a]", "expected a region, got a list"),
    ("region: ${vpc/a}", "cannot hold a reference"),
    ("tags: {aws:x: y}", "this tag key is reserved"),
    ("tags: {reconciler:stack: y}", "this tag key is reserved"),
    ("tags: {AWS:x: y}", "this tag key is reserved"),
    ("tags: {a: 1}", "expected a string, got 1 (quote it)"),
    ("tags: {a: }", "expected a string, got nothing"),
    ("tags: {a: '%s'}" % ("x" * 257), "at most 256 characters, this has 257"),
    ("tags: {'%s': a}" % ("x" * 129), "1 to 128 characters, this has 129"),
    ("tags: [a]", "expected a mapping, got a list"),
    ("variables: {x: {}}", "this variable has no value (give --var x=… or RECONCILER_VAR_X"),
    ("variables: {x: 5}", "write x: {default: 5}"),
    ("variables: {x: {defualt: 5}}", "did you mean default?"),
    ("variables: {x: {default: [1]}}", "expected a string, a number, true or false, got a list"),
    ("variables: {x: {default: '${var.y}'}}", "a default cannot hold ${…}"),
    ("accounts: {a: {id: '123456789012'}}", "role is required"),
    ("accounts: {a: {id: 123456789012, role: r}}", "quote it"),
    ("accounts: {a: {id: '123456789012', role: r, externalid: x}}", "did you mean external-id?"),
    ("limits: {deletions: -1}", "expected a whole number, 0 or more, got -1"),
    ("limits: {deletions: 1.5}", "expected a whole number"),
    ("limits: {deletions: true}", "expected a whole number"),
    ("limits: {deletions-percent: 101}", "expected a number from 0 to 100, got 101"),
    ("limits: {deletion: 1}", "did you mean deletions?"),
    ("mode: aply", "did you mean apply?"),
    ("windows: {cron: x}", "expected a list, got a mapping"),
    ("windows: [x]", "expected a mapping, got x"),
    ("windows: [{form: x}]", "did you mean from?"),
    ("windows: [{from: 8}]", "expected a string, got 8 (quote it)"),
    ("every: 5 minutes", "expected a duration"),
    ("every: 0", "expected a duration"),
    ("lease: {region: us-west-2}", "table is required"),
    ("lease: {table: t, region: us-west-9}", "no region is called 'us-west-9'"),
    ("outputs: {a: 5}", "expected a string, got 5 (quote it)"),
    ("outputs: {a: '${ssm:/x}'}", "cannot hold a parameter"),
    ("outputs: {a: '${site/x}'}", "refers to site/x, which is nowhere in the config"),
    ("outputs: {a: '${var.x}'}", "no variable is called 'x'"),
    ("outputs: {a: '${each.x}'}", "stands outside a `for`"),
    ("outputs: {a: '${x}'}", "${x} is not a reference"),
    ("outputs: {a: '${site/}'}", "${site/} is not a reference"),
    ("outputs: {a: '${ssm:x}'}", "names no parameter"),
    ("outputs: {a: 'x ${site/x'}", "a ${ is not closed"),
    ("outputs: {a: '${${site/x}}'}", "only ${var.x} and ${each.x} can stand inside"),
    ("outputs: {a: '%s'}" % ("${" * 50), "${…} nests too deeply"),
]


@pytest.mark.parametrize(("line", "told"), HEADERS)
def test_headers(line: str, told: str) -> None:
    key = line.partition(":")[0]
    head = "".join(f"{known}\n" for known in HEAD.splitlines() if not known.startswith(f"{key}:"))
    found = problem(f"{line}\n{head}resources: {{}}\n")
    assert told in str(found)
    assert found.place.line == 1


BODIES = [
    ("global-network/a: {Descriptoin: x}", 24, "did you mean Description?"),
    ("global-network/a: {description: x}", 24, "did you mean Description?"),
    ("global-network/a: {Region: x}", 24, "there is no such field"),
    ("global-network/a: {region: us-west-2}", 24, "a global-network has no region"),
    ("global-network/a: {Description: 5}", 37, "expected a string, got 5 (quote it)"),
    ("global-network/a: {Description: 2024.0}", 37, "got 2024.0"),
    ("global-network/a: {Description: }", 37, 'got nothing (write "" for an empty one)'),
    ("global-network/a: {Description: [x]}", 37, "expected a string, got a list"),
    ("global-network/a: {Description: {x: y}}", 37, "expected a string, got a mapping"),
    ("global-network/a: {Description: '%s'}" % ("x" * 257), 37, "has 257 characters, allowed are 0 to 256"),
    (
        "global-network/a: {Description: '${global-network/a}'}",
        37,
        "refers to the resource that it stands in",
    ),
    ("global-network/a: {Tags: {a: '${global-network/a}'}}", 34, "cannot hold a reference"),
    ("global-network/a: {Tags: {aws:a: b}}", 31, "this tag key is reserved"),
    ("global-network/a: {Tags: [a]}", 30, "expected a mapping, got a list"),
    ("global-network/a: {ClientToken: x}", 24, "is set by the reconciler itself"),
    ("instance/a: {MinCount: 1}", 18, "is set by the reconciler itself"),
    ("instance/a: {DryRun: true}", 18, "is set by the reconciler itself"),
    ("instance/a: {TagSpecifications: []}", 18, "is set by the reconciler itself"),
    ("instance/a: {SecurityGroups: [x]}", 18, "cannot be set here"),
    ("instance/a: {SourceDestCheck: no}", 35, "expected true or false, got no"),
    ("instance/a: {EbsOptimized: 'true'}", 32, "remove the quotes"),
    ("instance/a: {Ipv6AddressCount: '1'}", 36, "expected a whole number, got 1 (remove the quotes)"),
    ("instance/a: {Ipv6AddressCount: 1.5}", 36, "expected a whole number, got 1.5"),
    ("instance/a: {Ipv6AddressCount: true}", 36, "expected a whole number, got true"),
    ("instance/a: {SecurityGroupIds: sg-1}", 36, "expected a list, got sg-1 (put it in a list: [ ])"),
    ("instance/a: {SecurityGroupIds: [1]}", 37, "expected a string, got 1"),
    ("instance/a: {Placement: x}", 29, "expected a mapping, got x"),
    ("instance/a: {Placement: {Zone: x}}", 30, "there is no such field"),
    ("instance/a: {InstanceType: t2.mediun}", 32, "did you mean t2.medium?"),
    ("instance/a: {Monitoring: {}}", 30, "Enabled is required"),
    ("instance/a: {SubnetId: '${instance/b}'}\ninstance/b:", 28, "needs a subnet, instance/b is an instance"),
    ("instance/a: {SubnetId: '${instance/b.Foo}'}\ninstance/b:", 28, "an instance has no field 'Foo'"),
    ("instance/a: {EbsOptimized: '${instance/b}'}\ninstance/b:", 32, "expected true or false"),
    ("instance/a: {region: us-wst-2}", 26, "did you mean us-west-2?"),
    ("instance/a: {account: data}", 27, "no account is called 'data' (declare it under accounts:)"),
    ("instance/a: {protect: yes}", 27, "expected true or false, got yes"),
    ("instance/a: {replace: create_first}", 27, "did you mean create-first?"),
    ("instance/a: {ignore: [Imageid]}", 27, "did you mean ImageId?"),
    ("instance/a: {ignore: {a: b}}", 26, "expected a list, got a mapping"),
    ("instance/a: {depends-on: instance/b}", 30, "refers to instance/b, which is nowhere in the config"),
    ("instance/a: {depends-on: b}", 30, "is not a reference"),
    ("instance/a: {depends-on: instance/a}", 30, "refers to the resource that it stands in"),
    ("instance/a: {depends-on: '${instance/b.VpcId}'}\ninstance/b:", 30, "an address is enough"),
    ("instance/a: {previously: instance/b}\ninstance/b:", 30, "instance/b is still in the config"),
    ("instance/a: {previously: site/b}", 30, "site/b is of another kind; this is an instance"),
    ("instance/a: {previously: b}", 30, "'b' is not an address"),
    ("instance/a: text", 17, "expected a mapping, got text"),
    ("instance/A:", 5, "'instance/A' is not an address"),
    ("instance:", 5, "'instance' is not an address"),
    ("instans/a:", 5, "did you mean instance?"),
    (
        "security-group/a: {GroupName: a, Description: a, replace: create-first}",
        63,
        "only one security-group",
    ),
    ("security-group/a: {GroupName: a, Description: a, Ingress: {}}", 63, "expected a list, got a mapping"),
    ("security-group/a: {GroupName: a, Description: a, Ingress: [{Port: 1}]}", 65, "there is no such field"),
    ("instance/a: {ImageId: '${var.x}'}", 27, "no variable is called 'x' (declare it under variables:)"),
    ("instance/a: {ImageId: '${each.x}'}", 27, "stands outside a `for`"),
    ("instance/a-${each.n}: {for: {n: [1]}, ImageId: '${each.m}'}", 52, "`for` has no list called 'm'"),
    ("instance/a-${each.n}: {for: {n: [1], m: [2]}}", 5, "the address must hold ${each.m}"),
    ("instance/a-${each.n}: {for: {n: 1}}", 37, "expected a list, got 1"),
    ("instance/a-${each.n}: {for: {n: [1.5]}}", 38, "expected a string or a whole number, got 1.5"),
    ("instance/a-${each.n}: {for: {n: [1, 1]}}", 5, "instance/a-1 stands twice"),
    ("instance/a-${each.n}:", 5, "stands outside a `for`"),
    ("instance/a-1:\ninstance/a-${each.n}: {for: {n: [1]}}", 5, "the first is at a.yaml:5:3"),
]


@pytest.mark.parametrize(("body", "column", "told"), BODIES)
def test_resources(body: str, column: int, told: str) -> None:
    found = problem(resources(body))
    assert told in str(found)
    assert found.place.column == column - 2


def test_a_sensitive_value_is_not_repeated() -> None:
    found = problem(resources("instance/a: {UserData: 123456}"))
    assert str(found) == "a.yaml:5:26: instance/a.UserData: expected a string (quote it)"


def test_a_regional_resource_needs_a_region() -> None:
    found = problem(resources("vpc/a:", 'stack: ai\naccount: "123456789012"\n'))
    assert found.what == "region is required"


def test_a_bad_header_hides_nothing() -> None:
    found = problems(resources("vpc/a: {Foo: x}", "stack: Ai\naccount: 5\nregion: nowhere\n"))
    assert [one.path for one in found] == ["stack", "account", "region", "vpc/a.Foo"]


def test_variables_from_outside() -> None:
    text = f"{HEAD}variables: {{x: {{default: 5}}}}\nresources: {{}}\n"
    found = problem(text, variables={"y": "1"})
    assert str(found).startswith("config: variables.y: is given with --var and not declared")
    assert "expected a whole number, as its default is, got 'no'" in problem(text, variables={"x": "no"}).what


def test_repeats_tell_a_mistake_once() -> None:
    problem(resources("global-network/${each.n}: {for: {n: [a, b, c]}, Description: 5}"))


def test_a_circle_is_told_once() -> None:
    found = problem(
        resources(
            """
            vpc/a: {CidrBlock: "${vpc/b.CidrBlock}"}
            vpc/b: {CidrBlock: "${vpc/c.CidrBlock}", depends-on: vpc/a}
            vpc/c: {depends-on: [vpc/a, vpc/b]}
            vpc/d: {depends-on: vpc/a}
            """
        )
    )
    assert found.what == "refers to itself in a circle: vpc/a → vpc/b → vpc/a"
    assert (found.place.line, found.place.column, found.path) == (5, 3, "vpc/a")


def test_one_earlier_address_has_one_successor() -> None:
    found = problem(resources("vpc/a: {previously: vpc/x}\nvpc/b: {previously: vpc/x}"))
    assert "vpc/x became vpc/a already" in found.what


def test_fifty_tags() -> None:
    tags = ", ".join(f"k{number}: v" for number in range(47))
    assert "51 tags with the 3 of the reconciler" in str(
        problem(resources(f"vpc/a: {{protect: true, Tags: {{{tags}, x: y}}}}"))
    )
    found = problem(resources(f"vpc/a: {{Ipv6Pool: p, protect: true, Tags: {{{tags}}}}}"))
    assert found.what == "51 tags with the 4 of the reconciler, AWS allows 50"


def test_a_folder_has_each_thing_once() -> None:
    first = f"{HEAD}resources:\n  vpc/a: {{}}\n"
    found = problems(first, "region: us-east-1\nresources:\n  vpc/a: {}\n")
    assert [str(one) for one in found] == [
        "b.yaml:1:1: region: region stands twice (the first is at a.yaml:3:1)",
        "b.yaml:3:3: resources.vpc/a: vpc/a stands twice (the first is at a.yaml:5:3)",
    ]


def test_a_broken_file_hides_nothing_of_the_others() -> None:
    found = problems(
        "account: 5\nresources:\n  site/a: {GlobalNetworkId: '${global-network/x}', Foo: x}", "stack: [\n"
    )
    assert [(one.place.file, one.path) for one in found] == [
        ("a.yaml", "account"),
        ("a.yaml", "site/a.Foo"),
        ("b.yaml", ""),
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "\n\n"])
def test_an_empty_config(text: str) -> None:
    assert problems(text)


@pytest.mark.parametrize(
    "text", [HEAD, f"{HEAD}resources:\n", f"{HEAD}resources: null\n", f"{HEAD}resources: ~\n"]
)
def test_a_config_without_resources(text: str) -> None:
    assert "resources: {}" in problem(text).hint
