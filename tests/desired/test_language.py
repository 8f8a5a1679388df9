"""What a good config means: values in, values out."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.address import Address
from reconciler.model.config import Account
from reconciler.model.things import Desired, Parameter, Ref, Text

from .support import EXAMPLES, HEAD, config, resources


def only(text: str, head: str = HEAD, **options: Any) -> Desired:
    """The last resource of a config."""
    return list(config(resources(text, head), **options).resources.values())[-1]


def test_the_seed_estate() -> None:
    found = config((EXAMPLES / "ai-global.yaml").read_bytes())
    assert (found.stack, found.account, found.region) == ("ai-global", "123456789012", "us-west-2")
    assert list(map(str, found.resources)) == ["global-network/ai", "site/one", "site/two", "instance/worker"]
    network = Ref(Address("global-network", "ai"))
    assert found.resources[Address("site", "two")].spec == {
        "GlobalNetworkId": network,
        "Description": "AI Workload - Region Two",
        "Location": {"Address": "456 AI Boulevard", "Latitude": "37.7749", "Longitude": "-122.4194"},
    }
    worker = found.resources[Address("instance", "worker")]
    assert worker.tags == {"team": "ml-platform", "Name": "AI-Workload-Instance"}
    assert worker.region == "us-west-2"
    assert worker.spec["ImageId"] == Parameter(
        "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    )
    assert found.resources[Address("site", "one")].region == ""
    assert found.outputs["globalNetworkId"] == network
    assert str(worker.place) == "a.yaml:22:3"


def test_two_regions_expand() -> None:
    found = config((EXAMPLES / "two-regions.yaml").read_bytes(), variables={"machine": "t3.large"})
    assert list(map(str, found.resources))[:6] == [
        "vpc/us-west-2",
        "vpc/eu-central-1",
        "subnet/us-west-2-1",
        "subnet/us-west-2-2",
        "subnet/eu-central-1-1",
        "subnet/eu-central-1-2",
    ]
    worker = found.resources[Address("instance", "eu-central-1")]
    assert worker.region == "eu-central-1"
    assert worker.replace == "delete-first"
    assert worker.spec["InstanceType"] == "t3.large"
    assert worker.spec["SubnetId"] == Ref(Address("subnet", "eu-central-1-1"))
    assert worker.tags["old-name"] is None
    group = found.resources[Address("security-group", "us-west-2")]
    assert group.spec["Ingress"][1]["ReferencedGroupId"] == Ref(group.address)


ROLE = "arn:aws:iam::210987654321:role/reconciler"


def test_top_level_keys() -> None:
    found = config(
        HEAD
        + f"""
accounts:
  data: {{id: "210987654321", role: "{ROLE}", external-id: x}}
