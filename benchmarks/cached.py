"""A local AWS that answers reads from memory: what is measured in front of it is the program, not moto.

It stands before the sandbox.  The first time a read comes it is passed on, every further time its bytes are given back;
any change forgets them all.
"""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

READS = re.compile(r"GET |.*(?:^|\.)(?:Describe|Get|List|Search)")
HOPS = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})
Answer = tuple[int, list[tuple[str, str]], bytes]


class Cache:
    """Answers by what was asked: method, path, region and body."""

    def __init__(self, aws: str) -> None:
        self.aws, self.url = urlsplit(aws), ""
        self.requests = 0
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, str, bytes], Answer] = {}
        self._changing = self._changed = 0
        """Changes that are on their way, and those that are over."""

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """From memory, or from the sandbox."""
        action = parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
        what = action or headers.get("x-amz-target", "") or f"{method} "
        scope = re.search(r"Credential=[^/]+/[0-9]+/([^/]+/[^/]+)", headers.get("authorization", ""))
        key = (method, path, scope[1] if scope else "", body)
        changes = not READS.match(what)
        with self._lock:
            self.requests += 1
            if key in self._kept:
                return self._kept[key]
            self._changing += changes
            before = self._changed
        try:
            found = self._ask(method, path, headers, body)
        finally:
            with self._lock:
                self._changing -= changes
                self._changed += changes
                if changes:
                    self._kept.clear()
        with self._lock:
            if not changes and not self._changing and self._changed == before:  # else it may be of before
                self._kept[key] = found
        return found

    def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        beyond = http.client.HTTPConnection(self.aws.hostname or "", self.aws.port)
        try:
            beyond.request(method, path, body, dict(headers))
            answer = beyond.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOPS]
            return answer.status, kept, answer.read()
        finally:
            beyond.close()


@contextmanager
def cached(aws: str) -> Iterator[Cache]:
    """A cache before a sandbox, at `Cache.url`."""
    found = Cache(aws)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, told, content = found.answer(self.command, self.path, headers, body)
            self.send_response(status)
            for name, value in told:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            with suppress(ConnectionError):  # who asked may be gone
                self.end_headers()
                self.wfile.write(content)
                self.wfile.flush()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - names of http.server

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
