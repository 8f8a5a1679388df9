"""Every operation of the service is answered: by its shape, or by an error that the model knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
import requests
from botocore.exceptions import ClientError
from botocore.model import Shape

from reconciler.sandbox import LocalAws, local_aws
from reconciler.sandbox.networkmanager.answers import ANSWERS

from .conftest import client, code

MODEL = botocore.session.get_session().get_service_model("networkmanager")


def minimal(shape: Shape, name: str = "") -> Any:
    """The least value that boto3 sends for a shape."""
    if shape.type_name == "structure":
        return {member: minimal(shape.members[member], member) for member in shape.required_members}  # type: ignore[attr-defined]
    if shape.type_name == "list":
        return [minimal(shape.member, name)]  # type: ignore[attr-defined]
    if shape.type_name == "map":
        return {}
    if shape.type_name == "timestamp":
        return 0
    if shape.type_name == "boolean":
        return False
    if shape.type_name in ("integer", "long", "float", "double"):
        return 1
    if shape.metadata.get("enum"):
        return shape.metadata["enum"][0]
    if name.endswith("Arn"):
        return "arn:aws:ec2:us-west-2:123456789012:thing/thing-0123456789abcdef0"
    return "x" * max(1, int(shape.metadata.get("min", 1)))


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[LocalAws, Any]]:
    """One local AWS for all operations, since making one takes longer than a call."""
    with local_aws(quotas={"GlobalNetwork": 500}) as aws:
        yield aws, client("networkmanager")


@pytest.mark.parametrize("operation", MODEL.operation_names)
@pytest.mark.parametrize("with_network", [True, False])
def test_every_operation_is_answered(
    shared: tuple[LocalAws, Any], operation: str, with_network: bool
) -> None:
    aws, nm = shared
    model = MODEL.operation_model(operation)
    parameters = minimal(model.input_shape) if model.input_shape is not None else {}
    if with_network and "GlobalNetworkId" in parameters:
        parameters["GlobalNetworkId"] = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
    method = getattr(nm, botocore.xform_name(operation))
    modelled = {shape.name for shape in model.error_shapes}
    refused: dict[str, Any] | None = None
    try:
        method(**parameters)
    except ClientError as error:
        refused = dict(error.response)
    if refused is not None:
        assert refused["Error"]["Code"] in modelled
        assert refused["ResponseMetadata"]["HTTPStatusCode"] < 500
        assert refused["Error"]["Message"]
    assert aws.calls[-1].operation == operation
    assert aws.problems == []


LISTS = [
    "GetLinkAssociations",
    "GetCustomerGatewayAssociations",
    "GetTransitGatewayRegistrations",
    "GetConnectPeerAssociations",
    "GetTransitGatewayConnectPeerAssociations",
    "GetNetworkResources",
    "GetNetworkTelemetry",
]


@pytest.mark.parametrize("operation", LISTS)
def test_lists_that_are_not_here_yet_are_empty(nm: Any, network: str, operation: str) -> None:
    method = getattr(nm, botocore.xform_name(operation))
    answer = method(GlobalNetworkId=network)
    lists = [value for name, value in answer.items() if name != "ResponseMetadata"]
    assert lists == [[]]
    assert code(method, GlobalNetworkId="nowhere") == ("ValidationException", 400)


def test_account_wide_lists_are_empty_and_single_things_not_found(nm: Any) -> None:
    assert nm.list_core_networks()["CoreNetworks"] == []
    assert nm.list_attachments()["Attachments"] == []
    assert nm.list_peerings()["Peerings"] == []
    core = {"CoreNetworkId": "core-network-0123456789abcdef0"}
    assert code(nm.get_core_network, **core) == ("ResourceNotFoundException", 404)
    assert code(nm.get_vpc_attachment, AttachmentId="attachment-0123456789abcdef0")[1] == 404


def test_the_answerers_name_operations_of_the_model() -> None:
    assert set(ANSWERS) <= set(MODEL.operation_names)


def test_an_unknown_path_is_a_modelled_error(aws: LocalAws) -> None:
    url = "https://networkmanager.us-west-2.amazonaws.com/no/such/path"
    answer = requests.get(url, timeout=5)
    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] == "ValidationException"
    assert json.loads(answer.text)["Reason"] == "UnknownOperation"
