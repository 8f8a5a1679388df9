"""What two plans that differ mean, for people and for programs."""

from __future__ import annotations

from reconciler.doctor.amnesia import Comparison, Sight, as_data, as_text

USUAL = Sight(
    document='{\n  "a": 1\n}\n', text="Plan: a\n", things={"vpc-1": "vpc-1 (vpc in eu-west-1 of 1)"}
)


def compared(**lost: object) -> Comparison:
    """The usual plan beside one that is the same but for this."""
    same = {"document": USUAL.document, "text": USUAL.text, "things": USUAL.things, "removals": 0}
    return Comparison("ai", USUAL, Sight(**{**same, **lost}))  # type: ignore[arg-type]


def test_equal_is_equal_in_every_byte() -> None:
    found = compared()
    assert (found.equal, found.difference, found.reasons) == (True, [], [])
    assert as_text(found).startswith(
        "ai: the plan is the same without the state directory, byte for byte (13 bytes"
    )
    assert not compared(document=USUAL.document + " ").equal


def test_a_difference_in_the_text_alone_is_shown_too() -> None:
    found = compared(text="Plan: b\n")
    assert not found.equal
    assert found.difference[-2:] == ["-Plan: a", "+Plan: b"]


def test_without_any_explanation_it_is_a_defect_and_is_called_one() -> None:
    [reason] = compared(document='{\n  "a": 2\n}\n').reasons
    assert "a defect, please report it" in reason


def test_each_explanation_is_told() -> None:
    found = compared(document="{}", things={"vpc-2": "vpc-2 (vpc in eu-west-2 of 1)"}, removals=3)
    assert ["vpc-2" in reason for reason in found.reasons] == [True, False, False]
    assert ["leads to vpc-1 (vpc in eu-west-1 of 1)" in reason for reason in found.reasons] == [
        False,
        True,
        False,
    ]
    assert "per-hour" in found.reasons[2]
    assert as_data(found)["reasons"] == found.reasons
    assert all(reason in as_text(found) for reason in found.reasons)
