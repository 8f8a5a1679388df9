"""What a wrong config is told: each mistake once, at its place."""

from __future__ import annotations

import pytest

from .support import HEAD, problem, problem_here, problems, resources

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
        "a.yaml:12:26: site/paris.Location.Latitude: expected a string (quote it)",
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
    ("accounts: {a: '123456789012'}", "expected a mapping, got 123456789012 (write a: {id:"),
    ("accounts: {a: {id: 123456789012, role: 'arn:aws:iam::123456789012:role/r'}}", "quote it"),
    ("accounts: {a: {id: '123456789012', role: r}}", "'r' is not the ARN of a role (arn:aws:iam::"),
    ("accounts: {a: {id: '123456789012', role: ''}}", "'' is not the ARN of a role"),
    (
        "accounts: {a: {id: '123456789012', role: 'arn:aws:iam::210987654321:role/r'}}",
        "this role is of account 210987654321, the id says 123456789012",
    ),
    (
        "accounts: {a: {id: '123456789012', role: 'arn:aws:iam::123456789012:role/r', externalid: x}}",
        "did you mean external-id?",
    ),
    ("outputs: {'': x}", "'' is not the name of an output"),
    ("outputs: {'${var.x}': x}", "is not the name of an output"),
    ("outputs: {a: null}", "expected a string, got nothing"),
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
    ("global-network/a: {▸Descriptoin: x}", "did you mean Description?"),
    ("global-network/a: {▸description: x}", "did you mean Description?"),
    ("global-network/a: {▸Region: x}", "there is no such field"),
    ("global-network/a: {▸region: us-west-2}", "a global-network has no region"),
    ("global-network/a: {Description: ▸5}", "expected a string, got 5 (quote it)"),
    ("global-network/a: {Description: ▸2024.0}", "got 2024.0"),
    ("global-network/a: {Description: ▸[x]}", "expected a string, got a list"),
    ("global-network/a: {Description: ▸{x: y}}", "expected a string, got a mapping"),
    ("global-network/a: {Description: ▸'%s'}" % ("x" * 257), "has 257 characters, allowed are 0 to 256"),
    ("global-network/a: {Description: ▸'${global-network/a}'}", "refers to the resource that it stands in"),
    ("global-network/a: {Tags: {a: ▸'${global-network/a}'}}", "cannot hold a reference"),
    ("global-network/a: {Tags: {▸aws:a: b}}", "this tag key is reserved"),
    ("global-network/a: {Tags: ▸[a]}", "expected a mapping, got a list"),
    ("global-network/a: {▸ClientToken: x}", "is set by the reconciler itself"),
    ("instance/a: {▸MinCount: 1}", "is set by the reconciler itself"),
    ("instance/a: {▸DryRun: true}", "is set by the reconciler itself"),
    ("instance/a: {▸TagSpecifications: []}", "is set by the reconciler itself"),
    ("instance/a: {▸SecurityGroups: [x]}", "cannot be set here"),
    ("instance/a: {SourceDestCheck: ▸no}", "expected true or false, got no"),
    ("instance/a: {EbsOptimized: ▸'true'}", "remove the quotes"),
    ("instance/a: {Ipv6AddressCount: ▸'1'}", "expected a whole number, got 1 (remove the quotes)"),
    ("instance/a: {Ipv6AddressCount: ▸1.5}", "expected a whole number, got 1.5"),
    ("instance/a: {Ipv6AddressCount: ▸true}", "expected a whole number, got true"),
    ("instance/a: {SecurityGroupIds: ▸sg-1}", "expected a list, got sg-1 (put it in a list: [ ])"),
    ("instance/a: {SecurityGroupIds: [▸1]}", "expected a string, got 1"),
    ("instance/a: {Placement: ▸x}", "expected a mapping, got x"),
    ("instance/a: {Placement: {▸Zone: x}}", "there is no such field"),
    ("instance/a: {InstanceType: ▸t2.mediun}", "did you mean t2.medium?"),
    ("instance/a: {Monitoring: ▸{}}", "Enabled is required"),
    ("instance/a: {SubnetId: ▸'${instance/b}'}\ninstance/b:", "needs a subnet, instance/b is an instance"),
    ("instance/a: {SubnetId: ▸'${instance/b.Foo}'}\ninstance/b:", "an instance has no field 'Foo'"),
    ("instance/a: {EbsOptimized: ▸'${instance/b}'}\ninstance/b:", "expected true or false"),
    ("instance/a: {region: ▸us-wst-2}", "did you mean us-west-2?"),
    ("instance/a: {account: ▸data}", "no account is called 'data' (declare it under accounts:)"),
    ("instance/a: {protect: ▸yes}", "expected true or false, got yes"),
    ("instance/a: {replace: ▸create_first}", "did you mean create-first?"),
    ("instance/a: {ignore: [▸Imageid]}", "did you mean ImageId?"),
    ("instance/a: {ignore: ▸{a: b}}", "expected a list, got a mapping"),
    ("instance/a: {depends-on: ▸instance/b}", "refers to instance/b, which is nowhere in the config"),
    ("instance/a: {depends-on: ▸b}", "'b' is not an address (expected <kind>/<name>"),
    ("instance/a: {depends-on: ▸instance/a}", "refers to the resource that it stands in"),
    ("instance/a: {depends-on: ▸'${instance/b.VpcId}'}\ninstance/b:", "an address is enough"),
    ("instance/a: {previously: ▸instance/b}\ninstance/b:", "instance/b is still in the config"),
    ("instance/a: {previously: ▸site/b}", "site/b is of another kind; this is an instance"),
    ("instance/a: {previously: ▸b}", "'b' is not an address"),
    ("instance/a: ▸text", "expected a mapping, got text"),
    ("▸instance/A:", "'instance/A' is not an address"),
    ("▸instance:", "'instance' is not an address"),
    ("▸instans/a:", "did you mean instance?"),
    ("security-group/a: {GroupName: a, Description: a, replace: ▸create-first}", "only one security-group"),
    ("security-group/a: {GroupName: a, Description: a, Ingress: ▸{}}", "expected a list, got a mapping"),
    ("security-group/a: {GroupName: a, Description: a, Ingress: [{▸Port: 1}]}", "there is no such field"),
    ("instance/a: {ImageId: ▸'${var.x}'}", "no variable is called 'x' (declare it under variables:)"),
    ("instance/a: {ImageId: ▸'${each.x}'}", "stands outside a `for`"),
    ("instance/a-${each.n}: {for: {n: [1]}, ImageId: ▸'${each.m}'}", "`for` has no list called 'm'"),
    ("▸instance/a-${each.n}: {for: {n: [1], m: [2]}}", "the address must hold ${each.m}"),
    ("instance/a-${each.n}: {for: {n: ▸1}}", "expected a list, or the name of one, got 1"),
    ("instance/a-${each.n}: {for: {n: [▸1.5]}}", "expected a string or a whole number, got 1.5"),
    ("▸instance/a-${each.n}:", "stands outside a `for`"),
    ("instance/a-1:\n▸instance/a-${each.n}: {for: {n: [1]}}", "the first is at a.yaml:5:3"),
    ("instance/a: ▸[]", "expected a mapping, got a list"),
    ("instance/a: ▸''", "expected a mapping, got an empty text"),
    ("site/a: {▸GlobalNetworkID: x}", "did you mean GlobalNetworkId?"),
    ("site/a: {GlobalNetworkId: ▸''}", "cannot be empty"),
    ("security-group/a: {GroupName: ▸'', Description: a}", "cannot be empty, it is required"),
    ("instance/a: {▸Name: x}", "did you mean Tags: {Name: …}?"),
    ("instance/a: {Tags: ▸[{Key: a, Value: b}]}", "write {Name: …} and not a list of Key and Value"),
    ("instance/a: {SecurityGroupIds: [sg-1, ▸'']}", "cannot be empty"),
    ("instance/a: {EbsOptimized: ▸yes}", "expected true or false, got yes (write true)"),
    ("instance/a: {protect: ▸'true'}", "remove the quotes"),
    ("instance/a: {▸SubnetId:x}", "a space is missing behind the colon"),
    (
        "instance/a: {SubnetId: ▸subnet/a}\nsubnet/a: {VpcId: x}",
        "'subnet/a' is no id, it is the address of a resource (write ${subnet/a})",
    ),
    ("instance/a: {SubnetId: ▸$subnet/a}\nsubnet/a: {VpcId: x}", "write ${subnet/a}"),
    (
        "instance/a: {SubnetId: ▸'${ subnet/a }'}\nsubnet/a: {VpcId: x}",
        "${ subnet/a } is not a reference (did you mean ${subnet/a}?)",
    ),
    ("instance/a: {SubnetId: ▸'${Subnet/a}'}\nsubnet/a: {VpcId: x}", "did you mean ${subnet/a}?"),
    (
        "instance/a: {ImageId: ▸'${vpc/a.cidrblock}'}\nvpc/a:",
        "a vpc has no field 'cidrblock' (did you mean CidrBlock?)",
    ),
    ("instance/a: {ImageId: ▸'${vpc/a.vpcId}'}\nvpc/a:", "did you mean VpcId?"),
    ("instance/a: {ImageId: ▸'${vpc/a.Tags}'}\nvpc/a:", "needs a string, Tags of a vpc is a list"),
    (
        "instance/a: {EbsOptimized: ▸'${vpc/a.CidrBlock}'}\nvpc/a:",
        "needs true or false, CidrBlock of a vpc is a string",
    ),
    (
        "instance/a: {ImageId: ▸'x ${vpc/a.Tags}'}\nvpc/a:",
        "Tags of a vpc is a list, which has no place in a text",
    ),
    ("instance/a: {ImageId: ▸'${ssm://}'}", "${ssm://} names no parameter"),
    (
        "instance/a: {ImageId: ▸'${SSM:/a}'}",
        "expected ${kind/name}, ${kind/name.Field}, ${var.x}, ${each.x} or ${ssm:/path}",
    ),
    ("instance/a: {ImageId: ▸'${Var.x}'}", "did you mean ${var.x}?"),
    ("instance/a: {ignore: ▸''}", "there is no field called ''"),
    ("instance/a: {ignore: ▸tags}", "did you mean Tags?"),
    (
        "instance/a: {ignore: ▸Placement.tenancy}",
        "nothing called .tenancy below Placement (did you mean Tenancy?)",
    ),
    ("instance/a: {ignore: ▸Placement.Tenancy.x}", "nothing called .x below Placement.Tenancy"),
    ("instance/a: {ignore: ▸Placement.}", "'Placement.' is not a path"),
    (
        "instance/a: {ignore: [▸'SecurityGroupIds[0]']}",
        "SecurityGroupIds is compared as a whole (write SecurityGroupIds)",
    ),
    ("instance/a: {ignore: ▸UserData.x}", "UserData is compared as a whole"),
    ("instance/a: {ignore: ▸'Tags.reconciler:stack'}", "is no tag of yours"),
    ("instance/a: {depends-on: ▸}", "expected a list, got nothing"),
    ("instance/a: {depends-on: ▸'x${instance/b}'}\ninstance/b:", "expected an address, got x${instance/b}"),
    ("instance/a: {depends-on: ▸'${ssm:/x}'}", "expected an address, got ${ssm:/x}"),
    (
        "instance/a: {depends-on: ▸instance/B}\ninstance/b:",
        "'instance/B' is not an address (did you mean instance/b?)",
    ),
    ("instance/a: {depends-on: ▸'instance/b, instance/c'}\ninstance/b:", "expected <kind>/<name>"),
    ("instance/a: {previously: ▸instance/a}", "instance/a is what it is called now"),
    ("instance/a: {previously: ▸INSTANCE/b}", "did you mean instance/b?"),
    ("▸VPC/a:", "did you mean vpc/a?"),
    (
        "▸vpc/a b:",
        "expected <kind>/<name>, such as site/berlin; a name has small letters, digits, dots, dashes and underscores",
    ),
    ("▸vpc/a@old:", "did you mean vpc/a-old?"),
    ("vpc/a:\n▸CidrBlock: x", "a field of a resource? it stands below its address, indented"),
]


