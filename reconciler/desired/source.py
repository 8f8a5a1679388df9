"""YAML: the bytes of a file become a tree of nodes that know where they stand.  Called by `load`.

The only module of this package that knows the YAML library.  libyaml gives events with marks, from which values are
made one by one: with all of a large config as the library's own nodes beside them a process would stay much larger.
What is broken, and what has anchors, goes through libyaml's composer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any, NamedTuple

import yaml  # type: ignore[import-untyped, unused-ignore]
from yaml._yaml import CParser  # type: ignore[import-untyped, unused-ignore]

from reconciler.desired.files import LARGEST_FILE, File
from reconciler.desired.findings import place, short, visible
from reconciler.desired.nodes import Entries, Entry, Items, Node, Scalar, united
from reconciler.desired.scalars import core
from reconciler.desired.syntax import BARE_REFERENCE, QUOTE_REFERENCE, syntax
from reconciler.model.place import Place, Problem

MOST_ALIASED_NODES = 10_000
DEEPEST = 100
MOST_CONFLICTS = 100
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
CONFLICT = re.compile(r"^(<{7}|>{7}|\|{7})", re.MULTILINE)
"""`=======` alone may underline a heading in a text."""
REFERENCE = re.compile(r"\$\{(?:[^{}\n]|\$\{[^{}\n]*\})*\}")
SCALAR = yaml.ScalarEvent
SCALARS = (yaml.ScalarNode, SCALAR)
ENDS = frozenset({yaml.SequenceEndEvent, yaml.MappingEndEvent})
LISTS = (yaml.SequenceNode, yaml.SequenceStartEvent)
_made = tuple.__new__
"""Makes a named tuple of a tuple: what its class does, less a call of a function for each value of a file."""
OPEN, CLOSE = "\ue000", "\ue001"
"""Stand for the braces of ${…} where a bare one broke the YAML; of one character as well, so no place moves."""


class Document(NamedTuple):
    """What a file says.  `root` is None when it says nothing, or when it is `broken` and nobody knows."""

    root: Node | None
    problems: tuple[Problem, ...] = ()
    broken: bool = False


def parse(file: File) -> Document:
    """The tree that a file holds, with every problem of its YAML."""
    name, data = file
    if len(data) > LARGEST_FILE:
        return _broken(
            Place(name), f"is larger than {LARGEST_FILE // 1_000_000} MB", "split it into a folder of files"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace").removeprefix("\ufeff")
        return _broken(_at(name, before), f"is not UTF-8: byte 0x{data[error.start]:02x}", "save it as UTF-8")
    if odd := UNPRINTABLE.search(text):
        what = f"the character U+{ord(odd[0]):04X} cannot stand in YAML"
        return _broken(_at(name, text[: odd.start()]), what, "remove it")
    if conflicts := tuple(islice(_conflicts(name, text), MOST_CONFLICTS)):
        return Document(None, conflicts, broken=True)
    if "&" not in text and (document := _streamed(name, text)):
        return document
    root, problems = _compose(name, text)
    bare = bool(problems) and root is not None
    if root is None:
        return Document(None, problems, broken=bool(problems))
    if "&" in text and (excess := _excess(root)):
        return Document(None, (excess,), broken=True)
    return _built(_Builder(_inside, shared="&" in text, bare=bare), root, problems)


def _built(builder: _Builder, root: Any, problems: tuple[Problem, ...] = ()) -> Document:
    node = builder.node(root, flow=False)
    says_nothing = isinstance(node, Scalar) and node.value is None
    return Document(None if says_nothing else node, (*problems, *builder.problems))


def _inside(source: Any) -> Iterator[Any]:
    """The composer's nodes in a node: keys and values in turn where it is a mapping."""
    return chain.from_iterable(source.value) if isinstance(source, yaml.MappingNode) else iter(source.value)


