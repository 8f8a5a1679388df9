"""One request as the parts of the sandbox see it: names and parameters instead of HTTP.

Made in `pipeline.py`, handed to Network Manager's verbs and to the EC2 corrections.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.model import OperationModel

from .world import World

Answer = dict[str, Any]


class AskMoto(Protocol):
    """Performs an operation in moto."""

    def __call__(self, parameters: Mapping[str, Any], operation: str | None = None) -> Answer:
        """The answer as boto3 shows it; AwsError for an error answer."""


@dataclass(frozen=True)
class Request:
    """What was asked, by whom and where.

    `parameters` are spelt as boto3 spells them. `ask_moto` performs an operation of the same service in moto with the
    parameters given (default: the requested operation) and returns the answer as boto3 would show it; it raises
    AwsError for whatever moto refuses or cannot do.
    """

    service: str
    operation: str
    region: str
    partition: str
    account: str
    parameters: Mapping[str, Any]
    model: OperationModel
    world: World
    ask_moto: AskMoto

    @property
    def scope(self) -> str:
        """Where tokens of this request are valid."""
        return f"{self.account}/{self.region}/{self.service}/{self.operation}"
