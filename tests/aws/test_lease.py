"""The lease for two hosts: one holds it, the other waits, and who is not provably the holder changes nothing.

Each host has a clock of its own, held by the test; DynamoDB is the local AWS's.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import structlog

from reconciler.aws.gateway import Gateway
from reconciler.aws.lease import Holder, Lease, Tenure, Times, uptime
from reconciler.aws.lease_table import Record, Table
from reconciler.errors import AwsError, BusyError, Denied, LeaseLost, Lost, Refused
from reconciler.model.calls import Call
from reconciler.sandbox import AwsError as Refusal
from reconciler.sandbox import Call as Made
from reconciler.sandbox import LocalAws

from .support import ACCOUNT, count, sessions

STACK, NAME, REGION = "ai", "leases", "us-west-2"
TIMES = Times()


class Host:
    """A process on a host, with its own monotonic clock and time of day; sleeping moves both on."""

    def __init__(self, name: str, pid: int, up: float, day: float = 1_800_000_000.0) -> None:
        self.up, self.day, self.slept = up, day, 0.0
        self.while_asleep: Callable[[], None] = lambda: None
        made = sessions()
        self.gateway = Gateway(made)
        self.lease = Lease(
            Table(made, name=NAME, region=REGION, stack=STACK),
            Holder(f"{name}-{pid}", name, pid),
            clock=lambda: self.up,
            wall=lambda: self.day,
            sleep=self.sleep,
        )
        self.gateway.before_write.append(lambda call: self.lease.check())

    def sleep(self, seconds: float) -> None:
        self.pass_time(seconds)
        self.slept += seconds
        self.while_asleep()

    def pass_time(self, seconds: float) -> None:
        self.up += seconds
        self.day += seconds

    def write(self) -> None:
        """Change something in the estate."""
        parameters = {"CidrBlock": "10.0.0.0/16"}
        where = {"account": ACCOUNT, "region": REGION}
        self.gateway.perform(Call(service="ec2", operation="CreateVpc", parameters=parameters, **where))


@pytest.fixture
def table(aws: LocalAws) -> Any:
    """DynamoDB, with the table made as the program says."""
    client = sessions().client(ACCOUNT, "dynamodb", REGION)
    client.create_table(
        TableName=NAME,
        AttributeDefinitions=[{"AttributeName": "stack", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "stack", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


@pytest.fixture
def one(table: Any) -> Host:
    return Host("ops1", 812, up=50.0)


@pytest.fixture
def two(table: Any) -> Host:
    """Its clocks have nothing to do with those of the other."""
    return Host("ops2", 7, up=9_000_000.0, day=0.0)


def item(table: Any) -> dict[str, str]:
    """The record, without DynamoDB's types."""
    found = table.get_item(TableName=NAME, Key={"stack": {"S": STACK}}, ConsistentRead=True)["Item"]
    return {name: value for name, typed in found.items() for value in typed.values()}


# ---- one holds it


def test_the_first_gets_it_and_the_second_is_told_who_has_it(one: Host, two: Host, table: Any) -> None:
    one.lease.take(wait=0)
    one.write()
    two.while_asleep = one.lease.renew
    with pytest.raises(BusyError) as caught:
        two.lease.take(wait=0)
    assert str(caught.value) == (
        "ai is held by process 812 on ops1 since 2027-01-15T08:00:00Z, by the lease in the table leases; "
        "try later, or say --lock-wait"
    )
    assert two.slept == 2.0, "as soon as the holder has shown that it lives"
    with pytest.raises(LeaseLost, match="was never taken"):
        two.write()
    assert item(table)["fence"] == "1"


def test_nothing_is_written_before_it_is_taken(one: Host, aws: LocalAws) -> None:
    with pytest.raises(LeaseLost, match=r"the lease of ai in the table leases was never taken"):
        one.write()
    assert count(aws, "CreateVpc") == 0


