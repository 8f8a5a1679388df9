"""Launch templates: what a version holds is shown as it was given, and tags are the template's alone.

Sources: EC2 API reference, CreateLaunchTemplate, CreateLaunchTemplateVersion, ModifyLaunchTemplate,
DescribeLaunchTemplateVersions (`$Default`, `$Latest`), LaunchTemplate. Called by `answers.py`.
"""

from __future__ import annotations

from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import tags
from .missing import LAUNCH_TEMPLATE, require


def create(request: Request, backend: Any) -> Answer:
    """CreateLaunchTemplate; moto would put the template's tags into what it launches."""
    plain = {k: v for k, v in request.parameters.items() if k != "TagSpecifications"}
    if not plain.get("LaunchTemplateData"):
        raise AwsError("MissingParameter", "The request must contain the parameter LaunchTemplateData")
    made = request.ask_moto(plain)["LaunchTemplate"]
    _as_given(backend.launch_templates[made["LaunchTemplateId"]].versions[-1], plain["LaunchTemplateData"])
    for key, value in tags.specified(request, "launch-template").items():
        backend.tags[made["LaunchTemplateId"]][key] = value
    return {"LaunchTemplate": _shown(backend, made)}


def _as_given(version: Any, data: dict[str, Any]) -> None:
    from moto.core.types import Base64EncodedString

    version.data = dict(data)
    if isinstance(data.get("UserData"), str):
        version.data["UserData"] = Base64EncodedString(data["UserData"])


def create_version(request: Request, backend: Any) -> Answer:
    """CreateLaunchTemplateVersion: without SourceVersion, just what is given; with it, over what that holds."""
    made = request.ask_moto(request.parameters)["LaunchTemplateVersion"]
    template = backend.launch_templates[made["LaunchTemplateId"]]
    source = request.parameters.get("SourceVersion")
    before = dict(template.get_version(source).data) if source else {}
    _as_given(template.versions[-1], {**before, **(request.parameters.get("LaunchTemplateData") or {})})
    data = {k: v for k, v in template.versions[-1].data.items() if v is not None}
    if "UserData" in data:
        data["UserData"] = str(data["UserData"])  # moto has a text of its own sort
    return {"LaunchTemplateVersion": {**made, "LaunchTemplateData": data}}


def modify(request: Request, backend: Any) -> Answer:
    """ModifyLaunchTemplate: the default version has to be there."""
    template = require(backend, LAUNCH_TEMPLATE, str(request.parameters.get("LaunchTemplateId")))
    wanted = str(request.parameters.get("DefaultVersion"))
    if not wanted.isdigit() or not 1 <= int(wanted) <= len(template.versions):
        raise AwsError(
            "InvalidLaunchTemplateId.VersionNotFound",
            f"Could not find the specified version {wanted} for the launch template with ID {template.id}.",
        )
    template.default_version_number = int(wanted)
    rows = request.ask_moto({"MaxResults": 1_000_000}, "DescribeLaunchTemplates")["LaunchTemplates"]
    return {
        "LaunchTemplate": next(_shown(backend, one) for one in rows if one["LaunchTemplateId"] == template.id)
    }


def describe(request: Request, backend: Any) -> Answer:
    """DescribeLaunchTemplates, all of them."""
    rows = request.ask_moto({"MaxResults": 1_000_000}).get("LaunchTemplates", [])
    return {"LaunchTemplates": [_shown(backend, one) for one in rows]}


def _shown(backend: Any, plain: dict[str, Any]) -> dict[str, Any]:
    return {**plain, "Tags": tags.as_list(backend, plain["LaunchTemplateId"])}
