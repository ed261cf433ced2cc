"""Which mistakes a batch has in common: named ones, and those that fail in the same way."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grader.records import CheckResult, CheckStatus, QuestionReport, QuestionStatus, Report
from grader.reports.plain import one_line

# What failed because of something else, or did not run, is no failure of its own.
NOT_ITS_OWN = ("prerequisite", "environment")
# Long enough to tell messages apart, short enough to keep for every failed check.
MESSAGE_CHARACTERS, READ_CHARACTERS = 300, 1200
MANY_NUMBERS = 5

_NUMBER = re.compile(
    # A dot at a number's end is its own within an array, and a sentence's elsewhere.
    r"0x[0-9a-fA-F]+|(?<![\w.])[-+]?(?:\d+(?:\.\d+|\.(?=\s*[-\d\],]))?|\.\d+)(?:[eE][-+]?\d+)?"
    r"|(?<!\w)[-+]?(?:nan|inf)(?!\w)"
)
_NUMBERS = re.compile(rf"#(?:[\s,;\[\]]+#){{{MANY_NUMBERS - 1},}}")


@dataclass(frozen=True)
class DiagnosisCount:
    """A named mistake, in how many submissions it was found, and in which questions."""

    code: str
    text: str
    submissions: int
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Cluster:
    """Submissions in which one check fails in the same way.

    The way is the diagnosis' code, or where there is none the message with its
    numbers masked; `text` is the diagnosis, or the message of the first.
    """

    question: str
    check: str
    description: str
    cause: str
    code: str
    text: str
    submissions: tuple[str, ...]


def count_diagnoses(reports: Iterable[Report]) -> tuple[DiagnosisCount, ...]:
    """Every diagnosis, the most frequent first; twice in one submission counts once."""
    counts: Counter[str] = Counter()
    texts: dict[str, str] = {}
    questions: defaultdict[str, set[str]] = defaultdict(set)
    places: dict[str, int] = {}
    for report in reports:
        for question in report.questions:
            places.setdefault(question.id, len(places))
        found: dict[str, None] = {}
        for question, check in _failed(report):
            if check.diagnosis is not None:
                found[check.diagnosis.code] = None
                texts.setdefault(check.diagnosis.code, check.diagnosis.text)
                questions[check.diagnosis.code].add(question.id)
        counts.update(found.keys())
    return tuple(
        DiagnosisCount(
            code, texts[code], count, tuple(sorted(questions[code], key=lambda q: places[q]))
        )
        for code, count in counts.most_common()
    )


def clusters(reports: Iterable[Report]) -> tuple[Cluster, ...]:
    """Every way to fail that two submissions share, the most frequent first."""
    members: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    examples: dict[tuple[str, ...], CheckResult] = {}
    for report in reports:
        for question, check in _failed(report):
            key = (question.id, check.name, check.cause, *_way(check))
            examples.setdefault(key, check)
            members[key].append(report.submission.id)
    found = [_cluster(key, examples[key], ids) for key, ids in members.items() if len(ids) > 1]
    return tuple(sorted(found, key=lambda cluster: -len(cluster.submissions)))


def masked(message: str) -> str:
    """A message without what differs between two that say the same: numbers, and their count."""
    text = _NUMBER.sub("#", short(message))
    return _NUMBERS.sub("# …", text)


def short(message: str) -> str:
    """A message on one line that a list has room for."""
    return one_line(message[:READ_CHARACTERS])[:MESSAGE_CHARACTERS]


def _failed(report: Report) -> Iterator[tuple[QuestionReport, CheckResult]]:
    for question in report.questions:
        if question.status is QuestionStatus.NOT_ATTEMPTED:
            continue
        for check in question.checks:
            if check.status is not CheckStatus.PASSED and check.cause not in NOT_ITS_OWN:
                yield question, check


def _way(check: CheckResult) -> tuple[str, str]:
    if check.diagnosis is not None:
        return check.diagnosis.code, ""
    return "", masked(check.message)


def _cluster(key: tuple[str, ...], check: CheckResult, submissions: list[str]) -> Cluster:
    question, name, cause, code, _ = key
    text = check.diagnosis.text if check.diagnosis is not None else check.message
    return Cluster(question, name, check.description, cause, code, short(text), tuple(submissions))
