"""Replays the samples in the local AWS and says how far each agrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from reconciler.sandbox import local_aws

from ..conftest import client
from .compare import differences
from .samples import Sample, read
from .stage import Stage

# where the local AWS differs from a sample, and why it stays so
_NEWER = "the sample is older than this member"
_OPTIONS = {
    f"VpcAttachment.Options.{option}: not in the sample": _NEWER
    for option in ("ApplianceModeSupport", "DnsSupport", "SecurityGroupReferencingSupport")
}
_CORE_ARN = {
    "Attachment.CoreNetworkArn: not in the sample": "terraform-provider-aws reads it from every answer"
}
_TYPED_CORE_ARN = {f"VpcAttachment.{difference}": why for difference, why in _CORE_ARN.items()}
KNOWN: Mapping[str, Mapping[str, str]] = {
    "CreateCoreNetwork": {
        "CoreNetwork.State: CREATING instead of AVAILABLE": "terraform-provider-aws waits through CREATING"
    },
    "CreateVpcAttachment": {**_TYPED_CORE_ARN, **_OPTIONS},
    "GetVpcAttachment": {**_TYPED_CORE_ARN, **_OPTIONS},
    "DeleteAttachment": _CORE_ARN,
    "RejectAttachment": _CORE_ARN,
    "DeleteCoreNetwork": {
        "CoreNetwork.CoreNetworkArn: not in the sample": "terraform-provider-aws reads it from every answer",
        "CoreNetwork.NetworkFunctionGroups: not in the sample": _NEWER,
    },
}


@dataclass(frozen=True)
class Verdict:
    """A sample, and all that is not as in it."""

    sample: Sample
    found: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether it could be tried and nothing differs."""
        return self.sample.unread is None and not self.found


def replay_all(folder: Path) -> Iterator[Verdict]:
    """A verdict on each sample in a folder."""
    model = client("networkmanager").meta.service_model
    for sample in read(folder, model):
        yield replay(sample, model)


def replay(sample: Sample, model: Any) -> Verdict:
    """Prepares, asks and compares, in a local AWS of its own."""
    if sample.unread is not None:
        return Verdict(sample, ())
    with local_aws() as aws:
        parameters = Stage(aws, model, sample).prepare()
        try:
            answer = getattr(client("networkmanager"), xform_name(sample.operation))(**parameters)
        except (ClientError, BotoCoreError) as error:
            return Verdict(sample, (f"refused: {error}",))
        answer.pop("ResponseMetadata")
        return Verdict(sample, (*differences(sample.output, answer), *aws.problems))
