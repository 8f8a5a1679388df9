"""The local AWS as a server on the loopback interface.

Called by the command `sandbox`. It is moto's own WSGI application with the sandbox's pipeline in front; boto3 clients
reach it with `endpoint_url`, and service and region are those of their signature.
"""

from __future__ import annotations

import errno
import http.client
import io
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

from botocore.model import ServiceModel
from moto.core.utils import get_service_model

from . import pipeline, wire
from .clock import RealClock
from .errors import AwsError
from .faults.file import Rules
from .settings import Delays, Profile, Settings
from .world import begin

_LOOPBACK = ("127.0.0.1", "::1", "localhost")

# the services that are here, as signatures name them; others would run into what is not installed, or be half there
_SERVED = (
    "autoscaling",
    "cloudtrail",
    "dynamodb",
    "ec2",
    "eks",
    "elasticloadbalancing",
    "globalaccelerator",
    "iam",
    "networkmanager",
    "route53",
    "ssm",
    "sts",
    "tagging",
)


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    ready_file: str | os.PathLike[str] | None = None,
    delays: Delays | Profile = "fast",
    page_size: int = 50,
    faults: Rules | None = None,
) -> int:
    """Serves until SIGTERM or SIGINT, then returns 0; returns 1 and says why on stderr if it cannot start.

    In: a loopback host; the port (0: any free one); a file that gets the endpoint URL, atomically, once calls are
    accepted; how fast states change; things per page; what goes wrong (each call that a fault strikes is a line on
    stderr). Raises ValueError for a host that others could reach. Handles
    signals only in the main thread of a process.
    """
    if host not in _LOOPBACK:
        raise ValueError(f"the sandbox listens on the loopback interface only, not on {host!r}")
    settings = Settings(
        clock=RealClock(),
        delays=delays if isinstance(delays, Delays) else Delays.named(delays),
        page_size=page_size,
        faults=faults.rules if faults else (),
        seed=faults.seed if faults else 0,
        tell=_tell,
    )
    # werkzeug takes a taken port for a reason to exit; an error can be handled
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        if not 0 <= port <= 65535:
            raise OSError(errno.EINVAL, "there is no such port")
        listening = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        return _cannot(f"listen on {host} port {port}", error)
    with listening:
        bound = int(listening.getsockname()[1])
        from werkzeug.serving import make_server

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = make_server(
            host,
            bound,
            _application(settings),
            threaded=True,
            fd=listening.fileno(),
            request_handler=_handler(),
        )

        # a stop is asked for in a signal handler, which must not wait for the loop that it interrupts
        def stop(number: int, frame: FrameType | None) -> None:
            threading.Thread(target=server.shutdown, daemon=True).start()

        previous = {}
        if threading.current_thread() is threading.main_thread():
            previous = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            if ready_file is not None:
                shown = f"[{host}]" if ":" in host else host
                try:
                    _write_atomically(Path(ready_file), f"http://{shown}:{bound}\n")
                except OSError as error:
                    return _cannot(f"write {os.fspath(ready_file)}", error)
            server.serve_forever(poll_interval=0.05)
        finally:
            server.server_close()
            for number, handler in previous.items():
                signal.signal(number, handler)
    return 0


def _tell(line: str) -> None:
    print(f"sandbox: {line}", file=sys.stderr, flush=True)


def _cannot(what: str, error: OSError) -> int:
    why = "another program listens there" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
    print(f"sandbox: cannot {what}: {why}", file=sys.stderr)
    return 1


_StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def _application(settings: Settings) -> Callable[[dict[str, Any], _StartResponse], Iterable[bytes]]:
    # moto's server would otherwise ask the network whether it runs on EC2, and mock nothing of the credentials
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-west-2")
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    pipeline.install()
    begin(settings)
    moto_application: Any = DomainDispatcherApplication(create_backend_app)

    def application(environ: dict[str, Any], start_response: _StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == "/moto-api/reset":  # moto's own way, which knows nothing of our world
            begin(settings)
            return _answer((200, {"Content-Type": "application/json"}, '{"status": "ok"}'), start_response)
        service = _signed_for(environ)
        if service not in _SERVED:
            return _answer(_refusal(service, environ), start_response)
        try:
            answered: Iterable[bytes] = moto_application(environ, start_response)
        except (
            Exception
        ) as error:  # a fault of the sandbox must look like one of AWS, never like a page of HTML
            message = f"{type(error).__name__}: {error}"
            failure = wire.render_error(_alike(service, environ), AwsError("InternalFailure", message, 500))
            return _answer(failure, start_response)
        return answered

    return application


def _signed_for(environ: dict[str, Any]) -> str:
    """The service in a request's signature: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`; "" if unsigned."""
    parts = str(environ.get("HTTP_AUTHORIZATION", "")).partition("Credential=")[2].split(",")[0].split("/")
    return parts[3].lower() if len(parts) == 5 else ""


def _refusal(service: str, environ: dict[str, Any]) -> wire.Wire:
    """What a service that is not here answers: an error in the form that its clients read, never a page of HTML."""
    if service:
        message = f"The local AWS has no {service}; it has {', '.join(_SERVED)}."
        error = AwsError("UnknownOperationException", message, 400)
    else:
        error = AwsError("MissingAuthenticationToken", "The request is not signed.", 403)
    return wire.render_error(_alike(service, environ), error)


def _alike(service: str, environ: dict[str, Any]) -> ServiceModel:
    """A service of the protocol that a request is in: signatures do not always name one as botocore does."""
    if str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded"):
        alike = "ec2" if service == "ec2" else "sts"
    elif "HTTP_X_AMZ_TARGET" in environ:
        alike = "ssm"
    else:
        alike = "s3" if service in ("s3", "route53", "cloudfront") else "networkmanager"
    return get_service_model(alike)


def _answer(answer: wire.Wire, start_response: _StartResponse) -> Iterable[bytes]:
    status, headers, body = answer
    content = body.encode() if isinstance(body, str) else body
    start_response(f"{status} {http.client.responses.get(status, '')}", list(headers.items()))
    return [content]


def _handler() -> type:
    from moto.moto_server.werkzeug_app import MotoRequestHandler

    class QuietHandler(MotoRequestHandler):
        """moto's handler without a log line per request, and with connections that stay open as those of AWS do:
        werkzeug closes each, since it does not know whether an application has read the whole of a request."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two writes
        timeout = 60.0  # of an idle connection

        def run_wsgi(self) -> None:
            environ = self.make_environ()
            if environ.get("wsgi.input_terminated"):  # sent in chunks, which werkzeug puts together
                body = environ["wsgi.input"].read()
            else:
                body = self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0))
            environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
            self.environ = environ  # werkzeug's own errors look there
            head: list[Any] = []

            def start_response(
                status: str, headers: Any, exc_info: Any = None, /
            ) -> Callable[[bytes], object]:
                head[:] = [status, headers]
                return content.append

            content: list[bytes] = []
            answer = self.server.app(environ, start_response)
            try:
                content += answer
            finally:
                if hasattr(answer, "close"):
                    answer.close()
            fault = next((value for name, value in head[1] if name == pipeline.CONNECTION), "")
            if fault == "close":
                self.close_connection = True
                return
            code, _, reason = head[0].partition(" ")
            self.send_response_only(int(code), reason)
            if not any(name.lower() == "server" for name, _ in head[1]):
                self.send_header("Server", self.version_string())
            self.send_header("Date", self.date_time_string())
            for name, value in head[1]:
                if name.lower() != "content-length" and name != pipeline.CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(sum(map(len, content))))
            self.end_headers()
            body = b"".join(content)
            if fault == "cut":
                self.close_connection = True
                body = body[: len(body) // 2]
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_error(self, format: str, *args: Any) -> None:
            if not (args and isinstance(args[0], TimeoutError)):  # a connection that nobody used any more
                super().log_error(format, *args)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    return QuietHandler


def _write_atomically(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
