"""What the sandbox uses of moto beside `mock_aws`: moto promises none of it, so a release that moves it must show here.

When one of these fails after moto was raised: read what the named part has become, mend the sandbox (the message says
where it is used), run `pytest tests/sandbox`, and only then change the pin in `pyproject.toml` and `PINNED` below.
"""

from __future__ import annotations

import ast
import inspect
import os
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import botocore.parsers
import moto
import moto.core.responses
import pytest
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_service_model
from moto.ec2.models.core import TaggedEC2Resource

from reconciler.sandbox import LocalAws, local_aws, pipeline, world

from .conftest import client, launch

PINNED = "5.2.5"
HINT = f"The sandbox was written for moto {PINNED}, here is {moto.__version__}: the head of {__file__} says what to do."

# moto's own, taken while tests are collected: nobody has called `install` yet
PRISTINE = {
    "moto.core.responses:BaseResponse._dispatch": BaseResponse.__dict__.get("_dispatch"),
    "moto.core.responses:BaseResponse.call_action": BaseResponse.__dict__.get("call_action"),
    "moto.core.responses:BaseResponse._get_action_from_method_and_request_uri": BaseResponse.__dict__.get(
        "_get_action_from_method_and_request_uri"
    ),
    "moto.core.responses:ActionResult.execute_result": ActionResult.__dict__.get("execute_result"),
    "moto.core.botocore_stubber:BotocoreStubber.process_request": BotocoreStubber.__dict__.get(
        "process_request"
    ),
    "moto.ec2.models.core:TaggedEC2Resource.get_tags": TaggedEC2Resource.__dict__.get("get_tags"),
    "moto.core.responses:method_names_from_class": vars(moto.core.responses).get("method_names_from_class"),
}


def part(path: str) -> Any:
    """What stands at `module:name.name`; fails with the way out if it is gone."""
    if PRISTINE.get(path) is not None:
        return PRISTINE[path]
    module, _, names = path.partition(":")
    found: Any = import_module(module)
    for name in names.split("."):
        assert hasattr(found, name), f"{path} is gone. {HINT}"
        found = getattr(found, name)
    return found


def test_moto_is_the_pinned_one() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert f"moto=={PINNED}" in project["project"]["optional-dependencies"]["sandbox"]
    assert moto.__version__ == PINNED, HINT


