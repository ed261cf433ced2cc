"""`pytest assignments/NAME --submission FILE`: the same grading, by pytest alone."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from pathlib import Path

import pytest
from rich.console import Console

from grader.assignment import Assignment, load_assignment
from grader.checks.outcome import CheckOutcome
from grader.errors import AssignmentError, GraderError, UsageError
from grader.records import CheckStatus
from grader.reporting import report_on
from grader.reports import render_table
from grader.reports.plain import plain
from grader.session import Session, open_session
from grader.submission import load_submission
from grader.trying import check_all

STUDENTS = (CheckStatus.FAILED, CheckStatus.TIMEOUT)


def in_words(outcome: CheckOutcome) -> str:
    """The failure of a check as its student may read it."""
    diagnosis = outcome.verdict.diagnosis
    said = (outcome.verdict.message, diagnosis.text if diagnosis else "", outcome.description)
    return "\n".join(plain(line) for line in said if line)


class Standalone:
    """A pytest plugin object: reads the hand-in, runs it once, prints the scores."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._session: Session | None = None
        self._failure: GraderError | None = None
        self._notes: Mapping[str, str] = {}
        self._start = time.monotonic()
        try:
            self.assignment = _find_assignment(config)
            path = config.getoption("submission")
            self._submission = load_submission(
                path, self.assignment.answer_files, self.assignment.release
            )
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error

    def session(self) -> Session:
        """The session, opened when it is first asked for; a failure is final.

        Raises:
            UsageError, ExecutionFault: the hand-in cannot be run here.
        """
        if self._failure is not None:
            raise self._failure
        if self._session is None:
            try:
                self._session = open_session(self.assignment, self._submission)
                self._choose(self._session)
            except GraderError as error:
                self._failure = error
                raise
        return self._session

    def _choose(self, session: Session) -> None:
        """Tries the definitions of which no place tells which one counts, before any check."""
        if any(answer.alternatives for answer in session.alignment.values()):
            checked = check_all(session)
            self._session, self._notes = checked.session, checked.notes

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self,
        item: pytest.Item,  # noqa: ARG002 - pytest tells by names what is wanted
        call: pytest.CallInfo[None],
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Says what is wrong with a student's work, on the terminal and in JUnit XML.

        Where the check itself is wrong, its author needs the traceback.
        """
        report = yield
        grading = self._config.pluginmanager.get_plugin("nn-grader-grading")
        if call.when == "call" and report.failed and grading is not None and grading.outcomes:
            outcome = grading.outcomes[-1]
            if outcome.verdict.status in STUDENTS:
                report.longrepr = in_words(outcome)
        return report

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Ends the run where a check's marker is wrong; pytest itself tells of broken files."""
        grading = self._config.pluginmanager.get_plugin("nn-grader-grading")
        errors = grading.errors if grading is not None else []
        if errors and not session.testsfailed:
            raise pytest.UsageError("\n".join(errors))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Prints the table of questions below pytest's own lines."""
        grading = self._config.pluginmanager.get_plugin("nn-grader-grading")
        if self._session is None or grading is None:
            return
        seconds = time.monotonic() - self._start
        report = report_on(self._session, grading.outcomes, seconds, self._notes)
        terminalreporter.section(f"score of {self._submission.id}")
        render_table(report, Console(file=terminalreporter._tw._file))

    def pytest_unconfigure(self) -> None:
        """Ends the submission's processes."""
        if self._session is not None:
            self._session.close()


def _find_assignment(config: pytest.Config) -> Assignment:
    starts = [Path(str(argument).split("::")[0]) for argument in config.args]
    for start in [*starts, config.invocation_params.dir]:
        for folder in (start.resolve(), *start.resolve().parents):
            if (folder / "assignment.toml").is_file():
                return load_assignment(folder)
    raise AssignmentError("--submission: no assignment.toml at or above the paths given")
