"""The numbers of a batch, by hand, and what holds of every batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.batch.statistics import (
    MOST_BINS,
    Graded,
    SubmissionScore,
    check_statistics,
    correlation,
    distribution,
    question_statistics,
    rest_shares,
    summarise,
    wrong_checks,
)
from grader.records import CheckStatus, QuestionStatus

Make = Callable[..., Any]
PENDING = {"status": QuestionStatus.PENDING}
points = st.floats(0, 45, allow_nan=False)


def scored(score: float, pending: float = 0.0, *, decided: bool = True) -> SubmissionScore:
    """A submission's score of 45."""
    return SubmissionScore("x", "", score, 45.0, pending, decided)


@pytest.fixture
def twelve(check: Make, question: Make, report: Make, graded: Make) -> list[Graded]:
    """Twelve students, of whom the k-th has k/3 points in q1; q3 waits for a person.

    q2 has a check that the best three fail, and one that the worst three fail.
    """
    batch = []
    for k in range(1, 13):
        checks = (check("fails_the_best", k < 10), check("fails_the_worst", k > 3, code="sign"))
        second = question("q2", 4.0 if 3 < k < 10 else 2.0, *checks)
        written = question("q3", **PENDING)
        batch.append(graded(report(f"s{k:02}", question("q1", k / 3), second, written)))
    return batch


def test_scores(twelve: list[Graded]) -> None:
    """A score is the sum of the points so far, and what waits is said apart."""
    found = summarise(twelve)
    first = found.submissions[0]
    assert (first.score, first.max_score, first.pending) == (pytest.approx(1 / 3 + 2), 12, 4)
    scores = found.distribution
    assert scores is not None
    assert (scores.count, scores.undecided, scores.max_score) == (12, 0, 12)
    assert scores.mean == pytest.approx((78 / 3 + 6 * 4 + 6 * 2) / 12)
    assert (scores.pending_count, scores.pending_mean) == (12, 4)
    assert sum(one.pending for one in scores.bins) == 12
    assert sum(one.final for one in scores.bins) == 0


def test_questions(twelve: list[Graded], graded: Make) -> None:
    """Mean, difficulty and discrimination are those of the points as they count."""
    first, second, third = question_statistics(twelve)
    assert first.mean == pytest.approx(78 / 36)
    assert first.difficulty == pytest.approx(78 / 36 / 4)
    assert (second.mean, second.decided, second.pending) == (3, 12, 0)
    assert (third.mean, third.difficulty, third.discrimination) == (None, None, None)
    assert (third.decided, third.pending) == (0, 12)
    # q1 is k/3, the rest is q2: 2 2 2 4 4 4 4 4 4 2 2 2, symmetric about the middle.
    assert first.discrimination == pytest.approx(0, abs=1e-12)
    by_hand = [graded(one.report, q3=one.points["q1"]) for one in twelve]
    third = list(question_statistics(by_hand))[2]
    assert (third.mean, third.decided) == (pytest.approx(78 / 36), 12)


def test_correlation_by_hand() -> None:
    """It is Pearson's: +1 and -1 on lines, and the textbook's value elsewhere."""
    assert correlation([(k, 2 * k + 1) for k in range(10)]) == pytest.approx(1)
    assert correlation([(k, -k) for k in range(10)]) == pytest.approx(-1)
    # x = 0..9 has a sum of squares of 82.5; five passes above five failures give 12.5 of it.
    passes = [(float(k >= 5), k) for k in range(10)]
    assert correlation(passes) == pytest.approx(12.5 / math.sqrt(2.5 * 82.5))


@pytest.mark.parametrize(
    "pairs", [[(k, k) for k in range(9)], [(1, k) for k in range(20)], [(k, 1) for k in range(20)]]
)
def test_no_correlation(pairs: list[tuple[float, float]]) -> None:
    """Too few pairs, or one side that never changes, have none."""
    assert correlation(pairs) is None


def test_rest_share(twelve: list[Graded]) -> None:
    """The rest is the share of all other questions, those that wait left out."""
    assert rest_shares(twelve[5])["q1"] == 1.0
    assert rest_shares(twelve[5])["q2"] == pytest.approx(0.5)
    assert rest_shares(twelve[5])["q3"] == pytest.approx((2 + 4) / 8)


def test_nothing_else_to_compare_with(question: Make, report: Make, graded: Make) -> None:
    """With one question alone there is no rest, and nothing fails for it."""
    batch = [graded(report(f"s{k}", question("q1", k % 5))) for k in range(12)]
    (found,) = question_statistics(batch)
    assert rest_shares(batch[0])["q1"] is None
    assert found.discrimination is None


def test_a_check_that_the_best_fail_looks_wrong(twelve: list[Graded]) -> None:
    """Negative discrimination marks a check; one that the weak fail is as it should be."""
    (found,) = wrong_checks(check_statistics(twelve))
    assert (found.name, found.passed, found.failed) == ("fails_the_best", 9, 3)
    # q1's shares are k/12: the failing have 10, 11, 12 of 12, the passing 1 to 9.
    assert found.share_failed == pytest.approx(11 / 12)
    assert found.share_passed == pytest.approx(5 / 12)
    assert found.discrimination == pytest.approx(-13.5 / math.sqrt(2.25 * 143))
    assert found.beyond_chance


