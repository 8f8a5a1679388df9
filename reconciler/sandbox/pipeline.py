"""The way of every request: read it, let the right part answer, let faults happen, check, record, write it.

`install` puts this in front of moto's own dispatch, so that it works alike in process and behind the server.
The parts of moto that it uses and moto does not promise (`BaseResponse._dispatch`, `.call_action`,
`networkmanager_backends.backend`, …) are held by `tests/sandbox/test_seams.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from botocore.exceptions import ConnectionClosedError, HTTPClientError, ReadTimeoutError
from botocore.model import OperationModel, OperationNotFoundError
from moto.core import responses
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_service_model
from moto.ec2.exceptions import FilterNotImplementedError
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

from . import arrival, cloudtrail, entry, fidelity, iam, tagging, taking, wire
from .autoscaling.answers import answer as answer_autoscaling
from .calls import Call, is_read
from .ec2.answers import answer as answer_ec2
from .ec2.images import add_public_images
from .eks.answers import answer as answer_eks
from .elbv2.answers import answer as answer_elbv2
from .errors import AwsError, ConnectionLostError
from .faults import (
    Blank,
    Cut,
    Drop,
    Empty,
    LoseAnswer,
    Met,
    Moment,
    Refuse,
    Slow,
    Throttle,
    hand,
)
from .faults.answers import edited
from .faults.refusals import refusal
from .globalaccelerator.answers import answer as answer_globalaccelerator
from .networkmanager.answers import answer as answer_networkmanager
from .request import Answer, Request
from .route53.answers import answer as answer_route53
from .world import World, current

CONNECTION = "X-Sandbox-Connection"
"""A header that never reaches a client: the server is to "close" the connection, or to "cut" the body."""

_ANSWERED_HERE = {
    "autoscaling": answer_autoscaling,
    "cloudtrail": cloudtrail.answer,
    "ec2": answer_ec2,
    "eks": answer_eks,
    "elbv2": answer_elbv2,
    "globalaccelerator": answer_globalaccelerator,
    "iam": iam.answer,
    "networkmanager": answer_networkmanager,
    "resourcegroupstaggingapi": tagging.answer,
    "route53": answer_route53,
}

_moto_call_action = BaseResponse.call_action
_moto_setup = BaseResponse.setup_class
_moto_route = BaseResponse._get_action_from_method_and_request_uri
_responses: Any = responses  # its names are not exported
_method_names = cache(_responses.method_names_from_class)


def install() -> None:
    """Puts the sandbox in front of moto; doing it twice changes nothing."""
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # `ec2/images.py` says why, and loads its own
    from moto.networkmanager.models import networkmanager_backends

    from .networkmanager.models import NetworkManagerBackend

    ours: Any = NetworkManagerBackend  # no subclass of moto's backend: it replaces that wholly
    if networkmanager_backends.backend is not ours:
        networkmanager_backends.backend = ours
        networkmanager_backends.clear()
    for service in ("eks", "globalaccelerator"):
        entry.enter(service)
    # the seam: moto looks through 800 methods for each call
    _responses.method_names_from_class = _method_names
    # it looks for the service of a request among all there are, and builds the request as a test client does
    BotocoreStubber.process_request = arrival.process_request  # type: ignore[method-assign]  # the seam
    # it looks for the route of a request thrice
    BaseResponse._get_action_from_method_and_request_uri = _route  # type: ignore[method-assign]  # the seam
    TaggedEC2Resource.get_tags = _tags  # type: ignore[method-assign]  # the seam: it looks through all tags for each thing
    ActionResult.execute_result = taking.execute  # type: ignore[method-assign]  # the seam
    BaseResponse._dispatch = _dispatch  # type: ignore[method-assign]  # the seam
    BaseResponse.call_action = _call_action  # type: ignore[method-assign]  # the seam


def _tags(self: Any) -> list[dict[str, str]]:
    """The tags of a thing of EC2, as moto has them."""
    sort = EC2_PREFIX_TO_RESOURCE.get(get_prefix(self.id), "") if self.id else ""
    of_it = self.ec2_backend.tags.get(self.id, {})
    return [
        {"resource_id": self.id, "key": key, "value": value, "resource_type": sort}
        for key, value in of_it.items()
    ]


def _route(self: BaseResponse, request: Any) -> str:
    """The operation of a request, looked up once: a response serves one request."""
    if "_routed" not in self.__dict__:
        self.__dict__["_routed"] = _moto_route(self, request)
    return str(self.__dict__["_routed"] or "")


def _dispatch(self: BaseResponse, request: Any, full_url: Any = None, headers: Any = None) -> Any:
    try:
        _moto_setup(self, request, full_url, headers)
    except OperationNotFoundError:
        return _finish(self, wire.render_error(_service(self), _unknown_action(self)))
    except Exception as error:  # a body that cannot be read, which no SDK sends
        return _finish(self, wire.render_error(_service(self), _unreadable(self, error)))
    return self.call_action()


def _service(response: BaseResponse) -> Any:
    return get_service_model(response.boto3_service_name)


def _unknown_action(response: BaseResponse) -> AwsError:
    name = response._get_action()
    protocol = _service(response).resolved_protocol
    if protocol in ("ec2", "query"):
        if not name:
            return AwsError("MissingAction", "The request must contain the parameter Action.")
        return AwsError("InvalidAction", f"The action {name} is not valid for this web service.")
    if protocol == "json":
        return AwsError("UnknownOperationException", f"There is no operation {name}.")
    return AwsError("ValidationException", "Unknown operation.", 400, Reason="UnknownOperation")


def _unreadable(response: BaseResponse, error: Exception) -> AwsError:
    message = f"The request cannot be read ({type(error).__name__}: {error})."
    if response.boto3_service_name == "networkmanager":
        return AwsError("ValidationException", message, 400, Reason="CannotParse")
    return AwsError("InvalidRequest", message, 400)


def _call_action(self: BaseResponse) -> Any:
    world = current()
    with world.lock:
        world.timeline.settle()
        try:
            model = _service(self).operation_model(self._get_action())
        except OperationNotFoundError:
            return _finish(self, wire.render_error(_service(self), _unknown_action(self)))
        answer, seconds = _serve(self, model, world)
        if not isinstance(answer, Exception):
            cloudtrail.note(world, self, model, answer)
    if seconds:  # meanwhile others are answered
        world.settings.clock.wait(seconds)
    if isinstance(answer, Exception):
        raise answer
    return _finish(self, answer)


def _finish(response: BaseResponse, answer: wire.Wire) -> Any:
    status, headers, body = answer
    if not response.is_werkzeug_request:
        # the real service always says how long the body is, and careful clients compare; a server says it by itself
        length = len(body.encode() if isinstance(body, str) else body)
        headers = {"Content-Length": str(length), **headers}
    return status, headers, body


def _serve(
    response: BaseResponse, model: OperationModel, world: World
) -> tuple[wire.Wire | Exception, float]:
    """What the client gets, an error of the connection included, and after how many seconds."""
    parameters = _parameters(response, model)
    call = Call(response.boto3_service_name, model.name, response.region, parameters)
    find = hand.finder(response.current_account, response.partition)
    answer: wire.Wire | Exception
    with world.faults.meeting(call, response.current_account, find) as met:
        try:
            answer, code = _met(response, model, world, met)
        except (ConnectionLostError, HTTPClientError) as error:
            answer, code = _no_answer(response, error), "ConnectionClosed"
        if not world.faults.resting:
            world.calls.add(replace(call, error=code))
    slow = met.first(Slow)
    if slow is None:
        return answer, 0.0
    if response.is_werkzeug_request or slow.seconds < slow.patience or isinstance(answer, Exception):
        return answer, slow.seconds
    return ReadTimeoutError(endpoint_url=response.uri), slow.patience


def _met(
    response: BaseResponse, model: OperationModel, world: World, met: Met
) -> tuple[wire.Wire, str | None]:
    """The answer after everything that the call meets, and its error code."""
    faults, outcome = world.faults, met.first(Refuse, Throttle, Drop, LoseAnswer, Cut)
    try:
        if not faults.resting:
            faults.call_hooks("before", met.call)
        _others(world, met, "before")
        match outcome:
            case Refuse(AwsError() as error):
                raise error
            case Refuse(str() as word):
                raise refusal(word, _service(response), met.call)
            case Throttle():
                raise refusal("throttled", _service(response), met.call)
            case Drop():
                raise ConnectionLostError
        answer, code = _performed(response, model, world, met)
        if code is None:
            if met.call.is_write:
                faults.note_write(met.call)
            if not faults.resting:
                faults.call_hooks("after", met.call)
            _others(world, met, "after")
        if isinstance(outcome, LoseAnswer):
            raise ConnectionLostError
        return _cut(response, answer) if isinstance(outcome, Cut) else answer, code
    except AwsError as error:
        return wire.render_error(_service(response), error), error.code


def _others(world: World, met: Met, moment: Moment) -> None:
    """What somebody else does just now."""
    for call in met.others(moment):
        with world.faults.rest():
            became = hand.carry_out(call, met.call.region, met.find)
        if world.settings.tell is not None:
            world.settings.tell(became)


def _no_answer(response: BaseResponse, error: Exception) -> wire.Wire | Exception:
    """A connection that closes: over HTTP the server does it, in process botocore's error stands for it."""
    if response.is_werkzeug_request:
        return 200, {CONNECTION: "close"}, b""
    return error if isinstance(error, HTTPClientError) else ConnectionClosedError(endpoint_url=response.uri)


