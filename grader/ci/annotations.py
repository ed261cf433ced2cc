"""Marks beside lines, as GitHub reads them on standard output: `::error file=…,line=…::message`.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions: what a student
wrote can neither end a command nor begin one, for line ends and the signs that mean something in
a command are escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.ci.lines import source_lines
from grader.records import QuestionKind, QuestionReport, QuestionStatus, Report
from grader.reports.audience import for_student
from grader.reports.plain import clip, one_line, plain
from grader.reports.wording import QUESTION_WORDS, earned, reason

A_KIND = 10
"""GitHub shows no more of a kind for each step."""

KINDS = {
    QuestionStatus.FAILED: "error",
    QuestionStatus.PARTIAL: "error",
    QuestionStatus.NOT_ATTEMPTED: "warning",
    QuestionStatus.UNGRADED: "notice",
}


@dataclass(frozen=True)
class Annotation:
    """One mark; without a `file` it belongs to the run as a whole. Lines count from 1."""

    kind: str
    title: str
    message: str
    file: str = ""
    line: int = 0

    def command(self) -> str:
        """The line that GitHub reads."""
        place = {"file": self.file, "line": str(self.line)} if self.file else {}
        given = {**place, "title": self.title}
        written = ",".join(f"{name}={_property(value)}" for name, value in given.items())
        return f"::{self.kind} {written}::{_data(self.message)}"


def annotate(report: Report, files: Mapping[str, bytes], notebook: str) -> list[Annotation]:
    """A mark for each question that lacks points, at most ten of a kind.

    `files` are those of the submission, by their paths in the repository;
    `notebook` is the path of the one that cells belong to.
    """
    text = files.get(notebook, b"").decode("utf-8", "replace")
    lines = source_lines(text)
    questions = [q for q in for_student(report).questions if q.kind is QuestionKind.CODE]
    made = [
        replace(_about(question), file=file, line=line)
        for question in questions
        if question.status in KINDS and not _is_unchecked(question)
        for file, line in [_place(question, notebook, lines, files)]
    ]
    return [mark for kind in ("error", "warning", "notice") for mark in _few(made, kind)]


def _is_unchecked(question: QuestionReport) -> bool:
    """Whether nobody could do anything about it: no check of it can be run here."""
    return question.status is QuestionStatus.UNGRADED and not question.checks


def _about(question: QuestionReport) -> Annotation:
    words = f"{QUESTION_WORDS[question.status]}, {earned(question)} points"
    title = one_line(f"{question.id} {question.title}: {words}")
    why = reason(question) or " ".join(question.notes) or words
    return Annotation(KINDS[question.status], title[:200], clip(plain(why), 1500, 500))


def _place(
    question: QuestionReport, notebook: str, lines: Sequence[int], files: Iterable[str]
) -> tuple[str, int]:
    if question.files:
        first = question.files[0]
        ends = [name for name in files if f"/{name}".endswith(f"/{first.path}")]
        return min(ends, key=len, default=first.path), first.first_line
    # A question's text may stand in front of its code.
    cells = [cell.cell for cell in question.answer if cell.cell_type == "code"] or question.cells
    if notebook and cells:
        return notebook, lines[cells[0]] if cells[0] < len(lines) else 1
    return notebook, 1


def _few(made: Sequence[Annotation], kind: str) -> list[Annotation]:
    those = [mark for mark in made if mark.kind == kind]
    if len(those) <= A_KIND:
        return those
    left = len(those) - A_KIND + 1
    more = Annotation(kind, f"{left} more questions", "They are in the summary of this run.")
    return [*those[: A_KIND - 1], more]


def _data(value: str) -> str:
    """A command's message."""
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    """A command's property, such as its title."""
    return _data(value).replace(":", "%3A").replace(",", "%2C")