def test_a_lease_that_was_given_back_is_taken_at_once(one: Host, two: Host, table: Any) -> None:
    one.lease.take(wait=0)
    one.lease.release()
    with pytest.raises(LeaseLost, match="was given back"):
        one.write()
    two.lease.take(wait=0)
    two.write()
    assert (two.slept, two.lease.fence) == (0.0, 2)
    with pytest.raises(LeaseLost):
        one.write()


def test_a_dead_holder_is_waited_for_and_no_longer(one: Host, two: Host, table: Any) -> None:
    """Also by who says that it does not want to wait: else nobody would ever find out that the holder is dead."""
    one.lease.take(wait=0)
    two.lease.take(wait=0)
    assert TIMES.lease <= two.slept <= TIMES.lease + TIMES.retry
    two.write()
    assert (item(table)["fence"], item(table)["host"], two.lease.fence) == ("2", "ops2", 2)


def test_who_was_overtaken_writes_nothing_and_says_by_whom(one: Host, two: Host, aws: LocalAws) -> None:
    one.lease.take(wait=0)
    two.lease.take(wait=0)
    one.lease.renew()
    with pytest.raises(LeaseLost, match="was taken over by process 7 on ops2 since 1970-01-01T00:00:1"):
        one.write()
    assert (count(aws, "CreateVpc"), one.lease.fence) == (0, 0)
    one.lease.release()
    two.write()
    two.lease.renew()
    two.write()


def test_a_holder_that_renews_is_never_overtaken(one: Host, two: Host, table: Any) -> None:
    one.lease.take(wait=0)

    def live() -> None:
        one.pass_time(TIMES.retry)
        one.lease.renew()

    two.while_asleep = live
    with pytest.raises(BusyError):
        two.lease.take(wait=600)
    assert 600 <= two.slept <= 600 + TIMES.retry
    one.write()
    assert item(table)["fence"] == "1"


def test_the_fence_rises_with_every_holder(one: Host, two: Host, table: Any) -> None:
    fences = []
    for host in (one, two, two, one):
        host.lease.take(wait=0)
        fences.append(host.lease.fence)
        host.lease.release()
    assert fences == [1, 2, 3, 4]
    assert one.lease.fence == 0


def test_of_two_that_want_it_at_once_one_gets_it(one: Host, two: Host, aws: LocalAws) -> None:
    between = iter([one.lease.attempt])

    def overtake(moment: str, call: Made) -> None:
        """The other one writes after this one has looked."""
        if (moment, call.operation) == ("before", "PutItem"):
            for act in between:
                act()

    aws.on_call.append(overtake)
    found = two.lease.attempt()
    assert found is not None
    assert (found.host, one.lease.fence, two.lease.fence) == ("ops1", 1, 0)


# ---- time


def test_a_holder_without_renewal_stops_before_another_may_begin(one: Host, aws: LocalAws) -> None:
    one.lease.take(wait=0)
    one.pass_time(TIMES.give_up - 0.01)
    one.write()
    one.pass_time(0.01)
    with pytest.raises(LeaseLost, match="has not been renewed for 10 s"):
        one.write()
    assert count(aws, "CreateVpc") == 1
    assert TIMES.give_up < TIMES.lease


@pytest.mark.parametrize("fault", ["drop", "lose_answer"])
def test_when_dynamodb_is_out_of_reach_writes_stop_and_go_on_when_it_is_back(
    one: Host, aws: LocalAws, fault: str
) -> None:
    one.lease.take(wait=0)
    getattr(aws, fault)("dynamodb", "PutItem", times=4)
    for _ in range(4):
        one.write()
        one.pass_time(2.5)
        one.lease.renew()
    with pytest.raises(LeaseLost, match=r"has not been renewed for 10 s \(dynamodb:PutItem: no answer"):
        one.write()
    one.lease.renew()  # nobody else has taken it: it was ours all the time
    one.write()
    assert one.lease.fence == 1


