"""What people gave reaches the files that are handed back."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from html_page import Page
from reviewing import fill, prose, report_of

from grader.batch.handing_back import write_reviewed
from grader.batch.publishing import Publisher
from grader.commands.export import export
from grader.gradebook import Gradebook, ManualScore, open_gradebook
from grader.records import GivenItem, GivenScore
from grader.reports import render_student
from grader.review.scoring import Wanted, add_item, give


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A batch of two, of which the first has been reviewed."""
    fill(tmp_path, [report_of(identity, prose("An answer.")) for identity in ("ann", "bob")])
    with open_gradebook(tmp_path) as book:
        item = add_item(book, "1b", "names the <minimum>", 1.5, "tom")
        wanted = Wanted((item,), None, "but $x^2$ is **convex**")
        give(book, "1b", {"ann": 0}, wanted, 3.0, "tom", "action-1")
    return tmp_path


def reviewed(folder: Path) -> Gradebook:
    """The gradebook of a batch."""
    return open_gradebook(folder)


def test_feedback_has_points_items_and_comment(folder: Path) -> None:
    """The student's page shows what was given, and for what, but not by whom."""
    with reviewed(folder) as book:
        assert write_reviewed(book) == 1
    text = (folder / "ann" / "feedback.html").read_text(encoding="utf-8")
    page = Page(text)
    assert "1.5 / 3" in page.text
    assert "+1.5 names the <minimum>" in " ".join(page.text.split())
    assert "<strong>convex</strong>" in text
    assert page.all("math")
    assert "tom" not in page.text
    assert "waiting" not in page.text
    assert not (folder / "bob").exists()


def test_the_graders_own_report_stays(folder: Path) -> None:
    """report.json is what the grader found, whatever people gave."""
    with reviewed(folder) as book:
        stored = book.report("ann")
        write_reviewed(book)
    assert stored is not None
    assert stored.report.pending == 3.0
    assert '"pending": 3.0' in (folder / "ann" / "report.json").read_text(encoding="utf-8")


def test_scores_csv(folder: Path) -> None:
    """The table has the points, the items and the comment."""
    with reviewed(folder) as book:
        write_reviewed(book)
    with (folder / "scores.csv").open(encoding="utf-8-sig", newline="") as file:
        ann, bob = csv.DictReader(file)
    assert (ann["1b"], ann["score"], ann["pending"]) == ("1.5", "2.5", "0")
    assert ann["comment"] == "1b: +1.5 names the <minimum>; but $x^2$ is **convex**"
    assert (bob["1b"], bob["comment"]) == ("", "")


def test_export_writes_new_feedback(folder: Path) -> None:
    """An export has what was given since the batch wrote its files; a dry run writes nothing."""
    arguments = [str(folder), "--to", "csv"]
    export.main([*arguments, "--dry-run"], standalone_mode=False)
    assert not (folder / "ann").exists()
    export.main(arguments, standalone_mode=False)
    assert "1.5 / 3" in (folder / "ann" / "feedback.html").read_text(encoding="utf-8")
    assert "names the" in (folder / "export" / "scores.csv").read_text(encoding="utf-8-sig")


def test_under_pseudonyms(folder: Path) -> None:
    """A batch that was written under pseudonyms is written so again."""
    with reviewed(folder) as book:
        publisher = Publisher(book, is_anonymous=True)
        for identity in ("ann", "bob"):
            publisher.write_missing(identity)
        write_reviewed(book)
        names = book.pseudonyms()
    assert "1.5 / 3" in (folder / names["ann"] / "feedback.html").read_text(encoding="utf-8")
    assert not (folder / "ann").exists()
    assert "ann" not in (folder / "scores.csv").read_text(encoding="utf-8-sig")


def test_a_comment_alone_changes_no_points(folder: Path) -> None:
    """A comment on a question that checks decide is shown beside the grader's points."""
    with reviewed(folder) as book:
        book.give(ManualScore("bob", "1a", None, "mind the sign", "tom"))
        write_reviewed(book)
        assert book.score_rows()[1].questions == {"1a": 1.0, "1b": None}
    text = Page((folder / "bob" / "feedback.html").read_text(encoding="utf-8")).text
    assert "mind the sign" in text
    assert "given by a person" not in text


def test_hostile_comments_and_items() -> None:
    """What a reviewer writes is made as safe as what a student writes."""
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    given = {"1b": GivenScore(1.0, attack, (GivenItem(attack, -1.0),))}
    text = render_student(report_of("ann", prose("x")), given)
    assert "<script" not in text
    assert "<img" not in text
