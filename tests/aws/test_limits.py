"""AWS's published rates, kept from our side: held to the buckets of the local AWS, which know nothing of ours."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.aws.limits import SLACK, Limits
from reconciler.aws.traffic import Traffic
from reconciler.sandbox.faults.buckets import Buckets, published

HERE, THERE = ("123456789012", "us-west-2"), ("123456789012", "eu-central-1")


class Clock:
    def __init__(self) -> None:
        self.now, self.waits = 1000.0, list[float]()

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def limits() -> tuple[Limits, Clock]:
    clock = Clock()
    return Limits(clock, clock.wait), clock


CALLS = (
    ("ec2", "DescribeSubnets", {"MaxResults": 1000}),
    ("ec2", "DescribeInstances", {"MaxResults": 1000}),
    ("ec2", "DescribeInstances", {"InstanceIds": ["i-1"]}),
    ("ec2", "CreateSubnet", {}),
    ("ec2", "CreateTags", {}),
    ("ec2", "RunInstances", {"MinCount": 1, "MaxCount": 1}),
    ("ec2", "RunInstances", {"MinCount": 600, "MaxCount": 600}),
    ("ec2", "StopInstances", {"InstanceIds": ["i-1", "i-2"]}),
    ("ec2", "TerminateInstances", {"InstanceIds": [f"i-{number}" for number in range(300)]}),
    ("ec2", "CreateVpcEndpoint", {}),
    ("ec2", "DeleteNatGateway", {}),
    ("ec2", "ModifyNetworkInterfaceAttribute", {}),
    ("networkmanager", "CreateSite", {}),
    ("networkmanager", "GetSites", {}),
    ("elasticloadbalancing", "CreateLoadBalancer", {}),
)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(CALLS), st.sampled_from([HERE, THERE]), st.sampled_from([0.0, 0.0, 0.3, 7.0])
        ),
        max_size=120,
    )
)
def test_aws_refuses_nothing_that_has_waited_for_its_turn(
    calls: list[tuple[tuple[str, str, dict[str, Any]], tuple[str, str], float]],
) -> None:
    ours, clock = limits()
    theirs = Buckets()
    for (service, operation, parameters), place, pause in calls:
        clock.now += pause
        ours.take(place, service, operation, parameters)
        clock.now += 1e-6  # the way to AWS
        assert theirs.take(place, published(service, operation, parameters), clock.now), operation


def test_a_burst_waits_for_nothing_and_what_is_beyond_it_no_longer_than_it_must() -> None:
    ours, clock = limits()
    for _ in range(54):
        ours.take(HERE, "ec2", "CreateSubnet", {})
    assert len(clock.waits) == 4
    assert 4 / 5 <= sum(clock.waits) <= 4 / 5 + 2 * SLACK
    ours.take(HERE, "ec2", "CreateRoute", {})
    ours.take(THERE, "ec2", "CreateSubnet", {})
    assert len(clock.waits) == 4, "another API, and another region, have buckets of their own"


def test_who_came_first_goes_first() -> None:
    waits: list[float] = []
    ours = Limits(Clock(), waits.append)  # all come at one moment
    for _ in range(8):
        ours.take(HERE, "ec2", "CreateVpcEndpoint", {})
    assert [round(wait - SLACK, 2) for wait in waits] == [3.33, 6.67, 10.0, 13.33]


def test_no_more_wait_for_a_bucket_than_keep_it_empty() -> None:
    """Of a burst all may begin; then one or two, and in another region as many as ever."""
    ours, clock = limits()

    def begun(place: tuple[str, str]) -> int:
        flying = 0
        while flying < 20 and ours.has_room(place, "ec2", "RunInstances", {"MaxCount": 1}, flying):
            flying += 1
        return flying

    assert begun(HERE) == 5
    for _ in range(5):
        ours.take(HERE, "ec2", "RunInstances", {"MaxCount": 1})
    assert (begun(HERE), begun(THERE)) == (2, 5)
    clock.now += 60
    assert begun(HERE) == 5
    assert ours.has_room(HERE, "elasticloadbalancing", "CreateLoadBalancer", {}, 1000)


def test_a_call_that_aws_refuses_slows_its_own_bucket_alone() -> None:
    ours, clock = limits()
    ours.refused(HERE, "ec2", "CreateSubnet")
    ours.take(HERE, "ec2", "CreateSubnet", {})
    assert clock.waits == [pytest.approx(0.2 + SLACK)]
    ours.take(HERE, "ec2", "CreateRoute", {})
    ours.take(THERE, "ec2", "CreateSubnet", {})
    assert len(clock.waits) == 1


def test_a_launch_of_many_that_is_refused_waits_for_the_calls_and_not_for_the_machines() -> None:
    """AWS does not say which of its buckets was empty: that of five, or that of a thousand."""
    ours, clock = limits()
    ours.refused(HERE, "ec2", "RunInstances")
    ours.take(HERE, "ec2", "RunInstances", {"MinCount": 100, "MaxCount": 100})
    assert clock.waits == [0.5 + SLACK]


def test_what_is_not_published_is_not_held_back() -> None:
    ours, clock = limits()
    for _ in range(1000):
        ours.take(HERE, "elasticloadbalancing", "CreateLoadBalancer", {})
    assert clock.waits == []


def test_who_waits_for_his_turn_shows_that_he_lives_and_ends_when_the_program_does() -> None:
    clock, signs, stopping = Clock(), list[float](), False

    def wait(seconds: float, stopped: Callable[[], bool]) -> None:
        nonlocal stopping
        clock.now += seconds
        signs.append(traffic.evidence)
        stopping = len(signs) == 5

    traffic = Traffic(stopping=lambda: stopping, pass_id=lambda: "", clock=clock)
    traffic.hold_back(wait)
    assert traffic.limits is not None
    for _ in range(2):
        traffic.limits.take(HERE, "ec2", "RunInstances", {"MaxCount": 600})
    assert len(signs) == 5, "of a hundred seconds"
    assert all(later - sooner <= 10 for sooner, later in itertools.pairwise(signs))
    assert traffic.evidence == clock.now


def test_a_bucket_that_was_empty_is_not_taken_to_the_last_drop() -> None:
    """AWS's may be behind ours by the time that calls take: what ours has just got, AWS's has not yet."""
    ours, clock = limits()
    for _ in range(50):
        ours.take(HERE, "ec2", "CreateSubnet", {})
    assert clock.waits == [], "a full one is AWS's own"
    clock.now += 0.2  # just one has come
    ours.take(HERE, "ec2", "CreateSubnet", {})
    assert clock.waits == [pytest.approx(SLACK)]