# where it is, what its first parameters are called, who uses it
CALLED = [
    ("moto.core.responses:BaseResponse._dispatch", "self request full_url headers", "pipeline.py"),
    ("moto.core.responses:BaseResponse.setup_class", "self request full_url headers", "pipeline.py"),
    ("moto.core.responses:BaseResponse.call_action", "self", "pipeline.py"),
    ("moto.core.responses:BaseResponse._get_action", "self", "pipeline.py"),
    (
        "moto.core.responses:BaseResponse._get_action_from_method_and_request_uri",
        "self request",
        "pipeline.py",
    ),
    ("moto.core.responses:ActionResult.execute_result", "self context", "pipeline.py, taking.py"),
    (
        "moto.core.responses:ActionContext.__init__",
        "self service_model operation_model serializer_class response",
        "taking.py",
    ),
    ("moto.core.serialize:XFormedAttributePicker.get_possible_keys", "self context", "taking.py"),
    ("moto.core.serialize:AttributePickerContext.__init__", "self obj key shape", "taking.py"),
    ("moto.core.utils:get_value", "obj key default", "taking.py"),
    ("moto.core.serialize:EC2Serializer.get_value", "self value key shape", "wire.py"),
    ("moto.core.responses:BaseResponse.get_access_key", "self", "cloudtrail.py"),
    ("moto.core.responses:BaseResponse.dispatch", "args kwargs", "networkmanager/urls.py"),
    ("moto.core.responses:method_names_from_class", "clazz", "pipeline.py"),
    ("moto.core.utils:get_service_model", "service_name", "pipeline.py, server.py, faults/file.py"),
    (
        "moto.core.botocore_stubber:BotocoreStubber.process_request",
        "self request",
        "arrival.py, pipeline.py, faults/hand.py",
    ),
    ("moto.core.request:Request.__init__", "self args kwargs", "arrival.py"),
    ("moto.backends:get_backend", "name", "arrival.py"),
    ("moto.ec2.models.core:TaggedEC2Resource.get_tags", "self", "pipeline.py"),
    ("moto.ec2.utils:get_prefix", "resource_id", "pipeline.py"),
    ("moto.core.botocore_stubber:MockRawResponse.__init__", "self response_input", "faults/hand.py"),
    (
        "moto.core.base_backend:BaseBackend.__init__",
        "self region_name account_id",
        "networkmanager/models.py",
    ),
    ("moto.core.serialize:get_serializer_class", "service_name protocol", "wire.py"),
    ("moto.core.serialize:SerializationContext.__init__", "self request_id", "wire.py"),
    ("moto.moto_server.werkzeug_app:create_backend_app", "service", "server.py"),
    ("moto.moto_server.werkzeug_app:DomainDispatcherApplication.__init__", "self create_app", "server.py"),
    (
        "moto.moto_server.werkzeug_app:DomainDispatcherApplication.__call__",
        "self environ start_response",
        "server.py",
    ),
    ("moto.moto_server.werkzeug_app:MotoRequestHandler.make_environ", "self", "server.py"),
    ("moto.utilities.utils:load_resource", "resource", "ec2/images.py"),
    ("moto.utilities.utils:get_partition", "region", "ec2/networks.py"),
    ("moto.ec2.models.instances:InstanceState.__init__", "self name code", "ec2/instances.py"),
    ("moto.ec2.models.subnets:Subnet.del_subnet_ip", "self ip", "ec2/instances.py"),
    (
        "moto.ec2.models.transit_gateway_attachments:TransitGatewayPeeringAttachment.__init__",
        "self backend transit_gateway peer_transit_gateway_id peer_region peer_account_id tags region_name",
        "networkmanager/elsewhere.py",
    ),
    (
        "moto.ec2.models.elastic_network_interfaces:NetworkInterfaceBackend.create_network_interface",
        "self subnet private_ip_address",
        "networkmanager/elsewhere.py",
    ),
]


@pytest.mark.parametrize(("path", "parameters", "user"), CALLED, ids=[path for path, _, _ in CALLED])
def test_what_is_called_takes_what_it_took(path: str, parameters: str, user: str) -> None:
    there = list(inspect.signature(part(path)).parameters)
    wanted = parameters.split()
    assert there[: len(wanted)] == wanted, f"{path}, called in {user}, takes {there}. {HINT}"


# what is made with keywords
MADE = [
    (
        "moto.ec2.models.security_groups:SecurityGroupRule",
        "ec2_backend ip_protocol group_id from_port to_port ip_range is_egress tags",
        "ec2/rules.py",
    ),
    (
        "moto.ec2.models.amis:Ami",
        "ec2_backend ami_id name description architecture virtualization_type root_device_name owner_id owner_alias "
        "public",
        "ec2/images.py",
    ),
    (
        "moto.ssm.models:Parameter",
        "account_id name value parameter_type description allowed_pattern keyid last_modified_date version data_type",
        "ec2/images.py",
    ),
]


@pytest.mark.parametrize(("path", "parameters", "user"), MADE, ids=[path for path, _, _ in MADE])
def test_what_is_made_can_be_made(path: str, parameters: str, user: str) -> None:
    missing = set(parameters.split()) - set(inspect.signature(part(path)).parameters)
    assert not missing, f"{path}, made in {user}, does not take {missing}. {HINT}"