@pytest.mark.parametrize(("body", "told"), BODIES)
def test_resources(body: str, told: str) -> None:
    assert told in str(problem_here(resources(body)))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("123456", "expected a string (quote it)"),
        ("{hunter2: x}", "expected a string, got a mapping"),
        ("'x ${hunter2}'", "a ${…} that leads nowhere ($${ is a literal ${)"),
        ("'x ${hunter2/x}'", "a ${…} that leads nowhere ($${ is a literal ${)"),
        ("'hunter2 ${'", "a ${ is not closed by } (write $${ for a literal ${)"),
        ("'hunter2 ${var.x}'", "no variable is called 'x' (declare it under variables:)"),
        ("'hunter2 ${vpc/x}'", "refers to vpc/x, which is nowhere in the config"),
        ('"a\\n${hunter2}"', "line 2 of the text: a ${…} that leads nowhere ($${ is a literal ${)"),
    ],
)
def test_a_sensitive_value_is_not_repeated(value: str, told: str) -> None:
    assert (
        str(problem(resources(f"instance/a: {{UserData: {value}}}")))
        == f"a.yaml:5:26: instance/a.UserData: {told}"
    )


def test_each_bad_reference_of_a_text_is_told() -> None:
    """A script with many shell variables is mended in one go."""
    text = "instance/a:\n  AdditionalInfo: |\n    echo ${A}\n    echo ${B} ${var.c}\n"
    assert [one.what for one in problems(resources(text))] == [
        "line 1 of the text: ${A} is not a reference",
        "line 2 of the text: ${B} is not a reference",
        "line 2 of the text: no variable is called 'c'",
    ]


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
    assert (found.place.line, found.place.column, found.path) == (5, 22, "vpc/a")


def test_one_earlier_address_has_one_successor() -> None:
    found = problem(resources("vpc/a: {previously: vpc/x}\nvpc/b: {previously: vpc/x}"))
    assert "vpc/x became vpc/a already" in found.what


def test_fifty_tags() -> None:
    tags = ", ".join(f"k{number}: v" for number in range(46))
    assert "51 tags with the 4 of the reconciler" in str(
        problem(resources(f"vpc/a: {{protect: true, Tags: {{{tags}, x: y}}}}"))
    )
    found = problem(resources(f"vpc/a: {{Ipv6Pool: p, protect: true, Tags: {{{tags}}}}}"))
    assert found.what == "51 tags with the 5 of the reconciler, AWS allows 50"


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


def test_nothing_of_a_location_is_repeated_in_a_message() -> None:
    found = problem(resources("site/s: {GlobalNetworkId: gn, Location: {Latitude: 47.1234, Address: here}}"))
    assert found.what == "expected a string"
    assert "47.1234" not in str(found)
