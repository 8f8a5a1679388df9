"""Kinds: frozen records of facts about one sort of thing.  `kinds` writes them, everyone else reads them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.reads import Read
from reconciler.model.service import SERVICES, Birthmark, Service, Tagging
from reconciler.model.things import Desired, Observed, Pending, Spec, contains
from reconciler.model.verdicts import Drift, Steps, Verdict, Wait

Item = dict[str, Any]
Fault = tuple[tuple[str | int, ...], str]
"""A path within a value, and what is wrong there."""


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """How one field is changed where the update call does not take it.

    `make` gives the calls from the thing as seen and the wanted value.  `operations` names them all, for the lint,
    the documentation and the IAM policy.  `shape` is the path of the value's type in the service model
    (`ModifyVpcAttribute.EnableDnsSupport.Value`) or its name, needed only for a field that the create call has not.
    `disruptive`: the change (or, where this is a function, what it is true of) interrupts what the thing does, so that
    it waits for a maintenance window; a `then` says so of its own steps.  Where the kind has a `halt`, it is made only
    while the thing stands still.
    `joins`: its calls are made as one with those of its operation that other fields have, or with the update call if
    that is it: while AWS works at one it refuses another.  `fixed` are members of the value, at any depth, that cannot
    change after creation.
    `needs`: a field without which it cannot be on: it is switched on after that one, and off before it.
    """

    operations: tuple[str, ...]
    make: Callable[[Observed, Any], Sequence[Call]]
    shape: str | None = None
    disruptive: bool | Callable[[Drift], bool] = False
    joins: bool = False
    fixed: frozenset[str] = frozenset()
    needs: str = ""

    def disrupts(self, drift: Drift) -> bool:
        """Whether to put this right interrupts what the thing does."""
        return self.disruptive(drift) if callable(self.disruptive) else self.disruptive


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """How many things of a kind AWS lets be in some states at one time, with each thing that fields of theirs name."""

    most: int
    states: frozenset[str]
    within: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Together:
    """How one call makes several things that are alike (`engine.batches`), at most `most`.

    `counts` are the parameters that say how many, `index` is the member of a row that says which of them it is, from 0,
    and `since` where (JMESPath) a row says when it was made.
    """

    counts: tuple[str, ...]
    index: str
    since: str
    most: int


@dataclass(frozen=True, kw_only=True)
class Halt:
    """How a thing is stopped for changes that AWS makes at no other time, and started again (`engine.halting`).

    `still` are the states in which it stands still.  `operations` names the operations of `stop` and `start`.
    """

    still: frozenset[str]
    stop: Callable[[Observed], Call]
    start: Callable[[Observed], Call]
    operations: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A collection inside a thing, whose items cannot carry an owner tag.

    Authoritative when the config has the field (an empty list removes all), untouched when it has not.  `rows` finds
    the live items in `raw`, in the words the config uses; `normal` brings a wanted and a live item to one spelling;
    `key` says which item it is.  `add`, `remove` and `change` take the thing and a batch of items.
    `lists` are members that an item has in the config beside those of `shape`, where what is in an item is a list of
    its own in AWS: the shape of what is in it.  `given` are members of these shapes that the thing itself says, and no
    config.
    `knots`: items may refer to each other's owners in a circle (rules of security groups); when all of a circle is to
    be deleted, these are taken out first.
    `holding` finds the items that keep what they refer to, those on their way out included; `rows` where it is None.
    One on its way out is not put in anew before it is gone; `alone`: not into any other thing of the kind either, since
    it can be in one alone.
    `keeps`: there may be more than the config has, and it stays.  `last`: the thing itself may use the items, and they
    are taken out once its `then` has nothing left to do.  `makes_room`: an item can be in one thing alone, so that what
    goes is taken out before anything comes in: two things may change theirs for each other's.
    `moves`: adding an item takes it from another thing of the kind in one call, so that this one leaves it alone.
    `disruptive`: to change or take out an item interrupts what runs, beyond what the config says, so that it waits for
    a maintenance window.
    `meaning`: members that are compared by what this makes of them, and sent as they are written.
    `at_once` takes what is added, changed and removed together, where AWS has one call for all of it.
    `needed_by` are the kinds whose things need the items where they need the thing; None: all that do.
    """

    field: str
    shape: str
    rows: Callable[[Spec], Sequence[Item]]
    normal: Callable[[Item], Item]
    key: Callable[[Item], Hashable]
    add: Callable[[Observed, Sequence[Item]], Sequence[Call]]
    remove: Callable[[Observed, Sequence[Item]], Sequence[Call]]
    change: Callable[[Observed, Sequence[Item]], Sequence[Call]]
    operations: tuple[str, ...]
    lists: Mapping[str, str] = dataclasses.field(default_factory=dict)
    given: frozenset[str] = frozenset()
    knots: bool = False
    holding: Callable[[Spec], Sequence[Item]] | None = None
    alone: bool = False
    keeps: bool = False
    last: bool = False
    meaning: Mapping[str, Callable[[Any], Any]] = dataclasses.field(default_factory=dict)
    makes_room: bool = False
    moves: bool = False
    disruptive: bool = False
    at_once: Callable[[Observed, Sequence[Item], Sequence[Item], Sequence[Item]], Sequence[Call]] | None = (
        None
    )
    needed_by: frozenset[str] | None = None

    def meant(self, item: Item) -> Item:
        """An item as it is compared."""
        return {
            name: self.meaning[name](value)
            if name in self.meaning and not contains(value, Pending)
            else value
            for name, value in item.items()
        }


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Everything that is special about one sort of thing; what all kinds share is said once, in `engine`.

    Facts are AWS's spelling: operation names, member names, state words.  `aws`'s lint test holds each of them
    against the service model.
    """

    name: str
    about: str
    """One line for people."""
    service: str
    read: Read
    create: str
    delete: str
    id: str
    """The member of a row that is the id."""
    id_prefix: str = ""
    """What stands before an id in answers, and is no part of it in calls."""
    handle: str | None = None
    """The member of a row that calls know a thing by, and the parameter that takes it, where that is not the id: a
    name, which another thing may have later."""
    update: str | None = None
    arn: str | None = None
    """The member of a row that is the ARN; None where AWS reports none and `arn_tail` builds it."""
    arn_tail: str | None = None
    """`vpc/{id}`: what follows `arn:<partition>:<service>:<region>:<account>:`; or all, from `arn:{partition}:` on."""
    resource_type: str | None = None
    """AWS's word for its type, as ARNs have it, where that is neither `tag_type` nor its name."""
    identity: tuple[str, ...] = ()
    """Members that, beside the id, say which thing it is: update and delete need them, no update can change them."""
    state: str | None = None
    """Where (JMESPath) in a row the state stands; None for things that have none."""
    ready: frozenset[str] = frozenset()
    usable: frozenset[str] = frozenset()
    """States, beside `ready`, in which others may already refer to the thing."""
    failed: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    """States in which the thing is still listed and no longer exists."""
    leaving: frozenset[str] = frozenset()
    """States in which it is on its way out: no call is made, its address waits until it is gone."""
    pace: float = 0.0
    """Seconds that AWS takes at least for a change, where that is many: looking earlier is of no use."""
    asking: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """States in which it waits for a person, and what that person has to do."""
    accept: str | None = None
    """The operation with which a person answers by its id; made where the config says `accept: true`."""
    asks: str | None = None
    """The member of a row that says, by its id or ARN, whose owner is that person; where none does, it is our own."""
    asks_itself: bool = True
    """Whether that person is asked within one account as well."""
    decline: str | None = None
    """The operation that takes it out of such a state by its id; without it, it cannot be deleted from there."""
    errors: str | None = None
    """Where (JMESPath) a row of a failed thing says what is wrong with it: a list of texts."""
    refs: Mapping[str, str | Sequence[str]] = dataclasses.field(default_factory=dict)
    """Field path (`SubnetId`, `SecurityGroupIds[]`) to the kind that it names, or to several where it may name a thing
    of each; `.arn` behind a kind where it takes an ARN, or the field that AWS reports and that stands there."""
    outlives: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Kinds whose things go first, though they do not refer to it, where both are on their way out and agree in this
    field: an internet gateway cannot leave a VPC that has public addresses."""
    across: bool = False
    """Whether its references may lead into other regions."""
    private: bool = False
    """Whether only things of its own account can refer to it; others can be shared with accounts, or peered with."""
    owned_with: str | None = None
    """The member of a row that names the thing with which it is an account's, where rows do not tell whose it is and
    other accounts are shown it."""
    asked_from: str | None = None
    """The member of a row of what two regions or accounts show that has the `Region` and the `OwnerId` from which it
    was asked for: there it is ours, and what the other shows is never taken for a thing of its own, whatever tags it
    has there."""
    alike: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    """Path of a reference (`Links[].LinkId`) to the fields in which the thing and what it refers to have to agree."""
    through: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Path of a reference to the field of what it names that names in turn what has to be at rest as well before this
    is created: a route table is attached by way of a peering, to a core network."""
    finished: frozenset[str] = frozenset()
    """Paths of references to what has to be all that its config says before a call names it: what can only be set once
    it is there, its parts and its own small state machine included.  Until then AWS refuses."""
    lets_go: frozenset[str] = frozenset()
    """Paths of references to what AWS deletes all the same: what refers to it leads nowhere until that is put right."""
    unlike: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Field to another whose value has to be a different one."""
    fits: Callable[[Desired, Mapping[Address, Desired]], Iterable[tuple[str, str, str]]] | None = None
    """What is wrong with a resource beside the others of its config, before anything is asked of AWS: for each mistake
    the field that it is about, what it is, and a hint."""
    answered: bool = True
    """Whether the create call answers with what it has made; where it does not, the list is read."""
    answers_tags: bool = True
    """Whether the answer of the create call shows tags; where it does not, a look does."""
    tags: str = "Tags"
    """The member of a row that holds its tags."""
    tagging: Tagging | None = None
    """How it is tagged, where its service does not say so for all."""
    birthmark: Birthmark | None = None
    """How it is ours from birth, where the create call takes no tags."""
    tag_type: str | None = None
    """EC2's resource type in TagSpecifications; None where the create call takes a plain list of Tags."""
    always: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Parameters that every creation sends and no config may."""
    born: Callable[[Spec], Spec] = dict
    """What a creation sends for what the config says: AWS may want more to be said then than the config has to."""
    together: Together | None = None
    """How several that are alike are made by one call; None for kinds that are made one by one."""
    forbidden: frozenset[str] = frozenset()
    """Members of the create call that no config may set, because they would work against us."""
    write_only: frozenset[str] = frozenset()
    """Fields that AWS takes and does not report; compared by a digest in a tag."""
    left_out: frozenset[str] = frozenset()
    """Members of a row that are not even looked at: they change by themselves, or hold keys."""
    documents: frozenset[str] = frozenset()
    """Fields, and members of parts (`Policies[].PolicyDocument`), that take JSON as a string; a config may write them
    as YAML."""
    normal: Mapping[str, Callable[[Any], Any]] = dataclasses.field(default_factory=dict)
    """Fields that AWS reports in a spelling of its own, and what brings a wanted and a seen value to it."""
    refuses: Mapping[str, Callable[[Any], str | Iterable[Fault] | None]] = dataclasses.field(
        default_factory=dict
    )
    """Fields with values that the service model allows and that cannot work here: why, or None for a good value; of a
    document each fault with its place in it."""
    unordered: frozenset[str] = frozenset()
    """Lists that mean sets."""
    remedies: Mapping[str, Remedy] = dataclasses.field(default_factory=dict)
    whole: frozenset[str] = frozenset()
    """Structures that are sent as the config has them, since their members exclude each other; else what it leaves out
    is sent as it is."""
    halt: Halt | None = None
    """How it is stopped for its disruptive remedies; None for kinds that change as they run."""
    parts: tuple[Part, ...] = ()
    project: Callable[[Spec], Spec] = dict
    """A row in the words that the config uses."""
    destroy: Callable[[Observed], Sequence[Call]] | None = None
    """The calls that delete it, where it is not just the delete operation with the id: first those that loosen it."""
    release: Callable[[Observed], Steps | Wait | None] | None = None
    """What has to be over before it can be deleted, since AWS takes time to undo it; None when nothing has."""
    before: Mapping[str, Callable[[Collection[str], Observed], Steps | Wait | None]] = dataclasses.field(
        default_factory=dict
    )
    """Fields that AWS changes only while some parts are empty: what is done, or waited for, until those are that the
    config speaks of (it takes the names of all fields that it does); None when nothing is in the way."""
    then: Callable[[Desired, Observed], Verdict] | None = None
    """What else there is to do once nothing drifts: the place for small state machines."""
    then_owns: frozenset[str] = frozenset()
    """Fields that only `then` looks after."""
    late: frozenset[str] = frozenset()
    """Those of them that may name what rests on the thing itself: it is made without, and `then` makes do with what is
    known at the time (`Text` with `Pending` in it)."""
    then_operations: tuple[str, ...] = ()
    """All operations of `then`.  Others that need a thing of such a kind are made when there is nothing left to do."""
    crowd: Crowd | None = None
    """How many may be waited for at one time; None: as many as there are."""
    sequential: bool = False
    """Whether AWS works at one change at a time: fields are put right one by one, each once it is ready again."""
    protected: bool = False
    """Whether things of this kind are never deleted unless the config said `protect: false`."""
    tags_steer: bool = False
    """Whether AWS acts by the tags of things of this kind: they carry no tag of ours that changes with the config."""
    unique: str | None = None
    """The field whose value only one living thing may have; it rules out `replace: create-first`."""

    def in_order(self, names: Iterable[str], wanted: Spec) -> list[str]:
        """Fields in an order in which they can be changed (`Remedy.needs`)."""
        needing = {name for name, remedy in self.remedies.items() if remedy.needs}
        return sorted(names, key=lambda name: (1 if wanted[name] else -1) if name in needing else 0)

    @property
    def home(self) -> Service:
        """What it shares with the other kinds of its service."""
        return SERVICES[self.service]

    @property
    def regional(self) -> bool:
        """Whether each region has its own things of this kind."""
        return self.home.regional

    @property
    def answers(self) -> tuple[str, ...]:
        """The operations with which a person answers."""
        return tuple(operation for operation in (self.accept, self.decline) if operation)

    @property
    def tagged(self) -> Tagging:
        """How its things are tagged."""
        return self.tagging or self.home.tagging

    @property
    def type(self) -> str:
        """AWS's word for its type."""
        return self.tag_type or self.resource_type or self.name

    def action(self, operation: str) -> str:
        """An operation as IAM calls it."""
        return f"{self.home.called}:{operation}"

    def bare(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row of an answer, with its id as calls take it."""
        if not self.id_prefix:
            return row  # some lists give names alone, and what completes them the ids
        return {**row, self.id: str(row[self.id]).removeprefix(self.id_prefix)}

    def tags_of(self, row: Mapping[str, Any]) -> dict[str, str]:
        """The tags that a row shows: most services list them, some map keys to values."""
        found = row.get(self.tags) or ()
        if isinstance(found, Mapping):
            return dict(found)
        return {tag["Key"]: tag["Value"] for tag in found}

    def handle_of(self, thing: Observed) -> dict[str, Any]:
        """The parameter by which a call knows a thing."""
        return {self.handle or self.id: self.known_as(thing)}

    def known_as(self, thing: Observed) -> str:
        """What calls know a thing by: its id, or its name."""
        return str(thing.raw[self.handle]) if self.handle else thing.id

    def lies_in(self, parent: Kind) -> str:
        """The field that says in which parent a thing lies, which the list takes too."""
        return self.read.lies_in or parent.id

    def targets(self) -> Mapping[str, Mapping[str, str]]:
        """Field path to the kinds that it may name, each with what of a thing stands there: "id", "arn" or a field."""
        return {path: dict(map(_target, _each(named))) for path, named in self.refs.items()}


def _each(named: str | Sequence[str]) -> Sequence[str]:
    return (named,) if isinstance(named, str) else named


def _target(text: str) -> tuple[str, str]:
    kind, _, attribute = text.partition(".")
    return kind, attribute or "id"
