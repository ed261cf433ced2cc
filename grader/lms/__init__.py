"""One adapter a learning management system: reads its bulk download, writes its upload."""

from __future__ import annotations

from grader.lms.finding import find_submissions
from grader.lms.records import Download, FoundSubmission, Plan, ScoreRow
from grader.lms.staging import load_found
from grader.lms.writing import write

__all__ = [
    "Download",
    "FoundSubmission",
    "Plan",
    "ScoreRow",
    "find_submissions",
    "load_found",
    "write",
]
