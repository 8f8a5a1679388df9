"""The local AWS of the tests of the command line: in this process, and over HTTP for the processes that they start.

A command that runs in this process finds it without HTTP, which costs less; what it says is the same, and to whom.
Whoever puts a wire in front of it (`wire`), or runs a process, goes through HTTP.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.endpoint import Endpoint
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse

from reconciler.sandbox.server import serve

from .support import wait_until

SCOPE = re.compile(r"Credential=[^/,]+/[0-9]+/([^/]+)/([^/]+)/aws4_request")
"""Region and service, as a signature names them."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The URL of a local AWS, which stays until this process ends."""
    ready, before = folder / "ready", dict(os.environ)
    threading.Thread(target=serve, kwargs={"ready_file": ready}, name="aws", daemon=True).start()
    wait_until(ready.exists, "the local AWS")
    for name in os.environ.keys() - before.keys():  # a server says where it is by the environment
        del os.environ[name]
    url, over_http, stubber = ready.read_text().strip(), Endpoint._send, BotocoreStubber()

    def send(endpoint: Endpoint, request: Any) -> AWSResponse:
        scope = SCOPE.search(_text(request.headers.get("Authorization", "")))
        if not request.url.startswith(url) or scope is None:
            return over_http(endpoint, request)
        asked = request.url
        request.url = asked.replace(url, f"https://{scope[2]}.{scope[1]}.amazonaws.com", 1)
        status, headers, body = stubber.process_request(request)
        request.url = asked
        return AWSResponse(asked, status, headers, MockRawResponse(body))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Endpoint, "_send", send)
        yield url


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
