"""The estate of every kind lives: created, settled, updated in place, replaced, destroyed to nothing."""

from __future__ import annotations

from reconciler.kinds import ALL
from tests.faults.estate import estate, without_subjects
from tests.harness import Host


def test_it_is_created_updated_replaced_and_destroyed(ops: Host) -> None:
    replaced = estate("fixed", replace="delete-first", protect=False)
    for text in (estate(), estate("update"), replaced, without_subjects()):
        report = ops.run(text)
        assert report.outcome == "settled", report.outcomes
        ops.aws.clear_calls()
        assert ops.run(text).outcome == "settled"
        assert ops.writes() == []
    ops.destroy()
    assert [kind.name for kind in ALL if ops.ours(kind.name)] == []
