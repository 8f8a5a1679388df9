"""What moto wants of a service that it does not have: `pipeline.py` shows it as `moto.globalaccelerator`.

What the service remembers is in `store.py`.
"""

from __future__ import annotations

from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend


class GlobalAcceleratorBackend(BaseBackend):
    """Only there to be found by its address."""


globalaccelerator_backends: Any = BackendDict(
    GlobalAcceleratorBackend, "globalaccelerator", use_boto3_regions=False, additional_regions=["aws"]
)
