"""How the planner speaks of things.  Used by `planner`."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.things import ADDRESS_TAG, UNNAMED, Observed


def named(things: Sequence[Observed]) -> str:
    return " and ".join(f"{thing.kind} {thing.id}" for thing in things)


def half_ours(thing: Observed, stack: str) -> str:
    """What is wrong with a thing that has some owner tag and is not ours."""
    who = f"{thing.kind} {thing.id}"
    if thing.address is None and thing.stack is None:
        return f"{who} has a tag reconciler:address that names no address: remove or mend it"
    if thing.tags.get(ADDRESS_TAG) == UNNAMED and thing.address is None:
        return (
            f"{who} has tags of what one call has made with others, and AWS does not show it as one of these: "
            f"give its tag reconciler:address the address that is meant, or remove its tag reconciler:stack"
        )
    if thing.address is None:
        return f"{who} has the stack tag of {stack} and no address tag: give it one, or remove the stack tag"
    if thing.stack is None:
        return f"{who} claims {thing.address} and has no stack tag: give it the tag reconciler:stack, or remove both"
    return (
        f"{who} claims {thing.address}, which is of another kind: remove or mend its tag reconciler:address"
    )
