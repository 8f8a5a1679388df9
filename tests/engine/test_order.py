"""Order: nothing is made before what it needs, nothing is deleted before what uses it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.order import awaited_by, in_order, needs
from reconciler.engine.users import Users
from reconciler.knots import knots
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.things import Desired, Ref
from reconciler.model.verdicts import Steps, Verdict, Wait
from tests.engine.build import planner, thing, wish, world
from tests.harness import FACTS

NUMBERS = st.integers(0, 9)


@st.composite
def graphs(draw: st.DrawFn) -> dict[int, list[int]]:
    """Up to ten nodes, each with edges to others, circles allowed."""
    nodes = draw(st.lists(NUMBERS, unique=True, max_size=10))
    return {node: draw(st.lists(st.sampled_from(nodes), unique=True, max_size=3)) for node in nodes}


def ordered(wanted: Mapping[Address, Desired]) -> list[Address]:
    """The wanted addresses in the order in which they are decided."""
    return in_order(
        {address: needs(desired, FACTS[address.kind], wanted) for address, desired in wanted.items()}
    )


@given(graphs())
def test_each_needed_address_comes_first(graph: dict[int, list[int]]) -> None:
    acyclic = {node: [other for other in others if other < node] for node, others in graph.items()}
    names = {node: Address("vpc", str(node)) for node in acyclic}
    wanted = {
        names[node]: wish(str(names[node]), depends_on=tuple(names[other] for other in others))
        for node, others in acyclic.items()
    }
    order = ordered(wanted)
    assert sorted(order) == sorted(wanted)
    for address, desired in wanted.items():
        assert all(order.index(needed) < order.index(address) for needed in desired.depends_on)


def test_a_chain_may_be_longer_than_the_stack_of_python() -> None:
    wanted = {
        Address("vpc", str(n)): wish(f"vpc/{n}", depends_on=(Address("vpc", str(n + 1)),) if n < 3000 else ())
        for n in range(3001)
    }
    assert ordered(wanted)[0] == Address("vpc", "3000")


def test_what_says_its_own_name_waits_for_nobody() -> None:
    itself = wish("core-network/c", {"ResourcePolicy": Ref(Address("core-network", "c"), "arn")})
    assert needs(itself, FACTS["core-network"], {}) == []


@given(graphs())
def test_knots_are_just_the_groups_that_lead_to_each_other(graph: dict[int, list[int]]) -> None:
    def reach(start: int) -> set[int]:
        found, work = set(), [start]
        while work:
            for other in graph[work.pop()]:
                if other not in found:
                    found.add(other)
                    work.append(other)
        return found

    reaches = {node: reach(node) for node in graph}
    groups = {
        frozenset(other for other in graph if other in reaches[node] and node in reaches[other]) | {node}
        for node in graph
    }
    assert set(knots(graph)) == {frozenset(group) for group in groups if len(group) > 1}


def groups_with(edges: dict[int, list[int]]) -> list:  # type: ignore[type-arg]
    """Security groups whose rules refer to each other as the edges say."""
    return [
        thing(
            f"security-group/{node}",
            f"sg-{node}",
            {
                "Rules": [
                    {
                        "SecurityGroupRuleId": f"sgr-{node}-{other}",
                        "IsEgress": False,
                        "IpProtocol": "-1",
                        "ReferencedGroupInfo": {"GroupId": f"sg-{other}"},
                    }
                    for other in others
                ]
            },
        )
        for node, others in edges.items()
    ]


@given(graphs())
def test_users_come_before_what_they_use_outside_of_circles(graph: dict[int, list[int]]) -> None:
    things = groups_with(graph)
    users = Users(things, things, FACTS)
    order = [one.id for one in users.first()]
    assert sorted(order) == sorted(one.id for one in things)
    for one in things:
        circle = {other.id for other in users.circle(one)}
        for user in users.of(one):
            assert user.id in circle or order.index(user.id) < order.index(one.id)


@given(graphs())
def test_any_tangle_of_groups_can_be_taken_down(graph: dict[int, list[int]]) -> None:
    """Step by step, as AWS would allow it: no group goes while another one refers to it."""
    left = {node: list(others) for node, others in graph.items()}
    for _ in range(2 * len(graph) + 1):
        plan = planner([], world(*groups_with(left))).plan()
        for entry in plan.entries:
            if not isinstance(entry.verdict, Steps):
                continue
            node = int(entry.address.name)
            for call in entry.verdict.calls:
                if call.operation == "DeleteSecurityGroup":
                    assert not any(node in others for other, others in left.items() if other != node)
                    del left[node]
                else:
                    for rule in call.parameters["SecurityGroupRuleIds"]:
                        left[node].remove(int(rule.split("-")[2]))
    assert left == {}


def test_a_rule_is_taken_out_only_where_a_circle_must_be_undone() -> None:
    """An orphan that is still used keeps its rules: traffic goes on until its users are gone."""
    group = groups_with({1: [2], 2: []})
    plan = planner([], world(*group)).plan()
    calls = [call.operation for entry in plan.steps for call in entry.verdict.calls]  # type: ignore[union-attr]
    assert calls == ["DeleteSecurityGroup"]  # of the one that refers, whole


@pytest.mark.parametrize("used_by", ["wanted", "leaving"])
def test_a_circle_that_others_use_is_left_alone(used_by: str) -> None:
    groups = groups_with({1: [2], 2: [1]})
    user = thing("instance/i", "i-1", {"SecurityGroups": [{"GroupId": "sg-1"}]})
    wanted = (
        [wish("instance/i", {"InstanceType": Ref(Address("instance", "i"))})] if used_by == "wanted" else []
    )
    entries = {entry.label: entry.verdict for entry in planner(wanted, world(*groups, user)).plan().entries}
    assert isinstance(entries["security-group/1"], Wait)
    assert "i-1" in entries["security-group/1"].why


def test_a_name_means_what_has_it_in_the_same_region() -> None:
    """Names of key pairs are a region's own."""
    user = thing("instance/i", "i-1", {"KeyName": "k"})
    here, there = (
        thing("key-pair/here", "key-1", {"KeyName": "k"}),
        thing("key-pair/there", "key-2", {"KeyName": "k"}, region="eu-central-1"),
    )
    users = Users([user, here, there], [here, there], FACTS)
    assert (users.of(here), users.of(there)) == ([user], [])


REGISTER = Call(service="networkmanager", operation="RegisterTransitGateway", parameters={})
NOTE = Call(service="networkmanager", operation="TagResource", parameters={})
CHANGE = Call(service="networkmanager", operation="UpdateGlobalNetwork", parameters={})


@pytest.mark.parametrize(
    ("verdict", "kinds"),
    [
        (Steps("update", (REGISTER, REGISTER, NOTE)), {"device"}),
        (Steps("update", (REGISTER, CHANGE)), None),
        (Steps("update", (NOTE,)), None),
        (Steps("create", (REGISTER,)), None),
        (Wait("for a reason"), None),
    ],
)
def test_only_what_needs_a_part_waits_until_it_is_put_in(verdict: Verdict, kinds: set[str] | None) -> None:
    assert awaited_by(FACTS["global-network"].kind, verdict) == kinds
