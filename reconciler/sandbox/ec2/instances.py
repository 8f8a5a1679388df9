"""Instances: stopping, starting and terminating them, the states that follow, and the list of them.

Sources: EC2 User Guide, "Amazon EC2 instance state changes"; EC2 API reference, StartInstances, StopInstances,
TerminateInstances. Called by `answers.py`; they are made in `launches.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from ..settings import TERMINATED_LISTED_SECONDS
from . import appearance, volumes
from . import backend as moto

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


def state_of(instance: Any) -> dict[str, Any]:
    """The state of an instance as answers show it."""
    return {"Code": CODES[instance.state], "Name": instance.state}


def put(instance: Any, state: str) -> None:
    """Puts an instance into a state."""
    from moto.ec2.models.instances import InstanceState

    instance._state = InstanceState(state, CODES[state])


def move(request: Request, instance: Any, state: str, then: Callable[[], None]) -> None:
    """Puts an instance into a transitional state; `then` happens when its time has come, unless it was overtaken."""
    put(instance, state)
    facts = request.world.facts.setdefault(instance.id, {})
    facts["changes"] = change = facts.get("changes", 0) + 1

    def effect() -> None:
        if facts["changes"] == change:
            then()

    request.world.timeline.after(request.world.settings.delays.of("instance", state), effect)


def described(request: Request, ids: list[str]) -> list[dict[str, Any]]:
    """Reservations with these instances as DescribeInstances shows them now."""
    answer = request.ask_moto({"InstanceIds": ids, "MaxResults": 1000}, "DescribeInstances")
    return [appearance.show(request.world, reservation) for reservation in answer.get("Reservations", [])]


def describe(request: Request, backend: Any) -> Answer:
    """DescribeInstances, all of them; ids, filters and pages are `listings.py`'s."""
    answer = request.ask_moto({"MaxResults": 1_000_000})
    shown = [appearance.show(request.world, reservation) for reservation in answer.get("Reservations", [])]
    return {"Reservations": shown}


def _all(request: Request, backend: Any) -> list[Any]:
    ids = request.parameters.get("InstanceIds") or []
    if not ids:
        raise AwsError("MissingParameter", "The request must contain the parameter InstanceId")
    return [moto.find_instance(backend, one) for one in dict.fromkeys(ids)]


def _changes(many: str, pairs: list[tuple[Any, dict[str, Any]]]) -> Answer:
    return {
        many: [
            {"InstanceId": one.id, "CurrentState": state_of(one), "PreviousState": previous}
            for one, previous in pairs
        ]
    }


def _refuse(instance: Any, verb: str) -> AwsError:
    return AwsError(
        "IncorrectInstanceState",
        f"The instance '{instance.id}' is not in a state from which it can be {verb}.",
    )


def start(request: Request, backend: Any) -> Answer:
    """StartInstances: from stopped only; one that runs or is about to is left alone."""
    found = _all(request, backend)
    for one in found:
        if one.state not in ("stopped", "pending", "running"):
            raise _refuse(one, "started")
    pairs = [(one, state_of(one)) for one in found]
    for one in found:
        if one.state == "stopped":
            move(request, one, "pending", lambda one=one: _started(one))  # type: ignore[misc]  # bound per turn
    return _changes("StartingInstances", pairs)


def _started(instance: Any) -> None:
    instance.start()
    put(instance, "running")


def stop(request: Request, backend: Any) -> Answer:
    """StopInstances: from running only; one that is stopped or about to be is left alone."""
    found = _all(request, backend)
    for one in found:
        if one.state not in ("running", "stopping", "stopped"):
            raise _refuse(one, "stopped")
        if one.disable_api_stop:
            raise AwsError(
                "OperationNotPermitted",
                f"The instance '{one.id}' may not be stopped. Modify its 'disableApiStop' instance attribute and try "
                "again.",
            )
    pairs = [(one, state_of(one)) for one in found]
    reason = _by_user(request)
    for one in found:
        if one.state == "running":
            one._reason = reason
            move(request, one, "stopping", lambda one=one: _stopped(one, reason))  # type: ignore[misc]  # per turn
    return _changes("StoppingInstances", pairs)


def _stopped(instance: Any, reason: str) -> None:
    instance.stop()
    instance._reason = reason
    put(instance, "stopped")


def _by_user(request: Request) -> str:
    """Why an instance changes its state, as EC2 writes it."""
    return f"User initiated ({request.world.settings.clock.now():%Y-%m-%d %H:%M:%S} GMT)"


def terminate(request: Request, backend: Any) -> Answer:
    """TerminateInstances: none of a zone in which one is protected, and then the request fails, though those of other
    zones are terminated; one that is gone already does not matter. (API reference, TerminateInstances.)"""
    found = _all(request, backend)
    alive = [one for one in found if one.state not in ("shutting-down", "terminated")]
    protected = [one for one in alive if one.disable_api_termination]
    kept = {one.availability_zone for one in protected}
    pairs = [(one, state_of(one)) for one in found]
    reason = _by_user(request)
    for one in alive:
        if one.availability_zone not in kept:
            one._reason = reason
            move(
                request,
                one,
                "shutting-down",
                lambda one=one: _terminated(request, backend, one, reason),  # type: ignore[misc]  # bound per turn
            )
    if protected:
        raise AwsError(
            "OperationNotPermitted",
            f"The instance '{protected[0].id}' may not be terminated. Modify its 'disableApiTermination' instance "
            "attribute and try again.",
        )
    return _changes("TerminatingInstances", pairs)


def _terminated(request: Request, backend: Any, instance: Any, reason: str) -> None:
    """Takes an instance's interfaces, addresses and volumes away, and leaves it listed for about an hour."""
    instance.terminate()
    instance._reason = reason
    subnet = moto.find_subnet(backend, str(instance.subnet_id))
    for address in instance._private_ips if subnet is not None else ():
        subnet.del_subnet_ip(address)
    for interface in list(backend.enis.values()):
        if interface.instance is not None and interface.instance.id == instance.id:
            instance.detach_eni(interface)
    volumes.release(backend, instance)
    put(instance, "terminated")

    def forget() -> None:
        for reservation in list(backend.reservations.values()):
            reservation.instances = [one for one in reservation.instances if one.id != instance.id]
            if not reservation.instances:
                del backend.reservations[reservation.id]
        backend.tags.pop(instance.id, None)
        request.world.facts.pop(instance.id, None)

    request.world.timeline.after(TERMINATED_LISTED_SECONDS, forget)
