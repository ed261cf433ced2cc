"""Gradebooks made from reports alone, and reviewers' browsers without scripts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from starlette.testclient import TestClient

from grader.gradebook import open_gradebook
from grader.lms.records import FoundSubmission
from grader.records import (
    AnswerCell,
    CheckResult,
    CheckStatus,
    QuestionKind,
    QuestionReport,
    QuestionStatus,
    Report,
    SubmissionRecord,
)
from grader.review.access import Place

PLACE = Place("127.0.0.1", 8000, is_local=True)
TEXTS = {
    "ann": "No: it ends in a local minimum near 0.6.",
    "bob": "no: it ends in a  local minimun near 0.6",
    "cas": "It finds the global minimum.",
    "dan": "The step size is too large.",
}


def report_of(identity: str, *cells: AnswerCell, points: float = 1.0) -> Report:
    """A report on a code question with one check, and a written question that waits."""
    is_right = points == 2.0
    status = CheckStatus.PASSED if is_right else CheckStatus.FAILED
    cause = "" if is_right else "student"
    check = CheckResult("test_sum", "the sum", False, status, points, 2.0, "wrong by 2", cause)
    outcome = QuestionStatus.PASSED if is_right else QuestionStatus.PARTIAL
    code = QuestionReport("1a", "the sum", QuestionKind.CODE, points, 2.0, outcome, checks=(check,))
    pending = QuestionStatus.PENDING
    text = QuestionReport(
        "1b", "why", QuestionKind.WRITTEN, 0.0, 3.0, pending, (3,), answer=tuple(cells)
    )
    record = SubmissionRecord(identity, (f"{identity}.ipynb",), "00")
    fields = (points, 5.0, 3.0, "none", {"python": "3"}, 1.0)
    return Report("tiny", "Tiny", record, *fields, questions=(code, text))


def prose(text: str) -> AnswerCell:
    """A Markdown cell."""
    return AnswerCell(3, "markdown", text)


def fill(folder: Path, reports: Sequence[Report]) -> None:
    """A gradebook of these reports."""
    with open_gradebook(folder, create=True) as book:
        run = book.begin_run("tiny", {})
        for report in reports:
            identity = report.submission.id
            book.add_submission(FoundSubmission(identity, (), f"{identity.title()} Example"))
            book.add_report(run, identity, report)


class Browser:
    """A reviewer's browser, as far as it needs no script."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def get(self, address: str, status: int = 200) -> str:
        """A page."""
        response = self.client.get(address)
        assert response.status_code == status, response.text
        return response.text

    def post(self, address: str, status: int = 200, **form: str) -> str:
        """Sends a form with the token of the first page."""
        token = re.search(r'name="csrf" value="([^"]+)"', self.get("/"))
        assert token is not None
        response = self.client.post(address, data={"csrf": token[1], **form})
        assert response.status_code == status, response.text
        return response.text

    def members(self, number: int, holding: str) -> str:
        """Whom the card with some text is for, and the versions that it shows."""
        cards = self.get(f"/question/{number}").split("<article")[1:]
        card = next(card for card in cards if holding in card)
        found = re.search(r'name="members" value="([^"]+)"', card)
        assert found is not None
        return found[1]

    def score(self, holding: str, command: str, status: int = 200, **form: str) -> str:
        """Scores the card of 1b with some text."""
        form = {"members": self.members(2, holding), "action": f"action-{command}-1", **form}
        return self.post("/question/2/score", status, command=command, **form)
