"""What is written of a gradebook: everything, or nothing that tells whose it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.batch.publishing import Publisher, anonymous_rows
from grader.batch.summary import write_summary
from grader.gradebook import Gradebook, ManualScore, open_gradebook
from grader.lms.records import Download, FoundSubmission, RosterEntry
from grader.lms.scores import scores_csv
from grader.records import QuestionKind, QuestionReport, QuestionStatus, Report, SubmissionRecord

ADA, BOB = "s1234567", "larkwood"


def report(identity: str) -> Report:
    """A report that speaks of its student, and of another one's number."""
    question = QuestionReport(
        *("1a", "code", QuestionKind.CODE, 1.0, 2.0, QuestionStatus.PARTIAL),
        notes=(f"{identity} and 7654321",),
    )
    record = SubmissionRecord(identity, (f"{identity}.ipynb",), "00")
    return Report(
        *("tiny", "Tiny", record, 1.0, 2.0, 0.0, "none", {"python": "3"}, 1.0),
        questions=(question,),
        notes=(f"{identity}.ipynb was read",),
    )


PEOPLE = (RosterEntry("7654321", "Eve Hopper", ids=("7654321",)),)
FOUND = (FoundSubmission(ADA, (), "Ada Quill"), FoundSubmission(BOB, (), "Bob Larkwood"))
DOWNLOAD = Download("files", FOUND, people=PEOPLE)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    """A gradebook with two submissions."""
    with open_gradebook(tmp_path, create=True) as book:
        run = book.begin_run("tiny", {})
        for found in FOUND:
            book.add_submission(found)
            book.add_report(run, "k", report(found.id))
        book.give(ManualScore(ADA, "1a", 2.0, "well done, Ada Quill", "tom"))
        yield book


def texts(folder: Path) -> str:
    """The names and contents of all that is written, the gradebook left out."""
    files = [p for p in folder.rglob("*") if p.is_file() and "gradebook" not in p.name]
    return "\n".join(f"{p.relative_to(folder)}\n{p.read_text()}" for p in files)


def test_under_pseudonyms(book: Gradebook) -> None:
    """Pages, reports and scores have pseudonyms alone; the gradebook tells whose they are."""
    publisher = Publisher(book, is_anonymous=True, download=DOWNLOAD)
    for found in FOUND:
        publisher.write_missing(found.id)
    (book.folder / "scores.csv").write_bytes(scores_csv(publisher.rows()))
    write_summary(book, publisher)
    written = texts(book.folder).casefold()
    for known in (ADA, BOB, "1234567", "7654321", "quill"):
        assert known not in written
    assert {publisher.shown(ADA), publisher.shown(BOB)} == set(book.pseudonyms().values())
    assert (book.folder / publisher.shown(ADA) / "report.html").is_file()
    assert publisher.with_names() == []
    assert {row.id for row in book.score_rows()} == {ADA, BOB}
    assert all(row.feedback for row in book.score_rows())


def test_pseudonyms_stay(book: Gradebook) -> None:
    """A pseudonym is drawn once; who comes later gets another one, and the old ones stay."""
    before = book.pseudonyms()
    assert len(set(before.values())) == 2
    assert all(name.startswith("anon-") for name in before.values())
    book.add_submission(FoundSubmission("zoe", ()))
    after = book.pseudonyms()
    assert after.items() > before.items()
    assert len(set(after.values())) == 3


def test_with_names(book: Gradebook) -> None:
    """Without the option, ids and names stay, and only the roster's numbers are masked."""
    publisher = Publisher(book, download=DOWNLOAD)
    published = publisher.published(publisher.kept(report(BOB)))
    assert published.submission.id == BOB
    assert published.questions[0].notes == ("larkwood and [student number]",)
    publisher.write(published)
    assert publisher.with_names() == []
    assert Publisher(book, is_anonymous=True).with_names() == [BOB]


def test_exported_rows(book: Gradebook) -> None:
    """An anonymous export has the points, a comment without names, and reports to go with it."""
    with anonymous_rows(book.folder) as rows:
        table = list(csv.DictReader(io.StringIO(scores_csv(rows).decode("utf-8-sig"))))
        assert all(row.report and row.report.is_file() and row.feedback for row in rows)
    assert not list(book.folder.glob("anon-*"))
    assert sorted(line["score"] for line in table) == ["1", "2"]
    assert {line["name"] for line in table} == {""}
    assert "well done, [name]" in "".join(line["comment"] for line in table)
    assert [row.id for row in rows] == sorted(book.pseudonyms().values())
    assert not any(row.keys for row in rows)


def test_a_submission_of_a_dry_run(book: Gradebook) -> None:
    """What the gradebook does not know yet has no pseudonym of its own, and no name either."""
    found = FoundSubmission("zoe", (), "Zoe Grant")
    publisher = Publisher(book, is_anonymous=True, download=Download("files", (found,)))
    assert publisher.shown("zoe") == "anon-new"
    assert "zoe" not in book.pseudonyms()
