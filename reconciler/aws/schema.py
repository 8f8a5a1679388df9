"""botocore's service models as `model.schema` describes them.  `cli` makes one and hands it to whoever checks."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError, ServiceModel, StructureShape

from reconciler.aws.models import Models

MARKUP = re.compile(r"<[^>]+>")
NOTHING_AT_ALL = StructureShape("Nothing", {"type": "structure", "members": {}})
"""The input or output of an operation that takes or gives nothing."""


_loaders: dict[tuple[str, ...], Models] = {}


def with_shared_models(session: Any) -> Any:
    """A botocore session that reads no service model which another session of this process has read already.

    A model of EC2 is some megabytes of JSON; without this each account and the checks of a config would read their
    own.
    """
    paths = tuple(session.get_component("data_loader").search_paths)
    if paths not in _loaders:
        _loaders[paths] = Models(paths)
    session.register_component("data_loader", _loaders[paths])
    return session


@cache
def models() -> Any:
    """The botocore session of this process that is asked for models and regions only: it has no credentials."""
    return with_shared_models(botocore.session.Session(include_builtin_handlers=False))


@dataclass(frozen=True)
class ModelShape:
    """One shape of a service model; members are made when they are asked for, since shapes may contain themselves."""

    source: Any

    @property
    def name(self) -> str:
        return str(self.source.name)

    @property
    def type(self) -> str:
        return str(self.source.type_name)

    @cached_property
    def members(self) -> Mapping[str, ModelShape]:
        if self.source.type_name != "structure":
            return {}
        return {name: ModelShape(shape) for name, shape in self.source.members.items()}

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(self.source.required_members) if self.source.type_name == "structure" else ()

    @cached_property
    def item(self) -> ModelShape | None:
        match self.source.type_name:
            case "list":
                return ModelShape(self.source.member)
            case "map":
                return ModelShape(self.source.value)
        return None

    @property
    def enum(self) -> tuple[str, ...]:
        return tuple(self.source.enum) if self.source.type_name == "string" else ()

    @property
    def minimum(self) -> int | None:
        value = self.source.metadata.get("min")
        return None if value is None else math.floor(value)  # a few are fractions: nothing good is refused

    @property
    def maximum(self) -> int | None:
        value = self.source.metadata.get("max")
        return None if value is None else math.ceil(value)

    @property
    def sensitive(self) -> bool:
        return bool(self.source.metadata.get("sensitive"))

    @cached_property
    def documentation(self) -> str:
        return " ".join(html.unescape(MARKUP.sub(" ", self.source.documentation)).split())


@dataclass(frozen=True)
class ModelOperation:
    """One operation of a service model."""

    name: str
    input: ModelShape
    output: ModelShape


class BotocoreSchema:
    """Service models by name, each loaded when it is first asked for.  Needs no credentials and no network."""

    def __init__(self) -> None:
        self._session = models()
        self._models: dict[str, ServiceModel] = {}
        self._operations: dict[tuple[str, str], ModelOperation] = {}

    def _model(self, service: str) -> ServiceModel:
        if service not in self._models:
            try:
                self._models[service] = self._session.get_service_model(service)
            except UnknownServiceError as error:
                raise KeyError(f"there is no service {service}") from error
        return self._models[service]

    def operation(self, service: str, name: str) -> ModelOperation:
        """The operation; KeyError when the service has none of that name."""
        if (service, name) not in self._operations:
            try:
                found = self._model(service).operation_model(name)
            except OperationNotFoundError as error:
                raise KeyError(f"{service} has no operation {name}") from error
            self._operations[service, name] = ModelOperation(
                name,
                ModelShape(found.input_shape or NOTHING_AT_ALL),
                ModelShape(found.output_shape or NOTHING_AT_ALL),
            )
        return self._operations[service, name]

    def shape(self, service: str, name: str) -> ModelShape:
        """A shape by its own name; KeyError when there is none."""
        model = self._model(service)
        if name not in model.shape_names:
            raise KeyError(f"{service} has no shape {name}")
        return ModelShape(model.shape_for(name))

    @cached_property
    def regions(self) -> frozenset[str]:
        """All regions of all partitions, as botocore's endpoints list them; asking it loads a service's model."""
        endpoints = self._session.get_component("data_loader").load_data("endpoints")
        return frozenset(region for partition in endpoints["partitions"] for region in partition["regions"])
