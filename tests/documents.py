"""YAML for tests and benchmarks, by libyaml: PyYAML's own took a seventh of the time of a test with all kinds."""

from __future__ import annotations

from typing import Any

import yaml


class _Plain(yaml.CSafeDumper):
    """Writes what stands twice twice: no person writes such aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def load(text: str) -> Any:
    """What a text says."""
    return yaml.load(text, yaml.CSafeLoader)


def dump(data: Any) -> str:
    """A text that says this, in its order."""
    return str(yaml.dump(data, Dumper=_Plain, sort_keys=False))