def test_a_check_that_nobody_passes_looks_wrong(
    check: Make, question: Make, report: Make, graded: Make
) -> None:
    """Where ten have tried and none has passed, the check is shown."""

    def batch(count: int, **fields: Any) -> list[Graded]:
        return [
            graded(
                report(
                    f"s{k}", question("q1", k % 5), question("q2", 0, check("t", False), **fields)
                )
            )
            for k in range(count)
        ]

    (found,) = wrong_checks(check_statistics(batch(10)))
    assert found.nobody_passes
    assert wrong_checks(check_statistics(batch(9))) == ()
    blank = {"status": QuestionStatus.NOT_ATTEMPTED}
    assert check_statistics(batch(10, **blank)) == []


def test_faults_of_ours_say_nothing_of_a_check(
    check: Make, question: Make, report: Make, graded: Make
) -> None:
    """What was skipped, or failed by another's fault, is neither passed nor failed."""
    faulty = check("t", False, status=CheckStatus.ERROR, cause="grader")
    answers = (question("q1", 4, check("t")), question("q1", 4, faulty))
    batch = [graded(report(f"s{k}", one, question("q2", 2))) for k, one in enumerate(answers)]
    (found,) = check_statistics(batch)
    assert (found.passed, found.failed) == (1, 0)


def test_runs(question: Make, report: Make, graded: Make) -> None:
    """Times and isolation are of what ran; what could not be graded is counted apart."""
    batch = [graded(report(f"s{k}", question("q1", 4), seconds=float(k))) for k in range(1, 12)]
    lost = {"environment": {}, "isolation": "none", "seconds": 0.0}
    ungraded = question("q1", status=QuestionStatus.UNGRADED)
    runs = summarise([*batch, graded(report("lost", ungraded, **lost))]).runs
    assert (runs.count, runs.not_run, runs.median, runs.total) == (11, 1, 6, 66)
    assert runs.percentile_95 == pytest.approx(10.5)
    assert runs.slowest[0] == ("s11", 11)
    assert runs.isolation == (("namespaces", 11),)


def test_an_empty_batch() -> None:
    """Without submissions there is nothing to tell, and no division by zero."""
    found = summarise([])
    assert (found.distribution, found.questions, found.submissions) == (None, (), ())


def test_without_a_report(twelve: list[Graded]) -> None:
    """What a stopped batch has not graded yet is listed, and in no number."""
    found = summarise([*twelve, Graded("zoe", "Zoe", None, {})])
    assert found.without_report == ("zoe",)
    assert len(found.submissions) == 12


def test_nothing_graded_is_no_zero() -> None:
    """A submission of which nothing is graded is not counted with no points."""
    found = distribution([scored(30), scored(0, 45, decided=False)])
    assert found is not None
    assert (found.count, found.undecided, found.mean) == (1, 1, 30)
    assert distribution([scored(0, 45, decided=False)]) is None


@pytest.mark.parametrize(("score", "place"), [(0, 0), (2.4, 0), (2.5, 1), (45, 17), (44.9, 17)])
def test_bins(score: float, place: int) -> None:
    """18 bins of 2.5 hold 45 points; an edge belongs to the bin that it begins, 45 to the last."""
    found = distribution([scored(score)])
    assert found is not None
    assert [one.final for one in found.bins].index(1) == place
    assert (len(found.bins), found.bins[-1].high) == (18, 45)


@given(st.lists(st.tuples(points, st.sampled_from([0.0, 3.0]), st.booleans()), max_size=40))
def test_every_submission_is_in_one_bin(drawn: list[tuple[float, float, bool]]) -> None:
    """Bins, undecided submissions and the total agree, and bins touch from 0 to the maximum."""
    scores = [scored(score, pending, decided=decided) for score, pending, decided in drawn]
    found = distribution(scores)
    if found is None:
        assert not any(one.decided for one in scores)
        return
    assert sum(one.final + one.pending for one in found.bins) == found.count
    assert sum(one.pending for one in found.bins) == found.pending_count
    assert found.count + found.undecided == len(scores)
    assert len(found.bins) <= MOST_BINS
    edges = [one.low for one in found.bins] + [found.bins[-1].high]
    assert edges[0] == 0
    assert edges[-1] >= 45 > edges[-2]
    assert edges == sorted(edges)


@given(
    drawn=st.lists(
        st.lists(st.one_of(st.none(), st.floats(0, 4)), min_size=3, max_size=3),
        min_size=1,
        max_size=15,
    )
)
def test_sums_agree(
    question: Make, report: Make, graded: Make, drawn: list[list[float | None]]
) -> None:
    """The questions' means make up the scores, and decided and waiting make up everybody."""
    batch = []
    for place, row in enumerate(drawn):
        fields = [PENDING if value is None else {} for value in row]
        questions = [question(f"q{k}", value or 0.0, **fields[k]) for k, value in enumerate(row)]
        batch.append(graded(report(f"s{place}", *questions)))
    found = summarise(batch)
    total = math.fsum((q.mean or 0.0) * q.decided for q in found.questions)
    assert total == pytest.approx(math.fsum(one.score for one in found.submissions))
    waiting = math.fsum(q.pending * q.max_points for q in found.questions)
    assert waiting == math.fsum(one.pending for one in found.submissions)
    assert all(q.decided + q.pending == len(batch) for q in found.questions)
    assert all(-1 <= (q.discrimination or 0) <= 1 for q in found.questions)
