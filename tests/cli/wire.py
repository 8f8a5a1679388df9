"""A stretch of wire between the program and the local AWS: a test can listen on it, and change what goes over it."""

from __future__ import annotations

import http.client
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

HOPS = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
READS = re.compile(r"GET |Describe|Get|List|Search|POST (/nat-configurations|/2013-04-01/tags/[a-z]+)$")
"""What changes nothing; the last are ListAttachmentNatConfigurations and ListTagsForResources, which take a body."""
PATIENCE = 60.0
"""Seconds until a call that is held back goes on all the same, so that a failed test ends."""


class Wire:
    """`calls` are what went over it: `RunInstances`, or `POST /global-networks` where AWS speaks REST."""

    def __init__(self, aws: str) -> None:
        self.aws = urlsplit(aws)
        self.calls: list[str] = []
        self.url = ""
        self.never_ready = False
        """Whether nothing in Network Manager is ever told to be ready."""
        self.unavailable, self.refused = False, 0
        """Whether every call is answered with 503, and how many were."""
        self.last: float | None = None
        """When a call last came by, in seconds of the monotonic clock."""
        self._held = ""
        self.arrived, self.released = threading.Event(), threading.Event()

    @property
    def writes(self) -> list[str]:
        """Those that change something."""
        return [call for call in self.calls if not READS.match(call)]

    def hold(self, operation: str) -> None:
        """Keep the first such call back, once it is `arrived`, until it is `released`."""
        self._held = operation

    def forget(self) -> None:
        """Nothing has come by yet."""
        self.last = None

    def passing(self, call: str) -> None:
        """A call comes by; Cut keeps it from AWS."""
        self.calls.append(call)
        self.last = time.monotonic()
        if call == self._held:
            self._held = ""
            self.arrived.set()
            self.released.wait(PATIENCE)

    def answering(self, call: str, status: int, content: bytes) -> None:
        """The answer to a call comes by, with its effect done; Cut keeps it from who asked."""

    def answered(self, call: str) -> None:
        """The answer has gone to who asked."""


class Server(ThreadingHTTPServer):
    """Says nothing of who is gone before it has read its answer."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Cut(Exception):
    """The wire is cut here."""


@contextmanager
def wire(aws: str, found: Wire | None = None) -> Iterator[Wire]:
    """A wire to an AWS."""
    found = found or Wire(aws)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            try:
                self.pass_on()
            except Cut:
                self.close_connection = True

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            action = parse_qs(body.decode("utf-8", "replace")).get("Action")
            target = self.headers.get("x-amz-target", "").rpartition(".")[2]
            path = re.sub(r"/[a-z-]+-[0-9a-f]{8,}", "/*", urlsplit(self.path).path)
            call = action[0] if action else target or f"{self.command} {path}"
            found.passing(call)
            if found.unavailable:
                found.refused += 1
                self.send_response(503)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            beyond = http.client.HTTPConnection(found.aws.hostname or "", found.aws.port)
            beyond.request(self.command, self.path, body, dict(self.headers))
            answer = beyond.getresponse()
            content = answer.read()
            if found.never_ready:
                content = content.replace(b"AVAILABLE", b"PENDING")
            beyond.close()
            found.answering(call, answer.status, content)
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOPS:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            with suppress(ConnectionError):  # who asked may be gone
                self.end_headers()
                self.wfile.write(content)
            found.answered(call)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward  # noqa: N815 - names of http.server

        def log_message(self, format: str, *args: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            found.released.set()
            server.shutdown()
            thread.join()
