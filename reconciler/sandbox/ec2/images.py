"""Images: the public one of Amazon Linux exists in every region, and one that nobody made does not.

Source: EC2 User Guide, "Reference AMIs using Systems Manager parameters"; error codes InvalidAMIID.NotFound and
InvalidAMIID.Malformed.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

from ..errors import AwsError
from ..request import Request
from ..world import World
from .missing import IMAGE, require

PUBLIC_PARAMETER = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
_RESOLVE = re.compile(r"resolve:ssm:(?P<name>.+)")


def add_public_images(world: World, account: str, region: str) -> None:
    """Has a region know Amazon Linux: the images that moto has public parameters for, else one that is made up. Once
    for each region; also called for SSM, which has the parameters.

    moto's own list is switched off (`pipeline.install`): it holds the same old images in all regions, while an image id
    means something in one region only, and it takes longer to load than everything else in a test.
    """
    from moto.ec2.models import ec2_backends
    from moto.ec2.models.amis import Ami

    if (account, region) in world.with_images:
        return
    world.with_images.add((account, region))
    backend = ec2_backends[account][region]
    for facts in _shipped(region):
        backend.amis[facts["ami_id"]] = Ami(backend, **facts)
    if not _shipped(region):
        _make_up(account, region, backend)


@cache
def _shipped(region: str) -> list[dict[str, Any]]:
    from moto.utilities.utils import load_resource

    try:
        images: list[dict[str, Any]] = load_resource(f"ec2/resources/latest_amis/{region}.json")
    except FileNotFoundError:
        return []
    return [{**image, "owner_alias": "amazon"} for image in images]


def _make_up(account: str, region: str, backend: Any) -> None:
    from moto.ec2.models.amis import Ami
    from moto.ssm.models import Parameter, ssm_backends

    image_id = "ami-0" + hashlib.sha256(f"amazon linux {region}".encode()).hexdigest()[:16]
    ssm_backends[account][region]._parameters[PUBLIC_PARAMETER].append(
        Parameter(  # type: ignore[abstract]  # moto makes them like this itself
            account_id=account,
            name=PUBLIC_PARAMETER,
            value=image_id,
            parameter_type="String",
            description=None,
            allowed_pattern=None,
            keyid=None,
            last_modified_date=datetime(2026, 1, 1, tzinfo=UTC),
            version=1,
            data_type="text",
        )
    )
    backend.amis[image_id] = Ami(
        backend,
        image_id,
        name="al2023-ami-kernel-default-x86_64",
        description="Amazon Linux 2023",
        architecture="x86_64",
        virtualization_type="hvm",
        root_device_name="/dev/xvda",
        owner_id="137112412989",
        owner_alias="amazon",
        public=True,
    )


def metadata_defaults(backend: Any, image_id: str) -> dict[str, Any]:
    """The metadata options that an image brings: Amazon Linux 2023 asks for tokens and allows two hops (EC2 User Guide,
    "Configure the instance metadata service options", `ImdsSupport`)."""
    image = backend.amis.get(image_id)
    if image is not None and str(image.name).startswith("al2023-"):
        return {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}
    return {}


def resolve(request: Request, backend: Any, image_id: str) -> str:
    """The image that a launch means, which must be there; `resolve:ssm:NAME` is looked up."""
    match = _RESOLVE.fullmatch(image_id)
    if match is not None:
        from moto.ssm.models import ssm_backends

        parameter = ssm_backends[request.account][request.region].get_parameter(match["name"])
        if parameter is None:
            raise AwsError("InvalidParameterValue", f"Parameter {match['name']} was not found.")
        image_id = str(parameter.value)
    require(backend, IMAGE, image_id)
    return image_id
