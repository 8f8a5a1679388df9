"""Answers for the operations that the sandbox does not have yet: nothing is there, and nothing can be made.

A list is empty, a question for one thing is not found, a write is a modelled error. So code that reads the whole
service works, and code that relies on what is missing is told so.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.loaders import create_loader

from ..calls import is_read
from ..request import Answer, Request
from .models import NetworkManagerBackend
from .refusals import not_emulated, not_found
from .verbs import require_global_network


@cache
def list_member(operation: str) -> str | None:
    """The member of the answer that holds the list, as botocore's paginators know it; None: not a list."""
    pages: dict[str, Any] = create_loader().load_service_model("networkmanager", "paginators-1")["pagination"]
    return pages[operation]["result_key"] if operation in pages else None


def answer(store: NetworkManagerBackend, request: Request) -> Answer:
    """An empty list, ResourceNotFoundException for one thing by its id, or the error that says "not emulated"."""
    shape = request.model.input_shape
    if shape is not None and "GlobalNetworkId" in shape.required_members:
        require_global_network(store, request)
    if not is_read(request.operation):
        raise not_emulated(request.operation)
    asked = [
        name for name in (shape.required_members if shape is not None else []) if name != "GlobalNetworkId"
    ]
    modelled = {error.name for error in request.model.error_shapes}
    if asked and "ResourceNotFoundException" in modelled:
        raise not_found(asked[0].removesuffix("Id").removesuffix("Arn"), str(request.parameters[asked[0]]))
    # GetResourcePolicy models no "not found"; that a resource without a policy answers nothing is unverified
    many = list_member(request.operation)
    return {many: []} if many is not None else {}