def test_what_counts_is_when_a_renewal_was_asked_for(one: Host, aws: LocalAws) -> None:
    one.lease.take(wait=0)

    def slowly(moment: str, call: Made) -> None:
        if (moment, call.operation) == ("after", "PutItem"):
            one.pass_time(9.0)

    aws.on_call.append(slowly)
    one.lease.renew()
    one.write()
    one.pass_time(1.0)
    with pytest.raises(LeaseLost):
        one.write()


@pytest.mark.parametrize("jump", [-3600.0, 3600.0, -1e9])
def test_the_time_of_day_may_jump(one: Host, two: Host, jump: float) -> None:
    one.lease.take(wait=0)
    one.day += jump
    two.day -= jump
    one.lease.renew()
    one.write()
    assert two.lease.attempt() is not None
    two.pass_time(14.0)
    two.day += jump
    assert two.lease.attempt() is not None
    two.pass_time(1.0)
    assert two.lease.attempt() is None


def test_a_clock_goes_on_while_the_host_sleeps() -> None:
    assert uptime() >= time.clock_gettime(time.CLOCK_MONOTONIC) - 1


# ---- answers that are lost


def test_an_answer_that_was_lost_does_not_lock_its_asker_out(one: Host, two: Host, aws: LocalAws) -> None:
    aws.lose_answer("dynamodb", "PutItem")
    with pytest.raises(Lost):
        one.lease.attempt()
    with pytest.raises(LeaseLost):
        one.write()
    assert two.lease.attempt() is not None
    one.lease.take(wait=0)
    one.write()
    assert one.slept == 0.0


def test_a_renewal_whose_answer_was_lost_is_not_repeated_letter_by_letter(
    one: Host, two: Host, aws: LocalAws
) -> None:
    """Who waits has seen the first one; were the second the same, it would count on from there."""
    one.lease.take(wait=0)
    aws.lose_answer("dynamodb", "PutItem")
    one.lease.renew()
    assert two.lease.attempt() is not None
    for host in (one, two):
        host.pass_time(9.0)
    one.lease.renew()
    for host in (one, two):
        host.pass_time(7.0)
    assert two.lease.attempt() is not None, "16 s after the first, 7 s after the second"
    one.write()


def test_what_is_late_from_an_old_tenure_does_not_end_the_new_one(one: Host, two: Host, table: Any) -> None:
    """A request that nobody waits for any more may still arrive."""
    ours = Table(sessions(), name=NAME, region=REGION, stack=STACK)
    one.lease.take(wait=0)
    old = ours.read()
    assert old is not None
    one.pass_time(TIMES.give_up)
    one.lease.take(wait=0)
    assert not ours.write(replace(old, holder=""), over=old, renewed=True)
    assert two.lease.attempt() is not None
    one.lease.renew()
    one.write()


def test_a_record_that_somebody_deletes_is_a_lease_lost(one: Host, table: Any) -> None:
    one.lease.take(wait=0)
    table.delete_item(TableName=NAME, Key={"stack": {"S": STACK}})
    one.lease.renew()
    with pytest.raises(LeaseLost, match="was deleted by somebody"):
        one.write()


# ---- what a person has to do


def test_a_table_that_is_not_there_is_told_with_the_command_that_makes_it(aws: LocalAws) -> None:
    with pytest.raises(Refused) as caught:
        Host("ops1", 1, up=0.0).lease.take(wait=60)
    assert str(caught.value) == (
        "dynamodb:GetItem: there is no DynamoDB table leases in us-west-2 for the lease, or it is not ready yet; make "
        "it: aws dynamodb create-table --region us-west-2 --table-name leases --billing-mode PAY_PER_REQUEST "
        "--attribute-definitions AttributeName=stack,AttributeType=S --key-schema AttributeName=stack,KeyType=HASH"
    )


