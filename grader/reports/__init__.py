"""Renderers of a report: each takes a `grader.records.Report` and returns or prints it."""

from __future__ import annotations

from grader.reports.html_report import render_instructor, render_student
from grader.reports.json_report import from_json, to_json
from grader.reports.terminal import render_table

__all__ = ["from_json", "render_instructor", "render_student", "render_table", "to_json"]
