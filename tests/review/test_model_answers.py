"""What stands beside the answers."""

from __future__ import annotations

from grader.assignment import Assignment, load_assignment
from grader.review.model_answers import ModelAnswer, model_answer


def test_prompt_and_answer() -> None:
    """The solution's own cells are shown, without the markers of what students do not get."""
    assignment = load_assignment("radboud_a1")
    words = model_answer(assignment, "1.1c")
    assert "local minimum" in words.answer[0].source
    assert "What happens?" in words.prompt[0].source
    code = model_answer(assignment, "1.1d")
    assert "step_size=0.15" in code.answer[0].source
    assert "SOLUTION" not in code.answer[0].source


def test_files(modular: Assignment) -> None:
    """Where a file answers, its part of the solution is shown."""
    question = next(question for question in modular.questions if question.file)
    found = model_answer(modular, question.id)
    assert found.files
    assert found.files[0].path == question.file
    assert "SOLUTION" not in found.files[0].source


def test_nothing_to_show(tiny: Assignment) -> None:
    """Without an assignment, or of a question that it does not have, there is none."""
    assert model_answer(None, "1a") == ModelAnswer()
    assert model_answer(tiny, "9z") == ModelAnswer()
