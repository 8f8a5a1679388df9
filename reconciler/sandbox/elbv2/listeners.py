"""Listeners and what they do.

Sources: Elastic Load Balancing API reference (CreateListener, ModifyListener, Action: "TargetGroupArn … if you specify
both ForwardConfig and TargetGroupArn, you can specify only one target group", ForwardActionConfig).  Answers show the
target group of a forward action in both places.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.moto_api._internal import mock_random

from ..errors import AwsError
from ..request import Answer, Request
from .groups import targets_of, users
from .store import Store, Thing, given_tags, listed, refused

_PROTOCOLS = {
    "application": ("HTTP", "HTTPS"),
    "network": ("TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"),
    "gateway": (None,),
}
_SECURE = ("HTTPS", "TLS")
_ATTRIBUTES = {
    "application": {"routing.http.response.server.enabled": "true"},
    "network": {"tcp.idle_timeout.seconds": "350"},
    "gateway": {"tcp.idle_timeout.seconds": "350"},
}


def create(request: Request, store: Store) -> Answer:
    """CreateListener: one for each port; the same once more is the same listener."""
    given, tags = request.parameters, given_tags(request)
    balancer = store.balancer(given["LoadBalancerArn"]).row
    arn = str(balancer["LoadBalancerArn"]).replace(":loadbalancer/", ":listener/", 1)
    arn = f"{arn}/{mock_random.get_random_hex(16)}"
    row = _checked(store, {"ListenerArn": arn, "LoadBalancerArn": balancer["LoadBalancerArn"]}, given)
    for other in store.listeners.values():
        if _place(other.row) == _place(row):
            if any(other.row.get(member) != row[member] for member in row.keys() - {"ListenerArn"}):
                raise AwsError(
                    "DuplicateListener",
                    "A listener already exists on this port for this load balancer "
                    f"'{balancer['LoadBalancerArn']}'",
                )
            return {"Listeners": [other.row]}
    store.listeners[arn] = Thing(row, tags, dict(_ATTRIBUTES[balancer["Type"]]))
    return {"Listeners": [row]}


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["LoadBalancerArn"], row.get("Port")


_MEMBERS = ("Port", "Protocol", "SslPolicy", "Certificates", "AlpnPolicy", "MutualAuthentication")


def _checked(store: Store, row: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A listener as it would be with what is given."""
    balancer = store.balancer(row["LoadBalancerArn"]).row
    new = {**row, **{name: given[name] for name in _MEMBERS if given.get(name) not in (None, [])}}
    if new.get("Protocol") not in _PROTOCOLS[balancer["Type"]]:
        allowed = ", ".join(str(one) for one in _PROTOCOLS[balancer["Type"]])
        raise refused(f"Protocol '{new.get('Protocol')}' must be one of '{allowed}'")
    if balancer["Type"] != "gateway" and not new.get("Port"):
        raise refused("A listener port must be specified")
    if new.get("Protocol") in _SECURE:
        if not new.get("Certificates"):
            raise refused(f"A certificate must be specified for {new['Protocol']} listeners")
        new.setdefault("SslPolicy", "ELBSecurityPolicy-2016-08")
    else:
        for name in ("SslPolicy", "Certificates", "AlpnPolicy"):
            new.pop(name, None)
    if given.get("DefaultActions"):
        new["DefaultActions"] = [_action(action, balancer["Type"]) for action in given["DefaultActions"]]
        for arn in targets_of(new["DefaultActions"]):
            group = store.group(arn).row
            if group.get("VpcId") not in (None, balancer["VpcId"]):
                raise AwsError("InvalidConfigurationRequest", f"'{arn}' is not in the load balancer's VPC")
            if any(one != balancer["LoadBalancerArn"] for one in users(store, arn)):
                raise AwsError(
                    "TargetGroupAssociationLimit",
                    f"The following target groups cannot be associated with more than one load balancer: {arn}",
                )
    return new


def _action(action: Mapping[str, Any], type: str) -> dict[str, Any]:
    """An action as answers show it."""
    found = dict(action)
    if found["Type"] != "forward":
        return found
    config = dict(found.get("ForwardConfig") or {})
    groups = [dict(group) for group in config.get("TargetGroups") or ()]
    groups = groups or [{"TargetGroupArn": found.get("TargetGroupArn")}]
    if not groups[0].get("TargetGroupArn"):
        raise refused("A target group ARN must be specified")
    if found.get("TargetGroupArn") and [one["TargetGroupArn"] for one in groups] != [found["TargetGroupArn"]]:
        raise AwsError(
            "InvalidLoadBalancerAction", "The target group of an action must be that of its ForwardConfig"
        )
    if type != "network":
        groups = [{**group, "Weight": group.get("Weight", 1)} for group in groups]
    config = {"TargetGroupStickinessConfig": {"Enabled": False}, **config, "TargetGroups": groups}
    found |= {"ForwardConfig": config}
    return {**found, "TargetGroupArn": groups[0]["TargetGroupArn"]} if len(groups) == 1 else found


def describe(request: Request, store: Store) -> Answer:
    """DescribeListeners, of one load balancer or by ARN."""
    given = request.parameters
    if bool(given.get("LoadBalancerArn")) is bool(given.get("ListenerArns")):
        raise refused("You must specify either listener ARNs or a load balancer ARN")
    rows = [listener.row for listener in store.listeners.values()]
    if given.get("LoadBalancerArn"):
        store.balancer(given["LoadBalancerArn"])
        rows = [row for row in rows if row["LoadBalancerArn"] == given["LoadBalancerArn"]]
    return listed(
        request,
        rows,
        many="Listeners",
        id="ListenerArn",
        wanted=given.get("ListenerArns") or [],
        missing=lambda arn: AwsError("ListenerNotFound", f"One or more listeners not found: '{arn}'"),
    )


def modify(request: Request, store: Store) -> Answer:
    """ModifyListener: what is left out stays."""
    listener = store.listener(request.parameters["ListenerArn"])
    row = _checked(store, listener.row, request.parameters)
    for other in store.listeners.values():
        if other is not listener and _place(other.row) == _place(row):
            raise AwsError(
                "DuplicateListener", "A listener already exists on this port for this load balancer"
            )
    listener.row = row
    return {"Listeners": [row]}


def delete(request: Request, store: Store) -> Answer:
    """DeleteListener."""
    arn = str(request.parameters["ListenerArn"])
    store.listener(arn)
    del store.listeners[arn]
    return {}
