"""Filters of Describe operations, evaluated on what boto3 would show.

Sources: EC2 API reference, the Filter.N lists of each Describe operation; EC2 User Guide, "Filter resources":
values of one filter are alternatives, filters must all hold, values are case-sensitive, `*` is any text, `?` any
character, and a backslash takes their meaning away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..errors import AwsError

_MOST_VALUES = 200


def matches(pattern: str, text: str) -> bool:
    """Whether `text` fits a filter value with its wildcards."""
    expression, escaped = "", False
    for character in pattern:
        if escaped:
            expression, escaped = expression + re.escape(character), False
        elif character == "\\":
            escaped = True
        else:
            expression += {"*": ".*", "?": "."}.get(character, re.escape(character))
    return re.fullmatch(expression + (re.escape("\\") if escaped else ""), text, re.DOTALL) is not None


def values_at(thing: Any, path: str) -> list[str]:
    """All values at a dotted path through structures and lists, as filters compare them."""
    return list(_values(thing, path.split(".")))


def _values(thing: Any, names: Sequence[str]) -> Iterator[str]:
    if isinstance(thing, list):
        for inner in thing:
            yield from _values(inner, names)
    elif names:
        if isinstance(thing, Mapping) and names[0] in thing:
            yield from _values(thing[names[0]], names[1:])
    elif isinstance(thing, bool):
        yield str(thing).lower()
    elif isinstance(thing, datetime):
        yield thing.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    elif thing is not None and not isinstance(thing, Mapping):
        yield str(thing)


def read_filters(given: Sequence[Mapping[str, Any]] | None) -> list[tuple[str, list[str]]]:
    """Filters as name and values; InvalidParameterValue for one without a name, FilterLimitExceeded for too many."""
    pairs = []
    for one in given or []:
        name, values = one.get("Name"), [str(value) for value in one.get("Values") or []]
        if not name:
            raise AwsError("InvalidParameterValue", "The filter 'null' is invalid")
        if len(values) > _MOST_VALUES:
            raise AwsError("FilterLimitExceeded", f"The maximum number of filter values is {_MOST_VALUES}")
        pairs.append((str(name), values))
    return pairs


# what nearly all Describe operations have: `tag:KEY` and `tag-key`
TAG_FILTERS = ("tag:", "tag-key")


def is_tag_filter(name: str, known: Sequence[str] = TAG_FILTERS) -> bool:
    """Whether a filter is about tags. In: `known`, those that the operation has."""
    return (name.partition(":")[0] + ":" if ":" in name else name) in known


def holds(
    thing: Mapping[str, Any],
    name: str,
    values: Sequence[str],
    paths: Mapping[str, str],
    tag_filters: Sequence[str] = TAG_FILTERS,
) -> bool:
    """Whether one filter holds for a thing. In: `paths`, filter name -> path of the values that it compares;
    `tag_filters`, the filters by tag that the operation has.

    Raises InvalidParameterValue for a filter that the operation does not have.
    """
    if is_tag_filter(name, tag_filters):
        # what DescribeTags lists is a tag itself
        tags = thing.get("Tags") or thing.get("TagSet") or ([thing] if "Key" in thing else [])
        if name.startswith("tag:"):
            there = [str(tag["Value"]) for tag in tags if tag["Key"] == name.removeprefix("tag:")]
        else:
            there = [str(tag["Key"]) for tag in tags]
    elif name in paths:
        there = values_at(thing, paths[name])
    else:
        raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return any(matches(value, text) for value in values for text in there)


def keep(
    things: Sequence[Mapping[str, Any]],
    filters: Sequence[tuple[str, Sequence[str]]],
    paths: Mapping[str, str],
    tag_filters: Sequence[str] = TAG_FILTERS,
) -> list[Any]:
    """The things for which all filters hold."""
    for name, _ in filters:  # an unknown name is refused also where there is nothing to look at
        holds({}, name, [], paths, tag_filters)
    return [
        thing
        for thing in things
        if all(holds(thing, name, values, paths, tag_filters) for name, values in filters)
    ]
