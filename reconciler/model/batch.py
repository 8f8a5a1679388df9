"""Batches: several things that are alike and that one call has made.  `aws` and `engine` write and read their tag.

What one call makes is born with the same tags.  One of these lists the addresses that the call was made for, in order,
and AWS itself numbers what a call has made: so each says which it is, whatever has become of the config and of what was
remembered.  The next look gives each the tags of its own.

`instance/gpu.=0:49` are `gpu.0` to `gpu.49`; `instance/=a-1:3+b=-x` are `a-1-x`, `a-2-x`, `a-3-x` and `b-x`: what all
have in common stands in front and at the end, and numbers that follow each other are one item.  All letters of it may
stand in a tag of any service, and none but those of addresses in an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from reconciler.model.address import Address
from reconciler.model.calls import token
from reconciler.model.kind import Kind
from reconciler.model.service import SERVICES
from reconciler.model.things import ADDRESS_TAG, BATCH_TAG, STACK_TAG, UNNAMED, Observed

LONGEST = 256
"""Characters of a tag's value.  https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html"""
MOST = 1000
"""Addresses that the text of a batch is taken to list at most: more than one call makes of anything."""
GENERATIONS = 1000
"""How many tokens of a batch are known as its own."""
NUMBERED = re.compile(r"(.*?)([0-9]+)")
RANGE = re.compile(r"(.*?)([0-9]+):([0-9]+)")


def written(addresses: Sequence[Address]) -> str:
    """The text that lists addresses of one kind, in their order."""
    names = [address.name for address in addresses]
    before = _common(names)
    rest = [name[len(before) :] for name in names]
    behind = _common([name[::-1] for name in rest])[::-1]
    middles = [name[: len(name) - len(behind)] for name in rest]
    text = f"{addresses[0].kind}/{before}={'+'.join(_items(middles))}"
    return f"{text}={behind}" if behind else text


@lru_cache(1000)
def parsed(text: str) -> tuple[Address, ...]:
    """The addresses that a text lists; ValueError when it is not such as `written` gives."""
    head, _, tail = text.partition("=")
    kind, _, before = head.partition("/")
    items, _, behind = tail.partition("=")
    middles = [middle for item in items.split("+") for middle in _spelt(item)]
    found = tuple(Address.parse(f"{kind}/{before}{middle}{behind}") for middle in middles)
    if len(set(found)) < len(found) or len(text) > LONGEST or written(found) != text:
        raise ValueError(f"{text!r} lists no addresses")
    return found


def seed(stack: str, text: str) -> tuple[str, str]:
    """What the tokens of a batch are digests of."""
    return stack, text


def member(kind: Kind, row: Mapping[str, Any], tags: Mapping[str, str]) -> Address | None:
    """The address of what was made with others and has no address tag of its own yet; None where it is no such thing.

    Also where that is in doubt.  Tags can be copied: the token of the call that has made a thing cannot, so that a copy
    is not taken for one of the batch.
    """
    if kind.together is None or tags.get(ADDRESS_TAG) != UNNAMED:
        return None
    stack, text, index = tags.get(STACK_TAG), tags.get(BATCH_TAG, ""), row.get(kind.together.index)
    if stack is None or not isinstance(index, int) or not _is_token(stack, text, token_of(kind, row)):
        return None
    try:
        addresses = parsed(text)
    except ValueError:
        return None
    found = addresses[index] if 0 <= index < len(addresses) else None
    return found if found is not None and found.kind == kind.name else None


def born_with(kind: Kind, thing: Observed, stack: str) -> tuple[Address, ...]:
    """The addresses of all with which a thing was made, its own included, by their numbers; () for one that was made
    alone."""
    text = thing.tags.get(BATCH_TAG, "")
    if kind.together is None or not text or not _is_token(stack, text, token_of(kind, thing.raw)):
        return ()
    try:
        return parsed(text)
    except ValueError:
        return ()


def token_of(kind: Kind, row: Mapping[str, Any]) -> str:
    """The token of the call that has made what a row shows."""
    return str(row.get(SERVICES[kind.service].token) or "")


@lru_cache(10_000)
def _is_token(stack: str, text: str, shown: str) -> bool:
    return any(token(seed(stack, text), generation) == shown for generation in range(GENERATIONS))


def _common(texts: Sequence[str]) -> str:
    """What all texts begin with."""
    first, last = min(texts), max(texts)
    pairs = enumerate(zip(first, last, strict=False))
    return first[: next((place for place, (one, other) in pairs if one != other), len(first))]


def _items(middles: Iterable[str]) -> Iterator[str]:
    """Middles, with those that are numbered one after the other as one."""
    first, count = "", 0
    for middle in middles:
        if count and middle == _numbered(first, count):
            count += 1
            continue
        if count:
            yield _item(first, count)
        first, count = middle, 1
    yield _item(first, count)


def _numbered(first: str, further: int) -> str | None:
    """The text whose number is so much higher, of at least as many digits; None where `first` has no number."""
    found = NUMBERED.fullmatch(first)
    return found and f"{found[1]}{int(found[2]) + further:0{len(found[2])}}"


def _item(first: str, count: int) -> str:
    found = NUMBERED.fullmatch(first)
    return f"{first}:{int(found[2]) + count - 1}" if found and count > 1 else first


def _spelt(item: str) -> Iterator[str]:
    """The reverse."""
    found = RANGE.fullmatch(item)
    if found is None:
        yield item
        return
    first, last = int(found[2]), int(found[3])
    if last - first >= MOST:
        raise ValueError(f"{item!r} are too many")
    for number in range(first, last + 1):
        yield f"{found[1]}{number:0{len(found[2])}}"
