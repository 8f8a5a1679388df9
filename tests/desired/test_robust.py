"""Whatever a file holds, it loads or has problems; and it is read quickly."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from time import perf_counter

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.desired.findings import Findings
from reconciler.desired.nodes import Scalar
from reconciler.desired.references import FillError, Hole, Names, fill, parse
from reconciler.desired.scalars import core
from reconciler.errors import ConfigError
from reconciler.model.place import Place, Problem

from .support import EXAMPLES, config, resources

SEED = (EXAMPLES / "ai-global.yaml").read_bytes()
REGIONS = (EXAMPLES / "two-regions.yaml").read_bytes()
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def survives(text: bytes) -> None:
    """A config, or problems with places and words."""
    found: tuple[Problem, ...] = ()
    try:
        config(text)
    except ConfigError as error:
        found = error.problems or (Problem(Place(""), "", ""),)
    assert all(problem.what and problem.place.file for problem in found)


@pytest.mark.parametrize("text", [SEED, REGIONS], ids=["seed", "regions"])
def test_cut_at_any_byte(text: bytes) -> None:
    for count in range(len(text)):
        survives(text[:count])


@QUIET
@given(
    st.sampled_from([SEED, REGIONS]), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4)), max_size=6)
)
def test_any_bytes_changed(text: bytes, changes: list[tuple[float, bytes]]) -> None:
    for where, new in changes:
        at = int(where * len(text))
        text = text[:at] + new + text[at + len(new) :]
    survives(text)


PUNCTUATION = [
    "${",
    "}",
    "{",
    "[",
    "]",
    ": ",
    "\n",
    "\n  ",
    "- ",
    "&a ",
    "*a",
    "!x ",
    "'",
    '"',
    "|",
    "<<",
    "#",
    "? ",
]
WORDS = [
    "null",
    "for",
    "é",
    "resources:",
    "region",
    "Tags:",
    "${var.x}",
    "${each.n}",
    "${each.n.m}",
    "item:",
    "{for: {n: regions}}",
    "{after: n}",
    "${site/one}",
    "1e999",
    "0x",
]
SNIPPETS = st.sampled_from([*PUNCTUATION, *WORDS])


@QUIET
@given(st.lists(st.tuples(st.floats(0, 1), SNIPPETS), min_size=1, max_size=4))
def test_any_snippet_put_in(changes: list[tuple[float, str]]) -> None:
    text = REGIONS.decode()
    for where, new in changes:
        at = int(where * len(text))
        text = text[:at] + new + text[at:]
    survives(text.encode())


KEYS = st.text(max_size=8) | st.sampled_from(["for", "item", "a", "b", "after", "except", "from", "to"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["${site/a}", "${var.x}", "${each.a}", "${each.a.b}", "a", "a.b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
TOP = [
    "stack",
    "account",
    "accounts",
    "region",
    "tags",
    "variables",
    "lists",
    "resources",
    "outputs",
    "limits",
    "mode",
    "windows",
    "every",
    "lease",
]
BODY = [
    "region",
    "account",
    "for",
    "protect",
    "replace",
    "ignore",
    "depends-on",
    "previously",
    "Tags",
    "GlobalNetworkId",
    "Location",
    "Description",
]


@QUIET
@given(st.dictionaries(st.sampled_from(TOP), JSON), st.dictionaries(st.sampled_from(BODY), JSON))
def test_any_value_anywhere(top: dict[str, object], body: dict[str, object]) -> None:
    both = {"resources": {"site/a": body, "instance/b": body}}
    listed = {"lists": {"a": ["x", "y"]}, "resources": {"site/${each.a}": body | {"for": {"a": "a"}}}}
    for document in (top, top | both, top | listed):
        survives(yaml.dump(document, Dumper=yaml.CSafeDumper).encode())


@QUIET
@given(st.text())
def test_scalars_are_total(text: str) -> None:
    assert isinstance(core(text), str | int | float | bool | None)


@QUIET
@given(st.text(alphabet="${}ab./"))
def test_parsing_keeps_every_character(text: str) -> None:
    def spelt(pieces: tuple[str | Hole, ...], inside: bool) -> str:
        return "".join(
            "${" + spelt(piece.pieces, True) + "}" if isinstance(piece, Hole) else piece for piece in pieces
        )

    try:
        pieces = parse(text)
    except FillError:
        return
    assert spelt(pieces, False) == text.replace("$${", "${")


@QUIET
@given(st.text(alphabet=st.characters(exclude_characters="$"), max_size=10), st.text(max_size=10))
def test_filling_is_not_repeated(before: str, value: str) -> None:
    """What comes from outside is never read as a reference."""
    names = Names({"x": Scalar(None, value, value)})
    filled = fill(before + "${var.x}", names, Findings().near, [])
    assert filled is not None
    assert "".join(piece if isinstance(piece, str) else piece.text for piece in filled) == before + value  # type: ignore[union-attr]


NAMES = st.lists(st.from_regex(r"[a-z0-9]{1,4}", fullmatch=True), min_size=1, max_size=4, unique=True)


@settings(QUIET, max_examples=25)
@given(NAMES, NAMES)
def test_expansion_is_the_product_in_order(first: list[str], second: list[str]) -> None:
    body = f"for: {{a: {_quoted(first)}, b: {_quoted(second)}}}"
    found = config(resources(f"vpc/x.${{each.a}}.${{each.b}}:\n  {body}\n  CidrBlock: ${{each.b}}"))
    assert [address.name for address in found.resources] == [f"x.{a}.{b}" for a, b in product(first, second)]
    assert [one.spec["CidrBlock"] for one in found.resources.values()] == [
        b for _, b in product(first, second)
    ]


@settings(QUIET, max_examples=25)
@given(NAMES)
def test_a_repeat_is_what_one_would_write_by_hand(names: list[str]) -> None:
    repeated = config(
        resources(f"vpc/${{each.n}}: {{for: {{n: {_quoted(names)}}}, Tags: {{Name: '${{each.n}}'}}}}")
    )
    written = config(resources("\n".join(f"vpc/{name}: {{Tags: {{Name: '{name}'}}}}" for name in names)))
    assert {one.address: one.tags for one in repeated.resources.values()} == {
        one.address: one.tags for one in written.resources.values()
    }


def _quoted(names: list[str]) -> str:
    return "[" + ", ".join(f"'{name}'" for name in names) + "]"


def _many(count: int) -> str:
    site = """
