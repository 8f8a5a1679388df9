"""What tests, and proofs of benchmarks/ that make many calls, save themselves: signatures, and waiting for a disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.exceptions import NoCredentialsError

TOKEN = "X-Amz-Security-Token"


@contextmanager
def unforced() -> Iterator[None]:
    """Nobody waits until a disk has written: what is promised for a power cut is proved by what is asked of the disk,
    and tests ask it for each line of a journal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@contextmanager
def unsigned() -> Iterator[None]:
    """Requests say who signs them, for which service and where, and nobody computes the signature, which the local AWS
    does not read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SigV4Auth, "add_auth", _say_who)
        yield


def _say_who(signer: Any, request: Any) -> None:
    who, headers = signer.credentials, request.headers
    if who is None:
        raise NoCredentialsError
    for name in ("Authorization", TOKEN):
        del headers[name]  # of the attempt before; nothing happens where there is none
    scope = f"{who.access_key}/20260101/{signer._region_name}/{signer._service_name}/aws4_request"
    headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    if who.token:
        headers[TOKEN] = who.token