tags: {{team: ml}}
variables: {{x: {{default: 1}}}}
resources: {{}}
outputs: {{a: plain}}
"""
    )
    account = Account(name="data", id="210987654321", role=ROLE, external_id="x")
    assert found.accounts == {"data": account}
    assert (found.outputs, found.resources, found.tags) == ({"a": "plain"}, {}, {"team": "ml"})


def test_lower_case_keys() -> None:
    found = config(
        resources(
            """
            global-network/ai:
            site/x-${each.n}:
              for: {n: [1, 2]}
              account: data
              protect: true
              replace: create-first
              ignore: [Description, Location.Address, Tags]
              depends-on: global-network/ai
              previously: site/old-${each.n}
              GlobalNetworkId: ${global-network/ai}
            """,
            f'{HEAD}accounts: {{data: {{id: "210987654321", role: "{ROLE}"}}}}\n',
        )
    ).resources[Address("site", "x-2")]
    assert found.account == "210987654321"
    assert (found.protect, found.replace) == (True, "create-first")
    assert found.ignore == ("Description", "Location.Address", "Tags")
    assert found.depends_on == (Address("global-network", "ai"),)
    assert found.previously == (Address("site", "old-2"),)


def test_the_default_region_counts_only_where_the_config_names_none() -> None:
    bare = 'stack: ai\naccount: "123456789012"\n'
    vpc = "vpc/a: {CidrBlock: 10.0.0.0/16}"
    assert only(vpc, bare, default_region="eu-west-1").region == "eu-west-1"
    assert only(vpc, default_region="eu-west-1").region == "us-west-2"
    assert config(resources(vpc, bare), default_region="eu-west-1").region == "eu-west-1"


REFERENCES = """
vpc/main: {CidrBlock: 10.0.0.0/16}
vpc/main.id: {CidrBlock: 10.1.0.0/16}
subnet/a: {VpcId: "${vpc/main}"}
security-group/s: {GroupName: s, Description: "%s", VpcId: "${vpc/main}"}
"""
MAIN = Address("vpc", "main")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${vpc/main}", Ref(MAIN, "id")),
        ("${vpc/main.arn}", Ref(MAIN, "arn")),
        ("${subnet/a.id}", Ref(Address("subnet", "a"), "id")),
        ("${vpc/main.id}", Ref(Address("vpc", "main.id"), "id")),
        ("${vpc/main.DhcpOptionsId}", Ref(MAIN, "DhcpOptionsId")),
        ("dns ${vpc/main.EnableDnsSupport}", Text(("dns ", Ref(MAIN, "EnableDnsSupport")))),
        ("in ${vpc/main}!", Text(("in ", Ref(MAIN), "!"))),
        ("${vpc/main}${subnet/a.CidrBlock}", Text((Ref(MAIN), Ref(Address("subnet", "a"), "CidrBlock")))),
        ("${ssm:/aws/x}", Parameter("/aws/x")),
        ("a ${ssm:/aws/x}", Text(("a ", Parameter("/aws/x")))),
        ("$${vpc/main}", "${vpc/main}"),
        ("a $${b} ${vpc/main}", Text(("a ${b} ", Ref(MAIN)))),
        ("costs $5 } {", "costs $5 } {"),
        ("${vpc/${var.name}}", Ref(MAIN)),
        ("${var.name}", "main"),
        ("${var.name}-${var.count}", "main-3"),
        ("${var.count}", "3"),
    ],
)
def test_references(written: str, meant: Any) -> None:
    head = HEAD + "variables: {name: {default: main}, count: {default: 3}}\n"
    found = config(resources(REFERENCES % written, head))
    assert found.resources[Address("security-group", "s")].spec["Description"] == meant


def test_a_reference_gives_what_the_field_needs() -> None:
    """Lists and items of parts are paths of their own in the record."""
    found = only(
        """
        vpc/main: {CidrBlock: 10.0.0.0/16}
        security-group/a:
          GroupName: a
          Description: a
          VpcId: ${vpc/main}
          Egress: [{IpProtocol: "-1", ReferencedGroupId: "${security-group/a}"}]
        instance/w: {SecurityGroupIds: ["${security-group/a}"], Tags: {Name: w}}
        """
    )
    assert found.spec["SecurityGroupIds"] == [Ref(Address("security-group", "a"))]


@pytest.mark.parametrize(
    ("default", "given", "environment", "field", "meant"),
    [
        ("{default: 24}", None, {}, "Ipv4NetmaskLength", 24),
        ("{default: 24}", "26", {}, "Ipv4NetmaskLength", 26),
        ("{default: true}", "false", {}, "Ipv6Native", False),
        ("{default: a}", "7", {}, "CidrBlock", "7"),
        ("{default: 1}", "7", {}, "CidrBlock", "7"),
        ("{}", "7", {}, "CidrBlock", "7"),
        ("{}", "7", {}, "Ipv4NetmaskLength", 7),
        ("", "x", {}, "CidrBlock", "x"),
        ("{}", None, {"RECONCILER_VAR_MY_X": "env"}, "CidrBlock", "env"),
        ("{default: d}", "var", {"RECONCILER_VAR_MY_X": "env"}, "CidrBlock", "var"),
    ],
)
def test_variables(
    default: str, given: str | None, environment: dict[str, str], field: str, meant: object
) -> None:
    found = only(
        f"vpc/v: {{CidrBlock: 10.0.0.0/16}}\nsubnet/s: {{VpcId: '${{vpc/v}}', {field}: '${{var.my-x}}'}}",
        f"{HEAD}variables: {{my-x: {default}}}\n",
        variables={} if given is None else {"my-x": given},
        environment=environment,
    )
    assert found.spec[field] == meant
    assert type(found.spec[field]) is type(meant)


def test_variables_in_header_and_outputs() -> None:
    found = config(
        """
        stack: ${var.env}-net
        account: ${var.account}
        region: ${var.region}
        tags: {env: "${var.env}"}
        limits: {deletes: "${var.most}"}
        variables: {env: {}, account: {}, region: {default: us-west-2}, most: {}}
        resources: {}
        outputs: {env: "${var.env}"}
        """,
        variables={"env": "prod", "account": "012345678901", "most": "4"},
    )
    assert (found.stack, found.account, found.region) == ("prod-net", "012345678901", "us-west-2")
    assert (found.tags, found.outputs, found.limits) == ({"env": "prod"}, {"env": "prod"}, {"deletes": 4})


def test_tags_of_the_resource_win() -> None:
    found = only(
        "vpc/a: {CidrBlock: x, Tags: {team: mine, gone: null, no: no}}", HEAD + "tags: {team: ml, gone: x}\n"
    )
    assert found.tags == {"team": "mine", "gone": None, "no": "no"}


def test_a_folder_is_one_config() -> None:
    found = config(
        "# only a comment",
        'stack: ai\naccount: "123456789012"\ntags: {a: "1"}\nresources:\n  global-network/ai:',
        "tags: {b: '2'}\nresources:\n  site/x: {GlobalNetworkId: '${global-network/ai}'}",
    )
    assert list(map(str, found.resources)) == ["global-network/ai", "site/x"]
    assert found.tags == {"a": "1", "b": "2"}
    assert found.files == ("a.yaml", "b.yaml", "c.yaml")


def test_the_digest_is_over_bytes() -> None:
    text = HEAD + "resources: {}\n"
    assert config(text).digest == config(text).digest
    assert config(text).digest != config(text + "# more\n").digest


def test_anchors_and_aliases_are_allowed() -> None:
    found = config(
        resources(
            """
            global-network/a: {Description: &text hello}
            global-network/b: {Description: *text}
            """
        )
    )
    assert found.resources[Address("global-network", "b")].spec == {"Description": "hello"}


def test_soft_references_make_no_circle() -> None:
    config(
        resources(
            """
            vpc/v: {CidrBlock: 10.0.0.0/16}
            security-group/a:
              GroupName: a
              Description: a
              Ingress: [{IpProtocol: "-1", ReferencedGroupId: "${security-group/b}"}]
            security-group/b:
              GroupName: b
              Description: b
              Ingress: [{IpProtocol: "-1", ReferencedGroupId: "${security-group/a}"}]
            """
        )
    )
