"""`for`, where it is wrong: told once, at the place to mend, and hiding nothing else."""

from __future__ import annotations

import pytest

from reconciler.desired import expand

from .support import config, problem, problem_here, problems, resources

WRONG = [
    ("vpc/a-${each.n}: {for: {n: ▸[]}}", "this list is empty"),
    ("vpc/a-${each.n}: {for: ▸{}}", "names no list"),
    ("vpc/a: {for: ▸{}}", "names no list"),
    ("vpc/a-${each.n}: {for: ▸}", "expected a mapping, got nothing"),
    ("vpc/a-${each.n}: {for: ▸x}", "expected a mapping, got x"),
    ("vpc/a-${each.n}: {for: {n: ▸}}", "expected a list, or the name of one, got nothing"),
    ("vpc/a-${each.n}: {for: {n: ▸'${var.list}'}}", "expected a list, or the name of one, got ${var.list}"),
    ("vpc/a-${each.n}: {for: {n: [▸null]}}", "expected a string or a whole number, got nothing"),
    ("vpc/a-${each.n}: {for: {n: [a, ▸[b]]}}", "expected a string or a whole number, got a list"),
    ("vpc/a-${each.n}: {for: {n: [▸true]}}", "got true (quote it)"),
    ("vpc/a-${each.n}: {for: {n: [▸1e3]}}", "got 1e3 (quote it)"),
    ("vpc/a-${each.n}: {for: {n: [▸01]}}", "got 01 (quote it)"),
    ("vpc/a-${each.n}: {for: {n: [▸0x10]}}", "got 0x10 (quote it)"),
    ("vpc/a-${each.n}: {for: {n: [ok, ▸'A B']}}", "'A B' cannot stand in an address"),
    ("vpc/a-${each.n}: {for: {n: [▸é]}}", "'é' cannot stand in an address"),
    ("vpc/a-${each.n}: {for: {n: [▸'$${x}']}}", "'${x}' cannot stand in an address"),
    ("vpc/a-${each.n}: {for: {n: [▸'${vpc/b}']}}", "cannot hold a reference"),
    ("vpc/a-${each.n}: {for: {n: [▸'${var.u}']}}", "no variable is called 'u'"),
    ("vpc/a-${each.n}: {for: {n: [▸'${each.n}']}}", "stands outside a `for`"),
    ("vpc/a-${each.n}: {for: {n: [1, ▸1]}}", "1 stands twice in this list"),
    ("▸vpc/${each.n}${each.m}: {for: {n: [1, 11], m: [1, 11]}}", "put a dash between their values"),
    ("vpc/${each.N}: {for: {▸N: [1]}}", "'N' is not a name"),
    ("▸vpc/${each.nn}: {for: {n: [1]}}", "`for` has no list called 'nn' (did you mean n?)"),
    ("▸vpc/${each.n}-${each.m}: {for: {n: [1]}}", "`for` has no list called 'm'"),
    ("▸vpc/a: {for: {n: [1, 2]}}", "the address must hold ${each.n}"),
    ("▸vpc/${EACH.n}: {for: {n: [1]}}", "did you mean ${each.n}?"),
    ("▸vpc/$${each.n}: {for: {n: [1]}}", "'vpc/${each.n}' is not an address"),
    ("▸vpc/${each.n: {for: {n: [1]}}", "a ${ is not closed by }"),
    ("▸vpc/${each.n}: {CidrBlock: '${each.n}'}", "stands outside a `for` (write for: {n: [a, b]} below it)"),
]


@pytest.mark.parametrize(("body", "told"), WRONG)
def test_wrong(body: str, told: str) -> None:
    assert told in str(problem_here(resources(body)))


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ("[1, b]", ["a-1", "a-b"]),
        ("['01', '']", ["a-01", "a-"]),
        ("[c.d]", ["a-c.d"]),
        ("['1e3']", ["a-1e3"]),
    ],
)
def test_right(values: str, names: list[str]) -> None:
    found = config(resources(f"vpc/a-${{each.n}}: {{for: {{n: {values}}}, CidrBlock: 'x${{each.n}}'}}"))
    assert [address.name for address in found.resources] == names


@pytest.mark.parametrize(
    "address",
    ["vpc/a-${each.n}: {for: {n: []}, ", "vpc/A: {", "vpc/a-${var.x}: {", "vpc/a-${each.n}: {"],
    ids=["for", "capital", "variable", "each"],
)
def test_a_bad_address_hides_nothing(address: str) -> None:
    """Its body is looked at, and who refers to it is not told that it is missing."""
    found = problems(
        resources(
            f"""
            {address}Foo: x}}
            subnet/a: {{VpcId: "${{vpc/a}}"}}
            subnet/b: {{VpcId: "${{vpc/a-1}}"}}
            """
        )
    )
    assert sum("Foo" in one.path for one in found) == 1
    missing = {one.path for one in found if "nowhere in the config" in one.what}
    assert missing == ({"subnet/b.VpcId"} if address.startswith("vpc/A") else {"subnet/a.VpcId"})


def test_a_mistake_under_for_is_told_a_few_times_at_most() -> None:
    """Each repeat is wrong in its own way, and five of a hundred say enough."""
    values = ", ".join(f"v{number}" for number in range(100))
    found = problems(
        resources(f"vpc/${{each.n}}: {{for: {{n: [{values}]}}, EnableDnsSupport: '${{each.n}}'}}")
    )
    assert [one.what for one in found][-2:] == [
        "expected true or false, got v4",
        "… and 95 more problems here",
    ]
    assert len(found) == 6


def test_a_for_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = f"[{', '.join(map(str, range(101)))}]"
    product = f"vpc/a-${{each.n}}-${{each.m}}: {{for: {{n: {numbers}, m: {numbers}}}}}"
    assert problem(resources(product)).what == "`for` gives more than 10,000 resources"
    monkeypatch.setattr(expand, "MOST_RESOURCES", 250)
    body = "\n".join(f"vpc/v{number}-${{each.n}}: {{for: {{n: {numbers}}}}}" for number in range(4))
    found = problems(resources(body))
    assert [one.what for one in found] == ["`for` gives more than 250 resources with all others"] * 2
