"""Whose a thing is, asked once more right before it is touched.  Used by `apply` and `creating`."""

from __future__ import annotations

from reconciler.aws.gateway import Gateway
from reconciler.aws.rows import KindsByName, as_observed, rows
from reconciler.errors import Gone
from reconciler.model.things import Observed


class NotOurs(Exception):
    """A thing is not, or is no longer, ours to touch."""


def prove(gateway: Gateway, kinds: KindsByName, stack: str, thing: Observed) -> None:
    """Read a thing's tags once more, before it is deleted: it must still be ours, under the same address.

    NotOurs when it is not, Gone when it is not there any more.
    """
    kind = kinds[thing.kind]
    parent = thing.raw.get(kind.lies_in(kinds[kind.read.within])) if kind.read.within else None
    for row in rows(gateway, kinds, stack, thing.scope, parent, (kind.known_as(thing),)):
        if row[kind.id] != thing.id:
            continue
        now = as_observed(kind, row, thing.scope, gateway.sessions.partition)
        if now.state in kind.gone:
            raise Gone(f"{thing.id} is {now.state}")
        if (now.stack, now.address, now.replaced) != (stack, thing.address, thing.replaced):
            raise NotOurs(f"{thing.id} has lost its owner tags since it was seen: it is not touched")
        return
    raise Gone(f"{thing.id} is not listed any more")
