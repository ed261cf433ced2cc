"""A report's files, each complete or not there at all."""

from __future__ import annotations

import secrets
from pathlib import Path

from grader.records import Report
from grader.reports.html_report import render_instructor, render_student
from grader.reports.json_report import to_json


def write_reports(report: Report, directory: Path) -> list[Path]:
    """Write report.html, feedback.html and report.json into `directory`; return their paths.

    report.json comes last: where it lies, the other two are complete.
    """
    texts = {
        "report.html": render_instructor(report),
        "feedback.html": render_student(report),
        "report.json": to_json(report),
    }
    directory.mkdir(parents=True, exist_ok=True)
    return [write_whole(directory / name, text) for name, text in texts.items()]


def write_whole(path: Path, text: str) -> Path:
    """Write a file that is complete or, where it is interrupted, not there; return its path."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