def test_a_table_with_another_key_is_told(aws: LocalAws) -> None:
    sessions().client(ACCOUNT, "dynamodb", REGION).create_table(
        TableName=NAME,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(
        Refused, match="does not match the schema; the table of a lease is made like this: aws"
    ):
        Host("ops1", 1, up=0.0).lease.take(wait=0)


def test_an_item_that_is_no_lease_is_told(one: Host, table: Any) -> None:
    table.put_item(TableName=NAME, Item={"stack": {"S": STACK}, "holder": {"S": "me"}})
    with pytest.raises(Refused, match=r"is no lease of this program.*delete-item .* --key '\{"):
        one.lease.take(wait=0)


def test_a_right_that_is_missing_is_named(one: Host, aws: LocalAws) -> None:
    aws.fail("dynamodb", "PutItem", code="AccessDeniedException", status=400)
    with pytest.raises(
        Denied, match=r"the lease needs dynamodb:GetItem and dynamodb:PutItem on table/leases"
    ):
        one.lease.take(wait=600)


def test_dynamodb_is_waited_for_as_long_as_one_is_told_to(one: Host, aws: LocalAws) -> None:
    aws.drop("dynamodb", "GetItem", times=1000)
    with structlog.testing.capture_logs() as lines, pytest.raises(Lost):
        one.lease.take(wait=59)
    assert 59 <= one.slept <= 61
    assert [line["event"] for line in lines] == ["wait.slow"] * 2
    with pytest.raises(Lost):
        one.lease.take(wait=0)
    aws.clear_faults()
    one.lease.take(wait=0)


def test_waiting_ends_with_a_stop(one: Host, two: Host) -> None:
    one.lease.take(wait=0)
    stop = threading.Event()
    two.while_asleep = stop.set
    with pytest.raises(BusyError, match="stopped while waiting"):
        two.lease.take(wait=600, stopped=stop.is_set)
    assert two.slept == 2.0


def test_taking_waiting_and_having_are_in_the_log(one: Host, two: Host) -> None:
    with structlog.testing.capture_logs() as lines:
        one.lease.take(wait=0)
        one.lease.take(wait=0)
        two.lease.take(wait=float("inf"))
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("lock.acquired", "info"),
        ("lock.busy", "warning"),
        ("lock.acquired", "info"),
    ]
    assert [line.get("fence") for line in lines] == [1, None, 2]
    assert lines[1]["wait_s"] is None, "for ever is no number"


# ---- kept in the background

QUICK = Times(lease=1.5, give_up=1.0, renew=0.02, retry=0.02)


def quickly(name: str) -> Lease:
    table = Table(sessions(), name=NAME, region=REGION, stack=STACK)
    return Lease(table, Holder(name, name, 1), times=QUICK)


def until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.005)


@pytest.fixture
def no_threads() -> Iterator[None]:
    """None is left behind."""
    yield
    until(lambda: all(thread.name != "lease" for thread in threading.enumerate()), "the thread ends")


def test_it_is_renewed_in_the_background_and_given_back_at_the_end(
    table: Any, aws: LocalAws, no_threads: None
) -> None:
    lease = quickly("ops1")
    lease.take(wait=0)
    with lease.kept():
        until(lambda: count(aws, "PutItem") >= 4, "it is renewed")
        lease.check()
        assert item(table)["holder"] == "ops1"
    assert item(table)["holder"] == ""
    with pytest.raises(LeaseLost, match="given back"):
        lease.check()


def test_renewing_goes_on_after_failures_and_after_it_was_taken_anew(
    table: Any, aws: LocalAws, no_threads: None
) -> None:
    lease = quickly("ops1")
    lease.take(wait=0)
    with lease.kept():
        aws.drop("dynamodb", "PutItem", times=3)
        until(lambda: sum(call.error is not None for call in aws.calls) >= 3, "it fails")
        before = count(aws, "PutItem")
        until(lambda: count(aws, "PutItem") > before + 2, "it is renewed")
        lease.check()
        table.delete_item(TableName=NAME, Key={"stack": {"S": STACK}})
        until(lambda: lease.problem() == "was deleted by somebody", "it is lost")
        lease.take(wait=0)
        before = count(aws, "PutItem")
        until(lambda: count(aws, "PutItem") > before + 2, "it is renewed")
        lease.check()


