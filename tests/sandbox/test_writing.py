"""Answers in XML are what moto's serialisers would write, and botocore reads of them what was to be said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from botocore.model import OperationModel
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model

from reconciler.sandbox import wire, writing

ID = "an-id"
OPERATIONS = [
    get_service_model(service).operation_model(name)
    for service, names in {
        "ec2": "DescribeInstances DescribeVpcs DescribeRouteTables DescribeVolumes DescribeVpnConnections "
        "CreateLaunchTemplate GetConsoleOutput DeleteVpc",
        "autoscaling": "DescribeAutoScalingGroups DescribeInstanceRefreshes",
        "elbv2": "DescribeLoadBalancers DescribeRules",
        "iam": "GetRole GetAccountSummary DeleteRole",
    }.items()
    for name in names.split()
]
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
    ),
    "boolean": st.booleans(),
    "integer": st.integers(0, 2**31),
    "long": st.integers(0, 2**53),
    "float": st.floats(0, 10**6, width=32),
    "double": st.floats(0, 10**6),
    "timestamp": st.datetimes(datetime(1971, 1, 1), datetime(2090, 1, 1)).map(
        lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
    ),
    "blob": st.binary(max_size=9),
}


def values(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """What an answer of a shape may hold: few things, at most so deep."""
    if shape is None:
        return st.just({})
    if shape.type_name == "structure":
        members = {name: values(one, depth + 1) for name, one in shape.members.items()} if depth < 5 else {}
        some = st.sets(st.sampled_from(sorted(members)), max_size=4) if members else st.just(set())
        return some.flatmap(lambda names: st.fixed_dictionaries({name: members[name] for name in names}))
    if shape.type_name == "list":
        return st.lists(values(shape.member, depth + 1).filter(lambda one: one != {}), max_size=2)
    if shape.type_name == "map":
        return st.dictionaries(values(shape.key), values(shape.value, depth + 1), max_size=2)
    return SCALARS[shape.type_name]


def by_moto(model: OperationModel, answer: dict[str, Any]) -> Any:
    """What moto writes."""
    service = model.service_model
    serializer: Any = get_serializer_class(service.service_name, service.resolved_protocol)
    return serializer(operation_model=model, context=SerializationContext(ID)).serialize(answer)


def form(element: Element) -> Any:
    """An element, whatever the order of what is in it."""
    return element.tag, element.text or "", sorted(map(form, element))


@pytest.mark.parametrize("model", OPERATIONS, ids=lambda model: model.name)
@settings(max_examples=12)
@given(data=st.data())
def test_it_is_what_moto_writes_and_says_what_is_meant(model: OperationModel, data: st.DataObject) -> None:
    answer = data.draw(values(model.output_shape))
    body = writing.written(model, answer, ID)
    assert wire.read(model, (200, {}, body)) == answer
    expected = by_moto(model, answer)
    assert (expected["status_code"], expected["headers"]) == (200, {"Content-Type": "text/xml"})
    assert form(fromstring(body)) == form(fromstring(expected["body"]))
