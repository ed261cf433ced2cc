"""Named mistakes are counted, and failures of one kind found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grader.batch.failures import MESSAGE_CHARACTERS, clusters, count_diagnoses, masked
from grader.records import QuestionStatus

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("expected 0.25, found -1.5e-08", "expected 3, found 17.0"),
        ("shapes (5,7) and (3,) not aligned", "shapes (2,2) and (4,) not aligned"),
        ("<f at 0x7f3a2b10>", "<f at 0x7f00ffee>"),
        ("[0.5 nan 1. 2. 3. 4.]", "[inf 1. 2.5 3. 7. 8. 9. 10.]"),
        ("It is 3. It should be 4.", "It is 3.5. It should be 4.25."),
        ("one  line", "one\nline"),
    ],
)
def test_the_same_but_for_numbers(one: str, other: str) -> None:
    """Numbers, addresses, white space and the length of arrays make no difference."""
    assert masked(one) == masked(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("float32 expected", "float64 expected"),
        ("name 'W1' is not defined", "name 'W2' is not defined"),
        ("shapes (5,7) and (3,)", "shapes (5,) and (3,)"),
        ("too large", "too small"),
    ],
)
def test_other_messages_differ(one: str, other: str) -> None:
    """A digit of a name is no number, and words count."""
    assert masked(one) != masked(other)


def test_a_message_is_short() -> None:
    """Whatever a student's code raised, a list has room for it."""
    assert len(masked("x" * 10**6)) <= MESSAGE_CHARACTERS
    assert "\x1b" not in masked("\x1b[31mred\x1b[0m")


def test_diagnoses(check: Make, question: Make, report: Make) -> None:
    """A mistake counts once a submission, with all questions that it was found in."""
    twice = (
        question("q1", 0, check("a", False, code="sign"), check("b", False, code="sign")),
        question("q2", 0, check("c", False, code="sign")),
    )
    others = [
        report("s2", question("q1", 0, check("a", False, code="mean"))),
        report("s3", question("q2", 0, check("c", False, code="sign"))),
    ]
    found = count_diagnoses([report("s1", *twice), *others])
    assert [(d.code, d.submissions, d.questions) for d in found] == [
        ("sign", 2, ("q1", "q2")),
        ("mean", 1, ("q1",)),
    ]
    assert found[0].text == "The sign is wrong."


def test_clusters(check: Make, question: Make, report: Make) -> None:
    """One check, one diagnosis or one message but for its numbers; what is single is none."""

    def failing(identity: str, **fields: Any) -> Any:
        return report(identity, question("q1", 0, check("a", False, **fields)))

    found = clusters(
        [
            failing("s1", message="expected 1, found 2"),
            failing("s2", message="expected 1, found 3.5"),
            failing("s3", message="expected 1, found 3.5", code="sign"),
            failing("s4", message="something else", code="sign"),
            failing("s5", message="no such thing"),
            failing("s6", message="expected 1, found 9"),
            report("s7", question("q1", 0, check("b", False, message="expected 1, found 2"))),
        ]
    )
    assert [(c.check, c.code, c.submissions) for c in found] == [
        ("a", "", ("s1", "s2", "s6")),
        ("a", "sign", ("s3", "s4")),
    ]
    assert [c.text for c in found] == ["expected 1, found 2", "The sign is wrong."]


def test_what_is_no_failure_of_its_own(check: Make, question: Make, report: Make) -> None:
    """What was passed, not attempted, or failed because of something else is in no cluster."""
    blank = {"status": QuestionStatus.NOT_ATTEMPTED}
    reports = [
        report(
            identity,
            question("q1", 4, check("a")),
            question("q2", 0, check("b", False), **blank),
            question("q3", 0, check("c", False, cause="prerequisite")),
            question("q4", 0, check("d", False, cause="environment")),
        )
        for identity in ("s1", "s2")
    ]
    assert clusters(reports) == ()
