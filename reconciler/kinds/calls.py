"""Short ways to write a call; the engine fills in account and region.  Used by the records of this package."""

from __future__ import annotations

from typing import Any

from reconciler.model.calls import Call


def ec2(operation: str, **parameters: Any) -> Call:
    """A call of EC2."""
    return Call(service="ec2", operation=operation, parameters=parameters)


def iam(operation: str, **parameters: Any) -> Call:
    """A call of IAM."""
    return Call(service="iam", operation=operation, parameters=parameters)


def scaling(operation: str, **parameters: Any) -> Call:
    """A call of Auto Scaling."""
    return Call(service="autoscaling", operation=operation, parameters=parameters)


def dns(operation: str, **parameters: Any) -> Call:
    """A call of Route 53."""
    return Call(service="route53", operation=operation, parameters=parameters)


def accelerator(operation: str, **parameters: Any) -> Call:
    """A call of Global Accelerator."""
    return Call(service="globalaccelerator", operation=operation, parameters=parameters)


def eks(operation: str, **parameters: Any) -> Call:
    """A call of EKS."""
    return Call(service="eks", operation=operation, parameters=parameters)


def elb(operation: str, **parameters: Any) -> Call:
    """A call of Elastic Load Balancing."""
    return Call(service="elbv2", operation=operation, parameters=parameters)
