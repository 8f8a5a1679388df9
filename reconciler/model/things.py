"""What is wanted and what was seen.  `desired` makes the first, `aws.observe` the second, `engine` compares them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from reconciler.model.address import Address
from reconciler.model.place import Place

OURS = "reconciler:"
"""What the keys of our own tags begin with."""
STACK_TAG = "reconciler:stack"
ADDRESS_TAG = "reconciler:address"
PROTECT_TAG = "reconciler:protect"
APPLIED_TAG = "reconciler:applied"
"""Short hashes of what we have last applied, for the question who has changed what (`engine.applied`)."""
HALTED_TAG = "reconciler:halted"
"""That we have stopped a thing for a change, and for which (`engine.halting`)."""
BATCH_TAG = "reconciler:batch"
"""With which others one call has made a thing (`model.batch`)."""
UNNAMED = "@batch"
"""The address tag of such a thing until it gets its own: the batch tag and AWS's launch index say which it is."""
DIGEST_TAG = "reconciler:digest."
"""Prefix of the tags that hold digests of write-only fields; the field's name follows."""

TOKENS = ("CallerReference", "ClientToken")
"""Where lists show the token of a creation."""

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ref:
    """`${kind/name}` or `${kind/name.Field}`.  `attribute` is "id", "arn", "name" or the field that AWS reports."""

    to: Address
    attribute: str = "id"

    def __str__(self) -> str:
        return (
            f"${{{self.to}}}"
            if self.attribute in {"id", "arn", "name"}
            else f"${{{self.to}.{self.attribute}}}"
        )


@dataclass(frozen=True, slots=True)
class Parameter:
    """`${ssm:/path}`: a public SSM parameter, read in the resource's region, only when the thing is created."""

    path: str

    def __str__(self) -> str:
        return f"${{ssm:{self.path}}}"


@dataclass(frozen=True, slots=True)
class Text:
    """A longer string with references inside, in order: `vpn-${customer-gateway/fra}-a`."""

    parts: tuple[str | Ref | Parameter | Pending, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.parts))


@dataclass(frozen=True, slots=True)
class Pending:
    """A value that is known only after `of` is created; stands where its id or field will stand.

    `there` is the id of what is there, and not to be referred to yet, or just now; None where nothing is.
    """

    of: Address
    there: str | None = None

    def __str__(self) -> str:
        return "(known after apply)"


Found = TypeVar("Found", Ref, Parameter, Pending)


PLAIN = (str, int, float, type(None))
"""What most values are, and what holds nothing: asked for first, since to ask what is a mapping takes long."""


def within(value: Any, sort: type[Found]) -> Iterator[Found]:
    """Everything of a sort in a value, in order, however deep."""
    found: list[Found] = []
    _gather(value, sort, found)
    return iter(found)


def _gather(value: Any, sort: type[Found], found: list[Found]) -> None:
    if isinstance(value, PLAIN):
        return
    if isinstance(value, sort):
        found.append(value)
        return
    for inner in _inside(value):
        if not isinstance(inner, PLAIN):
            _gather(inner, sort, found)


def contains(value: Any, sort: type[Found]) -> bool:
    """Whether a value is of a sort, or has one of it anywhere inside."""
    if isinstance(value, PLAIN):
        return False
    if isinstance(value, sort):
        return True
    return any(not isinstance(inner, PLAIN) and contains(inner, sort) for inner in _inside(value))


def _inside(value: Any) -> Iterable[Any]:
    """What a value is made of; to ask what is a mapping takes longer than the rest."""
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, Text):
        return value.parts
    return value.values() if isinstance(value, dict | Mapping) else ()


def at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """What stands at a path such as `("Ingress[]", "ReferencedGroupId")`; nothing where it leads nowhere."""
    if not path:
        if value is not None:
            yield value
        return
    head, *rest = path
    inner = value.get(head.removesuffix("[]")) if isinstance(value, Mapping) else None
    for item in inner or () if head.endswith("[]") else (inner,):
        yield from at(item, rest)


def mentions(value: Any, name: Any) -> bool:
    """Whether a value is a name, or has it anywhere inside."""
    match value:
        case Mapping():
            return any(mentions(inner, name) for inner in value.values())
        case list() | tuple():
            return any(mentions(inner, name) for inner in value)
    return bool(value == name)


