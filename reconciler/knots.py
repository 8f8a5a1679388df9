"""Circles in a graph.  Used by `desired` (references of a config) and `engine` (things that use each other)."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def knots(ahead: Mapping[Node, Sequence[Node]]) -> Iterator[frozenset[Node]]:
    """Groups of more than one node that all lead to each other (Tarjan's algorithm, without recursion).

    `ahead` gives each node's successors, all of which are its keys too.
    """
    number: dict[Node, int] = {}
    lowest: dict[Node, int] = {}
    open_: list[Node] = []
    is_open: set[Node] = set()
    for root in ahead:
        if root in number:
            continue
        number[root] = lowest[root] = len(number)
        open_.append(root)
        is_open.add(root)
        work = [(root, iter(ahead[root]))]
        while work:
            here, targets = work[-1]
            for target in targets:
                if target not in number:
                    number[target] = lowest[target] = len(number)
                    open_.append(target)
                    is_open.add(target)
                    work.append((target, iter(ahead[target])))
                    break
                if target in is_open:
                    lowest[here] = min(lowest[here], number[target])
            else:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[here])
                if lowest[here] == number[here]:
                    group: set[Node] = set()
                    while here not in group:
                        group.add(open_.pop())
                    is_open -= group
                    if len(group) > 1:
                        yield frozenset(group)