def _streamed(name: str, text: str) -> Document | None:
    """The document made from events; None where it is no plain one, and where the composer says what is wrong."""
    depth, ends, alias = 0, ENDS, yaml.AliasEvent

    def inside(_: Any) -> Iterator[Any]:
        nonlocal depth
        depth += 1
        if depth >= DEEPEST:
            raise yaml.YAMLError
        while (sort := type(event := next_event())) not in ends:
            if sort is alias:
                raise yaml.YAMLError
            yield event
        depth -= 1

    try:
        parser = CParser(_Stream(name, text))
        next_event = parser.get_event
        parser.get_event()  # the stream begins
        if not isinstance(parser.get_event(), yaml.DocumentStartEvent):
            return None
        root = parser.get_event()
        if isinstance(root, yaml.AliasEvent):
            return None
        document = _built(_Builder(inside, shared=False, bare=False), root)
        parser.get_event()  # the document ends
        return document if isinstance(parser.get_event(), yaml.StreamEndEvent) else None
    except yaml.YAMLError:
        return None


def _compose(name: str, text: str) -> tuple[Any, tuple[Problem, ...]]:
    """The composer's root node, and what is wrong.

    With both, the only thing wrong is that ${…} stand bare inside { } or [ ]; their braces are OPEN and CLOSE.
    """
    try:
        return _Parser(_Stream(name, text)).get_single_node(), ()
    except yaml.YAMLError as error:
        problem = syntax(name, text, error)
    if problem.what != BARE_REFERENCE or OPEN in text or CLOSE in text:
        return None, (problem,)
    marked = REFERENCE.sub(lambda found: found[0].replace("{", OPEN).replace("}", CLOSE), text)
    try:
        return _Parser(_Stream(name, marked)).get_single_node(), (problem,)
    except yaml.YAMLError as error:
        return None, (problem, syntax(name, text, error))


def _broken(at: Place, what: str, hint: str) -> Document:
    return Document(None, (Problem(at, "", what, hint),), broken=True)


def _at(name: str, before: str) -> Place:
    """The place right behind a text."""
    return Place(name, before.count("\n") + 1, len(before) - before.rfind("\n"))


def _conflicts(name: str, text: str) -> Iterator[Problem]:
    """One problem for each merge conflict, at its first line that is left."""
    inside, line, counted = False, 1, 0
    for mark in CONFLICT.finditer(text):
        line += text.count("\n", counted, mark.start())
        counted = mark.start()
        opens = mark[0][0] == "<"
        if opens or not inside:
            yield Problem(
                Place(name, line, 1),
                "",
                "a merge conflict stands in the file",
                "keep one side and remove the lines of <, = and >",
            )
        inside = mark[0][0] != ">"