class Scope(NamedTuple):
    """What is read, and trusted or not, as one: the things of a kind in one region of one account.

    `region` is empty for kinds of a service that has one endpoint per partition.
    """

    kind: str
    account: str
    region: str

    def __str__(self) -> str:
        return f"{self.kind} in {self.region or 'the global region'} of {self.account}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Desired:
    """One resource as the config wants it.  Keys of `spec` are AWS's; values may hold Ref, Text and Parameter."""

    address: Address
    account: str
    region: str
    spec: Spec
    tags: Mapping[str, str | None] = field(default_factory=dict)
    """Tags by key, the stack's and the resource's own; None removes the key.  Owner tags are added by the engine."""
    protect: bool | None = None
    accept: bool = False
    """Whether it is accepted in the name of the person for whom it waits."""
    replace: str | None = None
    """None, "create-first" or "delete-first"."""
    ignore: tuple[str, ...] = ()
    """Paths (`Description`, `Location.Address`) whose drift is left alone."""
    depends_on: tuple[Address, ...] = ()
    previously: tuple[Address, ...] = ()
    place: Place = Place("")

    @property
    def scope(self) -> Scope:
        return Scope(self.address.kind, self.account, self.region)


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """One thing as AWS shows it.

    `address` is what its tags claim, None when they claim no (valid) one; `stack` is its stack tag.
    `spec` is `raw` in the words that the config uses.  `replaced` is True for one that is making way (`@old`).
    """

    kind: str
    account: str
    region: str
    id: str
    arn: str
    state: str | None
    spec: Spec
    tags: Mapping[str, str]
    raw: Spec
    address: Address | None = None
    stack: str | None = None
    replaced: bool = False

    @property
    def scope(self) -> Scope:
        return Scope(self.kind, self.account, self.region)

    @property
    def unnamed(self) -> bool:
        """Whether it was made with others, and its address stands in no tag of its own yet."""
        return self.address is not None and self.tags.get(ADDRESS_TAG) == UNNAMED


@dataclass(frozen=True)
class World:
    """Everything that one look saw of this stack, and what it could not see.

    `things` are alive and carry at least one owner tag that concerns this stack; `dead` carried our stack tag and
    are listed in a state that means gone.  `unread` says, per scope that could not be read whole, why; a scope that
    is neither in `read` nor in `unread` was not asked for.  `denied` are the unread ones that we may not read, where
    trying again soon is no use.  `closed` are accounts of which nothing could be seen at all, and why; `barred` are
    those of them that we may not enter.
    """

    stack: str
    things: tuple[Observed, ...] = ()
    dead: tuple[Observed, ...] = ()
    read: frozenset[Scope] = frozenset()
    unread: Mapping[Scope, str] = field(default_factory=dict)
    denied: frozenset[Scope] = frozenset()
    closed: Mapping[str, str] = field(default_factory=dict)
    barred: frozenset[str] = frozenset()

    @cached_property
    def claims(self) -> Mapping[Address, tuple[Observed, ...]]:
        """Who claims which address, those that make way (`@old`) left out."""
        return _grouped(thing for thing in self.things if not thing.replaced)

    @cached_property
    def replaced(self) -> Mapping[Address, tuple[Observed, ...]]:
        """The things that make way for a successor, by the address they had."""
        return _grouped(thing for thing in self.things if thing.replaced)

    @cached_property
    def spent(self) -> frozenset[str]:
        """The tokens that cannot make anything any more, where lists show them: those of dead things, and of living
        ones, whose address may have changed since."""
        seen = (*self.dead, *self.things)
        return frozenset(str(thing.raw[name]) for thing in seen for name in TOKENS if thing.raw.get(name))

    @cached_property
    def nameless(self) -> tuple[Observed, ...]:
        """Things with our stack tag and no valid address tag: any missing address of the kind may be theirs."""
        return tuple(thing for thing in self.things if thing.address is None)

    def owns(self, thing: Observed) -> bool:
        """Whether a thing is ours: both owner tags, and its address names its own kind."""
        return thing.stack == self.stack and thing.address is not None and thing.address.kind == thing.kind

    @cached_property
    def owned(self) -> tuple[Observed, ...]:
        """The things that are ours, those that make way included."""
        return tuple(thing for thing in self.things if self.owns(thing))


def _grouped(things: Any) -> dict[Address, tuple[Observed, ...]]:
    groups: dict[Address, list[Observed]] = {}
    for thing in things:
        if thing.address is not None:
            groups.setdefault(thing.address, []).append(thing)
    return {address: tuple(group) for address, group in groups.items()}
