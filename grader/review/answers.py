"""All answers of a batch, read once, so that a page opens at once."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from grader.batch.summary import lean
from grader.gradebook import Gradebook
from grader.records import QuestionReport, QuestionStatus, Report
from grader.reports.json_report import from_json, question_from_json
from grader.review.likeness import AnswerText, answer_text, groups

WAITING = frozenset({QuestionStatus.PENDING, QuestionStatus.UNGRADED})
KEPT_QUESTIONS = 400


@dataclass(frozen=True)
class Entry:
    """A submission; `handle` stands for it where its owner is not to be known.

    `report` is without answers; `texts` are what of them is compared, by question.
    """

    submission: str
    handle: str
    name: str
    version: int
    report: Report
    texts: dict[str, AnswerText]

    def question(self, identity: str) -> QuestionReport | None:
        """The question's report, its answer left out."""
        return self._questions.get(identity)

    @cached_property
    def _questions(self) -> dict[str, QuestionReport]:
        return {question.id: question for question in self.report.questions}


@dataclass(frozen=True)
class QuestionAbout:
    """A question of the assignment, as the newest reports have it."""

    number: int
    id: str
    title: str
    kind: str
    max_points: float


def handle_of(submission: str) -> str:
    """What stands for a submission in addresses: it says nothing of whose it is."""
    return hashlib.sha256(f"review of {submission}".encode()).hexdigest()[:12]


class Answers:
    """The answers in a gradebook; several threads may ask at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._by_handle: dict[str, Entry] = {}
        self._abouts: list[QuestionAbout] = []
        self._seen: tuple[int, int] = (0, -1)
        self._groups: dict[str, list[tuple[str, ...]]] = {}
        self._questions: OrderedDict[tuple[int, str], QuestionReport] = OrderedDict()

    def refresh(self, gradebook: Gradebook) -> None:
        """Reads the reports that are new since the last time."""
        with self._lock:
            connection = gradebook._connection
            seen = connection.execute("SELECT ifnull(max(id), 0), count(*) FROM report").fetchone()
            if tuple(seen) == self._seen:
                return
            names = gradebook.names()
            newest = dict(connection.execute("SELECT submission, id FROM current_report"))
            for submission, version in newest.items():
                known = self._entries.get(submission)
                if known is None or known.version != version:
                    text = connection.execute(
                        "SELECT report FROM report WHERE id = ?", (version,)
                    ).fetchone()[0]
                    name = names.get(submission, "")
                    self._entries[submission] = _entry(submission, name, version, text)
            self._groups.clear()
            self._by_handle = {
                e.handle: e for e in sorted(self._entries.values(), key=lambda e: e.handle)
            }
            self._abouts = _questions(list(self._entries.values()))
            self._seen = tuple(seen)

    def by_submission(self) -> dict[str, Entry]:
        """Every submission with a report, by its id."""
        return dict(self._entries)

    @property
    def seen(self) -> tuple[int, int]:
        """Changes with the reports."""
        return self._seen

    def entries(self) -> list[Entry]:
        """Every submission with a report, in an order that tells nothing of whose it is."""
        return list(self._by_handle.values())

    def entry(self, handle: str) -> Entry | None:
        """The submission behind a handle."""
        return self._by_handle.get(handle)

    def questions(self) -> list[QuestionAbout]:
        """The assignment's questions in their order."""
        return self._abouts

    def groups(self, question: str) -> list[tuple[str, ...]]:
        """The submissions whose answers to a question are alike."""
        with self._lock:
            if question not in self._groups:
                self._groups[question] = self._grouped(question)
            return self._groups[question]

    def _grouped(self, question: str) -> list[tuple[str, ...]]:
        waiting: dict[str, AnswerText] = {}
        decided: dict[str, AnswerText] = {}
        handles = {entry.handle: entry.submission for entry in self._entries.values()}
        for entry in self._entries.values():
            if (found := entry.question(question)) is not None:
                side = waiting if found.status in WAITING else decided
                side[entry.handle] = entry.texts[question]
        found_groups = [*groups(waiting), *groups(decided)]
        return [tuple(handles[handle] for handle in group) for group in found_groups]

    def answer(self, gradebook: Gradebook, entry: Entry, question: str) -> QuestionReport:
        """A question's whole report, its answer with it."""
        key = (entry.version, question)
        with self._lock:
            if key in self._questions:
                self._questions.move_to_end(key)
                return self._questions[key]
        place = [q.id for q in entry.report.questions].index(question)
        text = gradebook._connection.execute(
            "SELECT json_extract(report, ?) FROM report WHERE id = ?",
            (f"$.questions[{place}]", entry.version),
        ).fetchone()[0]
        found = question_from_json(text)
        with self._lock:
            self._questions[key] = found
            while len(self._questions) > KEPT_QUESTIONS:
                self._questions.popitem(last=False)
        return found


def _entry(submission: str, name: str, version: int, text: str) -> Entry:
    report = from_json(text)
    texts = {question.id: answer_text(question) for question in report.questions}
    return Entry(submission, handle_of(submission), name, version, lean(report), texts)


def _questions(entries: Sequence[Entry]) -> list[QuestionAbout]:
    """The questions of all reports, as the newest have them."""
    found: dict[str, QuestionReport] = {}
    for entry in sorted(entries, key=lambda entry: -entry.version):
        for question in entry.report.questions:
            found.setdefault(question.id, question)
    return [
        QuestionAbout(number, q.id, q.title, q.kind.value, q.max_points)
        for number, q in enumerate(found.values(), start=1)
    ]
