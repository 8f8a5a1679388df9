"""The import of moto's EC2, with which a process of the local AWS spends most of its start.

Imported before anything else here.  moto makes three sessions of boto3 meanwhile, to ask for regions, and each of them
reads the same five megabytes of JSON; it gets one, which reads them once.
"""

from __future__ import annotations

from importlib import import_module

import boto3


def _import_ec2() -> None:
    session, one = boto3.Session, boto3.Session()
    boto3.Session = lambda: one  # type: ignore[assignment, misc]  # the seam
    try:
        import_module("moto.ec2.models.availability_zones_and_regions")
    finally:
        boto3.Session = session  # type: ignore[misc]


_import_ec2()
