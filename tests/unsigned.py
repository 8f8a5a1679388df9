"""Requests that say who signs them, for which service and where, and whose signature nobody computes: the local AWS
does not read it.  Used by all tests, and by proofs of benchmarks/ that make many calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.exceptions import NoCredentialsError

TOKEN = "X-Amz-Security-Token"


@contextmanager
def unsigned() -> Iterator[None]:
    """For the time of the block, in this process."""
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
