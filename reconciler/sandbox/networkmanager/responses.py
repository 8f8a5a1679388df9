"""moto's entry for Network Manager: it only names the service; `pipeline.py` reads and answers the requests."""

from __future__ import annotations

from moto.core.responses import BaseResponse


class NetworkManagerResponse(BaseResponse):
    """Has moto parse parameters from botocore's model; answers nothing by itself."""

    def __init__(self) -> None:
        super().__init__(service_name="networkmanager")
        self.automated_parameter_parsing = True