# what is only named
NAMED = [
    "moto.core.base_backend:BackendDict",
    "moto.core.exceptions:ServiceException",
    "moto.core.models:botocore_stubber.enabled",
    "moto.core.types:Base64EncodedString",
    "moto.ec2.exceptions:FilterNotImplementedError",
    "moto.iam.aws_managed_policies:aws_managed_policies_data",
    "moto.iam.models:AWSManagedPolicy",
    "moto.iam.models:iam_backends",
    "moto.ec2.models:ec2_backends",
    "moto.ec2.utils:EC2_PREFIX_TO_RESOURCE",
    "moto.ec2.models.availability_zones_and_regions:Session",
    "moto.ec2.utils:random_ipv6_cidr",
    "moto.ec2.utils:random_vpc_cidr_association_id",
    "moto.ec2.models.instance_types:INSTANCE_TYPES",
    "moto.ec2.models.transit_gateway_attachments:TransitGatewayPeeringAttachment",
    "moto.ec2.models.instance_types:INSTANCE_TYPE_OFFERINGS",
    "moto.networkmanager.models:networkmanager_backends.backend",
    "moto.ram.models:ram_backends",
    "moto.ssm.models:ssm_backends",
    "moto.moto_api._internal:mock_random",
]


@pytest.mark.parametrize("path", NAMED)
def test_what_is_named_is_there(path: str) -> None:
    part(path)


def test_every_import_from_moto_is_held_here() -> None:
    listed = {path.split(".__")[0] for path, _, _ in CALLED + MADE} | set(NAMED)
    held = {
        f"{module}:{names.split('.')[0]}" for module, _, names in (path.partition(":") for path in listed)
    }
    folder = Path(pipeline.__file__).parent
    found = {
        f"{node.module}:{name.name}"
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "moto"
        for name in node.names
    }
    assert found - held == {
        "moto:mock_aws",  # its public interface
        "moto:backend_index",  # modules
        "moto:backends",
        "moto.core:responses",
    }


def test_a_backend_dict_knows_all_that_are_filled() -> None:
    filled: Any = part("moto.core.base_backend:BackendDict._instances")
    assert isinstance(filled, list), HINT
    backends = part("moto.ec2.models:ec2_backends")
    with local_aws():
        assert backends["123456789012"]["us-west-2"].region_name == "us-west-2", HINT
        assert backends in filled, HINT  # what `world.begin` empties


@pytest.mark.parametrize(
    ("service", "operation"), [("networkmanager", "DescribeGlobalNetworks"), ("route53", "ListHostedZones")]
)
def test_serializers_are_made_and_asked_as_in_wire(service: str, operation: str) -> None:
    model = get_service_model(service)
    protocol = model.resolved_protocol
    serializer = part("moto.core.serialize:get_serializer_class")(service, protocol)
    made = serializer(
        operation_model=model.operation_model(operation),
        context=part("moto.core.serialize:SerializationContext")("an id"),
        value_picker=lambda context: context.obj.get(context.key),
    )
    assert {"status_code", "headers", "body"} <= set(made.serialize({})), HINT
    assert botocore.parsers.create_parser(protocol) is not None


# moto's EC2 store, as `ec2/backend.py` and its users look into it
COLLECTIONS = (
    "addresses amis customer_gateways egress_only_internet_gateways enis groups internet_gateways "
    "key_pairs managed_prefix_lists nat_gateways network_acls reservations route_tables subnets tags "
    "transit_gateway_attachments transit_gateways volumes vpc_end_points vpc_pcxs vpcs vpn_connections"
)

INSTANCE = (
    "_private_ips _reason _state availability_zone block_device_mapping disable_api_stop "
    "disable_api_termination id launch_time metadata_options nics security_groups source_dest_check start "
    "state stop subnet_id terminate user_data vpc_id"
)


SUBNET = (
    "_subnet_ips assign_ipv6_address_on_creation availability_zone availability_zone_id available_ip_address_count "
    "cidr_block default_for_az id ipv6_cidr_block_associations ipv6_native map_public_ip_on_launch "
    "private_dns_name_options_on_launch state vpc_id"
)


