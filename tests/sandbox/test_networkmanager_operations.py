"""Every operation of the service is answered: by its shape, or by an error that the model knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session
import pytest
import requests
from botocore.exceptions import ClientError
from botocore.model import Shape

from reconciler.sandbox import LocalAws, local_aws
from reconciler.sandbox.networkmanager.answers import ANSWERS

from . import wan
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


@dataclass(frozen=True)
class Prepared:
    """A local AWS with a global network, a core network and an attachment; one for all operations, since making one
    takes longer than a call."""

    aws: LocalAws
    nm: Any
    named: dict[str, Any]


@pytest.fixture(scope="module")
def prepared() -> Iterator[Prepared]:
    """What operations are tried on."""
    with local_aws(quotas={"GlobalNetwork": 500, "CoreNetwork": 500}) as aws:
        nm = client("networkmanager")
        network = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
        core = wan.core_network(aws, nm, network)
        named = {
            "GlobalNetworkId": network,
            "CoreNetworkId": core,
            "PolicyVersionId": 1,
            "PolicyDocument": json.dumps(wan.POLICY),
            "AttachmentId": wan.vpc_attachment(aws, nm, core),
            "ResourceArn": f"arn:aws:networkmanager::123456789012:core-network/{core}",
        }
        yield Prepared(aws, nm, named)


def removes(operation: str) -> bool:
    return operation.startswith(("Delete", "De", "Dis", "Remove"))


OPERATIONS = sorted(MODEL.operation_names, key=lambda name: (removes(name), name))


def tried(prepared: Prepared, operation: str, known: bool) -> dict[str, Any] | None:
    """Calls an operation with the least that it takes: the error answer, or None where there was none."""
    shape = MODEL.operation_model(operation).input_shape
    parameters = minimal(shape) if shape is not None else {}
    if known:
        parameters |= {name: value for name, value in prepared.named.items() if name in parameters}
    try:
        getattr(prepared.nm, botocore.xform_name(operation))(**parameters)
    except ClientError as error:
        return dict(error.response)
    return None


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("known", [False, True], ids=["nothing-there", "prepared"])
def test_every_operation_is_answered(prepared: Prepared, operation: str, known: bool) -> None:
    refused = tried(prepared, operation, known)
    if refused is not None:
        assert refused["Error"]["Code"] in {
            shape.name for shape in MODEL.operation_model(operation).error_shapes
        }
        assert refused["ResponseMetadata"]["HTTPStatusCode"] < 500
        assert refused["Error"]["Message"]
    assert prepared.aws.calls[-1].operation == operation
    assert prepared.aws.problems == []


# context stores (no documentation page, CloudFormation type or terraform resource), and what belongs to no kind of ours
NOT_EMULATED = {
    "AssociateContextStore",
    "CreateContextStore",
    "DeleteContextStore",
    "DisassociateContextStore",
    "StartOrganizationServiceAccessUpdate",
    "StartRouteAnalysis",
    "UpdateContextStore",
    "UpdateNetworkResourceMetadata",
}


def test_only_these_writes_say_that_they_are_not_emulated(prepared: Prepared) -> None:
    refused = {one: tried(prepared, one, known=True) for one in MODEL.operation_names}
    missing = {one for one, error in refused.items() if "not emulated" in str((error or {}).get("Error"))}
    assert missing == NOT_EMULATED


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
def test_lists_of_what_nobody_made_are_empty(nm: Any, network: str, operation: str) -> None:
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
