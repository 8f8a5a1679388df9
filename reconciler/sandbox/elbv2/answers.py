"""Which function answers which operation of Elastic Load Balancing.  Called by `pipeline.py`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from ..errors import AwsError
from ..request import Answer, Request
from . import balancers, groups, listeners, store
from .store import Store, Thing

_Answerer = Callable[[Request, Store], Answer]


def _attributes(of: str, find: Callable[[Store, str], Thing]) -> Mapping[str, _Answerer]:
    def thing(request: Request, there: Store) -> Thing:
        return find(there, str(request.parameters[f"{of}Arn"]))

    return {
        f"Describe{of}Attributes": lambda request, there: store.describe_attributes(thing(request, there)),
        f"Modify{of}Attributes": lambda request, there: store.modify_attributes(
            request, thing(request, there)
        ),
    }


ANSWERS: Mapping[str, _Answerer] = {
    "AddTags": store.add_tags,
    "CreateListener": listeners.create,
    "CreateLoadBalancer": balancers.create,
    "CreateTargetGroup": groups.create,
    "DeleteListener": listeners.delete,
    "DeleteLoadBalancer": balancers.delete,
    "DeleteTargetGroup": groups.delete,
    "DeregisterTargets": groups.deregister,
    "DescribeListeners": listeners.describe,
    "DescribeLoadBalancers": balancers.describe,
    "DescribeTags": store.describe_tags,
    "DescribeTargetGroups": groups.describe,
    "DescribeTargetHealth": groups.describe_health,
    "ModifyIpPools": balancers.modify_pools,
    "ModifyListener": listeners.modify,
    "ModifyTargetGroup": groups.modify,
    "RegisterTargets": groups.register,
    "RemoveTags": store.remove_tags,
    "SetIpAddressType": balancers.set_ip_address_type,
    "SetSecurityGroups": balancers.set_security_groups,
    "SetSubnets": balancers.set_subnets,
    **_attributes("Listener", Store.listener),
    **_attributes("LoadBalancer", Store.balancer),
    **_attributes("TargetGroup", Store.group),
}


def answer(request: Request) -> Answer:
    """The answer to any operation of the service, as boto3 shows it; raises AwsError."""
    answerer = ANSWERS.get(request.operation)
    if answerer is None:
        raise AwsError("InvalidAction", f"The local AWS has no {request.operation} of elbv2.")
    there = store.store_of(request.world, request.account, request.region)
    return copy.deepcopy(answerer(request, there))
