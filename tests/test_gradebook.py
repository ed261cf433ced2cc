"""The gradebook: what it keeps, what counts, and what it never loses."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader import gradebook as module
from grader.errors import UsageError
from grader.gradebook import FILE, Gradebook, ManualScore, open_gradebook, score_rows
from grader.lms.records import FoundSubmission
from grader.records import QuestionKind, QuestionReport, QuestionStatus, Report, SubmissionRecord


def report(identity: str = "ann", points: float = 1.5) -> Report:
    """A report on a code question and a written one."""
    code = QuestionReport("1a", "code", QuestionKind.CODE, points, 2.0, QuestionStatus.PARTIAL)
    written = QuestionReport("1b", "text", QuestionKind.WRITTEN, 0.0, 3.0, QuestionStatus.PENDING)
    record = SubmissionRecord(identity, ("hw.ipynb",), "00")
    fields = (points, 5.0, 3.0, "none", {}, 1.0)
    return Report("tiny", "Tiny", record, *fields, questions=(code, written))


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    """A gradebook with one report on ann's submission."""
    with open_gradebook(tmp_path, create=True) as book:
        book.add_submission(FoundSubmission("ann", (), "Ann", keys={"canvas_id": "7"}))
        book.add_report(book.begin_run("tiny", {"python": "3"}), "k1", report())
        yield book


def test_reports_come_back(book: Gradebook) -> None:
    """A report is read as it was written, the newest for each submission."""
    book.add_report(book.begin_run("tiny", {}), "k2", report(points=2.0))
    stored = book.report("ann")
    assert stored is not None
    assert (stored.key, stored.report) == ("k2", report(points=2.0))
    assert [one.report for one in book.reports()] == [report(points=2.0)]
    assert book.keys() == {"ann": "k2"}
    assert book.report("bob") is None


def test_rows(book: Gradebook, tmp_path: Path) -> None:
    """A row has the points so far, what waits, and what the school's system needs."""
    (row,) = score_rows(tmp_path)
    assert (row.id, row.name, row.score, row.max_score, row.pending) == ("ann", "Ann", 1.5, 5, 3)
    assert row.questions == {"1a": 1.5, "1b": None}
    assert row.keys == {"canvas_id": "7"}


def test_a_persons_score_counts(book: Gradebook) -> None:
    """What a person gives stands in for the grader's points, through later runs as well."""
    book.give(ManualScore("ann", "1b", 2.5, "well argued", "tom"))
    book.give(ManualScore("ann", "1a", 2.0, "", "tom", reason="the check was too strict"))
    book.add_report(book.begin_run("tiny", {}), "k2", report(points=0.0))
    (row,) = book.score_rows()
    assert (row.score, row.pending) == (4.5, 0.0)
    assert row.comment == "1b: well argued"


def test_a_score_can_be_taken_back(book: Gradebook) -> None:
    """Without a person's score, the grader's counts again."""
    book.give(ManualScore("ann", "1a", 2.0, "", "tom"))
    book.give(ManualScore("ann", "1a", None, "", "tom", reason="by mistake"))
    (row,) = book.score_rows()
    assert row.score == 1.5


def test_history(book: Gradebook) -> None:
    """Every score of a question stays, with who gave it and why."""
    book.give(ManualScore("ann", "1a", 2.0, "", "tom", reason="too strict"))
    book.add_report(book.begin_run("tiny", {}), "k2", report(points=0.5))
    found = [(c.points, c.person, c.reason) for c in book.history("ann", "1a")]
    assert sorted(found, key=str) == sorted(
        [(1.5, "grader", "run 1"), (2.0, "tom", "too strict"), (0.5, "grader", "run 2")], key=str
    )


@pytest.mark.parametrize(("submission", "question"), [("bob", "1a"), ("ann", "9z")])
def test_scores_of_nothing(book: Gradebook, submission: str, question: str) -> None:
    """A score for a submission or a question that is not there is refused."""
    with pytest.raises(UsageError, match=question):
        book.give(ManualScore(submission, question, 1.0, "", "tom"))


def test_two_at_once(book: Gradebook, tmp_path: Path) -> None:
    """Two processes that have it open see each other's entries."""
    with open_gradebook(tmp_path) as other:
        other.give(ManualScore("ann", "1b", 1.0, "", "eve"))
        book.give(ManualScore("ann", "1a", 2.0, "", "tom"))
        assert set(other.manual_scores("ann")) == {"1a", "1b"}


def test_a_report_is_kept_whole_or_not_at_all(book: Gradebook) -> None:
    """Where a part of a report cannot be kept, nothing of it is."""
    twice = replace(report(), questions=report().questions * 2)
    with pytest.raises(sqlite3.IntegrityError):
        book.add_report(1, "k2", twice)
    assert book.keys() == {"ann": "k1"}


def test_no_gradebook(tmp_path: Path) -> None:
    """A folder without one is named, with what makes one."""
    with pytest.raises(UsageError, match="grader batch"):
        open_gradebook(tmp_path)


def test_not_a_database(tmp_path: Path) -> None:
    """A damaged file is named."""
    (tmp_path / FILE).write_bytes(b"no database, but long enough to be read as one" * 100)
    with pytest.raises(UsageError, match=FILE):
        open_gradebook(tmp_path)


def test_a_newer_graders(book: Gradebook, tmp_path: Path) -> None:
    """A gradebook of a later version is not touched."""
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UsageError, match="newer"):
        open_gradebook(tmp_path)


def test_migrations(book: Gradebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older gradebook is brought up to date once, and keeps what is in it."""
    more = (*module.MIGRATIONS, "ALTER TABLE submission ADD COLUMN note TEXT DEFAULT 'x';")
    monkeypatch.setattr(module, "MIGRATIONS", more)
    for _ in range(2):
        with open_gradebook(tmp_path) as migrated:
            assert migrated.keys() == {"ann": "k1"}
            notes = migrated._connection.execute("SELECT note FROM submission").fetchall()
            assert notes == [("x",)]


def test_a_migration_that_fails_changes_nothing(
    book: Gradebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a migration is none."""
    broken = (*module.MIGRATIONS, "CREATE TABLE extra (a); SELECT * FROM nowhere;")
    monkeypatch.setattr(module, "MIGRATIONS", broken)
    with pytest.raises(UsageError, match="nowhere"):
        open_gradebook(tmp_path)
    monkeypatch.undo()
    with open_gradebook(tmp_path) as unchanged:
        tables = unchanged._connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert ("extra",) not in tables