def test_the_ec2_store_has_what_is_looked_up(ec2: Any) -> None:
    from moto.ec2.models import ec2_backends

    made = launch(ec2)
    backend = ec2_backends["123456789012"]["us-west-2"]
    assert [name for name in COLLECTIONS.split() if not hasattr(backend, name)] == [], HINT
    instance = next(one for outer in backend.reservations.values() for one in outer.instances)
    assert instance.id == made["InstanceId"]
    assert [name for name in INSTANCE.split() if not hasattr(instance, name)] == [], HINT
    interface = instance.nics[0]
    members = ["_group_set", "attach_time", "delete_on_termination", "group_set", "instance", "subnet"]
    assert [name for name in members if not hasattr(interface, name)] == [], HINT
    members = SUBNET.split()
    assert [name for name in members if not hasattr(interface.subnet, name)] == [], HINT
    group = instance.security_groups[0]
    rule = group.egress_rules[0]
    members = [
        "from_port",
        "id",
        "ip_protocol",
        "ip_range",
        "is_egress",
        "prefix_list_id",
        "source_group",
        "to_port",
    ]
    assert [name for name in members if not hasattr(rule, name)] == [], HINT
    vpc = backend.vpcs[made["VpcId"]]
    assert [name for name in ("enable_dns_support", "is_default", "state") if not hasattr(vpc, name)] == []


def test_moto_finds_our_network_manager_by_its_module(nm: Any) -> None:
    from moto.networkmanager.models import networkmanager_backends

    from reconciler.sandbox.networkmanager.models import NetworkManagerBackend

    nm.create_global_network()
    backend = networkmanager_backends["123456789012"]["aws"]
    assert isinstance(backend, NetworkManagerBackend), HINT
    handlers = {handler.__self__.__module__ for handler in backend.urls.values()}  # type: ignore[attr-defined]
    assert handlers == {"reconciler.sandbox.networkmanager.responses"}, HINT


def test_installing_twice_changes_nothing() -> None:
    from moto.networkmanager.models import networkmanager_backends

    def seams() -> tuple[Any, ...]:
        return (
            BaseResponse._dispatch,
            BaseResponse.call_action,
            vars(moto.core.responses)["method_names_from_class"],
            networkmanager_backends.backend,
            pipeline._moto_call_action,
            pipeline._moto_setup,
            os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"],
        )

    with local_aws():
        once = seams()
        kept = client("networkmanager").create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
        pipeline.install()
        assert seams() == once
        assert once[0] is pipeline._dispatch
        assert once[4] is not pipeline._call_action  # else it would call itself
        shown = client("networkmanager").describe_global_networks()["GlobalNetworks"]
        assert [one["GlobalNetworkId"] for one in shown] == [kept]


def everything(aws: LocalAws) -> tuple[int, ...]:
    nm, ec2 = client("networkmanager"), client("ec2")
    counts = (
        len(nm.describe_global_networks()["GlobalNetworks"]),
        len(ec2.describe_vpcs()["Vpcs"]),
        len(ec2.describe_instances()["Reservations"]),
        len(ec2.describe_tags()["Tags"]),
    )
    return (*counts, len(aws.calls))


def test_each_local_aws_begins_empty() -> None:
    with local_aws(page_size=100) as first:
        assert everything(first) == (
            0,
            1,
            0,
            0,
            4,
        )  # the network that each region begins with, and these four calls
        client("networkmanager").create_global_network()
        tags = [{"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "b"}]}]
        client("ec2").create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags)
        launch(client("ec2"), ClientToken="one")
        first.fail("ec2", "*", code="InternalError", times=9)
        first.clock.advance(100)
    left = world.current()
    assert (list(left.calls.all), left.facts, left.prepared) == ([], {}, set())
    with local_aws(page_size=100) as second:
        assert everything(second) == (0, 1, 0, 0, 4)
        assert second.clock.monotonic() == 0
        launch(client("ec2"), ClientToken="one", InstanceType="t3.micro")  # nobody remembers the token


def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    before = dict(os.environ)
    with local_aws():
        assert "AWS_PROFILE" not in os.environ
        assert os.environ["AWS_DEFAULT_REGION"] == "us-west-2"
    after = {name: value for name, value in os.environ.items() if name != "MOTO_EC2_LOAD_DEFAULT_AMIS"}
    assert after == {name: value for name, value in before.items() if name != "MOTO_EC2_LOAD_DEFAULT_AMIS"}
