"""Judges what a kernel holds, in a process of its own.

Reads one request (see `magic.Extension.check`) as JSON from stdin, and writes
one line of JSON to stdout: `{"html", "text"}`, `{"error"}` or `{"unanswered"}`,
where the fork of the kernel does not answer. Where there is none, it first
writes `{"listening": "port:token"}` and the kernel connects.
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console

from grader.assignment import Assignment
from grader.errors import ExecutionFault, GraderError, UsageError
from grader.execution.forkless import Keeper
from grader.execution.inside import wire
from grader.execution.snapshots import Snapshot
from grader.notebook.page import render_page
from grader.notebook.written import compose
from grader.records import (
    CheckResult,
    CheckStatus,
    QuestionKind,
    QuestionReport,
    QuestionStatus,
    Report,
)
from grader.selfcheck.advice import is_undefined
from grader.selfcheck.checking import check_at_home, check_session, select, with_questions
from grader.selfcheck.finding import Work, find_work
from grader.selfcheck.table import render
from grader.session import NOT_KEPT, live_session
from grader.submission import Submission

HANDSHAKE_SECONDS = 10.0
CONNECT_SECONDS = 30.0
TEXT_WIDTH = 100
LIVE = "checked with what your kernel holds now; what counts is the saved notebook, run afresh"


class Unanswered(Exception):
    """The fork of the kernel does not answer."""


def main() -> None:
    """Answers one request."""
    # What a check prints must not stand in the answer.
    answer, sys.stdout = sys.stdout, sys.stderr
    request = json.load(sys.stdin)
    try:
        said = _judge(request, answer)
    except Unanswered:
        said = {"unanswered": True}
    except UsageError as error:
        said = {"error": str(error)}
    except GraderError as error:
        said = {"error": f"a fault of the grader: {error}"}
    _say(answer, said)


def _say(answer: TextIO, said: dict[str, Any]) -> None:
    answer.write(json.dumps(said) + "\n")
    answer.flush()


def _judge(request: dict[str, Any], answer: TextIO) -> dict[str, Any]:
    start = time.monotonic()
    work = _work(request)
    chosen = select(work.assignment, request["questions"])
    submission, notes = compose(work.read(), request["executed"])
    coded = [q for q in work.assignment.questions if q.kind is QuestionKind.CODE]
    wanted = [q for q in coded if chosen is None or q.id in chosen]
    files = {q.id for q in wanted if q.file}
    reports = []
    if cells := {q.id for q in wanted} - files:
        with _snapshot(request, answer) as snapshot:
            reports.append(_live(work.assignment, submission, snapshot, cells, start))
    if files:
        # A module that a kernel has imported is not the file any more.
        reports.append(check_at_home(work.assignment, submission, files))
    if not reports:
        raise UsageError(f"{work.assignment.title}: no question asks for code")
    report = _merged(work.assignment, reports, notes)
    return {"html": render_page(report, verbose=request["verbose"]), "text": _text(report, request)}


def _work(request: dict[str, Any]) -> Work:
    folder = Path(request["folder"])
    notebook = Path(request["notebook"]) if request["notebook"] else None
    if notebook is not None and not notebook.is_absolute():
        notebook = folder / notebook
    return find_work(request["assignment"] or None, notebook, folder)


@contextmanager
def _snapshot(request: dict[str, Any], answer: TextIO) -> Iterator[Snapshot]:
    """The kernel's state; everything that was made of it ends with this."""
    snapshot = _of_fork(request["descriptor"]) if "descriptor" in request else None
    snapshot = snapshot or _of_kernel(request["kernel"], answer)
    try:
        yield snapshot
    finally:
        snapshot.close()


def _of_fork(descriptor: int) -> Snapshot:
    sock = socket.socket(fileno=descriptor)
    try:
        wire.receive(sock, time.monotonic() + HANDSHAKE_SECONDS)
    except wire.WireError as error:
        raise Unanswered from error
    return Snapshot(sock)


def _of_kernel(kernel: int, answer: TextIO) -> Snapshot:
    def interrupt() -> None:
        # Elsewhere the student has to: there is no way to do it from another process.
        if os.name == "posix":
            os.kill(kernel, signal.SIGINT)

    keeper = Keeper(interrupt, end=lambda: None)
    _say(answer, {"listening": keeper.address})
    try:
        keeper.accept(CONNECT_SECONDS)
    except OSError as error:
        raise ExecutionFault(f"the kernel did not connect: {error}") from error
    if (snapshot := keeper.kept()) is None:
        raise ExecutionFault("the kernel could not keep its variables")
    return snapshot


def _live(
    assignment: Assignment,
    submission: Submission,
    snapshot: Snapshot,
    only: Collection[str],
    start: float,
) -> Report:
    session = live_session(assignment, submission, snapshot)
    assignment.require_packages()
    report = check_session(session, only, start)
    return replace(report, questions=tuple(map(_as_live, report.questions)))


def _as_live(question: QuestionReport) -> QuestionReport:
    """A question whose cell has not been run has not been answered yet."""
    checks = tuple(map(_not_live, question.checks))
    if checks and all(map(is_undefined, checks)):
        return replace(question, checks=checks, status=QuestionStatus.NOT_ATTEMPTED)
    return replace(question, checks=checks)


def _not_live(check: CheckResult) -> CheckResult:
    """What no running kernel can tell is nobody's fault."""
    if check.message != NOT_KEPT:
        return check
    return replace(check, status=CheckStatus.SKIPPED, cause="environment")


def _merged(assignment: Assignment, reports: Sequence[Report], notes: Sequence[str]) -> Report:
    order = {question.id: place for place, question in enumerate(assignment.questions)}
    found = [question for report in reports for question in report.questions]
    questions = sorted(found, key=lambda question: order[question.id])
    return replace(
        with_questions(reports[0], questions),
        seconds=round(sum(report.seconds for report in reports), 3),
        notes=(LIVE, *notes),
    )


def _text(report: Report, request: dict[str, Any]) -> str:
    written = io.StringIO()
    console = Console(file=written, width=TEXT_WIDTH, color_system=None, force_terminal=False)
    render(report, console, verbose=request["verbose"])
    return written.getvalue().rstrip()
