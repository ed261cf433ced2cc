"""The gradebook of a batch: every report, every score that a person gave, and how each came to be.

`gradebook.sqlite` in the batch's folder; `docs/gradebook.md` documents its tables. Nothing in it
is ever overwritten: a new report or score stands beside the old one, and the newest counts.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from grader.errors import UsageError
from grader.gradebook_tables import MIGRATIONS
from grader.lms.records import FoundSubmission, ScoreRow
from grader.manual_scores import ManualScore, ManualScores, StandingScore, now
from grader.records import GivenScore, QuestionStatus, Report
from grader.reports.json_report import from_json, to_json

__all__ = ["FILE", "Gradebook", "ManualScore", "StandingScore", "open_gradebook", "score_rows"]

FILE = "gradebook.sqlite"
# Another process may be writing: a reviewer, or a batch that ends.
BUSY_SECONDS = 30.0
# Ids by which a school knows its students, among the keys of a submission.
SCHOOL_IDS = ("roster_id", "student_id", "blackboard_username")
# No two letters and digits of it look alike.
PSEUDONYM_LETTERS, PSEUDONYM_LENGTH = "abcdefghjkmnpqrstuvwxyz23456789", 6


@dataclass(frozen=True)
class StoredReport:
    """A report as it lies in the gradebook; `key` says what it was made from."""

    submission: str
    key: str
    report: Report


@dataclass(frozen=True)
class ScoreChange:
    """One entry in the history of a question's score."""

    question: str
    points: float | None
    created: str
    person: str
    reason: str


@dataclass(frozen=True)
class Identity:
    """Who handed in: a name or nothing, and ids of theirs elsewhere."""

    name: str
    ids: tuple[str, ...]


