"""A question's answers as cards: one for all submissions that say the same and stand the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.gradebook import Gradebook, ManualScore, StandingScore
from grader.records import QuestionReport
from grader.review.answers import WAITING, Answers, Entry
from grader.review.scoring import separated


@dataclass(frozen=True)
class Member:
    """One submission on a card, and what a person gave it."""

    entry: Entry
    standing: StandingScore | None

    @property
    def version(self) -> int:
        """What must still stand when a score is given."""
        return self.standing.version if self.standing else 0


@dataclass(frozen=True)
class Card:
    """Submissions whose answers to one question are alike and have the same score.

    `question` is the first one's report, without its answer.
    """

    question: QuestionReport
    members: tuple[Member, ...]

    @property
    def key(self) -> str:
        """Names the card on its page."""
        return self.members[0].entry.handle

    @property
    def versions(self) -> str:
        """What is sent with a score: whom it is for, and what was seen."""
        seen = ((m.entry.handle, m.version, m.entry.version) for m in self.members)
        return " ".join(f"{handle}:{score}:{report}" for handle, score, report in seen)

    @property
    def score(self) -> ManualScore | None:
        """What a person gave."""
        return self.members[0].standing.score if self.members[0].standing else None

    @property
    def created(self) -> str:
        """When it was given, in UTC."""
        standing = self.members[0].standing
        return standing.created[:16].replace("T", " ") if standing else ""

    @property
    def is_open(self) -> bool:
        """Whether it waits for a person."""
        has_points = self.score is not None and self.score.points is not None
        return self.question.status in WAITING and not has_points

    @property
    def points(self) -> float | None:
        """The points that count now."""
        if self.score is not None and self.score.points is not None:
            return self.score.points
        return None if self.question.status in WAITING else self.question.points


@dataclass(frozen=True)
class Progress:
    """How many of a question's submissions are scored, of those that people score, and by whom."""

    done: int
    total: int
    people: tuple[tuple[str, int], ...]


def cards(gradebook: Gradebook, answers: Answers, question: str) -> list[Card]:
    """All cards of a question; groups keep their places while they are scored."""
    standing = gradebook.standing(question)
    alone = separated(gradebook, question)
    entries = answers.by_submission()
    found: list[Card] = []
    for group in answers.groups(question):
        members = [Member(entries[s], standing.get(s)) for s in group]
        found += _cards_of(members, alone, question)
    return found


def _cards_of(members: Sequence[Member], alone: set[str], question: str) -> Iterable[Card]:
    """A group's cards: those that are scored by themselves, and those that stand otherwise."""
    sides: dict[object, list[Member]] = {}
    for member in members:
        is_alone = member.entry.submission in alone
        side = member.entry.submission if is_alone else _state(member.standing)
        sides.setdefault(side, []).append(member)
    for together in sides.values():
        report = together[0].entry.question(question)
        if report is not None:
            yield Card(report, tuple(together))


def _state(standing: StandingScore | None) -> tuple[object, ...]:
    score = standing.score if standing else None
    return (score.points, score.comment, score.items) if score else (None, "", ())


def progress(answers: Answers, question: str, standing: Mapping[str, StandingScore]) -> Progress:
    """How far a question's scoring has come."""
    done = total = 0
    people: Counter[str] = Counter()
    for entry in answers.entries():
        report = entry.question(question)
        if report is None:
            continue
        row = standing.get(entry.submission)
        is_scored = row is not None and row.score.points is not None
        done += is_scored
        total += is_scored or report.status in WAITING
        if row is not None and is_scored:
            people[row.score.person] += 1
    return Progress(done, total, tuple(people.most_common()))
