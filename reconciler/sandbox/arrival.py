"""How a request of boto3 finds who answers it, in process: moto's way, without what moto works out anew each time.

moto walks through the addresses of all its services for each request, and builds it with werkzeug's test client: that
is a tenth of what a call costs.  Put in front of moto by `pipeline.install`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest
from moto import backend_index, backends
from moto.core.base_backend import BackendDict
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.request import Request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException

_moto_process: Any = BotocoreStubber.process_request
_Serve = Callable[[Request, str, Any], Any]
_AWS = re.compile(r"https://[a-z0-9.-]+\.amazonaws\.com/")
_ACCOUNT = "123456789012"
"""Any: what answers is the same for all."""


class _Arrived(Request):
    """A request whose URL is known: moto puts it together again whenever it looks."""

    raw_url = raw_path = ""


def process_request(self: BotocoreStubber, request: AWSPreparedRequest) -> Any:
    """In: what boto3 would send. Out: status, headers and body, or None for what is to go to the network."""
    url = urlsplit(request.url)
    serve = _served_by(f"{url.scheme}://{url.netloc}{url.path}")
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    if serve is None or not isinstance(body, bytes | bytearray):
        return _moto_process(self, request)
    arrived = _arrived(request, url, body)
    try:
        return serve(arrived, arrived.raw_url, arrived.headers)
    except HTTPException as error:
        return error.code, error.get_headers(), error.get_body()


@lru_cache(4096)
def _served_by(url: str) -> _Serve | None:
    """What answers requests to a URL; None where moto is to find out."""
    if not _AWS.match(url):
        return None
    for service, pattern in backend_index.backend_url_patterns:
        if pattern.match(url):
            found = backends.get_backend(service)  # type: ignore[call-overload]
            by_region: Any = found[_ACCOUNT] if isinstance(found, BackendDict) else found
            backend = next(by_region[name] for name in ("us-east-1", "aws", "global") if name in by_region)
            for path, serve in backend.urls.items():
                if re.match(path, url):
                    return serve  # type: ignore[no-any-return]
    return None


def _arrived(request: AWSPreparedRequest, url: SplitResult, body: bytes | bytearray) -> Request:
    """The request as moto knows it; a form is read here, for werkzeug's reader is made for uploads."""
    if not _text(request.headers.get("Content-Type", "")).startswith("application/x-www-form-urlencoded"):
        return _known(_Arrived(_environ(request, url, body)), request, url)
    arrived = _known(_Arrived(_environ(request, url, b"")), request, url)  # as if it had been read
    form = ImmutableMultiDict(parse_qsl(body.decode(), keep_blank_values=True))
    arrived.__dict__.update(form=form, files=ImmutableMultiDict())
    return arrived


def _known(arrived: _Arrived, request: AWSPreparedRequest, url: SplitResult) -> _Arrived:
    arrived.__dict__.update(raw_url=request.url, raw_path=url.path or "/")
    return arrived


def _environ(request: AWSPreparedRequest, url: SplitResult, body: bytes | bytearray) -> dict[str, Any]:
    """The request as a WSGI server would hand it on (PEP 3333)."""
    raw = url.path.encode().decode("latin1")
    headers: Any = request.headers
    return {
        **{f"HTTP_{name.upper().replace('-', '_')}": _text(value) for name, value in headers.items()},
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(url.path).encode().decode("latin1"),
        "QUERY_STRING": url.query.encode().decode("latin1"),
        "REQUEST_URI": raw,
        "RAW_URI": raw,
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port or 443),
        "HTTP_HOST": url.netloc,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": _text(headers.get("Content-Type", "")),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
