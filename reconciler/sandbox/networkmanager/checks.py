"""Rules over a resource's members that are more than a length or a reference; named in `rows.py`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .models import NetworkManagerBackend
from .refusals import Refusal

# botocore model, CreateLink: "Constraints: Maximum length of 128 characters. Cannot include the following
# characters: | \ ^"
_NOT_IN_LINKS = re.compile(r"[|\\^]")


def zone_or_subnet(store: NetworkManagerBackend, members: Mapping[str, Any]) -> Refusal | None:
    """A device's AWSLocation holds a zone or a subnet; terraform-provider-aws treats them as exclusive.
    What the service answers to both is unverified."""
    location = members.get("AWSLocation") or {}
    if location.get("Zone") and location.get("SubnetArn"):
        return Refusal("AWSLocation", "Only one of zone and subnetArn can be given.")
    return None


def plain_type_and_provider(store: NetworkManagerBackend, members: Mapping[str, Any]) -> Refusal | None:
    """A link's Type and Provider hold none of | \\ ^ (botocore model, doc strings of CreateLink)."""
    for member in ("Type", "Provider"):
        if _NOT_IN_LINKS.search(members.get(member) or ""):
            return Refusal(member, "Cannot include the following characters: | \\ ^")
    return None


def some_bandwidth(store: NetworkManagerBackend, members: Mapping[str, Any]) -> Refusal | None:
    """A link has a bandwidth. That one of both speeds is enough is unverified."""
    bandwidth = members.get("Bandwidth") or {}
    if bandwidth.get("UploadSpeed") is None and bandwidth.get("DownloadSpeed") is None:
        return Refusal("Bandwidth", "uploadSpeed or downloadSpeed must be given.")
    for member in ("UploadSpeed", "DownloadSpeed"):
        if (bandwidth.get(member) or 0) < 0:
            return Refusal(f"Bandwidth.{member}", "must not be negative.")
    return None
