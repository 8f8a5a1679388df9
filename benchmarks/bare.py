"""The measure of `benchmarks.speed`: boto3 as it comes lists what the program lists, with the same pages, and no more.

`python -m benchmarks.bare URL REGION,REGION PASSES`: a line of JSON for each pass, with its seconds and its seconds of
CPU; the process itself is the measure of a one-shot run.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

FILTERS = [{"Name": "tag-key", "Values": ["reconciler:stack", "reconciler:address"]}]
REGIONAL = (
    ("describe_instances", "Reservations", {"Filters": FILTERS}),
    ("describe_security_groups", "SecurityGroups", {"Filters": FILTERS}),
    ("describe_security_group_rules", "SecurityGroupRules", {}),
    ("describe_subnets", "Subnets", {"Filters": FILTERS}),
    ("describe_vpcs", "Vpcs", {"Filters": FILTERS}),
)
"""Method, member of the answer, parameters."""
THREADS = 8


def pages(method: Any, member: str, **parameters: Any) -> Iterator[list[dict[str, Any]]]:
    """All pages of a list."""
    token: dict[str, str] = {}
    while True:
        answer = method(**parameters, **token)
        yield answer[member]
        if not answer.get("NextToken"):
            return
        token = {"NextToken": answer["NextToken"]}


def main() -> None:
    """List everything, PASSES times."""
    url, regions, passes = sys.argv[1], sys.argv[2].split(","), int(sys.argv[3])
    session = boto3.Session("test", "test", region_name="us-west-2")
    settings = Config(max_pool_connections=THREADS)
    regional = [
        session.client("ec2", region_name=region, endpoint_url=url, config=settings) for region in regions
    ]
    network = session.client("networkmanager", endpoint_url=url, config=settings)

    def listed(client: Any, method: str, member: str, parameters: dict[str, Any]) -> int:
        ids: set[str] = set()
        for page in pages(getattr(client, method), member, MaxResults=1000, **parameters):
            rows = [one for row in page for one in row.get("Instances", (row,))]
            ids.update(str(next(value for name, value in row.items() if name.endswith("Id"))) for row in rows)
        return len(ids)

    def within(method: str, member: str, parent: str) -> int:
        asked = pages(getattr(network, method), member, MaxResults=500, GlobalNetworkId=parent)
        return sum(len(page) for page in asked)

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(passes):
            began, cpu = time.perf_counter(), time.process_time()
            tasks = [pool.submit(listed, client, *one) for one in REGIONAL for client in regional]
            (found,) = next(pages(network.describe_global_networks, "GlobalNetworks", MaxResults=500))
            parent = found["GlobalNetworkId"]
            for method, member in (
                ("get_sites", "Sites"),
                ("get_links", "Links"),
                ("get_devices", "Devices"),
            ):
                tasks.append(pool.submit(within, method, member, parent))
            count = 1 + sum(task.result() for task in tasks)
            spent = {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu, "rows": count}
            print(json.dumps(spent), flush=True)


if __name__ == "__main__":
    main()
