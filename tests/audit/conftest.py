"""An assignment of one question whose checks a test can make weak or strong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.assignment import Assignment, load_assignment
from grader.authoring.draft import Draft, DraftQuestion, assignment_files, new_cell, write_files
from grader.records import QuestionKind

ANSWER = """\
def penalized(w, decay):
    ### BEGIN SOLUTION
    return 1.0 * w + decay * w
    ### END SOLUTION"""
WEAK = """\
@pytest.mark.question("1")
def test_penalized(student):
    \"\"\"penalized(w, decay) adds the weight decay.\"\"\"
    w = np.array([1.0, -2.0, 4.0])
    assert_close(student.penalized(w, 0.0), w)
"""
STRONG = WEAK + "    assert_close(student.penalized(w, 0.5), 1.5 * w)\n"
IDLE = """

@pytest.mark.question("1")
def test_exists(student):
    \"\"\"penalized is defined.\"\"\"
    assert "penalized" in student
"""
HEAD = "import numpy as np\nimport pytest\n\nfrom grader.checks import assert_close\n\n\n"

Penalized = Callable[..., Assignment]


@pytest.fixture(scope="session")
def penalized(tmp_path_factory: pytest.TempPathFactory) -> Penalized:
    """Makes the assignment with these checks, this answer and this mutants.toml."""

    def make(checks: str = STRONG, answer: str = ANSWER, mutants: str = "") -> Assignment:
        draft = Draft("Weight decay")
        draft.add(new_cell("code", "import numpy as np"))
        draft.add(new_cell("markdown", "**(1)** Add weight decay."), "1", "prompt")
        draft.add(new_cell("code", answer), "1", "answer")
        draft.questions = [DraftQuestion("1", "decay", QuestionKind.CODE, 2, ["penalized"])]
        folder: Path = tmp_path_factory.mktemp("audited") / "decay"
        files = assignment_files(draft, "decay")
        files["checks/test_decay.py"] = HEAD + checks
        if mutants:
            files["mutants.toml"] = mutants
        write_files(folder, files)
        return load_assignment(folder)

    return make
