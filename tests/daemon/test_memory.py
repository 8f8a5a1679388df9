"""What a daemon keeps: nothing that grows with the passes.  benchmarks/soak.py has the figures for more of both."""

from __future__ import annotations

from benchmarks.soak import soak


def test_memory_is_flat() -> None:
    found = soak(resources=40, passes=20)
    assert found.growth < 1.05
    assert found.requests < 10, "and a settled pass asks a kind and a region once"