class _Stream:
    """What the parser reads from; its name goes into every mark."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self._text = name, text

    def read(self, _size: int = -1) -> str:
        text, self._text = self._text, ""
        return text


class _Parser(CParser):  # type: ignore[misc, unused-ignore]
    """libyaml's composer without PyYAML's YAML 1.1 resolver, and with a bound on depth (it recurses in C)."""

    def __init__(self, stream: _Stream) -> None:
        CParser.__init__(self, stream)
        self._depth = 0

    def resolve(self, _kind: object, _value: object, _implicit: object) -> str:
        """No tag: `_Builder` says what a scalar means."""
        return ""

    def descend_resolver(self, node: Any, _index: object) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            mark = node.start_mark if node is not None else None
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=mark)

    def ascend_resolver(self) -> None:
        self._depth -= 1


def _excess(root: Any) -> Problem | None:
    """What is wrong with the aliases of a document: one inside itself, or too much when written out."""
    sizes: dict[int, tuple[int, int]] = {}
    expanded = 0

    def measure(node: Any) -> tuple[int, int]:
        """Size and depth of a node with its aliases written out."""
        nonlocal expanded
        found = sizes.get(id(node))
        if found is not None:
            expanded += found[0]
            if not found[0]:
                raise _AliasError(node.start_mark, "an alias stands inside what it names")
            if expanded > MOST_ALIASED_NODES:
                raise _AliasError(
                    node.start_mark, f"aliases expand to more than {MOST_ALIASED_NODES:,} values"
                )
            return found
        sizes[id(node)] = (0, 0)
        children: list[tuple[int, int]] = []
        if isinstance(node, yaml.MappingNode):
            children = [measure(child) for pair in node.value for child in pair]
        elif isinstance(node, yaml.SequenceNode):
            children = [measure(child) for child in node.value]
        size, depth = (
            1 + sum(child[0] for child in children),
            1 + max((child[1] for child in children), default=0),
        )
        if depth > DEEPEST:
            raise _AliasError(node.start_mark, "aliases nest too deeply")
        sizes[id(node)] = (size, depth)
        return size, depth

    try:
        measure(root)
    except _AliasError as error:
        return Problem(place(error.mark), "", error.what, "write the values out")
    return None


class _AliasError(Exception):
    def __init__(self, mark: Any, what: str) -> None:
        self.mark, self.what = mark, what
        super().__init__(what)


class _Builder:
    """Turns the composer's nodes, or the parser's events, into ours.

    `inside` gives what is in one of them, in order.  `shared` says that a node may be met more than once, `bare` that
    OPEN and CLOSE stand for braces.
    """

    def __init__(self, inside: Callable[[Any], Iterator[Any]], shared: bool, bare: bool) -> None:
        self.problems: list[Problem] = []
        self._inside = inside
        self._met: dict[int, Node] | None = {} if shared else None
        self._bare = bare
        self._texts: dict[str, str] = {}

    def node(self, source: Any, flow: bool) -> Node:
        """The node; `flow` says that it stands inside { } or [ ]."""
        if type(source) is SCALAR and not source.tag and not self._bare:  # as most are
            text, style = source.value, source.style
            if style != '"' or "\0" not in text:
                text = self._texts.setdefault(text, text)
                return _made(Scalar, (source.start_mark, text, text if style else core(text), False))
        if self._met is not None and id(source) in self._met:
            return self._met[id(source)]
        if source.tag and _tagged(source):
            tag = str(source.tag).replace("tag:yaml.org,2002:", "!!")
            self._add(
                source, f"the YAML tag {short(tag)} is refused", "remove it; quote a value that begins with !"
            )
        made: Node
        if isinstance(source, SCALARS):
            made = self._scalar(source, flow)
        elif isinstance(source, LISTS):
            inside = flow or bool(source.flow_style)
            made = Items(source.start_mark, [self.node(item, inside) for item in self._inside(source)])
        else:
            inside = flow or bool(source.flow_style)
            made = Entries(source.start_mark, self._entries(self._inside(source), inside))
        if self._met is not None:
            self._met[id(source)] = made
        return made

    def _scalar(self, source: Any, flow: bool) -> Scalar:
        text = self._texts.setdefault(source.value, source.value)  # most stand there many times
        if self._bare and OPEN in text:
            text = text.replace(OPEN, "{").replace(CLOSE, "}")
            if flow and not source.style:
                start = place(source.start_mark)
                at = Place(start.file, start.line, start.column + text.index("${"))
                self.problems.append(Problem(at, "", BARE_REFERENCE, QUOTE_REFERENCE))
        if source.style == '"' and "\0" in text:
            self._add(source, "the character U+0000 cannot stand in a value", "remove it")
        value = text if source.style else core(text)
        return Scalar(source.start_mark, text, value, filled=_tagged(source))

    def _entries(self, inside: Iterator[Any], flow: bool) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for key_source in inside:  # its value comes next, once it is read itself
            key, value = self.node(key_source, flow), self.node(next(inside), flow)
            name = key.value if type(key) is Scalar else None
            if type(name) is str and name != "<<" and name not in entries:  # as most are
                entries[name] = _made(Entry, (key, value))
            elif not isinstance(key, Scalar):
                hint = "there are no templates here; quote a text that begins with { or ["
                self._add(key_source, "a key must be a text", hint)
            elif key.text == "<<" and not key_source.style:
                self._add(key_source, "merge keys (<<) are refused", "write the fields out")
            elif not isinstance(key.value, str):
                self._add(key_source, f"a key must be a text, this is {key.text or 'empty'}", "quote it")
            elif key.value in entries:
                first = entries[key.value]
                hint = f"the first is at {place(first.key.mark)}"
                self._add(key_source, f"{short(key.value)} stands twice", hint)
                entries[key.value] = united(first, Entry(key, value))
            else:
                entries[key.value] = Entry(key, value)
        return entries

    def _add(self, source: Any, what: str, hint: str) -> None:
        self.problems.append(Problem(place(source.start_mark), "", visible(what), hint))


def _tagged(source: Any) -> bool:
    """Whether it has a tag; a lone ! says that it has none, which the composer leaves out itself."""
    return bool(source.tag) and source.tag != "!"
