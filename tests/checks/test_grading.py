"""How outcomes arise from checks: weights, faults, and follow-through marks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader import grade
from grader.assignment import Assignment
from grader.checks.outcome import CheckOutcome
from grader.checks.running import run_checks
from grader.errors import AssignmentError
from grader.records import CheckStatus, QuestionReport, QuestionStatus
from grader.session import Session, open_session
from grader.submission import Submission

Run = Callable[[str], list[CheckOutcome]]
Answer = Callable[..., Submission]
IN_PLACE_OF = "checked with the solution's work in place of yours for"
WRONG_SQUARE = """def square(x):
    return x * 3


def square_grad(x):
    return 2 * x


counted = []


def count():
    counted.append(1)
    return len(counted)"""
WRONG_SUM = "def sum_of_squares(x):\n    return np.max(square(x))"


@pytest.fixture(scope="module")
def session(tiny: Assignment) -> Iterator[Session]:
    """A hand-in with a wrong square, whose later answers are right, run."""
    notebook = tiny.release.copy()
    notebook.cells = [cell.copy() for cell in tiny.solution.cells]
    notebook.cells[4].source = WRONG_SQUARE
    with open_session(tiny, Submission("ann", "hw.ipynb", notebook, {})) as opened:
        yield opened


@pytest.fixture
def run(session: Session, tmp_path: Path) -> Run:
    """Runs checks with this source against that hand-in."""
    (tmp_path / "exercise" / "checks").mkdir(parents=True)

    def run(source: str) -> list[CheckOutcome]:
        folder = tmp_path / "exercise"
        (folder / "checks" / "test_own.py").write_text(f"import pytest\n{source}")
        return run_checks(replace(session, assignment=replace(session.assignment, folder=folder)))

    return run


def graded(assignment: Assignment, submission: Submission) -> dict[str, QuestionReport]:
    """The report's questions by id."""
    return {question.id: question for question in grade(assignment, submission).questions}


def test_order_and_fields(run: Run) -> None:
    """Outcomes are in the order of the questions and carry what the marker and docstring say."""
    outcomes = run(
        "@pytest.mark.question('2c', points=3, hidden=True)\n"
        "def test_c(student):\n"
        "    '''total is a\n    number.\n\n    For authors.'''\n"
        "@pytest.mark.question('1a')\n"
        "def test_a(student): pass\n"
    )
    assert [(o.question, o.name, o.weight, o.hidden) for o in outcomes] == [
        ("1a", "test_a", 1.0, False),
        ("2c", "test_c", 3.0, True),
    ]
    assert [o.description for o in outcomes] == ["test_a", "total is a number."]


def test_parametrised_weights(run: Run) -> None:
    """A parametrised check shares its points among its cases, one of the same name does not."""
    outcomes = run(
        "@pytest.mark.question('1a', points=3)\n"
        "@pytest.mark.parametrize('x', [1, 2, 3])\n"
        "def test_a(student, x): pass\n"
        "class TestOne:\n"
        "    @pytest.mark.question('1a', points=3)\n"
        "    def test_a(self, student): pass\n"
        "class TestTwo:\n"
        "    @pytest.mark.question('1a', points=3)\n"
        "    def test_a(self, student): pass\n"
    )
    assert sorted(outcome.weight for outcome in outcomes) == [1.0, 1.0, 1.0, 3.0, 3.0]


@pytest.mark.parametrize(
    ("body", "status", "cause"),
    [
        ("None + 1", CheckStatus.ERROR, "author"),
        ("student.square(2).shape", CheckStatus.ERROR, "author"),
        ("raise SystemExit", CheckStatus.ERROR, "author"),
        ("pytest.skip('not now')", CheckStatus.SKIPPED, "author"),
        ("student.nothing", CheckStatus.FAILED, "student"),
        ("student.square()", CheckStatus.FAILED, "student"),
        ("assert student.square(2) == 4", CheckStatus.FAILED, "student"),
        ("pytest.fail('it does not fall')", CheckStatus.FAILED, "student"),
        ("student.square(object())", CheckStatus.ERROR, "author"),
    ],
)
def test_faults(run: Run, body: str, status: CheckStatus, cause: str) -> None:
    """A check's own exception is the author's fault, what the student's code does is not."""
    [outcome] = run(f"@pytest.mark.question('1a')\ndef test_a(student):\n    {body}")
    assert (outcome.verdict.status, outcome.verdict.cause) == (status, cause)


