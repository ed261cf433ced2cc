"""Reports are written whole or not at all."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from grader.records import Report
from grader.reports import from_json, render_instructor, render_student, to_json
from grader.reports.files import write_reports


def test_three_files_are_written(report: Report, tmp_path: Path) -> None:
    """The folder is made, holds exactly the three reports, and the paths come back."""
    folder = tmp_path / "deep" / "s1"
    paths = write_reports(report, folder)
    assert sorted(path.name for path in paths) == ["feedback.html", "report.html", "report.json"]
    assert sorted(folder.iterdir()) == sorted(paths)
    assert (folder / "report.html").read_text("utf-8") == render_instructor(report)
    assert (folder / "feedback.html").read_text("utf-8") == render_student(report)
    assert to_json(from_json((folder / "report.json").read_text("utf-8"))) == to_json(report)


def test_older_reports_are_replaced(report: Report, tmp_path: Path) -> None:
    """Grading again replaces what an earlier run wrote."""
    write_reports(report, tmp_path)
    write_reports(replace(report, score=7.0), tmp_path)
    assert from_json((tmp_path / "report.json").read_text("utf-8")).score == 7.0


def test_the_json_comes_last(report: Report, tmp_path: Path) -> None:
    """Where report.json lies, the pages are complete, so a killed batch can resume."""
    assert write_reports(report, tmp_path)[-1].name == "report.json"


def test_a_failed_write_leaves_nothing(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When replacing fails, the old file stays and no temporary one is left."""
    (tmp_path / "report.html").write_text("old")

    def fail(source: object, target: object) -> None:
        raise OSError

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError):
        write_reports(report, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "old"


def test_text_that_utf8_cannot_carry(report: Report, tmp_path: Path) -> None:
    """A lone surrogate in a title does not stop the reports from being written."""
    assert len(write_reports(replace(report, title="a\ud800b"), tmp_path)) == 3
