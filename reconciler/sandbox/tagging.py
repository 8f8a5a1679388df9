"""The Resource Groups Tagging API: what has which tags, over services.  moto knows its own stores; ours are added.

Source: Resource Groups Tagging API reference, GetResources: filters that all have to fit, pages of at most 100, types
as `service` or `service:type`.  Called by `pipeline.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import paging
from .eks.store import store_of as eks
from .elbv2.store import store_of
from .errors import AwsError
from .request import Answer, Request

_OURS = ("eks", "elasticloadbalancing")


def answer(request: Request) -> Answer:
    """GetResources of what is answered here; anything else is moto's."""
    types = [str(one) for one in request.parameters.get("ResourceTypeFilters") or ()]
    if (
        request.operation != "GetResources"
        or not types
        or any(one.split(":")[0] not in _OURS for one in types)
    ):
        return request.ask_moto(request.parameters)
    given = request.parameters
    rows = [row for row in _tagged(request, types) if all(map(_fits(row), given.get("TagFilters") or ()))]
    plain = {name: value for name, value in given.items() if name != "PaginationToken"}
    token = {"NextToken": given["PaginationToken"]} if given.get("PaginationToken") else {}
    try:
        page, more = paging.page(
            rows,
            lambda row: str(row["ResourceARN"]),
            min(int(given.get("ResourcesPerPage") or 50), request.world.settings.page_size),
            request.scope,
            {**plain, **token},
            request.world.order,
        )
    except paging.BadTokenError as error:
        raise AwsError("PaginationTokenExpiredException", "The token is not valid.", 400) from error
    return {"ResourceTagMappingList": page, "PaginationToken": more or ""}


def _tagged(request: Request, types: list[str]) -> Iterator[dict[str, Any]]:
    where = (request.world, request.account, request.region)
    every = {arn: thing.tags for arn, thing in store_of(*where).all.items()} | eks(*where).all
    for arn, found in every.items():
        service = arn.split(":")[2]
        sort = f"{service}:{arn.split(':', 5)[-1].partition('/')[0]}"
        hidden = request.world.faults.hidden(request.service, request.operation, arn, True)
        if found and not hidden and any(one in (service, sort) for one in types):
            tags = [{"Key": key, "Value": value} for key, value in found.items()]
            yield {"ResourceARN": arn, "Tags": tags}


def _fits(row: Mapping[str, Any]) -> Any:
    tags = {tag["Key"]: tag["Value"] for tag in row["Tags"]}

    def fits(wanted: Mapping[str, Any]) -> bool:
        values = wanted.get("Values") or []
        return wanted["Key"] in tags and (not values or tags[wanted["Key"]] in values)

    return fits
