"""What YAML does to a config, and what is said about it."""

from __future__ import annotations

import math

import pytest

from reconciler.desired import source
from reconciler.desired.files import LARGEST_FILE, File
from reconciler.desired.nodes import Entries, Items, Node
from reconciler.desired.scalars import core
from reconciler.desired.source import DEEPEST, parse

from .support import HEAD, config, problem, problems, resources

SCALARS = [
    ("", None), ("~", None), ("null", None), ("Null", None), ("nULL", "nULL"),
    ("true", True), ("True", True), ("TRUE", True), ("tRUE", "tRUE"), ("false", False),
    ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"),
    ("0", 0), ("010", 10), ("0o10", 8), ("0x1F", 31), ("-7", -7), ("+7", 7), ("1_000", "1_000"), ("0b1", "0b1"),
    ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-27.470", -27.47), ("1e", "1e"), (".", "."),
    (".inf", math.inf), ("-.INF", -math.inf), ("+.Inf", math.inf), ("inf", "inf"),
    ("2024-01-01", "2024-01-01"), ("08:00", "08:00"), ("190:20:30", "190:20:30"), ("10.0.0.0/16", "10.0.0.0/16"),
    ("-", "-"), ("<<", "<<"), ("=", "="), ("0o8", "0o8"), ("0x", "0x"), ("1 2", "1 2"), ("٣", "٣"),
    ("9" * 5000, "9" * 5000),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SCALARS, ids=range(len(SCALARS)))
def test_scalars(text: str, value: object) -> None:
    assert core(text) == value
    assert type(core(text)) is type(value)


def test_not_a_number() -> None:
    assert math.isnan(core(".nan"))  # type: ignore[arg-type]


BROKEN = [
    ("a: {b: ${c/d}}", 1, 8, 'put quotes around "${…}" inside { } or [ ]'),
    ("a: [x, y-${c/d}]", 1, 10, 'put quotes around "${…}" inside { } or [ ]'),
    ("a:\n  {b:\n    ${ssm:/x}}", 3, 5, 'put quotes around "${…}" inside { } or [ ]'),
    ("a:\n\tb: c", 2, 1, "a tab, where YAML wants spaces"),
    ("a: @b", 1, 4, "a value cannot begin with '@' (quote it)"),
    ("a: b: c", 1, 5, "a second `: ` on this line"),
    ("a: *b", 1, 4, "this alias has no anchor"),
    ("a: 'b", 1, 4, "the file ends inside a quoted text"),
    ("a: [b\nc: d", 2, 2, "the list [ ] is not closed"),
    ("a: b\n---\nc: d", 2, 1, "a second document begins here"),
    ("a: 1\na: 2", 2, 1, "a stands twice (the first is at a.yaml:1:1)"),
    ("a: {b: 1, b: 2}", 1, 11, "b stands twice (the first is at a.yaml:1:5)"),
    ("a: &x {b: c}\nd: {<<: *x}", 2, 5, "merge keys (<<) are refused"),
    ("a: !Ref b", 1, 4, "the YAML tag !Ref is refused"),
    ("a: !!python/object:os.system x", 1, 4, "the YAML tag !!python/object:os.system is refused"),
    ("1: b", 1, 1, "a key must be a text, this is 1 (quote it)"),
    ("true: b", 1, 1, "a key must be a text"),
    ("? [a]\n: b", 1, 3, "a key must be a text"),
    ("a: &x [*x]", 1, 4, "an alias stands inside what it names"),
    ("a: b\n<<<<<<< HEAD\nb: c\n=======\nb: d\n>>>>>>> other\n", 2, 1, "a merge conflict stands in the file"),
    (">>>>>>> other\na: b\n", 1, 1, "a merge conflict"),
    ("a: b\0c", 1, 5, "the character U+0000 cannot stand in YAML"),
    ("a: b\nc: \x1b[0m", 2, 4, "the character U+001B"),
    (b"a: b\nc: caf\xe9\n", 2, 7, "is not UTF-8: byte 0xe9"),
    (b"\xff\xfea\0:\0 \0b\0", 1, 1, "is not UTF-8"),
    ("a: " + "[" * 5000, 1, None, "nested too deeply"),
    ("".join(f"{' ' * depth}a:\n" for depth in range(300)), None, None, "nested too deeply"),
    ("a: b\n...\nc: d", 3, 1, "something stands behind the end of the document"),
    ("a: {b: *}", 1, 9, "an anchor or alias without a name (quote a value that begins with & or *)"),
    ('a: "b\\q"', 1, 6, "an unknown escape in double quotes (write \\\\ for a backslash"),
    ("a: |b", 1, 5, "a text begins on the line of its | or >"),
    ("a: {b: {{ c }}}", 1, 9, "there are no templates here; quote a text that begins with {"),
    ('a: "b\\0c"', 1, 4, "the character U+0000 cannot stand in a value"),
    ("a: b\n||||||| base\n=======\nb: d\n>>>>>>> other\n", 2, 1, "a merge conflict stands in the file"),
    ("%FOO x\n---\na: b", 1, 5, "remove the line that begins with %"),
    ("a: [", 2, 1, "a value is missing here (is the end of the file missing?)"),
    ("- a\n", 1, 1, "expected a mapping, got a list"),
    ("text", 1, 1, "expected a mapping, got text"),
]


