"""How kinds are read: one list for all, and what is read beside it.  Part of a kind's record (`kind`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.model.things import Spec


@dataclass(frozen=True, kw_only=True)
class Detail:
    """One more read per thing, for what its list leaves out; made only where the config names `field`.

    Of a write-only field it is made only while no tag has its digest: to find out once what nobody has noted.

    `arguments` are fixed parameters; the thing's handle goes in as the parameter of the same name, or its id as the
    parameter `id`, or its ARN as the parameter `arn`.  `given` are parameters found (JMESPath) in what earlier details
    gave; while one is null there is nothing to read, and the value is None.  `each` is one of `given` that finds a
    list: it is read for every value of that by itself, and what it gives is a list.  `alone`: what is given says all,
    and the thing itself is not named.  `absent` are the codes of errors with which AWS says that there is none.

    `path` (JMESPath) finds the value in the answer; it is kept in `raw` under `name`, or under `field` where that is
    empty.  With `many` the path leads to a list, kept whole over all pages.  `stamp` finds in a row of the list, and
    `stamped` in what was read, something that is another one once the detail is: of a thing that is ready it is not
    read again until then.  `needed` tells from a thing's row whether there is anything to read; None: there always is.
    """

    field: str
    operation: str
    path: str
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    name: str = ""
    many: bool = False
    leaving: bool = False
    given: Mapping[str, str] = dataclasses.field(default_factory=dict)
    each: str = ""
    alone: bool = False
    id: str = ""
    arn: str = ""
    absent: frozenset[str] = frozenset()
    stamp: str = ""
    stamped: str = ""
    needed: Callable[[Spec], bool] | None = None

    @property
    def key(self) -> str:
        """Where it is kept in `raw`."""
        return self.name or self.field

    def named(self, id: str, arn: str, handle: Mapping[str, Any]) -> Mapping[str, Any]:
        """The parameters that say which thing it is about."""
        if self.alone:
            return {}
        return {self.id: id} if self.id else {self.arn: arn} if self.arn else handle


@dataclass(frozen=True, kw_only=True)
class Companion:
    """One more list per scope, for what belongs to many things at once (the rules of all security groups).

    `key` is the member of a row that says whose it is: the id of a thing, or, with `of`, the value that things have
    there (`of="VpcId"`: whatever lies in the same VPC as they).  Asked only for things that are ours: EC2's by
    `filter`, which takes these ids or values; where there is none, once for each thing of the kind `within` that they
    lie in, and again with `each`, the parameter that takes one thing's id, if AWS refuses to list all at once; with
    neither, all there is.  With `fields`, it is asked only while the config names one of them, or (`leaving`) wants one
    of the things no more.  Kept in `raw` under `name`.
    """

    name: str
    operation: str
    path: str
    key: str
    leaving: bool = True
    filter: str | None = None
    within: str | None = None
    each: str | None = None
    of: str | None = None
    fields: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Completion:
    """A second read of each thing that a list shows, where that leaves out the tags: what it gives goes into the row.

    `ids` is the parameter that takes what rows have in `by`.  It takes one of them, and `path` (JMESPath) leads to
    what completes the row; or `most` of them at once, and `path` leads to a list, whose items say in `key` whose they
    are.
    """

    operation: str
    ids: str
    by: str
    path: str
    most: int = 0
    key: str = ""
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    alike: frozenset[str] = frozenset()
    """Parameters of the list that this read takes as well."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """How a kind's things are listed: all of a region at once, or all within one parent.

    `path` (JMESPath) leads to the list in an answer.  `within` names the kind of the parent, whose id goes in as the
    parameter of that id's name.  `ids` is the parameter that asks for single things, used right before a deletion;
    None where the operation has none, and all are asked for.
    `page` is the largest page to ask for, in things; None where the operation has no MaxResults.
    """

    operation: str
    path: str
    ids: str | None
    page: int | None
    within: str | None = None
    parent: Callable[[str], str] | None = None
    """What the list takes of a parent, read off a thing's ARN; None where an ARN does not tell it."""
    lies_in: str = ""
    """The parameter that takes a parent, and the field that says it, where they are not called as the member that has
    its id."""
    filters: str | None = "Filters"
    """The parameter that takes EC2's filters; two operations spell it `Filter`.  None for lists of which AWS does not
    say that they can be filtered by tag: all is read."""
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    only: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Members of a row, and what a thing of the kind has there, in a list that several kinds share: it is asked for
    once a look."""
    details: Sequence[Detail] = ()
    """Each may be given something by those before it."""
    companions: Sequence[Companion] = ()
    completed: Completion | None = None
    """How tags are read that the list does not show."""

    @property
    def further(self) -> Sequence[Detail | Companion]:
        """The reads that are made beside the list for what a config names, or what has to go."""
        return (*self.details, *self.companions)

    @property
    def operations(self) -> Sequence[str]:
        """All of its operations."""
        second = [self.completed.operation] if self.completed else []
        return (self.operation, *second, *(one.operation for one in self.further))
