"""`grader batch` on folders of hand-ins: each gets a report, and nothing is done twice."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path

import nbformat
import pytest

from grader.gradebook import ManualScore, open_gradebook
from grader.reports import from_json

WRONG = {"q1a-answer": "def square(x):\n    return 3 * x"}
Call = Callable[..., int]


@pytest.fixture
def call(call_command: Call) -> Call:
    """Runs `grader batch ARGUMENTS` in this process and returns the exit code."""
    return partial(call_command, "batch")


@pytest.fixture
def folder(tmp_path: Path, answered: Callable[..., object]) -> Path:
    """A right hand-in, a wrong one, and one that is no notebook."""
    folder = tmp_path / "submissions"
    folder.mkdir()
    for name, sources in (("ann", {}), ("bob", WRONG)):
        notebook = answered(**sources).notebook  # type: ignore[attr-defined]
        nbformat.write(notebook, folder / f"{name}.ipynb")
    (folder / "eve.ipynb").write_text("no notebook at all")
    return folder


def graded(out: Path) -> dict[str, float]:
    """The scores in the reports' files."""
    reports = (from_json(path.read_text()) for path in out.glob("*/report.json"))
    return {report.submission.id: report.score for report in reports}


@pytest.mark.xdist_group("batch")
def test_a_batch(
    call: Call, folder: Path, tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every file gets a report; run again, nothing is graded; changed checks tell their impact."""
    out = tmp_path / "out"
    assert call(tiny_folder, folder, "-o", out, "-j", "2") == 0
    printed = capsys.readouterr().out
    assert graded(out) == {"ann": 4.0, "bob": 2.0, "eve": 0.0}
    assert "[3/3]" in printed
    assert "eve: not graded" in printed
    with (out / "scores.csv").open(newline="", encoding="utf-8-sig") as file:
        assert {row["id"]: row["score"] for row in csv.DictReader(file)}["ann"] == "4"
    assert (out / "ann" / "feedback.html").is_file()
    assert "3 submissions with a report" in (out / "summary.html").read_text()
    assert 'href="eve/report.html"' in (out / "summary.html").read_text()

    before = {path: path.stat().st_mtime_ns for path in out.glob("*/report.json")}
    (out / "ann" / "feedback.html").unlink()
    (out / "bob" / "report.json").unlink()
    assert call(tiny_folder, folder, "-o", out, "-j", "2") == 0
    assert "0 graded, 3 kept" in capsys.readouterr().out
    assert (out / "ann" / "report.json").stat().st_mtime_ns == before[out / "ann" / "report.json"]
    assert (out / "bob" / "report.json").is_file()

    checks = tiny_folder / "checks" / "test_tiny.py"
    checks.write_text(checks.read_text().replace("== 14.0", "== 15.0"))
    with open_gradebook(out) as book:
        book.give(ManualScore("ann", "1b", 1.0, "", "tom"))
    summary = (out / "summary.html").stat().st_mtime_ns
    assert call(tiny_folder, folder, "-o", out, "-j", "2", "--dry-run") == 0
    assert (out / "summary.html").stat().st_mtime_ns == summary
    printed = capsys.readouterr().out
    assert "would change" in printed
    assert "test_total: passed → failed" in printed
    assert graded(out) == {"ann": 4.0, "bob": 2.0, "eve": 0.0}
    assert call(tiny_folder, folder, "-o", out, "-j", "2") == 0
    assert graded(out) == {"ann": 3.0, "bob": 1.0, "eve": 0.0}
    with open_gradebook(out) as book:
        assert next(row for row in book.score_rows() if row.id == "ann").score == 4.0


def test_a_stopped_batch_has_its_summary(
    call: Call, folder: Path, tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C the summary says what was graded, and what was not yet."""

    def stopped(assignment, download, gradebook, execute, observer, options) -> None:
        for found in download.submissions:
            gradebook.add_submission(found)
        raise KeyboardInterrupt

    monkeypatch.setattr("grader.commands.batch.run_batch", stopped)
    assert call(tiny_folder, folder, "-o", tmp_path / "out", "-j", "1") != 0
    assert "3 not graded yet" in (tmp_path / "out" / "summary.html").read_text()


def test_output_among_the_submissions(
    call: Call, folder: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The batch's own files are not put where the next batch would take them for submissions."""
    assert call(tiny_folder, folder, "-o", folder / "out") == 2
    assert "choose another folder" in capsys.readouterr().err


def test_an_empty_folder(
    call: Call, tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder without a submission is an error, not an empty success."""
    (tmp_path / "empty").mkdir()
    assert call(tiny_folder, tmp_path / "empty", "-o", tmp_path / "out") == 2
    assert "no submission" in capsys.readouterr().err


def test_an_anonymous_batch(
    call: Call, tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither what is written nor what is printed tells who handed in, even what is refused."""
    (tmp_path / "in").mkdir()
    for name in ("quill_ada", "larkwood"):
        (tmp_path / "in" / f"{name}.pdf").write_bytes(b"%PDF-1.7")
    out = tmp_path / "out"
    assert call(tiny_folder, tmp_path / "in", "-o", out, "-j", "1", "--anonymous") == 0
    written = [path for path in out.rglob("*") if "gradebook" not in path.name]
    texts = [str(path.relative_to(out)) for path in written]
    texts += [path.read_text(encoding="utf-8-sig") for path in written if path.is_file()]
    for known in ("quill", "larkwood"):
        assert known not in "\n".join([*texts, capsys.readouterr().out])
    assert len(list(out.glob("anon-*/feedback.html"))) == 2
    assert (out / "similar.html").is_file()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('[map]\n"1a" = 4', "name the submission: [map.ID]"),
        ('[map.tom]\n"1a" = 4', "there is no submission 'tom'"),
        ('[map.ann]\n"9z" = 4', "the map names question '9z'"),
    ],
)
def test_a_map_of_nobody(
    call: Call,
    folder: Path,
    tmp_path: Path,
    tiny_folder: Path,
    capsys: pytest.CaptureFixture[str],
    content: str,
    reason: str,
) -> None:
    """A map that names no submission, or a question that there is not, is refused beforehand."""
    (tmp_path / "cells.toml").write_text(content)
    options = ("-o", tmp_path / "out", "--map-file", tmp_path / "cells.toml")
    assert call(tiny_folder, folder, *options) == 2
    assert reason in capsys.readouterr().err
