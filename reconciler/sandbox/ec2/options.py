"""What an instance was launched with and can be changed later by calls of its own; some only while it is stopped.

Sources: EC2 API reference, ModifyInstancePlacement, ModifyInstanceCapacityReservationAttributes,
ModifyInstanceCpuOptions, ModifyInstanceMaintenanceOptions, ModifyInstanceNetworkPerformanceOptions,
ModifyPrivateDnsNameOptions, ModifyInstanceCreditSpecification, DescribeInstanceCreditSpecifications, MonitorInstances;
EC2 User Guide, "Burstable performance instances" (defaults). Called by `answers.py`; `appearance.py` shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .. import iam
from ..errors import AwsError
from ..request import Answer, Request
from . import backend as moto
from . import placement
from .missing import INSTANCE, require

Change = Callable[[Request, Any], Answer]


def _instance(request: Request, backend: Any, *, stopped: bool) -> Any:
    found = require(backend, INSTANCE, str(request.parameters.get("InstanceId")))
    if found.state in ("shutting-down", "terminated") or (stopped and found.state != "stopped"):
        raise AwsError(
            "IncorrectInstanceState",
            f"The instance '{found.id}' is not in a state in which it can be modified ({found.state}).",
        )
    return found


def _given(request: Request) -> dict[str, Any]:
    return {
        k: v for k, v in request.parameters.items() if k not in ("InstanceId", "DryRun") and v is not None
    }


def launched(request: Request, instance_id: str) -> dict[str, Any]:
    """What is shown as an instance's options, to be changed in place."""
    facts = request.world.facts.setdefault(instance_id, {})
    facts["launch"] = dict(facts.get("launch") or {})
    return dict(facts["launch"])


def _remember(request: Request, instance_id: str, member: str, changed: Mapping[str, Any]) -> None:
    there = launched(request, instance_id).get(member) or {}
    request.world.facts[instance_id]["launch"][member] = {**there, **changed}


def changes(
    member: str, *, stopped: bool, names: Mapping[str, str] | None = None, inside: str | None = None
) -> Change:
    """An operation that changes a structure of an instance; what it does not name stays.

    `names`: parameters that are spelt otherwise in the structure; `inside`: the parameter that holds the structure.
    """

    def change(request: Request, backend: Any) -> Answer:
        instance = _instance(request, backend, stopped=stopped)
        given = dict(request.parameters.get(inside) or {}) if inside else _given(request)
        renamed = {(names or {}).get(name, name): value for name, value in given.items()}
        if not renamed:
            raise AwsError("MissingParameter", f"The request must contain something to change of {member}")
        _remember(request, instance.id, member, renamed)
        output = request.model.output_shape
        known = output.members if output is not None else {}
        answer = {"InstanceId": instance.id, **given, "Return": True}
        return {name: value for name, value in answer.items() if name in known}

    return change


def modify_dns(request: Request, backend: Any) -> Answer:
    """ModifyPrivateDnsNameOptions: whether a change of the hostname's type needs a stop is not documented; here it
    does. Records can be switched at any time."""
    hostname = request.parameters.get("PrivateDnsHostnameType") is not None
    return changes(
        "PrivateDnsNameOptions", stopped=hostname, names={"PrivateDnsHostnameType": "HostnameType"}
    )(request, backend)


def modify_placement(request: Request, backend: Any) -> Answer:
    """ModifyInstancePlacement: only while the instance is stopped; an empty group name takes it out of its group."""
    instance = _instance(request, backend, stopped=True)
    given = _given(request)
    _remember(request, instance.id, "Placement", placement.check(backend, given))
    return {"Return": True}


def monitor(request: Request, backend: Any) -> Answer:
    """MonitorInstances, UnmonitorInstances."""
    state = "enabled" if request.operation == "MonitorInstances" else "disabled"
    found = [require(backend, INSTANCE, str(one)) for one in request.parameters.get("InstanceIds") or []]
    for one in found:
        one.monitoring_state = state
    word = "pending" if state == "enabled" else "disabling"
    return {"InstanceMonitorings": [{"InstanceId": one.id, "Monitoring": {"State": word}} for one in found]}


