"""`lists:`, what a `for` may run over, and items of lists that repeat: what they mean, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.desired import unroll
from reconciler.model.address import Address
from reconciler.model.things import Ref, Text
from tests import documents

from .support import HEAD, config, problem, problem_here, problems, resources

QUIET = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
LISTS = """\
variables: {two: {default: 2}, none: {default: 0}, octet: {default: 8}, zone: {default: z}}
lists:
  plain: [x, y]
  zones: [a, b, c]
  nothing: []
  bare: {u: , v: {}}
  racks: {p: {rows: {k: {size: 1}, l: {size: 2}}}, q: {rows: {m: {size: 0}}}}
  regions:
    r1: {asn: 64512, block: 10.0.0.0/16, cost: "$ {5}", open: true, zones: [a, b]}
    r2: {asn: 64513, block: "10.${var.octet}.0.0/16", cost: "a}", open: false, zones: ["${var.zone}"]}
    r3: {asn: 64514, block: 10.4.0.0/16, cost: "$${x}", open: true, zones: {}}
"""
BEGIN = HEAD + LISTS


@pytest.mark.parametrize(
    ("address", "lists", "wanted"),
    [
        ("${each.r}", "{r: regions}", "r1 r2 r3"),
        ("${each.r}", "{r: plain}", "x y"),
        ("${each.r}", "{r: bare}", "u v"),
        ("${each.r}", "{r: nothing}", ""),
        ("${each.r.asn}", "{r: regions}", "64512 64513 64514"),
        ("${each.r}-${each.z}", "{r: regions, z: r.zones}", "r1-a r1-b r2-z"),
        ("${each.r}-${each.z}", "{r: plain, z: zones}", "x-a x-b x-c y-a y-b y-c"),
        ("${each.a}-${each.b}", "{a: zones, b: {after: a}}", "a-b a-c b-c"),
        ("${each.a}-${each.b}", "{a: zones, b: {before: a}}", "b-a c-a c-b"),
        ("${each.a}-${each.b}", "{a: [p, q], b: {except: a}}", "p-q q-p"),
        ("${each.a}-${each.b}-${each.c}", "{a: zones, b: {after: a}, c: {after: b}}", "a-b-c"),
        ("${each.a}-${each.b}", "{a: {from: 1, to: 3}, b: {after: a}}", "1-2 1-3 2-3"),
        ("${each.n}", "{n: {from: 0, to: '${var.two}'}}", "0 1 2"),
        ("${each.n}", "{n: {from: 1, to: '${var.none}'}}", ""),
        (
            "${each.p}-${each.r}-${each.n}",
            "{p: racks, r: p.rows, n: {from: 1, to: '${each.r.size}'}}",
            "p-k-1 p-l-1 p-l-2",
        ),
        ("${each.a}.${each.b}", "{a: [x, y], b: [z, '${each.a}']}", "x.z x.x y.z y.y"),
    ],
)
def test_what_a_name_runs_over(address: str, lists: str, wanted: str) -> None:
    found = config(resources(f"vpc/{address}: {{for: {lists}}}", BEGIN))
    assert [one.name for one in found.resources] == wanted.split()


@pytest.mark.parametrize(
    ("field", "written", "meant"),
    [
        ("AmazonSideAsn", "${each.r.asn}", [64512, 64513, 64514]),
        ("VpnEcmpSupport", "${each.r.open}", None),
        ("Description", "${each.r.asn}", ["64512", "64513", "64514"]),
        ("Description", "${each.r.open}", ["true", "false", "true"]),
        ("Description", "${each.r.cost}", ["$ {5}", "a}", "${x}"]),
        ("Description", "in ${each.r}", ["in r1", "in r2", "in r3"]),
        ("Description", "${each.r.block}!", ["10.0.0.0/16!", "10.8.0.0/16!", "10.4.0.0/16!"]),
    ],
)
def test_fields_of_a_record(field: str, written: str, meant: list[Any] | None) -> None:
    inside = f"Options: {{{field}: '{written}'}}" if field != "Description" else f"{field}: '{written}'"
    text = resources(f"transit-gateway/${{each.r}}: {{for: {{r: regions}}, {inside}}}", BEGIN)
    if meant is None:
        assert {one.what for one in problems(text)} == {"'true' is not allowed", "'false' is not allowed"}
    else:
        specs = [one.spec for one in config(text).resources.values()]
        assert [spec.get(field, spec.get("Options", {}).get(field)) for spec in specs] == meant


WRONG_LISTS = [
    ("a:▸", "expected a list, or a mapping of values to their records, got nothing"),
    ("a: ▸x", "expected a list, or a mapping of values to their records, got x"),
    ("a: [x, ▸x]", "x stands twice in this list"),
    ("a: [▸true]", "got true (quote it)"),
    ("a: [▸X]", "'X' cannot stand in an address"),
    ("a: {▸X: }", "'X' cannot stand in an address"),
    ("a: {x: , ▸'${var.x}': }", "x stands twice in this list"),
    ("a: ['▸${var.y}']".replace("'▸", "▸'"), "no variable is called 'y'"),
    ("a: [▸'${each.y}']", "stands outside a `for`"),
    ("a: {x: ▸5}", "expected a mapping, got 5"),
    ("a: {x: {y: ▸}}", "expected a string, a number, true or false, or a list, got nothing"),
    ("a: {x: {y: ▸'${vpc/a}'}}", "cannot hold a reference"),
    ("a: {x: {y: [▸Z]}}", "'Z' cannot stand in an address"),
    ("a: {x: {▸y.z: 1}}", "'y.z' is not a name"),
    ("▸a.b: [x]", "'a.b' is not a name"),
]


@pytest.mark.parametrize(("lists", "told"), WRONG_LISTS)
def test_wrong_lists(lists: str, told: str) -> None:
    """Told once, however often the list is used."""
    head = f"{HEAD}variables: {{x: {{default: x}}}}\nlists:\n  {lists}\n"
    body = "vpc/${each.r}: {for: {r: a}, CidrBlock: '${each.r.foo}'}\nsubnet/s: {VpcId: '${vpc/x}'}"
    found = problem_here(resources(body if lists != "▸a.b: [x]" else "vpc/a:", head))
    assert told in str(found)


WRONG = [
    ("{r: ▸regoins}", "no list is called 'regoins' (did you mean regions?)"),
    ("{r: ▸regions.zones}", "no name before this one is 'regions'"),
    ("{r: regions, z: ▸r.zons}", "r has no list called 'zons' (did you mean zones?)"),
    ("{r: regions, z: ▸r.asn}", "asn of r is a value, not a list (one of: zones)"),
    ("{r: [x], z: ▸r.zones}", "r has no list called 'zones'"),
    ("{r: {after: ▸z}, z: zones}", "no name before this one is 'z'"),
    ("{r: zones, z: {after: ▸z}}", "no name before this one is 'z' (one of: r)"),
    ("{r: zones, z: {after: ▸[r]}}", "expected the name of an earlier list of this `for`, got a list"),
    ("{r: zones, z: {▸aftr: r}}", "there is no such key (did you mean after?)"),
    ("{r: zones, z: ▸{after: r, before: r}}", "after and before says not what it runs over"),
    ("{r: zones, z: ▸{from: 1}}", "from says not what it runs over"),
    ("{r: zones, z: ▸{}}", "expected a list, or the name of one, got a mapping"),
    ("{r: ▸{from: 3, to: 1}}", "there is no number from 3 to 1"),
    ("{r: {from: 1, to: ▸x}}", "expected a whole number, 0 or more, got x"),
    ("{r: {from: 1, to: ▸1.5}}", "expected a whole number, 0 or more, got 1.5"),
    ("{r: zones, z: {from: 1, to: ▸'${each.r.n}'}}", "r has no field called 'n'"),
    ("{r: zones, z: {from: 1, to: ▸'${each.q.n}'}}", "`for` has no list called 'q' (one of: r)"),
]


@pytest.mark.parametrize(("lists", "told"), WRONG)
def test_wrong_in_a_for(lists: str, told: str) -> None:
    """The first of what is told: other values may lack something else.  And nothing else is hidden."""
    address = "vpc/${each.r}-${each.z}" if "z:" in lists else "vpc/${each.r}"
    text = resources(f"{address}: {{for: {lists}, ▹Foo: x}}", BEGIN)
    before = text.replace("▹", "").partition("▸")[0]
    found = problems(text.replace("▹", "").replace("▸", ""))
    place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    here = [one for one in found if (one.place.line, one.place.column) == place]
    assert told in str(here[0])
    rest = [one for one in found if one not in here]
    assert [one.what for one in rest] == ["there is no such field"]


@pytest.mark.parametrize(
    ("lists", "address", "told"),
    [
        ("{r: regions}", "${each.r.ans}", "r has no field called 'ans' (did you mean asn?)"),
        ("{r: regions}", "${each.q.asn}", "`for` has no list called 'q' (one of: r)"),
        ("{r: regions}", "${each.r.zones}", "zones of r is a list, not a value"),
        ("{r: zones}", "${each.r.asn}", "r has no field called 'asn'"),
        ("{r: regions, z: r.zones}", "${each.z}", "the address must hold ${each.r}"),
        ("{r: regions, z: r.zones}", "${each.r}", "the address must hold ${each.z}"),
        ("{r: regions}", "${each.r.open}", "vpc/true stands twice"),
    ],
)
def test_wrong_in_an_address(lists: str, address: str, told: str) -> None:
    found = problems(resources(f"vpc/{address}: {{for: {lists}}}", BEGIN))
    assert told in str(found[0])
    assert {(one.place.line, one.place.column) for one in found} == {(16, 3)}


# ---- items of lists


def table(routes: str, more: str = "") -> str:
    """A config with a gateway, a table with these routes, and what they lead to."""
    return resources(
        f"""
        transit-gateway/${{each.r}}: {{for: {{r: regions}}}}
        transit-gateway-peering-attachment/${{each.a}}-${{each.b}}:
          for: {{a: regions, b: {{after: a}}}}
          TransitGatewayId: ${{transit-gateway/${{each.a}}}}
          PeerTransitGatewayId: ${{transit-gateway/${{each.b}}}}
          PeerAccountId: "123456789012"
          PeerRegion: us-west-2
        transit-gateway-route-table/${{each.r}}:
          for: {{r: regions}}
          TransitGatewayId: ${{transit-gateway/${{each.r}}}}
          {more}
          Routes:
            {routes}
        """,
        BEGIN,
    )


def test_a_mesh() -> None:
    peering = "TransitGatewayAttachmentId: '${transit-gateway-peering-attachment/"
    found = config(
        table(
            "- {for: {o: {before: r}}, DestinationCidrBlock: '${each.o.block}', "
            + peering
            + "${each.o}-${each.r}}'}\n"
            + "            - {for: {o: {after: r}}, DestinationCidrBlock: '${each.o.block}', "
            + peering
            + "${each.r}-${each.o}}'}",
            "depends-on: [{for: {o: {except: r}}, item: 'transit-gateway/${each.o}'}]",
        )
    ).resources
    tables = {one.address.name: one for one in found.values() if "Routes" in one.spec}
    routes = {
        name: [
            (one["DestinationCidrBlock"], one["TransitGatewayAttachmentId"].to.name)
            for one in desired.spec["Routes"]
        ]
        for name, desired in tables.items()
    }
    assert routes == {
        "r1": [("10.8.0.0/16", "r1-r2"), ("10.4.0.0/16", "r1-r3")],
        "r2": [("10.0.0.0/16", "r1-r2"), ("10.4.0.0/16", "r2-r3")],
        "r3": [("10.0.0.0/16", "r1-r3"), ("10.8.0.0/16", "r2-r3")],
    }
    assert tables["r2"].depends_on == (Address("transit-gateway", "r1"), Address("transit-gateway", "r3"))


GROUP = Address("security-group", "s")
ENDPOINT = """
security-group/s: {GroupName: s, Description: s}
vpc-endpoint/v: {ServiceName: x, VpcId: v, %s: [%s]}
"""


@pytest.mark.parametrize(
    ("items", "meant"),
    [
        ("{for: {z: zones}, item: 's-${each.z}'}", ["s-a", "s-b", "s-c"]),
        ("x, {for: {z: zones}, item: '${each.z}'}, y", ["x", "a", "b", "c", "y"]),
        ("{for: {r: plain, z: zones}, item: '${each.r}${each.z}'}", ["xa", "xb", "xc", "ya", "yb", "yc"]),
        ("{for: {z: nothing}, item: '${each.z}'}", []),
        ("{for: {r: regions}, item: '${each.r.asn}'}", ["64512", "64513", "64514"]),
        ("{for: {r: regions}, item: '${each.r.cost}'}", ["$ {5}", "a}", "${x}"]),
        ("{for: {r: [q]}, item: '<${each.r}> $${y} ${var.two}'}", ["<q> ${y} 2"]),
        ("{for: {r: regions}, item: '<${each.r.cost}> $'}", ["<$ {5}> $", "<a}> $", "<${x}> $"]),
        ("{for: {n: {from: 1, to: 2}}, item: plain}", ["plain", "plain"]),
    ],
)
def test_items(items: str, meant: list[str]) -> None:
    found = config(resources(ENDPOINT % ("SubnetIds", items), BEGIN)).resources
    assert found[Address("vpc-endpoint", "v")].spec["SubnetIds"] == meant


@pytest.mark.parametrize(
    ("items", "meant"),
    [
        ("{for: {r: [x]}, item: 'in ${security-group/s}${each.r}'}", Text(("in ", Ref(GROUP), "x"))),
        ("{for: {g: [s]}, item: '${security-group/${each.g}}'}", Ref(GROUP)),
    ],
)
def test_items_with_references(items: str, meant: Any) -> None:
    found = config(resources(ENDPOINT % ("SecurityGroupIds", items), BEGIN)).resources
    assert found[Address("vpc-endpoint", "v")].spec["SecurityGroupIds"] == [meant]


def test_items_nest_and_stand_in_documents() -> None:
    body = """
    iam-role/r:
      RoleName: r
      AssumeRolePolicyDocument:
        Statement:
          - for: {r: regions}
            Effect: Allow
            Action: x
            Sid: ${each.r}
            Number: ${each.r.asn}
            Resource:
              - {for: {z: r.zones}, item: "arn:${each.r}${each.z}:${var.two}:\\"$${aws:x}"}
    """
    found = config(resources(body, BEGIN)).resources[Address("iam-role", "r")].spec
    document = documents.load(found["AssumeRolePolicyDocument"])
    arns = {
        "r1": ['arn:r1a:2:"${aws:x}', 'arn:r1b:2:"${aws:x}'],
        "r2": ['arn:r2z:2:"${aws:x}'],
        "r3": [],
    }
    assert document["Statement"] == [
        {"Effect": "Allow", "Action": "x", "Sid": name, "Number": 64511 + number, "Resource": arns[name]}
        for number, name in enumerate(arns, 1)
    ]


WRONG_ITEMS = [
    ("▸{for: {z: zones}}", "gives nothing"),
    ("▸{for: {z: zones}, item: '${each.z}', Foo: x}", "item stands beside other keys"),
    ("{for: ▸{}, item: x}", "names no list"),
    ("{for: ▸zones, item: '${each.z}'}", "expected a mapping, got zones"),
    ("{for: {z: ▸zoness}, item: '${each.z}'}", "no list is called 'zoness' (did you mean zones?)"),
    ("{for: {z: {after: ▸r}}, item: '${each.z}'}", "no name before this one is 'r'"),
    ("{for: {z: zones}, item: ▸'${each.y}'}", "`for` has no list called 'y'"),
    ("{for: {z: plain}, item: ▸'${each.z.n}'}", "has no field called 'n'"),
    ("{for: {z: zones}, item: ▸'${var.y}-${each.z}'}", "no variable is called 'y'"),
    ("{for: {z: [s]}, item: ▸'${security-group/t${each.z}}'}", "refers to security-group/ts"),
    ("{for: {z: zones}, item: ▸}", "expected a string, got nothing"),
    ("{for: {z: zones}, item: ▸'${each.z'}", "a ${ is not closed by }"),
    ("{for: {r: racks}, item: ▸'${each.r.rows}'}", "rows of r is a list, not a value"),
]


@pytest.mark.parametrize(("item", "told"), WRONG_ITEMS)
def test_wrong_items(item: str, told: str) -> None:
    """At the first of what the combinations have wrong; and what stands beside it is looked at."""
    text = resources(ENDPOINT % ("Foo: x, SubnetIds", item), BEGIN)
    before = text.partition("▸")[0]
    found = problems(text.replace("▸", ""))
    place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    here = [one for one in found if (one.place.line, one.place.column) == place]
    assert told in str(here[0]), found
    assert [one.what for one in found if one not in here] == ["there is no such field"]


def test_a_name_is_not_taken_twice() -> None:
    text = table("- {for: {▸r: zones}, DestinationCidrBlock: '${each.r}'}")
    assert "r is a name of the `for` around it" in str(problem_here(text))


def test_two_items_that_are_the_same_are_told_where_only_one_can_be() -> None:
    found = problem(table("- {for: {n: [1, 2]}, DestinationCidrBlock: 10.0.0.0/8, Blackhole: true}"))
    assert found.what == "is the same as Routes[0], and only one of them can exist"


def test_a_value_that_closes_a_reference() -> None:
    """It cannot be written there, and does not become something else."""
    body = ENDPOINT % ("SubnetIds", "{for: {r: regions}, item: '${subnet/${each.r.cost}}'}")
    assert any("cannot stand so near" in one.what for one in problems(resources(body, BEGIN)))


def test_lists_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = (
        "vpc-endpoint/v{0}: {{ServiceName: x, VpcId: v, SubnetIds: [{{for: {1}, item: '${{each.n}}'}}]}}"
    )
    huge = "{n: {from: 1, to: 999999999}}"
    assert problem(resources(endpoint.format(0, huge))).what == "`for` gives more than 10,000 items"
    none = "{n: {from: 1, to: 9999}, m: {from: 1, to: 9999}, o: nothing}"
    assert problem(resources(endpoint.format(0, none), BEGIN)).what == "`for` gives more than 10,000 items"
    assert "10,000 resources" in problem(resources(f"vpc/${{each.n}}: {{for: {huge}}}")).what
    monkeypatch.setattr(unroll, "MOST_ITEMS", 250)
    body = "\n".join(endpoint.format(number, "{n: {from: 1, to: 101}}") for number in range(4))
    told = [one.what for one in problems(resources(body))]
    assert told == ["`for` gives more than 250 items with all others"] * 2


def test_lists_of_several_files_are_one_mapping() -> None:
    texts = (
        HEAD + "lists: {a: [x]}\nresources: {}",
        "lists: {b: [y]}\nresources: {'vpc/${each.a}-${each.b}': {for: {a: a, b: b}}}",
    )
    assert list(config(*texts).resources) == [Address("vpc", "x-y")]
    found = problem(*texts, "lists: {b: [z]}")
    assert (found.place.file, found.what) == ("c.yaml", "b stands twice")


# ---- the law


WORD = st.from_regex(r"[a-m][a-z0-9]{0,2}", fullmatch=True)
TEXTS = st.text("ab$ {}-é", max_size=5).filter(lambda text: "${" not in text)
RECORD = st.fixed_dictionaries(
    {"text": TEXTS, "number": st.integers(0, 9), "inner": st.lists(WORD, max_size=3, unique=True)}
)
RECORDS = st.dictionaries(WORD, RECORD, max_size=4)


@QUIET
@given(RECORDS)
def test_it_is_what_one_would_write_by_hand(records: Mapping[str, Mapping[str, Any]]) -> None:
    """Resources, and the items of their lists, over pairs and over what records hold."""
    short = {
        "lists": {"all": records},
        "resources": {
            "security-group/${each.a}": {
                "for": {"a": "all"},
                "GroupName": "g-${each.a.number}",
                "Description": "${each.a.text}",
                "depends-on": [{"for": {"b": {"before": "a"}}, "item": "security-group/${each.b}"}],
                "Ingress": [
                    {
                        "for": {"b": {"except": "a"}, "i": "b.inner"},
                        "IpProtocol": "tcp",
                        "FromPort": "${each.b.number}",
                        "ToPort": 9,
                        "Description": "x ${each.b.text} ${each.i}",
                        "ReferencedGroupId": "${security-group/${each.b}}",
                    }
                ],
            },
            "vpc/${each.a}-${each.b}": {"for": {"a": "all", "b": {"after": "a"}}},
        },
    }
    order = list(records)
    by_hand: dict[str, Any] = {
        f"security-group/{a}": {
            "GroupName": f"g-{records[a]['number']}",
            "Description": records[a]["text"],
            "depends-on": [f"security-group/{b}" for b in order[: order.index(a)]],
            "Ingress": [
                {
                    "IpProtocol": "tcp",
                    "FromPort": records[b]["number"],
                    "ToPort": 9,
                    "Description": f"x {records[b]['text']} {i}",
                    "ReferencedGroupId": f"${{security-group/{b}}}",
                }
                for b in order
                if b != a
                for i in records[b]["inner"]
            ],
        }
        for a in order
    }
    by_hand |= {f"vpc/{a}-{b}": {} for a, b in product(order, order) if order.index(a) < order.index(b)}
    assert outcome(short) == outcome({"resources": by_hand})


def outcome(document: Mapping[str, Any]) -> Any:
    """The resources of a config without their places, or what is said to be wrong with it."""
    text = HEAD + yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=10_000)
    try:
        found = config(text).resources
    except Exception as error:
        return {one.what for one in error.problems}  # type: ignore[attr-defined]
    return [(one.address, one.spec, one.tags, one.depends_on) for one in found.values()]