def test_broken_fixture(run: Run) -> None:
    """A fixture of the author's that raises is the author's fault."""
    [outcome] = run(
        "@pytest.fixture\n"
        "def data(): return 1 / 0\n"
        "@pytest.mark.question('1a')\n"
        "def test_a(student, data): pass"
    )
    assert (outcome.verdict.status, outcome.verdict.cause) == (CheckStatus.ERROR, "author")


def test_skip_marker(run: Run) -> None:
    """A check that is marked to be skipped is reported as skipped."""
    [outcome] = run(
        "@pytest.mark.skip(reason='not now')\n"
        "@pytest.mark.question('1a')\n"
        "def test_a(student): pass"
    )
    assert outcome.verdict.status is CheckStatus.SKIPPED


NAMED_MISTAKE = (
    "from grader.checks import assert_close\n"
    "@pytest.mark.question('1a', credit={})\n"
    "def test_a(student):\n"
    "    known = {{'tripled': ('You triple it.', 15.0)}}\n"
    "    assert_close(student.square(5.0), 25.0, known=known)\n"
)


@pytest.mark.parametrize(
    ("credit", "share"), [("{'tripled': 0.25}", 0.25), ("{'sign': 0.25}", 0.0), ("{}", 0.0)]
)
def test_credit(run: Run, credit: str, share: float) -> None:
    """A marker may give a part of a check's points for a mistake that was named."""
    [outcome] = run(NAMED_MISTAKE.format(credit))
    assert outcome.verdict.diagnosis is not None
    assert (outcome.verdict.diagnosis.code, outcome.share) == ("tripled", share)
    assert outcome.verdict.status is CheckStatus.FAILED


@pytest.mark.parametrize(
    "credit",
    ["'sign'", "{'sign': 1.0}", "{'sign': 0}", "{'sign': -0.5}", "{'sign': True}", "{1: 0.5}"],
)
def test_credit_that_is_none(run: Run, credit: str) -> None:
    """A share is a number between 0 and 1, for a code: anything else is the author's slip."""
    with pytest.raises(AssignmentError, match="credit"):
        run(NAMED_MISTAKE.format(credit))


REPAIRED = (
    "@pytest.mark.question('1a')\n"
    "def test_a(student): assert student.square(2) == 4\n"
    "@pytest.mark.question('2a', needs=['1a'])\n"
)


@pytest.mark.parametrize(
    "failure",
    [
        "assert student.sum_of_squares(2) == 4",
        "student.sum_of_squares(2) == 4 or pytest.fail()",
    ],
)
def test_repair(run: Run, failure: str) -> None:
    """A check that fails for an earlier question's sake passes with the solution's in its place."""
    first, second = run(f"{REPAIRED}def test_b(student):\n    {failure}")
    assert (first.verdict.status, first.replaced) == (CheckStatus.FAILED, ())
    assert (second.verdict.status, second.replaced) == (CheckStatus.PASSED, ("1a",))


def test_repair_is_not_needed(run: Run) -> None:
    """A check that passes on the student's own work is not run again."""
    _, second = run(f"{REPAIRED}def test_b(student): assert student.sum_of_squares(2) == 6")
    assert (second.verdict.status, second.replaced) == (CheckStatus.PASSED, ())


def test_repair_does_not_help(run: Run) -> None:
    """A failure that the solution's work does not cure is told as it was on the student's own."""
    _, second = run(
        f"{REPAIRED}def test_b(student): assert student.sum_of_squares(2) == 5, "
        "f'it is {student.sum_of_squares(2)}'"
    )
    assert (second.verdict.status, second.replaced) == (CheckStatus.FAILED, ())
    assert second.verdict.message == "it is 6"