def _cut(response: BaseResponse, answer: wire.Wire) -> wire.Wire:
    """Half of a body, while Content-Length tells the whole; over HTTP the server cuts it."""
    status, headers, body = answer
    if response.is_werkzeug_request:
        return status, {**headers, CONNECTION: "cut"}, body
    content = body.encode() if isinstance(body, str) else body
    return status, {**headers, "Content-Length": str(len(content))}, content[: len(content) // 2]


def _performed(
    response: BaseResponse, model: OperationModel, world: World, met: Met
) -> tuple[wire.Wire, str | None]:
    """The answer of an operation, and its error code if it was refused."""
    try:
        answer = _answer(response, model, world, met)
    except AwsError as error:
        if (told := world.faults.outdated(met, None)) is not None:
            return wire.render(model, told), None
        return wire.render_error(_service(response), error), error.code
    return answer, _code(model, answer) if answer[0] >= 300 else None


def _parameters(response: BaseResponse, model: OperationModel) -> dict[str, Any]:
    """What boto3 was given; moto's parser makes empty lists of list parameters that a query string does not hold."""
    given = dict(getattr(response, "params", None) or {})
    if not response.automated_parameter_parsing and model.service_model.protocol == "json":
        given = json.loads(response.body or "{}")  # services of moto that read the body themselves
    members = model.input_shape.members if model.input_shape is not None else {}
    absent = [
        name
        for name, value in given.items()
        if value is None or (value == [] and members[name].serialization.get("location") == "querystring")
    ]
    return {name: value for name, value in given.items() if name not in absent}


def _code(model: OperationModel, answer: wire.Wire) -> str:
    try:
        wire.read(model, answer)
    except AwsError as error:
        return error.code
    return f"HTTP {answer[0]}"


def _answer(response: BaseResponse, model: OperationModel, world: World, met: Met) -> wire.Wire:
    service, parameters = met.call.service, met.call.parameters
    own = _ANSWERED_HERE.get(service)
    if own is None:
        if service == "ssm":
            add_public_images(world, response.current_account, response.region)
        answer = _ask_moto(response, model)
        if answer[0] >= 300:
            return answer
        if world.settings.check_answers:
            _check(world, model, wire.read(model, answer))
        if not met.first(Blank, Empty):
            return answer  # as moto has written it
        return wire.render(model, edited(world.faults, met, model, wire.read(model, answer)))

    def ask_moto(parameters: Mapping[str, Any], operation: str | None = None) -> Answer:
        response.params = dict(parameters)
        if operation is None:
            return _taken(response, model)
        response.querystring["Action"] = [operation]  # where moto reads the operation's name from
        try:
            other = _service(response).operation_model(operation)
            return _taken(response, other)
        finally:
            response.querystring["Action"] = [model.name]

    request = Request(
        service=service,
        operation=model.name,
        region=response.region,
        partition=response.partition,
        account=response.current_account,
        parameters=parameters,
        model=model,
        world=world,
        ask_moto=ask_moto,
    )
    try:
        result = own(request)
    except (AwsError, ConnectionLostError):
        raise
    except (
        Exception
    ) as error:  # a fault of the sandbox must look like one of AWS, never like a Python exception
        raise AwsError(_internal(service), f"{type(error).__name__}: {error}", 500) from error
    if not is_read(model.name):
        world.faults.note_birth(model.name, result)
    if world.settings.check_answers:
        _check(world, model, result)
    return wire.render(model, edited(world.faults, met, model, result))


def _internal(service: str) -> str:
    return {"ec2": "InternalError", "networkmanager": "InternalServerException"}.get(
        service, "InternalFailure"
    )


def _ask_moto(response: BaseResponse, model: OperationModel) -> wire.Wire:
    """moto's own answer; whatever it does not implement or fails at as an AwsError."""
    try:
        status, headers, body = _moto_call_action(response)
    except FilterNotImplementedError as error:
        raise AwsError("InvalidParameterValue", f"The filter is invalid: {error}", 400) from error
    except NotImplementedError as error:
        message = f"The action {model.name} is not valid for this web service."
        raise AwsError("InvalidAction", message, 400) from error
    except AwsError:
        raise
    except Exception as error:
        name = _internal(response.boto3_service_name)
        raise AwsError(name, f"{type(error).__name__}: {error}", 500) from error
    return int(status), {str(k): str(v) for k, v in headers.items()}, body


def _taken(response: BaseResponse, model: OperationModel) -> dict[str, Any]:
    """moto's own answer as boto3 shows it."""
    taking.ask(response)
    status, headers, body = _ask_moto(response, model)
    return body.result if isinstance(body, taking.Taken) else wire.read(model, (status, headers, body))


def _check(world: World, model: OperationModel, answer: Mapping[str, Any]) -> None:
    for finding in fidelity.check(model, answer):
        (world.warnings if finding.is_warning else world.problems).append(
            f"{model.service_model.service_name}.{finding}"
        )
