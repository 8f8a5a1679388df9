"""Transit gateways of other accounts that Resource Access Manager shares with the one that asks.

moto keeps the shares, and does not look at them anywhere else.  Here a share counts at once, as within an organisation
that allows it; elsewhere the other account has to accept it first.  Source: RAM user guide, "Sharing resources";
Amazon VPC Transit Gateways guide, "Shared transit gateways".  Called by `missing.py` and the modules of `transit`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def lent(backend: Any) -> Iterator[tuple[Any, Any]]:
    """The gateways that other accounts share with the one of a store, in its region, each with its own store."""
    from moto.ec2.models import ec2_backends

    account, region = backend.account_id, backend.region_name
    for owner, stores in list(ec2_backends.items()):
        if owner == account or region not in stores:
            continue
        gateways: list[Any] = list(stores[region].transit_gateways.values())
        for gateway in gateways:
            arn = gateway.members["TransitGatewayArn"]
            if not gateway.is_gone and is_shared(owner, account, region, arn):
                yield stores[region], gateway


def find(backend: Any, id: str) -> Any:
    """A gateway that can be attached to, of this account or lent to it; None where there is none."""
    found = backend.transit_gateways.get(id)
    return found or next((gateway for _, gateway in lent(backend) if gateway.id == id), None)


def home_of(backend: Any, id: str) -> Any:
    """The store of the account that such a gateway is of."""
    return next((home for home, gateway in lent(backend) if gateway.id == id), backend)


def is_shared(owner: str, account: str, region: str, arn: str) -> bool:
    """Whether an account shares a thing with another."""
    from moto.ram.models import ram_backends

    return any(
        share.status == "ACTIVE" and arn in share.resource_arns and account in share.principals
        for share in ram_backends[owner][region].resource_shares
    )
