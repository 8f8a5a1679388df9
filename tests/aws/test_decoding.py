"""EC2's answers decoded by functions made from the service model: what botocore's own parser gives, or its error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree.ElementTree import Element, tostring
from xml.sax.saxutils import escape

import pytest
from botocore.parsers import EC2QueryParser
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.aws.decoders import decoder
from reconciler.aws.decoding import ParserFactory, Rows, as_it_is
from reconciler.aws.patterns import Patterns
from reconciler.aws.schema import models
from reconciler.kinds import ALL
from reconciler.model.kind import Kind

MODEL = models().get_service_model("ec2")


def reads(kind: Kind) -> Iterator[str]:
    """The operations with which a kind is looked at."""
    yield kind.read.operation
    yield from (one.operation for one in (*kind.read.details, *kind.read.companions))


OPERATIONS = sorted(
    {"DescribeRegions", "DescribeTags"}
    | {operation for kind in ALL if kind.service == "ec2" for operation in (*reads(kind), kind.create)}
)
LISTS = sorted(
    operation
    for operation in OPERATIONS
    if any(
        member.type_name == "list" and member.member.type_name == "structure"
        for member in MODEL.operation_model(operation).output_shape.members.values()
    )
)
SPACE = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'


def shape_of(operation: str) -> Any:
    """What an operation answers."""
    return MODEL.operation_model(operation).output_shape


def response(body: bytes) -> dict[str, Any]:
    """An answer as botocore gives it to its parsers."""
    return {"body": body, "headers": {}, "status_code": 200, "context": {}}


def outcome(parser: Any, body: bytes, operation: str) -> Any:
    """What a parser makes of an answer: a value, or an error and what it says."""
    try:
        return parser.parse(response(body), shape_of(operation))
    except Exception as error:
        return type(error), str(error)


def same(body: bytes, operation: str, known: Rows) -> Any:
    """Both parsers agree, to a bool that is no number, twice over; gives what they say."""
    ours = ParserFactory(known).create_parser("ec2")
    expected = outcome(EC2QueryParser(timestamp_parser=as_it_is), body, operation)
    for _ in range(2):  # the second time rows are known
        assert spelt(outcome(ours, body, operation)) == spelt(expected)
    return expected


def spelt(value: Any) -> str:
    """A value with its types, whatever the order of its members; botocore gives out elements where one is twice."""
    if isinstance(value, Element):
        return tostring(value).decode()
    if isinstance(value, dict):
        return "{" + ",".join(f"{name}:{spelt(value[name])}" for name in sorted(value)) + "}"
    return "[" + ",".join(map(spelt, value)) + "]" if isinstance(value, list) else repr(value)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn")), max_size=6)
LEAVES: dict[str, st.SearchStrategy[str]] = {
    "string": TEXT.map(escape),
    "boolean": st.sampled_from(["true", "false", "", "TRUE"]),
    "integer": st.integers(-5, 10**6).map(str),
    "long": st.integers(-5, 10**12).map(str),
    "float": st.sampled_from(["1", "-0.5", "1e3"]),
    "double": st.sampled_from(["1", "-0.5", "1e3"]),
    "timestamp": st.sampled_from(["2026-01-01T00:00:00.000Z", ""]),
    "blob": st.just("AAEC"),
}


Draws = Callable[[str], str]
"""What stands in a leaf of a type."""


def content(draw: st.DrawFn, shape: Any, depth: int, leaf: Draws | None = None) -> str:
    """What stands in the element of a shape: some of the members, in any order."""
    if shape.type_name == "list":
        item = shape.member.serialization.get("name", "item")
        count = draw(st.integers(0, 3 if depth < 2 else 1)) if depth < 6 else 0
        return "".join(element(item, content(draw, shape.member, depth + 1, leaf)) for _ in range(count))
    if shape.type_name != "structure":
        return leaf(shape.type_name) if leaf else draw(LEAVES[shape.type_name])
    names = list(shape.members) if depth < 6 else []
    chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=5)) if names else []
    found = ""
    for name in chosen:
        member = shape.members[name]
        found += element(member.serialization.get("name", name), content(draw, member, depth + 1, leaf))
    return found


def element(name: str, inner: str) -> str:
    """An element, in the shortest form."""
    return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"


@st.composite
def answers(draw: st.DrawFn) -> tuple[str, str]:
    """An operation and the text of an answer of it."""
    operation = draw(st.sampled_from(OPERATIONS))
    inner = content(draw, shape_of(operation), 0)
    request = draw(st.sampled_from(["<requestId>1-2</requestId>", "<requestId/>", ""]))
    return operation, f"<{operation}Response {SPACE}>{inner}{request}</{operation}Response>"


ODD = (
    *(
        "<item/>",
        "<item>",
        "</item>",
        "<item >",
        "<unheard>1</unheard>",
        "<unheard><item><a/></item></unheard>",
    ),
    *("<!-- <item> -->", "<![CDATA[<item>]]>", "<?p <item>?>", "&amp;", "&#65;", "&nbsp;", " \n ", "x", "5"),
    *('<x:item xmlns:x="u"><item/></x:item>', "<x:item/>", '<item a="1"><b/></item>', "\x01"),
)
ELEMENT = re.compile(r"<(\w+)>[^<]*</\1>|<\w+/>|<(\w+)>(?:(?!<\2>).)*?</\2>", re.DOTALL)


@st.composite
def broken(draw: st.DrawFn) -> tuple[str, str]:
    """An answer into which something odd has come, of which something is there twice, or is cut out."""
    operation, text = draw(answers())
    edges = [found.start() for found in re.finditer("<|(?<=>)", text)] + [len(text)]
    at, end = sorted((draw(st.sampled_from(edges)), draw(st.sampled_from(edges))))
    match draw(st.sampled_from(["odd", "odd", "twice", "twice", "without", "cut"])):
        case "odd":
            return operation, text[:at] + draw(st.sampled_from(ODD)) + text[at:]
        case "twice" if found := list(ELEMENT.finditer(text, text.index(">") + 1)):
            one = draw(st.sampled_from(found))
            return operation, text[: one.end()] + text[one.start() :]
        case "without":
            return operation, text[:at] + text[end:]
    return operation, text[:at]


TEXTS = (
    *(
        "",
        " ",
        "\n",
        "a>b",
        "]]>",
        "]]&gt;",
        "&amp;lt;",
        "&quot;&apos;",
        "&#65;",
        "&nbsp;",
        "&",
        "\r",
        "\t",
        "\x00",
        "\x01",
    ),
    *(
        "\x85",
        "\xa0",
        "\u2028",
        "\ufeff",
        "\ufffe",
        "é",
        "\U0001f600",
        "a='b'",
        "<b/>",
        "<!---->",
        "<item>",
        "_1",
        "1_0",
    ),
)
"""What may stand where the others of a row have a plain text, and be something else to XML."""


@st.composite
def alike(draw: st.DrawFn) -> tuple[str, str]:
    """An operation and an answer of it with rows that differ in their texts, and hardly in anything else."""
    operation = draw(st.sampled_from(LISTS))
    name, member = next(
        (name, member)
        for name, member in shape_of(operation).members.items()
        if member.type_name == "list" and member.member.type_name == "structure"
    )
    space = draw(st.sampled_from(["", "\n    ", "\t"]))
    form = content(draw, member.member, 1, leaf=lambda sort: f"@{sort}@").replace("><", f">{space}<")
    strange = draw(st.sampled_from([0, 0, 1]))

    def text(found: re.Match[str]) -> str:
        return draw(st.sampled_from(TEXTS) if strange and draw(st.booleans()) else LEAVES[found[1]])

    rows = "".join(f"<item>{re.sub('@(.+?)@', text, form)}</item>" for _ in range(draw(st.integers(3, 5))))
    wire = member.serialization.get("name", name)
    return operation, f"<{operation}Response {SPACE}>{element(wire, rows)}</{operation}Response>"


@settings(max_examples=150)
@given(alike())
def test_rows_that_are_alike_are_what_botocore_makes_of_them(answer: tuple[str, str]) -> None:
    operation, text = answer
    same(text.encode("utf-8", "replace"), operation, Rows())


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_that_is_more_than_that_is_what_botocore_makes_of_it(text: str) -> None:
    rows = "".join(f"<item><vpcId>{one}</vpcId></item>" for one in ("a", "b", "c", text))
    body = f"<DescribeVpcsResponse {SPACE}><vpcSet>{rows}</vpcSet></DescribeVpcsResponse>"
    same(body.encode("utf-8", "replace"), "DescribeVpcs", Rows())


def test_rows_with_attributes_are_what_botocore_makes_of_them() -> None:
    rows = """<item a=">x"><vpcId b="">1</vpcId><state c='>y'>z</state></item>""" * 4
    body = f"<DescribeVpcsResponse {SPACE}><vpcSet>{rows}</vpcSet></DescribeVpcsResponse>"
    assert same(body.encode(), "DescribeVpcs", Rows())["Vpcs"][3] == {"VpcId": "1", "State": "z"}


@settings(max_examples=50)
@given(answers())
def test_an_answer_is_what_botocore_makes_of_it(answer: tuple[str, str]) -> None:
    operation, text = answer
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    assert isinstance(same((head + text).encode(), operation, Rows()), dict)


@settings(max_examples=80)
@given(broken())
def test_an_odd_answer_is_what_botocore_makes_of_it_or_the_error_that_it_has(answer: tuple[str, str]) -> None:
    operation, text = answer
    same(text.encode("utf-8", "replace"), operation, Rows())


@pytest.mark.parametrize(
    ("operation", "inner"),
    [
        ("CreateFlowLogs", "<flowLogIdSet><item>fl-1</item></flowLogIdSet><unsuccessful/>"),
        ("DescribeSubnets", "<subnetSet><item><availableIpAddressCount/></item></subnetSet>"),
        (
            "DescribeSubnets",
            "<subnetSet><item><availableIpAddressCount>x</availableIpAddressCount></item></subnetSet>",
        ),
        ("DescribeVpcs", "<vpcSet><item><vpcId>1</vpcId><vpcId>2</vpcId></item></vpcSet>"),
        ("DescribeVpcs", "<vpcSet><item/></vpcSet><vpcSet><item/></vpcSet>"),
        ("DescribeVpcs", "<vpcSet><item/></vpcSet><requestId>1</requestId><requestId>2</requestId>"),
        ("DescribeVpcs", "<vpcSet><!--<item><vpcId>1</vpcId></item>--><item/></vpcSet>"),
        ("DescribeVpcs", "<vpcSet><item>5</item><item>1</item></vpcSet>"),
        ("DescribeVpcs", "<vpcSet><other>0</other><item><vpcId>1</vpcId></item></vpcSet>"),
        ("DescribeVpcs", "<vpcSet><item><vpcId>1</vpcId></item>"),
    ],
)
def test_what_is_odd_in_a_known_way_is_too(operation: str, inner: str) -> None:
    same(f"<{operation}Response {SPACE}>{inner}</{operation}Response>".encode(), operation, Rows())


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_that_is_read_is_left_to_botocore(operation: str) -> None:
    decoder(shape_of(operation))


INSTANCES = (
    f"<DescribeInstancesResponse {SPACE}><reservationSet>%s</reservationSet>"
    "<nextToken>%s</nextToken></DescribeInstancesResponse>"
)
ONE, OTHER = (
    f"<item><instancesSet><item><instanceId>i-{number}</instanceId></item></instancesSet></item>"
    for number in (1, 2)
)


def test_a_row_that_has_not_changed_is_the_same_object_until_a_look_has_not_seen_it() -> None:
    rows = Rows()
    parser = ParserFactory(rows).create_parser("ec2")

    def look(*items: str, token: str = "") -> list[Any]:
        rows.turn()
        body = (INSTANCES % ("".join(items), token)).encode()
        found: list[Any] = parser.parse(response(body), shape_of("DescribeInstances"))["Reservations"]
        return found

    first = look(ONE, OTHER)
    second = look(OTHER, ONE, token="x")
    assert [second[0] is first[1], second[1] is first[0]] == [True, True]
    look(OTHER)
    assert look(ONE)[0] is not first[0]


def test_where_there_is_no_other_look_rows_are_the_same_and_kept_nowhere() -> None:
    rows = Rows()
    rows.remembers = False
    body = (INSTANCES % (ONE + OTHER, "")).encode()
    same(body, "DescribeInstances", rows)
    parser = ParserFactory(rows).create_parser("ec2")
    first = parser.parse(response(body), shape_of("DescribeInstances"))
    rows.turn()
    second = parser.parse(response(body), shape_of("DescribeInstances"))
    assert first["Reservations"][0] is not second["Reservations"][0]


def test_a_row_that_may_hold_keys_is_kept_nowhere() -> None:
    rows = Rows()
    rows.turn()
    parser = ParserFactory(rows).create_parser("ec2")
    body = (
        f"<DescribeVpnConnectionsResponse {SPACE}><vpnConnectionSet><item><vpnConnectionId>vpn-1</vpnConnectionId>"
        "</item></vpnConnectionSet></DescribeVpnConnectionsResponse>"
    ).encode()
    first, second = (
        parser.parse(response(body), shape_of("DescribeVpnConnections"))["VpnConnections"][0]
        for _ in range(2)
    )
    assert first == second
    assert first is not second


def test_rows_share_what_they_have_in_common() -> None:
    rows = Rows()
    parser = ParserFactory(rows).create_parser("ec2")

    def row(id: str, zone: str) -> str:
        placed = (
            f"<placement><availabilityZone>{zone}</availabilityZone><tenancy>default</tenancy></placement>"
        )
        return f"<item><instanceId>{id}</instanceId>{placed}<ebsOptimized>true</ebsOptimized></item>"

    rows_of = row("i-0", "a"), row("i-1", "a"), row("i-2", "a"), row("i-3", "b")
    items = "".join(f"<item><instancesSet>{inner}</instancesSet></item>" for inner in rows_of)
    body = f"<Answer {SPACE}><reservationSet>{items}</reservationSet></Answer>"
    found = parser.parse(response(body.encode()), shape_of("DescribeInstances"))
    _, one, two, three = (reservation["Instances"][0] for reservation in found["Reservations"])
    assert one["Placement"] is two["Placement"] is not three["Placement"]
    assert one["Placement"]["Tenancy"] is three["Placement"]["Tenancy"]
    assert (one["EbsOptimized"], three["Placement"]["AvailabilityZone"]) == (True, "b")


def test_no_more_is_remembered_of_rows_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.aws.patterns.MOST_PARTS", 5)
    monkeypatch.setattr("reconciler.aws.patterns.MOST_TEXTS", 50)
    patterns, shape = Patterns(), shape_of("DescribeVpcs").members["Vpcs"].member
    for number in range(100):
        tags = "".join(f"<item><key>{number}</key><value>{n}</value></item>" for n in range(number % 7))
        row = f"<item><vpcId>vpc-{number}</vpcId><tagSet>{tags}</tagSet></item>"
        patterns.row(row.encode(), shape)
        assert len(patterns._parts) < 25
        assert len(patterns._texts) < 25
        assert len(patterns._made) < 25
