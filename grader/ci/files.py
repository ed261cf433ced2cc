"""The files that a student may be given of a report."""

from __future__ import annotations

from pathlib import Path

from grader.records import Report
from grader.reports import render_student, to_json
from grader.reports.audience import for_student
from grader.reports.files import write_whole


def write_for_student(report: Report, out: Path) -> None:
    """Writes feedback.html and report.json, both without hidden checks."""
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "feedback.html", render_student(report))
    write_whole(out / "report.json", to_json(for_student(report)))
