"""The local AWS as a server on the loopback interface.

Called by the command `sandbox`. It is moto's own WSGI application with the sandbox's pipeline in front; boto3 clients
reach it with `endpoint_url`, and the region is the one in their signature.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from . import pipeline
from .clock import RealClock
from .settings import Delays, Profile, Settings
from .world import begin

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    ready_file: str | os.PathLike[str] | None = None,
    delays: Delays | Profile = "fast",
    page_size: int = 50,
) -> int:
    """Serves until SIGTERM or SIGINT, then returns 0.

    In: a loopback host; the port (0: any free one); a file that gets the endpoint URL, atomically, once calls are
    accepted; how fast states change; things per page. Raises ValueError for a host that others could reach and
    OSError for a port that is taken. Handles signals only in the main thread of a process.
    """
    if host not in _LOOPBACK:
        raise ValueError(f"the sandbox listens on the loopback interface only, not on {host!r}")
    # werkzeug takes a taken port for a reason to exit; an error can be handled
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=128) as listening:
        bound = int(listening.getsockname()[1])
        from werkzeug.serving import make_server

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = make_server(
            host,
            bound,
            _application(delays, page_size),
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
                _write_atomically(Path(ready_file), f"http://{shown}:{bound}\n")
            server.serve_forever(poll_interval=0.05)
        finally:
            server.server_close()
            for number, handler in previous.items():
                signal.signal(number, handler)
    return 0


def _application(delays: Delays | Profile, page_size: int) -> Any:
    # moto's server would otherwise ask the network whether it runs on EC2, and mock nothing of the credentials
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-west-2")
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    pipeline.install()
    chosen = delays if isinstance(delays, Delays) else Delays.named(delays)
    settings = Settings(clock=RealClock(), delays=chosen, page_size=page_size)
    begin(settings)
    moto_application = DomainDispatcherApplication(create_backend_app)

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("PATH_INFO") == "/moto-api/reset":  # moto's own way, which knows nothing of our world
            begin(settings)
            start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "16")])
            return [b'{"status": "ok"}']
        return moto_application(environ, start_response)

    return application


def _handler() -> type:
    from moto.moto_server.werkzeug_app import MotoRequestHandler

    class QuietHandler(MotoRequestHandler):
        """moto's handler without a log line per request, keeping connections open as AWS does."""

        protocol_version = "HTTP/1.1"

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
