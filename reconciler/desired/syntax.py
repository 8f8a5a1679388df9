"""What libyaml says of a text that is no YAML, in words that say what to do.  Called by `source`."""

from __future__ import annotations

from typing import Any

from reconciler.desired.findings import short
from reconciler.model.place import Place, Problem

QUOTE_REFERENCE = 'put quotes around "${…}" inside { } or [ ]'
BARE_REFERENCE = "a bare ${…} inside { } or [ ]"

SYNTAX = {
    "mapping values are not allowed in this context": (
        "a second `: ` on this line, or a line that is indented too far",
        "quote the value, or align the key with its neighbours",
    ),
    "found undefined alias": ("this alias has no anchor before it", "quote a value that begins with *"),
    "second occurrence": ("this anchor is defined twice", "give each anchor a name of its own"),
    "but found another document": (
        "a second document begins here",
        "one file holds one document: remove the ---",
    ),
    "could not find expected ':'": (
        "a key without its colon",
        "is a `:` or a quote missing on the line before?",
    ),
    "found unexpected end of stream": (
        "the file ends inside a quoted text",
        "is a quote missing, or the end of the file?",
    ),
    "did not find expected key": (
        "this does not line up with what stands above",
        "check the indentation and the quotes",
    ),
    "did not find expected ',' or ']'": ("the list [ ] is not closed, or a comma is missing", ""),
    "did not find expected ',' or '}'": ("the mapping { } is not closed, or a comma is missing", ""),
    "did not find expected '-' indicator": (
        "a line that is neither an item of the list nor part of one",
        "begin it with -",
    ),
    "did not find expected node content": ("a value is missing here", "is the end of the file missing?"),
    "did not find expected <document start>": (
        "something stands behind the end of the document",
        "remove it, or the ... above",
    ),
    "did not find expected alphabetic or numeric character": (
        "an anchor or alias without a name",
        "quote a value that begins with & or *",
    ),
    "did not find expected whitespace or line break": (
        "an odd character in a tag, an anchor or an alias",
        "quote a value that begins with !, & or *",
    ),
    "did not find expected comment or line break": (
        "a text begins on the line of its | or >",
        "put it on the next line, or quote a value that begins with | or >",
    ),
    "found unknown escape character": (
        "an unknown escape in double quotes",
        "write \\\\ for a backslash, or use single quotes",
    ),
    "found incompatible YAML document": ("an unknown version of YAML", "remove the line that begins with %"),
    "found unknown directive name": ("an unknown directive", "remove the line that begins with %"),
    "exceeded maximum nesting depth": ("nested too deeply", ""),
}
"""libyaml's words, and ours."""
AT_ITS_BEGIN = frozenset({"found unexpected end of stream", "did not find expected ',' or ']'"})
AT_ITS_BEGIN |= {"did not find expected ',' or '}'"}
"""Where the file ends within something, its begin is the place to look at."""


def syntax(name: str, text: str, error: Any) -> Problem:
    """What is wrong with a file's text, from the error that the parser raised."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    if mark is None:
        return Problem(Place(name), "", f"broken YAML: {short(said, 200)}")
    at = Place(name, mark.line + 1, mark.column + 1)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    here = line[mark.column : mark.column + 1]
    if here == "{" and line[: mark.column].endswith("$"):
        return Problem(Place(name, at.line, at.column - 1), "", BARE_REFERENCE, QUOTE_REFERENCE)
    if "cannot start any token" in said and here == "\t":
        return Problem(at, "", "a tab, where YAML wants spaces", "indent with spaces")
    if "cannot start any token" in said:
        return Problem(at, "", f"a value cannot begin with {here!r}", "quote it")
    what, hint = SYNTAX.get(said, (said, ""))
    context = getattr(error, "context_mark", None)
    if context is None or said == "but found another document":
        return Problem(at, "", f"broken YAML: {what}", hint)
    if said in AT_ITS_BEGIN and not "".join((line[mark.column :], *lines[mark.line + 1 :])).strip():
        return Problem(Place(name, context.line + 1, context.column + 1), "", f"broken YAML: {what}", hint)
    since = f", since line {context.line + 1}" if context.line < mark.line else ""
    return Problem(at, "", f"broken YAML: {what}{since}", hint)
