"""A report's files, each complete or not there at all."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from grader.records import GivenScore, Report
from grader.reports.html_report import render_instructor, render_student
from grader.reports.json_report import to_json


def write_reports(
    report: Report, directory: Path, given: Mapping[str, GivenScore] | None = None
) -> list[Path]:
    """Write report.html, feedback.html and report.json into `directory`; return their paths.

    The pages show what people have `given`, by question; report.json is the grader's own.
    It comes last: where it lies, the other two are complete.
    """
    texts = {
        "report.html": render_instructor(report, given),
        "feedback.html": render_student(report, given),
        "report.json": to_json(report),
    }
    directory.mkdir(parents=True, exist_ok=True)
    return [write_whole(directory / name, text) for name, text in texts.items()]


def write_whole(path: Path, text: str) -> Path:
    """Write a file that is complete or, where it is interrupted, not there; return its path."""
    return write_whole_bytes(path, text.encode("utf-8"))


def write_whole_bytes(path: Path, content: bytes) -> Path:
    """Write bytes in the same way; return the file's path."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
