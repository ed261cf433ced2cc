"""Runs collected checks against one session and keeps their outcomes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from grader.checks.outcome import CheckOutcome, Verdict, judge
from grader.errors import AssignmentError
from grader.execution.answered import SharedCopies
from grader.execution.student import Student
from grader.records import CheckStatus

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.session import Session

# How a check says that the student's work is wrong.
FAILURES = (AssertionError, pytest.fail.Exception)


@dataclass(frozen=True)
class Mark:
    """The arguments of `@pytest.mark.question`."""

    question: str
    points: float = 1.0
    hidden: bool = False
    needs: Sequence[str] = ()
    rerun: bool = False
    credit: Mapping[str, float] = field(default_factory=dict)
    released: bool | None = None
    at_home: bool = False

    def __post_init__(self) -> None:
        """Sees to it that a slip in a marker is not taken for something else."""
        if not isinstance(self.question, str) or isinstance(self.needs, str):
            raise TypeError("it takes a question's id as a string, and needs as a list of them")
        if not self.points >= 0:
            raise TypeError(f"points are a number of at least 0, not {self.points}")
        if self.hidden and self.released:
            raise TypeError("a hidden check cannot be released")
        if self.at_home and (self.hidden or self.released is False):
            raise TypeError("a check for students at home cannot be kept from them")
        if not isinstance(self.credit, Mapping):
            raise TypeError('credit is a dict, such as {"missing_batch_mean": 0.5}')
        for code, share in self.credit.items():
            if not (isinstance(code, str) and isinstance(share, int | float) and 0 < share < 1):
                raise TypeError(f"credit gives a share between 0 and 1, not {code!r}: {share!r}")


def read_mark(item: pytest.Item) -> Mark:
    """A check's marker.

    Raises:
        AssignmentError: it is missing or has arguments that it does not know.
    """
    mark = item.get_closest_marker("question")
    if mark is None:
        raise AssignmentError(f"{item.nodeid}: the check has no @pytest.mark.question")
    try:
        return Mark(*mark.args, **mark.kwargs)
    except TypeError as error:
        raise AssignmentError(f"{item.nodeid}: @pytest.mark.question: {error}") from error


class Grading:
    """A pytest plugin object: one run of an assignment's checks.

    `outcomes` are in the order of the assignment's questions. `get_session`
    is called when the first check runs. With `only`, checks of other questions
    are not run; `earlier` are what these have come to. With `visible_only`,
    hidden ones are not run.
    """

    def __init__(
        self,
        assignment: Assignment,
        get_session: Callable[[], Session],
        only: Collection[str] | None = None,
        earlier: Sequence[CheckOutcome] = (),
        *,
        visible_only: bool = False,
    ) -> None:
        self._assignment = assignment
        self._only = only
        self._earlier = earlier
        self._visible_only = visible_only
        self._get_session = get_session
        self.outcomes: list[CheckOutcome] = []
        self.errors: list[str] = []
        self._marks: dict[str, Mark] = {}
        self._cases: Counter[str] = Counter()
        self._replaced: dict[str, tuple[str, ...]] = {}
        self._copies = SharedCopies()
        self._copied = ""
        self._students: dict[str, Student] = {}

    # pytest's hooks

    def pytest_sessionstart(self) -> None:
        """Lets check files import what lies beside them."""
        sys.path.insert(0, str(self._assignment.checks))

    def pytest_unconfigure(self) -> None:
        """Leaves the import path as it was, and ends the copies."""
        self._copies.close()
        with suppress(ValueError):
            sys.path.remove(str(self._assignment.checks))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Reads the markers and puts the checks in the order of the questions."""
        order = {q.id: place for place, q in enumerate(self._assignment.questions)}
        for item in items:
            try:
                self._read(item, order.keys())
            except AssignmentError as error:
                # Raised from here, pytest would take it for a fault of its own.
                self.errors.append(str(error))
        if self.errors:
            items.clear()
        items.sort(key=lambda item: order[self._marks[item.nodeid].question])
        if self._only is not None:
            items[:] = [i for i in items if self._marks[i.nodeid].question in self._only]
        if not self._assignment.is_release:
            items[:] = [i for i in items if not self._marks[i.nodeid].at_home]
        if self._visible_only:
            items[:] = [i for i in items if not self._marks[i.nodeid].hidden]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keeps what an author's broken file says: its checks cannot run."""
        if report.failed:
            self.errors.append(str(report.longrepr))

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Runs a check; failing that, once more with its weak prerequisites replaced."""
        arguments = {n: pyfuncitem.funcargs[n] for n in pyfuncitem._fixtureinfo.argnames}
        if "student" not in arguments:
            # What an author's own fixture made of `student` cannot be made again.
            return None
        try:
            _run(pyfuncitem, arguments)
        except FAILURES:
            weak = self._weak_prerequisites(self._marks[pyfuncitem.nodeid])
            if not weak or not self._passes_repaired(pyfuncitem, arguments, weak):
                raise
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, Any]:
        """Turns what the check did into an outcome."""
        report = yield
        if call.when == "call" or (call.when == "setup" and call.excinfo is not None):
            error = call.excinfo.value if call.excinfo is not None else None
            self.outcomes.append(self._outcome(item, self._excused(item, judge(error))))
        return report

    # What the fixture and the hooks use

    def student(self, item: pytest.Function) -> Student:
        """The student's own namespace for a check."""
        question = self._marks[item.nodeid].question
        if question != self._copied:
            self._copies.close()
            self._copied = question
        # What an author's own fixture does to a copy, the check cannot do once more.
        is_plain = "student" in item._fixtureinfo.argnames
        answered = self._get_session().answered(question)
        student = Student(answered, self._copies if is_plain else None)
        self._students[item.nodeid] = student
        return student

    def _read(self, item: pytest.Item, known: Collection[str]) -> None:
        mark = read_mark(item)
        unknown = {mark.question, *mark.needs}.difference(known)
        if unknown:
            raise AssignmentError(f"{item.nodeid}: no question {', '.join(map(str, unknown))}")
        self._refuse_own_names(item, mark)
        self._marks[item.nodeid] = mark
        self._cases[_function_name(item)] += 1

    def _refuse_own_names(self, item: pytest.Item, mark: Mark) -> None:
        """A replaced prerequisite must not put the solution's work in the place of the answer."""
        question = self._assignment.question(mark.question)
        if mark.rerun and question.file:
            raise AssignmentError(f"{item.nodeid}: rerun=True is for cells, not for a file")
        for needed in mark.needs:
            other = self._assignment.question(needed)
            shared = set(question.names).intersection(other.names)
            if shared and question.file == other.file and not mark.rerun:
                raise AssignmentError(
                    f"{item.nodeid}: {needed} defines {', '.join(sorted(shared))} too, and would "
                    "replace the answer that is checked: give rerun=True"
                )

    def _passes_repaired(
        self, item: pytest.Function, arguments: dict[str, Any], weak: list[str]
    ) -> bool:
        mark = self._marks[item.nodeid]
        answered = self._get_session().repaired(mark.question, weak, mark.rerun)
        repaired = Student(answered, self._copies)
        try:
            _run(item, {**arguments, "student": repaired})
        except FAILURES:
            return False
        finally:
            repaired.close()
        self._replaced[item.nodeid] = tuple(weak)
        return True

    def _weak_prerequisites(self, mark: Mark) -> list[str]:
        """The needed questions that did not get full marks, for an answer worth repairing."""
        if not self._get_session().alignment[mark.question].attempted:
            return []
        if self._assignment.is_release:
            # There is no solution whose work could stand in.
            return []
        outcomes = (*self._earlier, *self.outcomes)
        failed = {o.question for o in outcomes if o.verdict.status is not CheckStatus.PASSED}
        return [question for question in mark.needs if question in failed]

    def _excused(self, item: pytest.Item, verdict: Verdict) -> Verdict:
        """The verdict, unless it blames the student for what could not be run here."""
        student = self._students.pop(item.nodeid, None)
        if student is None or verdict.status not in (CheckStatus.FAILED, CheckStatus.TIMEOUT):
            return verdict
        question = self._marks[item.nodeid].question
        raised = verdict.message if verdict.exception else ""
        want = self._get_session().excuse(question, student.asked_for(), raised)
        if not want:
            return verdict
        message = f"not judged, because the answer {want} ({verdict.message})"
        return Verdict(CheckStatus.SKIPPED, message, "environment")

    def _outcome(self, item: pytest.Item, verdict: Verdict) -> CheckOutcome:
        mark = self._marks[item.nodeid]
        return CheckOutcome(
            question=mark.question,
            name=item.name,
            description=_first_sentence(item),
            hidden=mark.hidden,
            weight=mark.points / self._cases[_function_name(item)],
            verdict=verdict,
            replaced=self._replaced.get(item.nodeid, ()),
            credit=mark.credit,
        )


def _run(item: pytest.Function, arguments: dict[str, Any]) -> None:
    """Runs a check, and once more in fresh copies where it does not pass in used ones.

    A function may change what lies outside of it: no check pays for what another one called.
    """
    student: Student = arguments["student"]
    try:
        item.obj(**arguments)
        return
    except (Exception, *FAILURES):
        if not student.is_reused:
            raise
    fresh = student.afresh()
    try:
        item.obj(**{**arguments, "student": fresh})
    finally:
        fresh.close()


def _function_name(item: pytest.Item) -> str:
    """The same for all cases of a parametrised check."""
    parent = item.parent.nodeid if item.parent is not None else ""
    return f"{parent}::{getattr(item, 'originalname', None) or item.name}"


def _first_sentence(item: pytest.Item) -> str:
    docstring = getattr(getattr(item, "obj", None), "__doc__", None) or item.name
    return " ".join(docstring.split("\n\n")[0].split())