@pytest.mark.parametrize(("text", "line", "column", "told"), BROKEN, ids=range(len(BROKEN)))
def test_broken_yaml(text: str | bytes, line: int | None, column: int | None, told: str) -> None:
    found = next(one for one in problems(text) if told in str(one))
    assert line in (None, found.place.line)
    assert column in (None, found.place.column)


def test_a_key_without_a_space_behind_its_colon() -> None:
    assert "a space is missing behind the colon" in str(problem(resources("vpc/a:{}")))
    assert "a space is missing behind the colon" in str(problem(resources("vpc/a: {CidrBlock:x}")))


def test_an_alias_bomb() -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 8))
    found = problem(f"l0: &l0 [x]\n{levels}")
    assert "aliases expand to more than 10,000 values" in found.what


def test_a_chain_of_aliases() -> None:
    text = "l0: &l0 [x]\n" + "".join(f"l{n}: &l{n} [*l{n - 1}]\n" for n in range(1, 140))
    assert problem(text).what in {"aliases nest too deeply", "aliases expand to more than 10,000 values"}


def test_a_large_file() -> None:
    assert "larger than 5 MB" in problem(b"#" * (LARGEST_FILE + 1)).what


@pytest.mark.parametrize(("mark", "end"), [("\ufeff", "\n"), ("", "\r\n"), ("\ufeff", "\r\n"), ("", "\r")])
def test_what_editors_do_to_files(mark: str, end: str) -> None:
    """A mark of the byte order, and other ends of lines: all means the same, and places are right."""
    good, bad = resources("vpc/a: {CidrBlock: x}"), resources("vpc/a: {CidrBlock: x, Foo: x}")
    assert config(mark + good.replace("\n", end)).resources.keys() == config(good).resources.keys()
    assert problem(mark + bad.replace("\n", end)) == problem(bad)


def test_a_heading_is_no_conflict() -> None:
    text = resources("global-network/a:\n  Description: |\n    Title\n    =======\n")
    assert "conflict" not in "".join(map(str, parse(File("a.yaml", text.encode())).problems))
    assert parse(File("a.yaml", f"{HEAD}a: |\n  x\n=======\n".encode())).broken


PLAIN = [
    "", "# nothing", "---", "a", "~", "! a", "!!str a", "a: ! 1", "a: !b c", "a: [1, {b: 2.5}, 'c', \"d\"]",
    "a: |\n  b\nc: >-\n  d\n", "? a\n: b", "? [a]\n: b", "a: 1\na: {}\n<<: {}\n1: 2\n", "*a", "a: *b",
    "a: 1\n...\n---\nb: 2", "%YAML 1.1\n---\na: 1\n...\n", "a: {b: ${c/d}}", "a: b: c", "a: [b", "'",
    "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1), "[" * DEEPEST + "]" * DEEPEST,
    "[" * DEEPEST + "1" + "]" * DEEPEST, "- " * DEEPEST + "a", "{a: " * DEEPEST + "}" * DEEPEST,
]  # fmt: skip


def places(node: Node | None) -> object:
    """A tree with all of its values, their types and their places."""
    if isinstance(node, Items):
        return (node.mark.line, node.mark.column, [places(item) for item in node.items])
    if isinstance(node, Entries):
        inner = [(name, places(entry.key), places(entry.node)) for name, entry in node.entries.items()]
        return (node.mark.line, node.mark.column, inner)
    return node and (
        node.mark.name,
        node.mark.line,
        node.mark.column,
        node.text,
        repr(node.value),
        node.filled,
    )


@pytest.mark.parametrize("text", PLAIN, ids=range(len(PLAIN)))
def test_events_give_what_the_composer_gives(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = parse(File("a.yaml", text.encode()))
    monkeypatch.setattr(source, "_streamed", lambda *_: None)
    composed = parse(File("a.yaml", text.encode()))
    assert places(found.root) == places(composed.root)
    assert (found.problems, found.broken) == (composed.problems, composed.broken)


def test_a_good_config_makes_no_nodes_of_the_librarys_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would take twice what ours take."""
    monkeypatch.delattr(source, "_compose")
    assert isinstance(parse(File("a.yaml", HEAD.encode())).root, Entries)


def test_equal_texts_are_one() -> None:
    root = parse(File("a.yaml", b"[{same: value}, {same: value}]")).root
    assert isinstance(root, Items)
    one, two = (item.entries["same"] for item in root.items if isinstance(item, Entries))
    assert one.key.text is two.key.text
    assert one.node.text is two.node.text  # type: ignore[union-attr]