def test_a_dynamodb_that_hangs_does_not_hold_up_the_end(table: Any, aws: LocalAws) -> None:
    lease = quickly("ops1")
    lease.take(wait=0)
    hangs, goes_on = threading.Event(), threading.Event()

    def hang(moment: str, call: Made) -> None:
        hangs.set()
        goes_on.wait(20)
        raise Refusal("InternalServerError", "at last", 500)

    aws.on_call.append(hang)
    begun = time.monotonic()
    with lease.kept():
        assert hangs.wait(20)
    assert time.monotonic() - begun < 5
    goes_on.set()
    until(lambda: all(thread.name != "lease" for thread in threading.enumerate()), "the thread ends")


def test_renewals_are_no_evidence_that_a_pass_goes_on(one: Host) -> None:
    one.lease.take(wait=0)
    one.write()
    before = one.gateway.evidence
    one.lease.renew()
    assert one.gateway.evidence == before


# ---- never two at once, whatever happens


class Store:
    """DynamoDB as the rules see it: it writes on condition."""

    record: Record | None = None

    def write(self, record: Record, over: Record | None, renewed: bool) -> bool:
        there = self.record
        if there is None or over is None:
            fits = there is over
        else:
            fits = (there.holder, there.fence) == (over.holder, over.fence)
            fits = fits and (renewed or there.beat == over.beat)
        if fits:
            self.record = record
        return fits


@pytest.mark.parametrize("seed", range(2))
def test_at_no_moment_do_two_hold_it(seed: int) -> None:
    """Two hosts do what they may do, at any time, and answers are slow or lost, for 10,000 steps."""
    chance, store, now = random.Random(seed), Store(), 0.0
    tenures = {name: Tenure(Holder(name, name, 1), TIMES) for name in "ab"}
    clocks, last, hands = {"a": 0.0, "b": 12345.0}, ("", 0), 0
    for _ in range(10_000):
        now += chance.choice([0.0, 0.5, 2.0, 5.0])
        name = chance.choice("ab")
        tenure, asked = tenures[name], now + clocks[name]
        over, renewed = tenure.mine, True
        if tenure.problem(asked) is not None and chance.random() < 0.7:
            over, renewed = store.record, False
            wanted = tenure.bid(over, asked, "")
        else:
            wanted = tenure.renewal(asked)
        released = renewed and chance.random() < 0.02
        if released:
            tenure.lost("given back")
            wanted = replace(wanted, holder="") if wanted else None
        takes, arrives, answered = chance.choice([0.0, 3.0]), chance.random() < 0.9, chance.random() < 0.7
        now += takes / 2
        done = wanted is not None and arrives and store.write(wanted, over, renewed)
        now += takes / 2
        if wanted is not None and not released:
            if not (arrives and answered):
                tenure.failed("no answer")
            elif done:
                tenure.holds(wanted, asked)
            elif renewed:
                tenure.lost("taken")
        sure = [other for other, one in tenures.items() if one.problem(now + clocks[other]) is None]
        assert len(sure) < 2
        if sure:
            mine = tenures[sure[0]].mine
            assert mine is not None
            before, fence = last
            assert mine.fence >= fence, "a later holder has no lower fence"
            assert before == sure[0] or mine.fence > fence, "and another one a higher"
            last = (sure[0], mine.fence)
            hands += before != sure[0]
    assert hands > 50


def test_errors_of_dynamodb_are_ours(one: Host, aws: LocalAws) -> None:
    aws.fail("dynamodb", "GetItem", code="InternalServerError", status=500)
    with pytest.raises(AwsError) as caught:
        one.lease.attempt()
    assert (caught.value.call, caught.value.http_status) == ("dynamodb:GetItem", 500)
