"""What a batch's scores say of its students, its questions and its checks: pure functions.

The index of difficulty is an item's mean share of its points, discrimination the
item-rest correlation, as in classical test theory (Lord and Novick, 1968).
"""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from grader.batch.attention import Attention, needs_a_look
from grader.batch.failures import Cluster, DiagnosisCount, clusters, count_diagnoses
from grader.records import (
    CheckResult,
    CheckStatus,
    QuestionKind,
    QuestionReport,
    QuestionStatus,
    Report,
)

LEAST_SUBMISSIONS = 10
"""Fewer make a correlation a matter of luck."""

LEAST_FAILURES = 2
"""One student who fails a check says nothing of the check."""

MOST_BINS = 20
SLOWEST = 5
SAME = 1e-12

Pair = tuple[float, float]


@dataclass(frozen=True)
class Graded:
    """One submission's newest report, and each question's points as they now count.

    `points` are None where nobody has given any yet, `by_hand` the questions
    that a person has decided. `report` is None where there is none yet.
    """

    id: str
    name: str
    report: Report | None
    points: Mapping[str, float | None]
    by_hand: frozenset[str] = frozenset()

    @cached_property
    def shares(self) -> dict[str, float | None]:
        """What `rest_shares` finds."""
        return rest_shares(self)


@dataclass(frozen=True)
class SubmissionScore:
    """One submission in points; of one that is not `decided`, no question has been graded."""

    id: str
    name: str
    score: float
    max_score: float
    pending: float
    decided: bool


@dataclass(frozen=True)
class Bin:
    """Scores in [low, high), the last bin's in [low, high]: final ones, and with points to come."""

    low: float
    high: float
    final: int
    pending: int


@dataclass(frozen=True)
class Distribution:
    """The scores so far of `count` submissions; points that wait for a person are not in them.

    `undecided` submissions are left out: nothing of them has been graded.
    `pending_mean` is the mean of the points that wait, over those that have any.
    """

    count: int
    undecided: int
    bins: tuple[Bin, ...]
    mean: float
    deviation: float
    quartiles: tuple[float, float, float]
    max_score: float
    pending_count: int
    pending_mean: float


@dataclass(frozen=True)
class QuestionStatistics:
    """One question over the `decided` submissions.

    `difficulty` is the mean share of its points in [0, 1], 1 where all have
    them; `discrimination` the correlation of its points with the share of all
    others in [-1, 1]. Each is None where it is not defined.
    """

    id: str
    title: str
    kind: QuestionKind
    max_points: float
    decided: int
    pending: int
    mean: float | None
    difficulty: float | None
    discrimination: float | None
    statuses: Mapping[QuestionStatus, int]


@dataclass(frozen=True)
class CheckStatistics:
    """One check over those who attempted its question.

    `share_passed` and `share_failed` are what those who passed and failed it
    have, on average, of the points of all other questions.
    """

    question: str
    name: str
    description: str
    passed: int
    failed: int
    discrimination: float | None
    share_passed: float | None
    share_failed: float | None

    @property
    def nobody_passes(self) -> bool:
        """Whether all of many who tried have failed."""
        return not self.passed and self.failed >= LEAST_SUBMISSIONS

    @property
    def beyond_chance(self) -> bool:
        """Whether the correlation is two standard errors, 1/sqrt(n) each, below zero."""
        limit = -2 / math.sqrt(max(1, self.passed + self.failed))
        return self.nobody_passes or (self.discrimination or 0.0) < limit

    @property
    def looks_wrong(self) -> bool:
        """Whether rather the better students fail it, or everybody does."""
        negative = self.discrimination is not None and self.discrimination < -SAME
        return self.nobody_passes or (negative and self.failed >= LEAST_FAILURES)


@dataclass(frozen=True)
class RunStatistics:
    """Time of the `count` submissions that were run, in seconds, and the isolation they had.

    `not_run` ones could not be graded at all.
    """

    count: int
    not_run: int
    total: float
    median: float
    percentile_95: float
    slowest: tuple[tuple[str, float], ...]
    isolation: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class BatchStatistics:
    """Everything that the summary of a batch tells."""

    assignment: str
    title: str
    submissions: tuple[SubmissionScore, ...]
    without_report: tuple[str, ...]
    distribution: Distribution | None
    questions: tuple[QuestionStatistics, ...]
    wrong_checks: tuple[CheckStatistics, ...]
    diagnoses: tuple[DiagnosisCount, ...]
    clusters: tuple[Cluster, ...]
    attention: tuple[Attention, ...]
    runs: RunStatistics


