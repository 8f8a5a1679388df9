"""Rows of AWS's lists, and the things that they show.  Used by `observe`, `discover`, and whoever looks at one anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import jmespath

from reconciler.aws.gateway import Gateway
from reconciler.aws.listings import Listings
from reconciler.errors import Gone, Lost
from reconciler.model.address import REPLACED, Address
from reconciler.model.batch import member
from reconciler.model.kind import Kind
from reconciler.model.layers import layered
from reconciler.model.reads import Completion, Read
from reconciler.model.service import path_of
from reconciler.model.things import ADDRESS_TAG, STACK_TAG, Observed, Scope

KindsByName = Mapping[str, Kind]
OWNER = frozenset({STACK_TAG, ADDRESS_TAG})


def rows(
    gateway: Gateway,
    kinds: KindsByName,
    stack: str,
    scope: Scope,
    parent: str | None,
    ids: tuple[str, ...] = (),
    shared: Listings | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows of one scope (within one parent): those with an owner tag where AWS can filter, or those with `ids`: by
    what calls know them, which for some is a name.

    EC2's lists are asked for either owner tag, so that a thing that has lost one of them is still found; those that
    take no such filter are read whole.  Where names have paths, only the stack's own is looked into.
    """
    kind = kinds[scope.kind]
    read: Read = kind.read
    parameters: dict[str, Any] = dict(read.arguments)
    if parent is not None and read.within is not None:
        parameters[kind.lies_in(kinds[read.within])] = parent
    if ids and read.ids is not None:
        parameters[read.ids] = list(ids)
    elif kind.home.filters and read.filters:
        parameters[read.filters] = [{"Name": "tag-key", "Values": [STACK_TAG, ADDRESS_TAG]}]
    if kind.home.paths:
        parameters["PathPrefix"] = path_of(stack)
    ask = shared.rows if shared is not None and read.only else gateway.rows
    listed = ask(
        account=scope.account,
        region=scope.region,
        service=kind.service,
        operation=read.operation,
        path=read.path,
        parameters=parameters,
        # EC2 refuses MaxResults together with ids
        page=None if ids and kind.service == "ec2" else read.page,
    )
    found = (
        kind.bare(row) for row in listed if all(row.get(name) == value for name, value in read.only.items())
    )
    if read.completed is None:
        yield from found
    else:
        meant = [row for row in found if not ids or str(row[kind.handle or kind.id]) in ids]
        beside = {name: parameters[name] for name in read.completed.alike}
        yield from completed(gateway, kind, scope, read.completed, meant, beside)


def completed(
    gateway: Gateway,
    kind: Kind,
    scope: Scope,
    how: Completion,
    found: list[dict[str, Any]],
    beside: Mapping[str, Any] | None = None,
) -> Iterator[dict[str, Any]]:
    """Rows with what their list leaves out; `beside` are parameters that the list was asked with."""

    def ask(value: Any) -> Iterator[Any]:
        return gateway.rows(
            account=scope.account,
            region=scope.region,
            service=kind.service,
            operation=how.operation,
            path=how.path,
            parameters={**how.arguments, **(beside or {}), how.ids: value},
        )

    if not how.most:
        for row in found:  # one that goes meanwhile leaves the list unread: the next look knows more
            (more,) = ask(row[how.by])
            yield {**row, **more}
        return
    for start in range(0, len(found), how.most):
        batch = found[start : start + how.most]
        try:
            told = {str(more[how.key]): more for more in ask([row[how.by] for row in batch])}
        except Gone as error:  # one went between the two reads, and nothing is told of the others
            raise Lost(f"{error} (it was listed just before)", code=error.code, call=error.call) from error
        for row in batch:
            if (more := told.get(str(row[how.by]))) is None:
                name = f"{kind.service}:{how.operation}"
                raise Lost(f"{name}: the answer leaves out {row[how.by]}", code="IncompleteAnswer", call=name)
            yield {**row, **more}


def as_observed(kind: Kind, row: Mapping[str, Any], scope: Scope, partition: str) -> Observed:
    """A row of a list as Observed."""
    if kind.left_out:
        row = {name: value for name, value in row.items() if name not in kind.left_out}
    tags = kind.tags_of(row)
    mark = kind.birthmark.read(row) if kind.birthmark and tags.keys().isdisjoint(OWNER) else None
    stack, claim = mark or (tags.get(STACK_TAG), tags.get(ADDRESS_TAG, ""))
    address = member(kind, row, tags)
    with suppress(ValueError):
        address = address or Address.parse(claim.removesuffix(REPLACED))
    return Observed(
        kind=kind.name,
        account=scope.account,
        region=scope.region,
        id=str(row[kind.id]),
        arn=arn_of(kind, row, scope, partition),
        state=_at(kind.state, row) if kind.state else None,
        spec=layered(kind.project(row), row),
        tags=tags,
        raw=row,
        address=address,
        stack=stack,
        replaced=address is not None and claim.endswith(REPLACED),
    )


def as_made(kind: Kind, row: Mapping[str, Any], scope: Scope, partition: str) -> Observed:
    """The thing in the answer of a creation; what lists of its own tell of it is nothing yet."""
    nothing: dict[str, Any] = {one.name: [] for one in kind.read.companions if one.leaving or not one.fields}
    return as_observed(kind, {**nothing, **row}, scope, partition)


def _at(path: str, row: Any) -> Any:
    """What stands at a JMESPath; most are a name or two, for which its interpreter makes too much, in circles."""
    names = path.split(".")
    if not all(map(str.isidentifier, names)):
        return jmespath.search(path, row)
    for name in names:
        row = row.get(name) if isinstance(row, Mapping) else None
    return row


def arn_of(kind: Kind, row: Mapping[str, Any], scope: Scope, partition: str) -> str:
    """The ARN of what a row shows: AWS's, or built where AWS reports none."""
    if kind.arn:
        return str(row.get(kind.arn) or "")
    tail = (kind.arn_tail or "").format(id=row[kind.id], partition=partition)
    if tail.startswith("arn:"):
        return tail
    return f"arn:{partition}:{kind.home.called}:{scope.region}:{scope.account}:{tail}"
