"""An estate lives: created, settled, updated in place, replaced, destroyed to nothing; nothing is written twice.

That of every kind does so under its own policy, in tests/policy/test_estate.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.kinds import ALL
from tests.faults.estate import SELDOM, estate, without_subjects
from tests.harness import Host, host


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Host]:
    """Lists come in few pages: that they are read to their end is proved elsewhere."""
    with host(tmp_path, SELDOM, page_size=50) as found:
        yield found


def test_it_is_created_updated_replaced_and_destroyed(ops: Host) -> None:
    replaced = estate("fixed", replace="delete-first", protect=False)
    for text in (estate(), estate("update"), replaced, without_subjects()):
        ops.aws.clear_calls()
        report = ops.run(text)
        assert report.outcome == "settled", report.outcomes
        assert [call for call in ops.aws.writes if call.error] == [], "all is asked for when AWS can do it"
        ops.aws.clear_calls()
        assert ops.run(text).outcome == "settled"
        assert ops.writes() == []
    ops.destroy()
    assert [call for call in ops.aws.writes if call.error] == [], "what takes minutes goes in order"
    assert [kind.name for kind in ALL if ops.ours(kind.name)] == []