def summarise(batch: Sequence[Graded]) -> BatchStatistics:
    """The statistics of a batch, which may be empty."""
    reports = [one.report for one in batch if one.report is not None]
    newest = reports[-1] if reports else None
    scores = tuple(submission_score(one, one.report) for one in batch if one.report)
    looks = (needs_a_look(one.report, one.by_hand) for one in batch if one.report)
    return BatchStatistics(
        assignment=newest.assignment if newest else "",
        title=newest.title if newest else "",
        submissions=scores,
        without_report=tuple(one.id for one in batch if one.report is None),
        distribution=distribution(scores),
        questions=tuple(question_statistics(batch)),
        wrong_checks=wrong_checks(check_statistics(batch)),
        diagnoses=count_diagnoses(reports),
        clusters=clusters(reports),
        attention=tuple(sorted(filter(None, looks), key=lambda look: look.severity)),
        runs=run_statistics(reports),
    )


# --- scores -------------------------------------------------------------------


def submission_score(one: Graded, report: Report) -> SubmissionScore:
    """A submission's points so far, and those that wait."""
    waiting = [q.max_points for q in report.questions if one.points[q.id] is None]
    decided = [q for q in report.questions if q.max_points and one.points[q.id] is not None]
    return SubmissionScore(
        id=one.id,
        name=one.name,
        score=math.fsum(points for points in one.points.values() if points is not None),
        max_score=report.max_score,
        pending=math.fsum(waiting),
        decided=bool(decided),
    )


def distribution(scores: Iterable[SubmissionScore]) -> Distribution | None:
    """How the scores are spread; None where nothing is graded that gives points."""
    scores = list(scores)
    counted = [one for one in scores if one.decided]
    top = max((max(one.max_score, one.score) for one in counted), default=0.0)
    if not top:
        return None
    values = [one.score for one in counted]
    low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
    pending = [one.pending for one in counted if one.pending]
    return Distribution(
        count=len(counted),
        undecided=len(scores) - len(counted),
        bins=_bins(counted, top),
        mean=statistics.fmean(values),
        deviation=statistics.pstdev(values),
        quartiles=(float(low), float(median), float(high)),
        max_score=max(one.max_score for one in counted),
        pending_count=len(pending),
        pending_mean=statistics.fmean(pending) if pending else 0.0,
    )


def _bins(scores: Sequence[SubmissionScore], top: float) -> tuple[Bin, ...]:
    width = _bin_width(top)
    count = math.ceil(top / width - SAME)
    final, pending = [0] * count, [0] * count
    for one in scores:
        # A score on an edge belongs to the bin that begins there, whatever its last digit.
        place = max(0, min(count - 1, math.floor(one.score / width + 1e-9)))
        (pending if one.pending else final)[place] += 1
    return tuple(
        Bin(place * width, (place + 1) * width, *counts)
        for place, counts in enumerate(zip(final, pending, strict=True))
    )


def _bin_width(top: float) -> float:
    """The least width of 1, 2, 2.5 or 5 times a power of ten that leaves few bins."""
    power = 10.0 ** (math.floor(math.log10(top)) - 2)
    widths = (scale * power * factor for scale in (1, 10, 100, 1000) for factor in (1, 2, 2.5, 5))
    return next(width for width in widths if top / width <= MOST_BINS + SAME)


# --- questions and checks -----------------------------------------------------


def question_statistics(batch: Iterable[Graded]) -> Iterator[QuestionStatistics]:
    """Every question that a report has, in the order of the assignment."""
    questions: defaultdict[str, list[QuestionReport]] = defaultdict(list)
    given: defaultdict[str, list[tuple[float, float | None]]] = defaultdict(list)
    for one in batch:
        shares = one.shares
        for question in one.report.questions if one.report else ():
            questions[question.id].append(question)
            if (points := one.points[question.id]) is not None:
                given[question.id].append((points, shares[question.id]))
    for identity, found in questions.items():
        yield _question(found, given[identity])


