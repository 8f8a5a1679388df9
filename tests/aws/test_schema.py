"""The service model as the rest of the program sees it is botocore's, shape by shape."""

from __future__ import annotations

from typing import Any

import botocore.loaders
import pytest

from reconciler.aws.schema import BotocoreSchema
from reconciler.model.schema import Schema, Shape

SCHEMA = BotocoreSchema()


def raw(service: str) -> dict[str, Any]:
    """The model as botocore ships it."""
    found: dict[str, Any] = botocore.loaders.Loader().load_service_model(service, "service-2")
    return found


def shape(service: str, operation: str, *path: str) -> Shape:
    """The shape at a path of an operation's input; "[]" is an item."""
    found: Shape = SCHEMA.operation(service, operation).input
    for name in path:
        inner = found.item if name == "[]" else found.members[name]
        assert inner is not None
        found = inner
    return found


def test_it_is_what_the_program_asks_for() -> None:
    schema: Schema = SCHEMA
    assert schema.operation("ec2", "CreateVpc").name == "CreateVpc"


SAMPLE = [
    ("networkmanager", "CreateSite"),
    ("networkmanager", "PutCoreNetworkPolicy"),
    ("ec2", "RunInstances"),
    ("ec2", "CreateVpnConnection"),
    ("ssm", "GetParameter"),
]


@pytest.mark.parametrize(("service", "operation"), SAMPLE)
def test_members_and_what_is_required_are_botocores(service: str, operation: str) -> None:
    model = raw(service)
    for side, shape in (
        ("input", SCHEMA.operation(service, operation).input),
        ("output", SCHEMA.operation(service, operation).output),
    ):
        wanted = model["shapes"][model["operations"][operation][side]["shape"]]
        assert shape.type == "structure"
        assert list(shape.members) == list(wanted["members"])
        assert list(shape.required) == list(wanted.get("required", []))
        for name, member in shape.members.items():
            inner = wanted["members"][name]["shape"]
            assert (member.name, member.type) == (inner, model["shapes"][inner]["type"])


@pytest.mark.parametrize("service", ["networkmanager", "ec2"])
def test_every_shape_is_botocores(service: str) -> None:
    """All of them: what kind it is, what it holds, its words, its bounds, and whether it is a secret."""
    for name, wanted in raw(service)["shapes"].items():
        found = SCHEMA.shape(service, name)
        assert (found.name, found.type) == (name, wanted["type"])
        held = wanted.get("member") or wanted.get("value")
        assert (found.item.name if found.item else None) == (held["shape"] if held else None)
        assert found.enum == tuple(wanted.get("enum", ()))
        # whole numbers that keep no good value out
        assert (found.minimum is None, found.maximum is None) == ("min" not in wanted, "max" not in wanted)
        assert (found.minimum or 0) <= wanted.get("min", 0) < (found.minimum or 0) + 1
        assert (found.maximum or 0) >= wanted.get("max", 0) > (found.maximum or 0) - 1
        assert found.sensitive is bool(wanted.get("sensitive"))
        assert list(found.members) == (list(wanted["members"]) if wanted["type"] == "structure" else [])


def test_what_is_inside_what() -> None:
    assert shape("ec2", "RunInstances", "BlockDeviceMappings", "[]", "Ebs", "VolumeSize").type == "integer"
    assert shape("ec2", "RunInstances", "Placement", "AvailabilityZone").type == "string"
    assert shape("networkmanager", "CreateSite", "Location").sensitive
    assert shape("networkmanager", "CreateSite", "Location", "Latitude").maximum == 256
    assert "t2.medium" in shape("ec2", "RunInstances", "InstanceType").enum
    assert shape("ec2", "RunInstances", "MinCount").item is None


def test_shapes_that_hold_themselves_are_no_endless_thing() -> None:
    expression = SCHEMA.shape("ce", "Expression")
    for _ in range(20):
        found = expression.members["Or"].item
        assert found is not None
        expression = found
    assert expression.name == "Expression"


def test_documentation_is_text() -> None:
    text = shape("networkmanager", "CreateSite", "Location").documentation
    assert text.startswith("The site location.")
    assert "<" not in text
    assert "  " not in text
    assert "&amp;" not in shape("ec2", "CreateVpnConnection").documentation


def test_operations_that_take_or_give_nothing() -> None:
    assert SCHEMA.operation("ec2", "DeleteVpc").output.members == {}
    assert SCHEMA.operation("sts", "GetCallerIdentity").input.members == {}


@pytest.mark.parametrize(("service", "name"), [("ec2", "MakeCoffee"), ("coffee", "CreateVpc")])
def test_what_does_not_exist_is_a_key_error(service: str, name: str) -> None:
    with pytest.raises(KeyError, match=r"MakeCoffee|no service coffee"):
        SCHEMA.operation(service, name)
    with pytest.raises(KeyError, match=r"MakeCoffee|no service coffee"):
        SCHEMA.shape(service, name)


def test_regions_of_all_partitions_are_known() -> None:
    for region in (
        "us-west-2", "eu-central-2", "ap-southeast-5", "us-gov-west-1", "us-gov-east-1", "cn-north-1",
        "cn-northwest-1", "us-iso-east-1", "us-isob-east-1", "eusc-de-east-1",
    ):  # fmt: skip
        assert region in SCHEMA.regions
    assert all(region.count("-") >= 2 and region.islower() for region in SCHEMA.regions)
    assert not {"aws-global", "", "us-west-2a"} & SCHEMA.regions


def test_nothing_is_loaded_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """EC2's model takes a good part of a second."""
    asked: list[str] = []
    load = botocore.loaders.Loader.load_service_model

    def noted(self: Any, service: str, *rest: Any, **more: Any) -> Any:
        asked.append(service)
        return load(self, service, *rest, **more)

    monkeypatch.setattr(botocore.loaders.Loader, "load_service_model", noted)
    schema = BotocoreSchema()
    assert asked == []
    for _ in range(3):
        schema.operation("ssm", "GetParameter")
        schema.shape("ssm", "Parameter")
    assert asked == ["ssm"]