# ---- credits of burstable types


def _is_burstable(instance: Any) -> bool:
    return str(instance.instance_type).startswith(("t2.", "t3.", "t3a.", "t4g."))


def _credit(request: Request, instance: Any) -> str:
    asked = launched(request, instance.id).get("CreditSpecification") or {}
    usual = "standard" if instance.instance_type.startswith("t2.") else "unlimited"
    return str(asked.get("CpuCredits") or usual)


def modify_credits(request: Request, backend: Any) -> Answer:
    """ModifyInstanceCreditSpecification: what it cannot do stands in the answer, which is no error."""
    good, bad = [], []
    for one in request.parameters.get("InstanceCreditSpecifications") or []:
        instance = INSTANCE.find(backend, str(one.get("InstanceId")))
        if instance is None or instance.state in ("shutting-down", "terminated"):
            code = "InvalidInstanceID.NotFound" if instance is None else "IncorrectInstanceState"
        elif not _is_burstable(instance):
            code = "InstanceCreditSpecification.NotSupported"
        else:
            _remember(request, instance.id, "CreditSpecification", {"CpuCredits": one.get("CpuCredits")})
            good.append({"InstanceId": instance.id})
            continue
        error = {"Code": code, "Message": f"The credit option of {one.get('InstanceId')} cannot be changed."}
        bad.append({"InstanceId": one.get("InstanceId"), "Error": error})
    return {
        "SuccessfulInstanceCreditSpecifications": good,
        "UnsuccessfulInstanceCreditSpecifications": bad,
    }


def describe_credits(request: Request, backend: Any) -> Answer:
    """DescribeInstanceCreditSpecifications: instances that are not asked for by id are shown only if they are, or have
    been, unlimited."""
    ids = request.parameters.get("InstanceIds") or []
    there: Iterable[Any] = moto.instances(backend)
    if ids:
        there = [require(backend, INSTANCE, str(one)) for one in ids]
        if other := next((one for one in there if not _is_burstable(one)), None):
            raise AwsError(
                "InvalidInstanceID", f"The instance '{other.id}' is not a burstable performance instance."
            )
    shown = [
        {"InstanceId": one.id, "CpuCredits": _credit(request, one)}
        for one in there
        if one.state not in moto.DEAD and _is_burstable(one)
    ]
    return {"InstanceCreditSpecifications": [one for one in shown if ids or one["CpuCredits"] == "unlimited"]}


# ---- instance profiles


def associate_profile(request: Request, backend: Any) -> Answer:
    """AssociateIamInstanceProfile, ReplaceIamInstanceProfileAssociation: the latter is of running instances."""
    if request.operation.startswith("Replace"):
        wanted = request.parameters.get("AssociationId")
        there = backend.iam_instance_profile_associations.values()
        found = next((one for one in there if one.association_id == wanted), None)
        if found is not None and found.instance.state != "running":
            raise AwsError(  # the code is unverified
                "IncorrectState", f"The instance '{found.instance_id}' is not in the 'running' state."
            )
    profile = request.parameters.get("IamInstanceProfile")
    iam.check_profile(request.world, request.account, request.partition, profile)
    answer = request.ask_moto(request.parameters)
    made = answer["IamInstanceProfileAssociation"]
    instance = moto.find_instance(backend, made["InstanceId"])
    instance.iam_instance_profile = dict(made["IamInstanceProfile"])  # moto leaves the one before
    return answer


def describe_profiles(request: Request, backend: Any) -> Answer:
    """DescribeIamInstanceProfileAssociations, all of them; moto would show the first hundred."""
    return request.ask_moto({"MaxResults": 1_000_000})
