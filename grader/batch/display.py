"""How a batch is watched: a live table on a terminal, plain lines in a pipe or a log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from grader.records import QuestionStatus, Report

LAST_SHOWN = 5


class PlainDisplay:
    """A line for each report, for whoever reads them later."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._total = self._done = 0
        self._start = time.monotonic()

    def counted(self, total: int, done: int) -> None:
        """Says how much there is to do."""
        self._total, self._done = total, done
        kept = f", {done} of them graded already" if done else ""
        self._console.print(f"{total} submissions{kept}", highlight=False)

    def started(self, submission: str) -> None:
        """Nothing: what is done counts."""

    def finished(self, report: Report) -> None:
        """One line, with the rate so far."""
        self._done += 1
        line = f"[{self._done}/{self._total}] {result_line(report)}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def retrying(self, submission: str, fault: str) -> None:
        """One line."""
        line = f"{submission}: tried again at the end ({fault})"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class LiveDisplay:
    """Done, running, failed, rate and time left, and the last few results."""

    def __init__(self, live: Live) -> None:
        self._live = live
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
        self._progress = Progress(TextColumn("graded"), *columns, TimeRemainingColumn())
        self._task = self._progress.add_task("", total=None, rate="")
        self._running: dict[str, float] = {}
        self._lines: list[str] = []
        self._ungraded = self._graded = 0
        self._start = time.monotonic()
        live.update(self._render())

    def counted(self, total: int, done: int) -> None:
        """Sets the bar's length."""
        self._progress.update(self._task, total=total, completed=done)

    def started(self, submission: str) -> None:
        """Adds to what runs."""
        self._running[submission] = time.monotonic()
        self._live.update(self._render())

    def finished(self, report: Report) -> None:
        """Moves from what runs to what is done."""
        self._running.pop(report.submission.id, None)
        self._graded += 1
        self._ungraded += any(q.status is QuestionStatus.UNGRADED for q in report.questions)
        self._lines = [*self._lines, result_line(report)][-LAST_SHOWN:]
        minutes = (time.monotonic() - self._start) / 60
        self._progress.update(self._task, advance=1, rate=f"{self._graded / minutes:.0f} a minute")
        self._live.update(self._render())

    def retrying(self, submission: str, fault: str) -> None:
        """Says so among the results."""
        self._running.pop(submission, None)
        line = f"{submission}: tried again at the end ({fault})"
        self._lines = [*self._lines, line][-LAST_SHOWN:]
        self._live.update(self._render())

    def _render(self) -> RenderableType:
        running = ", ".join(self._running) or "nothing"
        needing = f"   needs a look: {self._ungraded}" if self._ungraded else ""
        lines = [*self._lines, f"running: {running}{needing}"]
        return Group(
            *(Text(line, overflow="ellipsis", no_wrap=True) for line in lines), self._progress
        )


@contextmanager
def watch(console: Console) -> Iterator[LiveDisplay | PlainDisplay]:
    """The display that suits where the output goes."""
    if not console.is_terminal:
        yield PlainDisplay(console)
        return
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        yield LiveDisplay(live)


def result_line(report: Report) -> str:
    """One submission's result in a line."""
    waiting = f", {report.pending:g} points wait for a person" if report.pending else ""
    ungraded = [q.id for q in report.questions if q.status is QuestionStatus.UNGRADED]
    if ungraded and len(ungraded) == len(report.questions):
        return f"{report.submission.id}: not graded: {' '.join(report.notes)}"
    trouble = f"; ungraded: {', '.join(ungraded)}" if ungraded else ""
    points = f"{report.score:g} of {report.max_score:g}"
    return f"{report.submission.id}: {points}{waiting}{trouble}"