def test_repair_without_a_student_of_its_own(run: Run) -> None:
    """A check that reaches the student through a fixture alone fails, and is no author's error."""
    _, second = run(
        "@pytest.fixture\n"
        "def result(student): return student.sum_of_squares(2)\n"
        f"{REPAIRED}def test_b(result): assert result == 4"
    )
    assert (second.verdict.status, second.verdict.cause) == (CheckStatus.FAILED, "student")


def test_prerequisite_of_the_same_name(session: Session, tmp_path: Path) -> None:
    """A prerequisite that defines the answer's own name would be judged in its place: refused."""
    questions = [replace(q, names=("square",)) for q in session.assignment.questions]
    folder = tmp_path / "exercise"
    (folder / "checks").mkdir(parents=True)
    changed = replace(session.assignment, folder=folder, questions=tuple(questions))
    path = folder / "checks" / "test_own.py"
    path.write_text(f"import pytest\n{REPAIRED}def test_b(student): pass")
    with pytest.raises(AssignmentError, match=r"test_own\.py::test_b: 1a defines square too"):
        run_checks(replace(session, assignment=changed))
    path.write_text(path.read_text().replace("['1a'])", "['1a'], rerun=True)"))
    assert len(run_checks(replace(session, assignment=changed))) == 2


# --- through the whole pipeline -------------------------------------------------


def test_wrong_square(tiny: Assignment, session: Session) -> None:
    """A wrong square costs 1a alone; the questions built on it are checked with the solution's."""
    found = graded(tiny, session.submission)
    assert found["1a"].status is QuestionStatus.FAILED
    for question in ("2a", "2c"):
        assert found[question].status is QuestionStatus.PASSED
        assert found[question].notes == (f"{IN_PLACE_OF} 1a",)


def test_wrong_sum(tiny: Assignment, answered: Answer) -> None:
    """A wrong sum costs 2a alone; 2c, a number, is computed again with the right one."""
    found = graded(tiny, answered(**{"q2a-answer": WRONG_SUM}))
    statuses = {question: report.status for question, report in found.items()}
    assert statuses["1a"] is QuestionStatus.PASSED
    assert statuses["2a"] is QuestionStatus.FAILED
    assert statuses["2c"] is QuestionStatus.PASSED
    assert found["2a"].notes == ()
    assert found["2c"].notes == (f"{IN_PLACE_OF} 2a",)


def test_wrong_square_and_wrong_sum(tiny: Assignment, answered: Answer) -> None:
    """A mistake of 2a's own still costs 2a when 1a is wrong as well, and 2c is not lost."""
    found = graded(tiny, answered(**{"q1a-answer": WRONG_SQUARE, "q2a-answer": WRONG_SUM}))
    assert found["2a"].status is QuestionStatus.FAILED
    assert found["2a"].points == 0.0
    assert not any(IN_PLACE_OF in note for note in found["2a"].notes)
    assert found["2c"].status is QuestionStatus.PASSED
    assert found["2c"].notes == (f"{IN_PLACE_OF} 1a, 2a",)


def test_wrong_everything(tiny: Assignment, answered: Answer) -> None:
    """An answer that is wrong with the right prerequisites too gets nothing."""
    found = graded(tiny, answered(**{"q1a-answer": WRONG_SQUARE, "q2c-answer": "total = 15"}))
    assert found["2c"].status is QuestionStatus.FAILED
    assert found["2c"].checks[0].message == "total is not 14"


def test_no_check_pays_for_anothers_calls(run: Run) -> None:
    """What fails only after another check's calls is tried in a fresh copy, and passes there."""
    outcomes = run(
        "@pytest.mark.question('1a')\n"
        "def test_a(student):\n"
        "    assert student.count() == 1\n"
        "@pytest.mark.question('1a')\n"
        "def test_b(student):\n"
        "    assert student.count() == 1\n"
        "@pytest.mark.question('1a')\n"
        "def test_c(student):\n"
        "    assert student.count() == 2\n"
    )
    statuses = [outcome.verdict.status for outcome in outcomes]
    assert statuses == [CheckStatus.PASSED, CheckStatus.PASSED, CheckStatus.FAILED]