class Gradebook(ManualScores):
    """An open gradebook. Several processes may have one open."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        super().__init__(connection)
        self.folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    # runs and reports

    def begin_run(self, assignment: str, environment: Mapping[str, str]) -> int:
        """Notes that a batch starts; returns the run's number."""
        row = (now(), assignment, json.dumps(dict(environment), sort_keys=True))
        with self._writing() as connection:
            cursor = connection.execute(
                "INSERT INTO run (started, assignment, environment) VALUES (?, ?, ?)", row
            )
        return int(cursor.lastrowid or 0)

    def finish_run(self, run: int) -> None:
        """Notes that a batch has come to its end."""
        with self._writing() as connection:
            connection.execute("UPDATE run SET finished = ? WHERE id = ?", (now(), run))

    def add_submission(self, found: FoundSubmission) -> None:
        """Notes a submission, or what the download now says of it."""
        row = {
            "id": found.id,
            "name": found.name,
            "email": found.email,
            "submitted": found.submitted.isoformat() if found.submitted else "",
            "is_late": int(found.is_late),
            "attempt": found.attempt,
            "members": json.dumps(found.members),
            "keys": json.dumps(dict(found.keys), sort_keys=True),
        }
        columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        updates = ", ".join(f"{name} = excluded.{name}" for name in row if name != "id")
        with self._writing() as connection:
            connection.execute(
                f"INSERT INTO submission ({columns}) VALUES ({values}) "  # noqa: S608 - our names
                f"ON CONFLICT (id) DO UPDATE SET {updates}",
                row,
            )

    def add_report(self, run: int, key: str, report: Report) -> None:
        """Keeps a report on a submission that has been added."""
        scores = (report.score, report.max_score, report.pending)
        row = (report.submission.id, run, key, now(), *scores, to_json(report))
        with self._writing() as connection:
            cursor = connection.execute(
                "INSERT INTO report (submission, run, key, created, score, max_score, pending, "
                "report) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            connection.executemany(
                "INSERT INTO question_score VALUES (?, ?, ?, ?, ?)",
                [
                    (cursor.lastrowid, q.id, q.points, q.max_points, q.status.value)
                    for q in report.questions
                ],
            )

    def reports(self) -> Iterator[StoredReport]:
        """The newest report on each submission, by its id."""
        rows = self._connection.execute(
            "SELECT submission, key, report FROM current_report ORDER BY submission"
        )
        for submission, key, text in rows:
            yield StoredReport(submission, key, from_json(text))

    def report(self, submission: str) -> StoredReport | None:
        """The newest report on one submission."""
        row = self._connection.execute(
            "SELECT submission, key, report FROM current_report WHERE submission = ?",
            (submission,),
        ).fetchone()
        return StoredReport(row[0], row[1], from_json(row[2])) if row else None

    def keys(self) -> dict[str, str]:
        """What each submission's newest report was made from, by the submission's id."""
        return dict(self._connection.execute("SELECT submission, key FROM current_report"))

    def assignment(self) -> str:
        """The assignment of the newest run; empty where there is none."""
        row = self._connection.execute(
            "SELECT assignment FROM run ORDER BY id DESC LIMIT 1"
        ).fetchone()
        return row[0] if row else ""

    def names(self) -> dict[str, str]:
        """Each submission's name by its id, those without a report as well."""
        return dict(self._connection.execute("SELECT id, name FROM submission ORDER BY id"))

    # who handed in

    def pseudonyms(self) -> dict[str, str]:
        """A pseudonym for each submission, the same for ever; only the gradebook tells whose."""
        known = self.known_pseudonyms()
        while new := [identity for identity in self.names() if identity not in known]:
            rows = [(identity, _pseudonym()) for identity in new]
            with self._writing() as connection:
                # One that is taken already is drawn again.
                connection.executemany("INSERT OR IGNORE INTO pseudonym VALUES (?, ?)", rows)
            known = self.known_pseudonyms()
        return known

    def known_pseudonyms(self) -> dict[str, str]:
        """The pseudonyms that have been drawn, by the submission's id."""
        return dict(self._connection.execute("SELECT submission, pseudonym FROM pseudonym"))

    def identities(self) -> dict[str, Identity]:
        """What is known of who handed in, by the submission's id."""
        rows = self._connection.execute("SELECT id, name, members, keys FROM submission")
        return {
            identity: _identity(name, json.loads(members), json.loads(keys))
            for identity, name, members, keys in rows
        }

    # what people give

    def give(self, score: ManualScore) -> None:
        """Keeps a person's score; earlier ones stay in the history.

        Raises:
            UsageError: there is no such submission or question.
        """
        known = self._connection.execute(
            "SELECT 1 FROM question_score q JOIN current_report r ON r.id = q.report "
            "WHERE r.submission = ? AND q.question = ?",
            (score.submission, score.question),
        ).fetchone()
        if known is None:
            raise UsageError(
                f"{self.folder / FILE}: there is no question {score.question!r} of a submission "
                f"{score.submission!r} in it"
            )
        with self._writing():
            self._insert(score)

    def history(self, submission: str, question: str) -> tuple[ScoreChange, ...]:
        """How a question's score came to be, oldest first."""
        rows = self._connection.execute(
            "SELECT question, points, created, person, reason FROM history "
            "WHERE submission = ? AND question = ? ORDER BY created",
            (submission, question),
        )
        return tuple(ScoreChange(*row) for row in rows)

    def score_rows(self) -> list[ScoreRow]:
        """A row a submission, what people gave in the place of the grader's points."""
        rows = self._connection.execute(
            "SELECT s.id, s.name, s.email, s.keys, r.report FROM submission s "
            "JOIN current_report r ON r.submission = s.id ORDER BY s.id"
        )
        return [self._score_row(*row) for row in rows]

    def _score_row(self, identity: str, name: str, email: str, keys: str, text: str) -> ScoreRow:
        report, given = from_json(text), self.given(identity)
        questions = questions_with(report, given)
        waiting = [q for q in report.questions if questions[q.id] is None]
        files = self._report_folder(identity)
        return ScoreRow(
            id=identity,
            name=name,
            email=email,
            score=sum(points for points in questions.values() if points is not None),
            max_score=report.max_score,
            pending=sum(question.max_points for question in waiting),
            questions=questions,
            comment="\n".join(f"{q}: {g.words}" for q, g in given.items() if g.words),
            feedback=_if_there(files / "feedback.html"),
            keys=json.loads(keys),
            report=_if_there(files / "report.json"),
        )

    def _report_folder(self, identity: str) -> Path:
        """Where a submission's reports lie, which may be by its pseudonym."""
        folder = self.folder / identity
        pseudonym = self.known_pseudonyms().get(identity)
        return self.folder / pseudonym if pseudonym and not folder.is_dir() else folder

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """All or nothing of what is written inside."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def open_gradebook(folder: Path, *, create: bool = False) -> Gradebook:
    """Opens the gradebook in a batch's folder; with `create`, makes one where there is none.

    Raises:
        UsageError: there is none, it is damaged, or a newer grader made it.
    """
    path = folder / FILE
    if not create and not path.is_file():
        raise UsageError(f"{folder}: there is no {FILE} in it; `grader batch` makes one")
    folder.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        _migrate(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise UsageError(f"{path}: the gradebook cannot be opened ({error})") from error
    except UsageError:
        connection.close()
        raise
    return Gradebook(connection, folder)


def score_rows(folder: Path) -> list[ScoreRow]:
    """The scores in a batch's folder, a row a submission.

    Raises:
        UsageError: there is no gradebook in it.
    """
    with open_gradebook(folder) as gradebook:
        return gradebook.score_rows()


def questions_with(
    report: Report, manual: Mapping[str, ManualScore] | Mapping[str, GivenScore]
) -> dict[str, float | None]:
    """Each question's points, a person's before the grader's; None where they are still to come."""
    given = {q: score.points for q, score in manual.items() if score.points is not None}
    waiting = (QuestionStatus.PENDING, QuestionStatus.UNGRADED)
    return {
        q.id: given.get(q.id, None if q.status in waiting else q.points) for q in report.questions
    }


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise UsageError(f"{path}: a newer grader made this gradebook; update nn-grader")
    for number, statements in enumerate(_outstanding(version), start=version + 1):
        # In one transaction with its number: a migration is never half done.
        connection.executescript(
            f"BEGIN IMMEDIATE; {statements} PRAGMA user_version = {number}; COMMIT;"
        )


def _outstanding(version: int) -> Sequence[str]:
    return MIGRATIONS[version:]


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None


def identity_of(found: FoundSubmission) -> Identity:
    """What a download tells of who handed in."""
    return _identity(found.name, found.members, found.keys)


def _identity(name: str, members: Sequence[str], keys: Mapping[str, str]) -> Identity:
    # What an LMS counts its users by tells nobody anything, and may be any number.
    known = [keys[key] for key in SCHOOL_IDS if key in keys]
    return Identity(name, (*members, *known))


def _pseudonym() -> str:
    letters = (secrets.choice(PSEUDONYM_LETTERS) for _ in range(PSEUDONYM_LENGTH))
    return f"anon-{''.join(letters)}"
