"""YAML → Desired: the config language.  `cli` and `loop` load configs with it, `cli` shows what is wrong with one.

`load` and `fingerprint` read files; all else here is pure.  Nothing of AWS, of the clock or of the environment is
known here: kinds, service model, variables and region are arguments.
"""

from __future__ import annotations

from reconciler.desired.files import File
from reconciler.desired.json_schema import json_schema
from reconciler.desired.load import build, fingerprint, load
from reconciler.desired.show import problems_as_data, render

__all__ = ["File", "build", "fingerprint", "json_schema", "load", "problems_as_data", "render"]
