"""moto's entry for Global Accelerator: it only names the service; `pipeline.py` reads and answers the requests."""

from __future__ import annotations

from moto.core.responses import BaseResponse


class GlobalAcceleratorResponse(BaseResponse):
    """Answers nothing by itself."""

    def __init__(self) -> None:
        super().__init__(service_name="globalaccelerator")
        self.automated_parameter_parsing = True
