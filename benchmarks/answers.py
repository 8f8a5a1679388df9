"""A server that answers as AWS would of an estate that is there: what is measured in front of it is the program.

Used by `benchmarks.speed`.  It gives pages of the size that is asked for, in the form that botocore's service model
says; each page is encoded once and its bytes are kept.  What it has no rows for is an empty list.  It takes no filter
into account and changes nothing.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from benchmarks.world import ACCOUNT, Row, Where
from reconciler.aws.schema import models

IDENTITY = {"Account": ACCOUNT, "UserId": "AIDAEXAMPLE", "Arn": f"arn:aws:iam::{ACCOUNT}:user/bench"}
REQUEST = "00000000-1111-2222-3333-444444444444"
ELSEWHERE = ("sts", "networkmanager", "iam", "route53", "globalaccelerator")
"""Services with one endpoint: their rows are in no region."""


class Answers:
    """Answers by what is asked; `latency` is how many seconds each takes."""

    def __init__(self, rows: Mapping[Where, list[Row]], regions: tuple[str, ...]) -> None:
        self.url, self.latency = "", 0.0
        self.asked: Counter[str] = Counter()
        """How often each operation was asked for, as `ec2:DescribeVpcs`."""
        self._lock = threading.Lock()
        self._rows = {
            **rows,
            ("sts", "", "GetCallerIdentity"): [IDENTITY],
            **{
                ("ec2", region, "DescribeRegions"): [{"RegionName": one} for one in regions]
                for region in regions
            },
        }
        self._pages: dict[tuple[Where, int, int], bytes] = {}

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: str) -> tuple[str, bytes]:
        """The media type and the bytes."""
        scope = re.search(r"Credential=[^/]+/[0-9]+/([^/]+)/([^/]+)", headers["authorization"])
        assert scope, "each request is signed"
        service = SIGNED_AS.get(scope[2], scope[2])
        model = _model(service)
        asked = parse_qs(body or urlsplit(target).query)
        if model.resolved_protocol == "json":
            operation, asked = headers["x-amz-target"].rpartition(".")[2], {}
        else:
            operation = (
                asked["Action"][0] if "Action" in asked else _rest(model, method, urlsplit(target).path)
            )
        where = (service, "" if service in ELSEWHERE else scope[1], operation)
        plain = {name.lower(): value[0] for name, value in asked.items()}
        first, size = int(plain.get("nexttoken", 0)), int(plain.get("maxresults", 0))
        key = (where, first, size)
        with self._lock:
            self.asked[f"{service}:{operation}"] += 1
            if key not in self._pages:
                self._pages[key] = self._page(model, where, first, size)
        if self.latency:
            time.sleep(self.latency)
        kind = "application/json" if "json" in model.resolved_protocol else "text/xml"
        return kind, self._pages[key]

    def _page(self, model: Any, where: Where, first: int, size: int) -> bytes:
        output, rows = model.operation_model(where[2]).output_shape, self._rows.get(where, [])
        page = rows[first : first + size] if size else rows
        value: Row = {name: [] for name, shape in output.members.items() if shape.type_name == "list"}
        if where[2] == "GetCallerIdentity":
            value = page[0]
        elif rows:
            value[next(iter(value))] = [_reserved(row) for row in page] if "Reservations" in value else page
        if first + len(page) < len(rows):
            value["NextToken"] = str(first + len(page))
        return encoded(model, where[2], value)


SIGNED_AS = {"elasticloadbalancing": "elbv2", "tagging": "resourcegroupstaggingapi"}
"""Services by the names with which requests to them are signed, where these are others."""


@cache
def _model(service: str) -> Any:
    return models().get_service_model(service)


def _rest(model: Any, method: str, path: str) -> str:
    """The operation of a request that names it by method and path."""
    for name in model.operation_names:
        http = model.operation_model(name).http
        pattern = re.sub(r"\{[^}]*\}", "[^/]+", http["requestUri"].partition("?")[0])
        if http["method"] == method and re.fullmatch(pattern, path):
            return str(name)
    raise LookupError(f"{method} {path}")


def _reserved(instance: Row) -> Row:
    """An instance with the reservation that made it."""
    return {
        "ReservationId": f"r-{instance['InstanceId'][2:]}",
        "OwnerId": ACCOUNT,
        "Groups": [],
        "Instances": [instance],
    }


# ---- as bytes


def encoded(model: Any, operation: str, value: Row) -> bytes:
    """An answer in the form of its service's protocol."""
    shape, protocol = model.operation_model(operation).output_shape, model.resolved_protocol
    if "json" in protocol:
        return json.dumps(value).encode()
    inner = element_content(shape, value)
    wrapper = shape.serialization.get("resultWrapper")
    if wrapper:
        inner = f"<{wrapper}>{inner}</{wrapper}>"
    about = f"<requestId>{REQUEST}</requestId>" if protocol == "ec2" else ""
    space = model.metadata.get("xmlNamespace", "http://ec2.amazonaws.com/doc/2016-11-15/")
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<{operation}Response xmlns="{space}">{inner}{about}</{operation}Response>'.encode()


def element_content(shape: Any, value: Any) -> str:
    """What stands in the element of a value."""
    match shape.type_name:
        case "structure":
            return "".join(
                _element(shape.members[name].serialization.get("name", name), shape.members[name], inner)
                for name, inner in value.items()
            )
        case "list":
            name = shape.member.serialization.get("name", "member")
            return "".join(_element(name, shape.member, item) for item in value)
        case "boolean":
            return "true" if value else "false"
        case "blob":
            return base64.b64encode(value).decode()
    return escape(str(value))


def _element(name: str, shape: Any, value: Any) -> str:
    inner = element_content(shape, value)
    return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"


# ---- over HTTP


@contextmanager
def serving(rows: Mapping[Where, list[Row]], regions: tuple[str, ...]) -> Iterator[Answers]:
    """A server of answers, at `Answers.url`."""
    found = Answers(rows, regions)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            kind, content = found.answer(self.command, self.path, headers, body)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            with suppress(ConnectionError):  # who asked may be gone
                self.end_headers()
                self.wfile.write(content)
                self.wfile.flush()

        do_GET = do_POST = handle_any  # noqa: N815 - names of http.server

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
