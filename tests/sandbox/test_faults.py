"""What goes wrong with a call: each fault does what it says, in both services, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from botocore.parsers import ResponseParserError

from reconciler.sandbox import LocalAws

from .conftest import code, image, new_client, refusal
from .services import BOTH, EC2, NETWORK_MANAGER, Service, others_work


def patient(service: str) -> Any:
    """A client that tries three times, as boto3 does by default."""
    return new_client(service, attempts=3)


# ---- refusals


@BOTH
def test_a_failure_has_its_code_no_effect_and_an_end(aws: LocalAws, service: Service) -> None:
    aws.fail(service.name, service.create, code="Busy", message="not now", status=409, times=2)
    others_work(service)
    for _ in range(2):
        with pytest.raises(Exception, match="not now") as caught:
            service.make()
        answer = caught.value.response  # type: ignore[attr-defined]
        assert answer["Error"]["Code"] == "Busy"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert service.ids() == []
    assert service.ids() == [] != [service.make()]
    errors = [call.error for call in aws.calls if call.operation == service.create]
    assert errors == ["Busy", "Busy", None]


@BOTH
def test_a_failure_of_anything(aws: LocalAws, service: Service) -> None:
    aws.fail(service.name, "*", code="Busy", times=2)
    assert code(service.make)[0] == "Busy"
    assert code(service.look_elsewhere)[0] == "Busy"
    others_work(service)


@pytest.mark.parametrize(
    ("service", "name", "status"),
    [
        (NETWORK_MANAGER, "ThrottlingException", 429),
        (NETWORK_MANAGER, "InternalServerException", 500),
        (NETWORK_MANAGER, "ServiceQuotaExceededException", 402),
        (NETWORK_MANAGER, "ConflictException", 409),
        (NETWORK_MANAGER, "NoSuchCode", 400),
        (EC2, "RequestLimitExceeded", 503),
        (EC2, "InsufficientInstanceCapacity", 500),
        (EC2, "UnauthorizedOperation", 403),
        (EC2, "DependencyViolation", 400),
    ],
    ids=str,
)
def test_a_failure_has_the_status_that_goes_with_its_code(
    aws: LocalAws, service: Service, name: str, status: int
) -> None:
    aws.fail(service.name, service.create, code=name)
    assert code(service.make) == (name, status)


def test_a_failure_has_the_members_that_it_is_given(aws: LocalAws, nm: Any) -> None:
    given: dict[str, Any] = {"ResourceId": "site-1", "ResourceType": "site"}
    aws.fail("networkmanager", "CreateSite", code="ConflictException", **given)
    answer = refusal(nm.create_site, GlobalNetworkId="global-network-1")
    assert {name: answer[name] for name in given} == given
    aws.fail("networkmanager", "CreateSite", code="ThrottlingException", RetryAfterSeconds=7)
    answer = refusal(nm.create_site, GlobalNetworkId="global-network-1")
    assert answer["RetryAfterSeconds"] == 7
    assert answer["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "7"


@BOTH
def test_faults_happen_in_the_order_in_which_they_were_set(aws: LocalAws, service: Service) -> None:
    aws.fail(service.name, service.create, code="First")
    aws.fail(service.name, "*", code="Second")
    aws.drop(service.name, service.create)
    assert [code(service.make)[0] for _ in range(2)] == ["First", "Second"]
    with pytest.raises(ConnectionClosedError):
        service.make()
    service.make()


@BOTH
def test_the_sdk_tries_again_after_a_throttle(aws: LocalAws, service: Service) -> None:
    throttle = "ThrottlingException" if service is NETWORK_MANAGER else "RequestLimitExceeded"
    aws.fail(service.name, service.create, code=throttle, times=2)
    service.make(patient(service.name))
    assert len(service.ids()) == 1
    assert len([call for call in aws.calls if call.operation == service.create]) == 3


# ---- connections


@BOTH
def test_a_dropped_connection_has_no_effect(aws: LocalAws, service: Service) -> None:
    aws.drop(service.name, service.create)
    others_work(service)
    with pytest.raises(ConnectionClosedError):
        service.make()
    assert service.ids() == []
    assert [call.error for call in aws.writes if call.operation == service.create] == ["ConnectionClosed"]
    service.make()
    assert len(service.ids()) == 1


@BOTH
def test_a_lost_answer_has_an_effect_and_a_second_try_makes_a_second_thing(
    aws: LocalAws, service: Service
) -> None:
    aws.lose_answer(service.name, service.create)
    others_work(service)
    with pytest.raises(ConnectionClosedError):
        service.make()
    assert len(service.ids()) == 1
    assert service.make() in service.ids()
    assert len(service.ids()) == 2
    aws.lose_answer(service.name, service.create)
    service.make(patient(service.name))  # the SDK is the naive caller
    assert len(service.ids()) == 4


def test_a_token_keeps_a_second_try_from_making_a_second_thing(aws: LocalAws, ec2: Any) -> None:
    launch = {"ImageId": image(), "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    volume = {"AvailabilityZone": "us-west-2a", "Size": 1}

    def there() -> tuple[int, int]:
        pages = ec2.get_paginator("describe_instances").paginate()
        instances = [one for page in pages for one in page["Reservations"]]
        free: dict[str, Any] = {"Filters": [{"Name": "status", "Values": ["available"]}]}
        unattached = ec2.describe_volumes(**free)["Volumes"]
        return len(instances), len(unattached)

    aws.lose_answer("ec2", "RunInstances")
    with pytest.raises(ConnectionClosedError):
        ec2.run_instances(**launch, ClientToken="mine")
    assert there() == (1, 0)
    ec2.run_instances(**launch, ClientToken="mine")
    assert there() == (1, 0)
    aws.lose_answer("ec2", "CreateVolume")
    with pytest.raises(ConnectionClosedError):
        ec2.create_volume(**volume, ClientToken="mine")
    ec2.create_volume(**volume, ClientToken="mine")
    aws.clock.advance(5)
    assert there() == (1, 1)
    # the token that botocore makes up holds for its own tries, and for no more
    aws.lose_answer("ec2", "RunInstances")
    patient("ec2").run_instances(**launch)
    assert there() == (2, 1)
    aws.lose_answer("ec2", "RunInstances")
    with pytest.raises(ConnectionClosedError):
        ec2.run_instances(**launch)
    ec2.run_instances(**launch)
    assert there() == (4, 1)


@BOTH
def test_the_answer_of_a_refused_call_can_be_lost_too(aws: LocalAws, service: Service) -> None:
    aws.lose_answer(service.name, "*")
    with pytest.raises(ConnectionClosedError):
        service.make_nonsense()
    assert service.ids() == []


def test_a_cut_answer_of_network_manager_has_no_list_in_it(aws: LocalAws, nm: Any) -> None:
    made = NETWORK_MANAGER.make()
    aws.truncate("networkmanager", "DescribeGlobalNetworks")
    answer = nm.describe_global_networks()  # botocore takes half of a JSON text for an answer without members
    assert "GlobalNetworks" not in answer
    assert NETWORK_MANAGER.ids() == [made]


def test_a_cut_answer_of_ec2_cannot_be_parsed(aws: LocalAws) -> None:
    made = EC2.make()
    aws.truncate("ec2", "DescribeVpcs")
    with pytest.raises(ResponseParserError):
        EC2.page()
    assert EC2.ids() == [made]


@BOTH
def test_a_cut_answer_tells_its_whole_length_and_has_an_effect(aws: LocalAws, service: Service) -> None:
    bodies: list[tuple[int, int]] = []

    def note(response_dict: dict[str, Any], **_: Any) -> None:
        bodies.append((int(response_dict["headers"]["Content-Length"]), len(response_dict["body"])))

    careful = new_client(service.name)
    careful.meta.events.register(f"before-parse.*.{service.create}", note)
    others_work(service)
    before = len(service.ids())
    service.make(careful)
    aws.truncate(service.name, service.create)
    with pytest.raises((ResponseParserError, KeyError)):
        service.make(careful)
    (whole, all_of_it), (told, came) = bodies
    assert whole == all_of_it
    assert told - 2 <= whole <= told + 2  # two answers of the same shape
    assert came == told // 2
    assert len(service.ids()) == before + 2
