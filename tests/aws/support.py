"""What the tests of the AWS edge share: sessions and gateways, and a wire that answers from a script.

The wire is botocore's own hook `before-send`: what it gets is the request that would go out, signed; what it gives
back goes through botocore's own parsers.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from reconciler.aws.gateway import Gateway
from reconciler.aws.session import Sessions
from reconciler.model.config import Account
from reconciler.sandbox import Call, LocalAws

ACCOUNT = "123456789012"
OTHER = Account(name="other", id="210987654321", role="arn:aws:iam::210987654321:role/reconciler")


def sessions(**given: Any) -> Sessions:
    """Sessions of one account in us-west-2, unless `given` says otherwise."""
    defaults: dict[str, Any] = {"account": ACCOUNT, "accounts": {}, "region": "us-west-2", "stack": "ai"}
    return Sessions(**(defaults | given))


def gateway(**given: Any) -> Gateway:
    """A gateway over such sessions."""
    return Gateway(sessions(**given))


def count(aws: LocalAws, operation: str) -> int:
    """How many requests of an operation have reached the local AWS."""
    return len(requests(aws, operation))


def requests(aws: LocalAws, operation: str) -> list[Call]:
    """The requests of an operation that have reached the local AWS."""
    return [call for call in aws.calls if call.operation == operation]


@dataclass(frozen=True)
class Request:
    """A request on the wire."""

    method: str
    url: str
    headers: dict[str, str]
    body: str

    @property
    def host(self) -> str:
        """Scheme and host."""
        return "/".join(self.url.split("/")[:3])

    @property
    def scope(self) -> str:
        """Region and service of the signature (`us-west-2/ec2`)."""
        credential = self.headers["Authorization"].split("Credential=")[1].split(",")[0]
        return "/".join(credential.split("/")[2:4])

    @property
    def key(self) -> str:
        """The access key that signed it."""
        return self.headers["Authorization"].split("Credential=")[1].split("/")[0]

    @property
    def form(self) -> dict[str, str]:
        """The fields of a query request."""
        return {name: values[0] for name, values in parse_qs(self.body).items()}


@dataclass(frozen=True)
class Answer:
    """An answer on the wire.  `length` is what Content-Length says, None: the truth; `date` what Date says."""

    body: str | bytes = ""
    status: int = 200
    length: int | None = None
    content_type: str = "text/xml"
    date: str = ""

    def as_response(self, url: str) -> AWSResponse:
        """As botocore has it."""
        content = self.body.encode() if isinstance(self.body, str) else self.body
        length = len(content) if self.length is None else self.length
        headers = {"content-length": str(length), "content-type": self.content_type}
        headers |= {"Date": self.date} if self.date else {}
        return AWSResponse(url, self.status, HTTPHeaders.from_dict(headers), _Raw(content))


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


@dataclass
class Wire:
    """Requests that went out, and what answers them.  Safe to use from several threads."""

    answer: Callable[[Request], Answer]
    requests: list[Request] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def under(self, client: Any) -> Wire:
        """Put it under a client."""
        client.meta.events.register("before-send", self._send)
        return self

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        headers = {name: _text(value) for name, value in request.headers.items()}
        sent = Request(request.method, request.url, headers, _text(request.body or ""))
        with self._lock:
            self.requests.append(sent)
        return self.answer(sent).as_response(request.url)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def script(*answers: Answer) -> Wire:
    """A wire that gives these answers in turn."""
    left = iter(answers)
    return Wire(lambda _: next(left))


def ec2(operation: str, inside: str) -> Answer:
    """EC2's envelope around a piece of XML."""
    return Answer(
        f'<{operation}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r-1</requestId>'
        f"{inside}</{operation}Response>"
    )


def json_answer(body: str, status: int = 200) -> Answer:
    """An answer of Network Manager."""
    return Answer(body, status=status, content_type="application/json")


@contextmanager
def server(answer: Callable[[Request], Answer]) -> Iterator[tuple[str, list[Request]]]:
    """A real server on the loopback interface; its URL, and what it was sent."""
    sent: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            sent.append(Request("POST", self.path, dict(self.headers), body))
            found = answer(sent[-1])
            content = found.body.encode() if isinstance(found.body, str) else found.body
            self.send_response(found.status)
            self.send_header("Content-Length", str(found.length or len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}", sent
        finally:
            listening.shutdown()
            thread.join()
