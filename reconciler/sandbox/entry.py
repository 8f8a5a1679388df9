"""The door of moto for services that are answered here alone: it only names them; `pipeline.py` reads and answers.

Called once by `pipeline.install`, for each service that moto does not have, or has with a door of its own that reads
requests in another way.
"""

from __future__ import annotations

import re
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

from moto import backend_index
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.responses import BaseResponse


class _Response(BaseResponse):
    """Has moto parse parameters from botocore's model."""

    service = ""

    def __init__(self) -> None:
        super().__init__(service_name=self.service)
        self.automated_parameter_parsing = True


def enter(service: str) -> None:
    """Has moto find a service by its address; doing it twice changes nothing."""
    name = f"moto.{service}"
    if isinstance(sys.modules.get(name), _Module):
        return
    response: Any = type("Response", (_Response,), {"service": service})
    base = rf"https?://{service}\.(.+)\.amazonaws\.com"
    # the operation is found by method and path in botocore's model; the server's "/.*" leaves out the bare "/"
    paths = dict.fromkeys(("{0}/$", "{0}/.*$"), response.dispatch)
    urls = SimpleNamespace(url_bases=[base], url_paths=paths)
    backend: Any = type("Backend", (BaseBackend,), {"_url_module": urls})
    backends = BackendDict(backend, service, use_boto3_regions=False, additional_regions=["aws"])
    module = _Module(name)
    module.__dict__[f"{service}_backends"] = backends
    sys.modules[name] = module
    if all(known != service for known, _ in backend_index.backend_url_patterns):
        backend_index.backend_url_patterns.append((service, re.compile(base)))


class _Module(ModuleType):
    """What moto imports as the service."""
