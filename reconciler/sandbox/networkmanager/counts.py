"""GetNetworkResourceCounts: how many things of each type are in a global network.

Source: the doc string of its ResourceType in botocore's model, for the names of types.  That types without any are left
out is unverified.
"""

from __future__ import annotations

from collections import Counter

from ..request import Answer, Request
from .cloudwan.common import PREFIXES, page_of
from .models import Item, NetworkManagerBackend
from .rows import ALL
from .verbs import require_global_network

_TYPES = {
    resource.name: resource.kind for resource in ALL if resource.within is not None and not resource.key
}


def resource_counts(store: NetworkManagerBackend, request: Request) -> Answer:
    """The counts, of all types or of one."""
    network = require_global_network(store, request)
    wanted = request.parameters.get("ResourceType")
    counts = Counter(
        kind
        for name, kind in {**_TYPES, **PREFIXES}.items()
        for item in store.of(name).values()
        if wanted in (None, kind) and _network(store, item) == network.id
    )
    shown = [{"ResourceType": kind, "Count": count} for kind, count in counts.items()]
    return page_of(shown, request, "NetworkResourceCounts")


def _network(store: NetworkManagerBackend, item: Item) -> str | None:
    if "GlobalNetworkId" in item.members:
        return str(item.members["GlobalNetworkId"])
    core = store.of("CoreNetwork").get(str(item.members.get("CoreNetworkId")))
    return None if core is None else str(core.members["GlobalNetworkId"])
