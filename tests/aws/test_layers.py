"""What differs from a row is kept beside it, and looks like the whole."""

from __future__ import annotations

import pytest

from reconciler.model.layers import Layer, layered

ROW = {"A": [1], "B": None, "C": "c"}


@pytest.mark.parametrize(
    "whole",
    [{**ROW}, {**ROW, "B": 2}, {**ROW, "D": None}, {"D": 1, **ROW, "A": [1, 2]}, {"A": ROW["A"]}, {}],
    ids=range(6),
)
def test_a_layer_is_the_whole(whole: dict[str, object]) -> None:
    found = layered(whole, ROW)
    assert found == whole
    assert dict(found) == {**found} == whole
    assert len(found) == len(whole)
    assert [name in found for name in "ABCDE"] == [name in whole for name in "ABCDE"]
    assert [found.get(name, 0) for name in "ABCDE"] == [whole.get(name, 0) for name in "ABCDE"]
    with pytest.raises(KeyError):
        found["E"]


def test_what_both_have_is_kept_once() -> None:
    assert layered({**ROW}, ROW) is ROW
    found = layered({**ROW, "D": 1}, ROW)
    assert isinstance(found, Layer)
    assert found._above == {"D": 1}
