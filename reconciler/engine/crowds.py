"""Whose turn it is not yet: AWS lets only so many things of a kind wait to be accepted at one time.  Used by `planner`.

What AWS makes of more is refused, or has failed for good.  Things of others count too, and are not known here: what AWS
refuses for them is waited for all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from reconciler.model.address import Address
from reconciler.model.kind import Crowd
from reconciler.model.things import Desired, Observed, Ref


def not_in_turn(
    crowd: Crowd,
    wanted: Iterable[Desired],
    things: Iterable[Observed],
    holder: Callable[[Address], Observed | None],
) -> Mapping[Address, str]:
    """The addresses of one kind that have to wait until others are through, each with the reason.

    `wanted` are all that the config has of the kind, in the order in which they come; `things` all that were seen.
    """
    waiting = Counter[object]()
    for thing in things:
        if thing.state in crowd.states:
            waiting.update({thing.spec.get(field) for field in crowd.within})
    found: dict[Address, str] = {}
    for desired in wanted:
        if holder(desired.address) is not None:
            continue
        ends = {value for field in crowd.within if (value := _id(desired.spec.get(field), holder))}
        if full := sorted(end for end in ends if waiting[end] >= crowd.most):
            found[desired.address] = f"{crowd.most} others of {full[0]} come first, for AWS lets no more wait"
        else:
            waiting.update(ends)
    return found


def _id(value: object, holder: Callable[[Address], Observed | None]) -> str | None:
    """The id of what a field names; None while there is nothing of that name."""
    if not isinstance(value, Ref):
        return value if isinstance(value, str) else None
    thing = holder(value.to)
    return thing.id if thing is not None else None
