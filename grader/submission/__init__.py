"""What students hand in, read as it comes: notebooks, scripts, folders and archives."""

from __future__ import annotations

from grader.submission.archives import BROKEN_ZIP
from grader.submission.kinds import has_archive_suffix, is_notebook, without_archive_suffix
from grader.submission.loading import load_submission, refused_record
from grader.submission.notebook import read_notebook
from grader.submission.records import Submission

__all__ = [
    "BROKEN_ZIP",
    "Submission",
    "has_archive_suffix",
    "is_notebook",
    "load_submission",
    "read_notebook",
    "refused_record",
    "without_archive_suffix",
]
