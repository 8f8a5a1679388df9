"""ModifyInstanceMetadataOptions: what is left out stays, and it takes a moment.

Source: EC2 API reference, ModifyInstanceMetadataOptions and InstanceMetadataOptionsResponse (State pending, then
applied; the hop limit is 1 to 64).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import backend as moto

_NAMES: Mapping[str, str] = {
    "HttpTokens": "http_tokens",
    "HttpPutResponseHopLimit": "http_put_response_hop_limit",
    "HttpEndpoint": "http_endpoint",
    "HttpProtocolIpv6": "http_protocol_ipv6",
    "InstanceMetadataTags": "instance_metadata_tags",
}


def modify_options(request: Request, backend: Any) -> Answer:
    """Sets the options that are named; shown as pending until the clock has moved on."""
    parameters = request.parameters
    instance = moto.find_instance(backend, str(parameters.get("InstanceId")))
    if instance.state in ("shutting-down", "terminated"):
        raise AwsError(
            "IncorrectInstanceState",
            f"The instance '{instance.id}' is not in a state in which it can be modified.",
        )
    limit = parameters.get("HttpPutResponseHopLimit")
    if limit is not None and not 1 <= int(limit) <= 64:
        raise AwsError(
            "InvalidParameterValue", f"Value ({limit}) for parameter HttpPutResponseHopLimit is invalid."
        )
    options = instance.metadata_options
    for name, attribute in _NAMES.items():
        if parameters.get(name) is not None:
            setattr(options, attribute, parameters[name])
    options.state = "pending"

    def effect() -> None:
        options.state = "applied"

    request.world.timeline.after(request.world.settings.delays.of("metadata-options", "pending"), effect)
    shown = {name: getattr(options, attribute) for name, attribute in _NAMES.items()}
    return {"InstanceId": instance.id, "InstanceMetadataOptions": {"State": "pending", **shown}}