def _question(
    found: Sequence[QuestionReport], given: Sequence[tuple[float, float | None]]
) -> QuestionStatistics:
    last = found[-1]
    mean = statistics.fmean(points for points, _ in given) if given else None
    return QuestionStatistics(
        id=last.id,
        title=last.title,
        kind=last.kind,
        max_points=last.max_points,
        decided=len(given),
        pending=len(found) - len(given),
        mean=mean,
        difficulty=mean / last.max_points if mean is not None and last.max_points else None,
        discrimination=correlation([(a, b) for a, b in given if b is not None]),
        statuses=Counter(question.status for question in found),
    )


def rest_shares(one: Graded) -> dict[str, float | None]:
    """By question, the share of the points of all other decided ones; None where there are none."""
    questions = one.report.questions if one.report else ()
    given = {q.id: (one.points[q.id], q.max_points) for q in questions}
    decided = [(points, most) for points, most in given.values() if points is not None]
    total, maximum = (math.fsum(pair[side] for pair in decided) for side in (0, 1))
    shares: dict[str, float | None] = {}
    for identity, (points, most) in given.items():
        own, rest = (0.0, maximum) if points is None else (points, maximum - most)
        shares[identity] = (total - own) / rest if rest > SAME else None
    return shares


def correlation(pairs: Sequence[Pair]) -> float | None:
    """Pearson's correlation; None for too few pairs, or where one side is always the same."""
    if len(pairs) < LEAST_SUBMISSIONS:
        return None
    columns = np.array(pairs, float).T
    if np.ptp(columns, axis=1).min() <= SAME:
        return None
    return float(np.clip(np.corrcoef(columns)[0, 1], -1.0, 1.0))


def check_statistics(batch: Iterable[Graded]) -> list[CheckStatistics]:
    """Every check that has decided something, over those who attempted its question."""
    found: defaultdict[tuple[str, str], list[Pair]] = defaultdict(list)
    checks: dict[tuple[str, str], CheckResult] = {}
    for one in batch:
        shares = one.shares
        for question in one.report.questions if one.report else ():
            share = shares[question.id]
            if share is None or question.status is QuestionStatus.NOT_ATTEMPTED:
                continue
            for check in question.checks:
                if (passes := _passes(check)) is not None:
                    checks[question.id, check.name] = check
                    found[question.id, check.name].append((passes, share))
    return [_check(key[0], checks[key], pairs) for key, pairs in found.items()]


def _passes(check: CheckResult) -> float | None:
    if check.status is CheckStatus.PASSED:
        return 1.0
    return 0.0 if check.cause == "student" else None


def _check(question: str, check: CheckResult, pairs: Sequence[Pair]) -> CheckStatistics:
    passed = [share for passes, share in pairs if passes]
    failed = [share for passes, share in pairs if not passes]
    return CheckStatistics(
        question=question,
        name=check.name,
        description=check.description,
        passed=len(passed),
        failed=len(failed),
        discrimination=correlation(pairs),
        share_passed=statistics.fmean(passed) if passed else None,
        share_failed=statistics.fmean(failed) if failed else None,
    )


def wrong_checks(checks: Iterable[CheckStatistics]) -> tuple[CheckStatistics, ...]:
    """The checks that look wrong, the clearest cases first."""
    found = [check for check in checks if check.looks_wrong]
    return tuple(sorted(found, key=lambda c: (not c.beyond_chance, c.discrimination or 0.0)))


# --- runs ---------------------------------------------------------------------


def run_statistics(reports: Iterable[Report]) -> RunStatistics:
    """Time and isolation. What was not run has no environment, and no isolation to speak of."""
    reports = list(reports)
    run = [report for report in reports if report.environment]
    seconds = [report.seconds for report in run]
    slowest = sorted(run, key=lambda report: -report.seconds)[:SLOWEST]
    return RunStatistics(
        count=len(run),
        not_run=len(reports) - len(run),
        total=math.fsum(seconds),
        median=float(np.quantile(seconds, 0.5)) if seconds else 0.0,
        percentile_95=float(np.quantile(seconds, 0.95)) if seconds else 0.0,
        slowest=tuple((report.submission.id, report.seconds) for report in slowest),
        isolation=tuple(Counter(report.isolation for report in run).most_common()),
    )
