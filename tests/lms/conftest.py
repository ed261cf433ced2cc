"""Downloads laid out as the systems do it, with invented people."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.lms.records import ScoreRow
from grader.records import (
    CheckResult,
    CheckStatus,
    QuestionKind,
    QuestionReport,
    QuestionStatus,
    Report,
    SubmissionRecord,
)

NOTEBOOK = json.dumps(
    {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {"id": "a", "cell_type": "markdown", "metadata": {}, "source": "An answer."},
        ],
    }
).encode()


@pytest.fixture(scope="session")
def notebook() -> bytes:
    """The content of a small notebook."""
    return NOTEBOOK


@pytest.fixture
def lay_out(tmp_path: Path) -> Callable[..., Path]:
    """Writes files by their paths; those without content hold a notebook. A / makes a folder."""

    def lay_out(*names: str, to: str = "download", **contents: Mapping[str, bytes]) -> Path:
        folder = tmp_path / to
        folder.mkdir(exist_ok=True)
        files = dict.fromkeys(names, NOTEBOOK) | dict(contents.get("contents", {}))
        for name, content in files.items():
            path = folder / name
            if name.endswith("/"):
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder

    return lay_out


@pytest.fixture(scope="session")
def row() -> Callable[..., ScoreRow]:
    """Makes a row of the gradebook: 31.5 of 45 points unless other values are given."""
    blank = ScoreRow("", "", "", 31.5, 45.0, 0.0, {}, "", None, {}, None)

    def row(identity: str, **fields: Any) -> ScoreRow:
        return replace(blank, id=identity, **fields)

    return row


@pytest.fixture(scope="session")
def graded() -> Report:
    """A report with a visible pass, a hidden failure, a fault of the author's, and words."""
    passed = CheckResult("test_zero", "sigmoid(0) is a half", False, CheckStatus.PASSED, 2.0, 2.0)
    failed = CheckResult(
        *("test_logistic", "it is the logistic function", True, CheckStatus.FAILED, 0.0, 1.0),
        message="a sign is wrong",
        cause="student",
    )
    broken = CheckResult(
        "test_loss", "the loss falls", False, CheckStatus.ERROR, 0.0, 1.0, cause="author"
    )
    code, written = QuestionKind.CODE, QuestionKind.WRITTEN
    done, waiting = QuestionStatus.PASSED, QuestionStatus.PENDING
    questions = (
        QuestionReport(
            "1a", "Sigmoid", code, 2.0, 3.0, QuestionStatus.PARTIAL, checks=(passed, failed)
        ),
        QuestionReport("1b", "Tanh", code, 1.0, 1.0, done, checks=(replace(passed, points=1.0),)),
        QuestionReport("2", "Loss", code, 0.0, 1.0, QuestionStatus.UNGRADED, checks=(broken,)),
        QuestionReport("3", "Discuss", written, 0.0, 5.0, waiting),
    )
    submission = SubmissionRecord("ada", ("hw.ipynb",), "0" * 64)
    notes = ("a note for all", "a sign is wrong in cell 3")
    return Report(
        *("lab1", "Lab 1", submission, 3.0, 10.0, 6.0, "none", {}, 1.25, questions), notes=notes
    )