site/s{0}:
  GlobalNetworkId: ${{global-network/ai}}
  Description: Site number {0}
  Location: {{Address: {0} Lane, Latitude: "47.6", Longitude: "-122.3"}}
  Tags: {{Name: site-{0}}}
"""
    return resources("global-network/ai:\n" + "".join(site.format(number) for number in range(count)))


def test_loading_costs_little_more_than_parsing() -> None:
    """Against the library alone, on the same text in the same run.

    Measured: 2 to 3 times, at 2,000 resources as at 10,000; 1.2 times for the tree with its places alone.
    """
    text = _many(800)

    def cost(work: Callable[[], object]) -> float:
        times = []
        for _ in range(3):
            start = perf_counter()
            work()
            times.append(perf_counter() - start)
        return min(times)

    ratio = cost(lambda: config(text)) / cost(lambda: yaml.load(text, Loader=yaml.CSafeLoader))
    print(f"{ratio:.1f} times the library")
    assert ratio < 8


def test_many_mistakes_are_told_all() -> None:
    """And the search for what was meant does not grow with them."""
    text = _many(1000).replace("global-network/ai}", "global-network/aj}").replace("Address", "Adress")
    with pytest.raises(ConfigError) as caught:
        config(text)
    assert len(caught.value.problems) == 2000


FEW = 250
"""Enough that what grows with the square of it would show."""


@pytest.mark.parametrize(
    "text",
    [
        "<<<<<<< a\n" * 20 * FEW,
        "variables: {x: {default: " + "a" * FEW + "}}\noutputs: {a: '" + "${var.x}" * 20 * FEW + "'}",
        "outputs: {a: '" + "}$${" * 20 * FEW + "'}",
        resources("\n".join(f"site/s{n}: {{GlobalNetworkId: ${{global-network/x{n}}}}}" for n in range(FEW))),
        "lists: {a: [" + ", ".join(f"x{n}" for n in range(20 * FEW)) + "]}",
        "lists: {a: {x: " + "{y: " * 40 + "[]" + "}" * 40 + "}}",
        resources("instance/i: {SecurityGroupIds: " + "[{for: {n: [a]}, item: " * 20 + "x" + "}]" * 20 + "}"),
        resources("instance/i: {SecurityGroupIds: [" + "{for: {n: [a]}, item: x}, " * 20 * FEW + "]}"),
        resources("\n".join(f"vpc/A{n}: {{Foo: '${{vpc/x{n}}}'}}" for n in range(FEW))),
        "\n".join(f"a{n}: &a{n} x" for n in range(FEW)),
        "? " * FEW,
        "[" * FEW,
        "- " * FEW,
        '"' + "\\" * FEW,
    ],
    ids=[
        "conflicts",
        "variables",
        "braces",
        "bare",
        "members",
        "records",
        "nests",
        "repeats",
        "addresses",
        "anchors",
        "keys",
        "lists",
        "items",
        "escapes",
    ],
)
def test_much_of_one_thing(text: str) -> None:
    survives(text.encode())


def test_a_long_chain_and_a_long_circle() -> None:
    chain = [f"vpc/v{number}: {{depends-on: vpc/v{number + 1}}}" for number in range(3000)]
    config(resources("\n".join([*chain, "vpc/v3000:"])))
    with pytest.raises(ConfigError) as caught:
        config(resources("\n".join([*chain, "vpc/v3000: {depends-on: vpc/v0}"])))
    assert len(caught.value.problems) == 1
