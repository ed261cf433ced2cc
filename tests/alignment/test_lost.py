"""Answers that do not stand below their prompts: found, or at least not counted as none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hand_ins import SQUARES, strip_both
from nbformat import NotebookNode, v4

from grader.alignment import align
from grader.assignment import Assignment
from grader.records import QuestionKind
from grader.release import TEXT_PLACEHOLDER

ANSWER = "The derivative changes its sign there, so it is a minimum."


@pytest.fixture
def unanswered(notebook: NotebookNode) -> NotebookNode:
    """A hand-in without ids, whose written question 1b still has the placeholder."""
    strip_both(notebook)
    notebook.cells[7].source = TEXT_PLACEHOLDER
    return notebook


@pytest.mark.parametrize("placeholder", [True, False])
def test_text_elsewhere(tiny: Assignment, unanswered: NotebookNode, placeholder: bool) -> None:
    """Where a text stands that no question has, a written question without one is in doubt."""
    unanswered.cells.append(v4.new_markdown_cell(ANSWER))
    if not placeholder:
        del unanswered.cells[7]
    answer = align(tiny, unanswered)["1b"]
    assert (answer.attempted, answer.is_sure) == (False, False)
    assert answer.candidates == (len(unanswered.cells) - 1,)
    assert answer.doubts == ("nothing stands below its prompt, and the answer may stand elsewhere",)


@pytest.mark.parametrize(
    "text",
    [
        *("# The end of it all", "## Exercise 3\n\n", "**Results:**", TEXT_PLACEHOLDER, "My code"),
        *("_Your answer here_", ""),
    ],
)
def test_captions(tiny: Assignment, unanswered: NotebookNode, text: str) -> None:
    """Headings, captions and placeholders are nobody's lost answer."""
    unanswered.cells.append(v4.new_markdown_cell(text))
    answer = align(tiny, unanswered)["1b"]
    assert (answer.attempted, answer.doubts, answer.candidates) == (False, (), ())


def test_texts_that_are_no_answers(tiny: Assignment, unanswered: NotebookNode) -> None:
    """Neither names above all prompts, nor the release's own text, nor dead code raises a doubt."""
    unanswered.cells.insert(0, v4.new_markdown_cell("Handed in by Ann and Bob of group seven"))
    unanswered.cells.append(v4.new_markdown_cell(tiny.release.cells[1].source))
    unanswered.cells.append(v4.new_code_cell("# square = 3\n# print(square, square + 1)"))
    answer = align(tiny, unanswered)["1b"]
    assert (answer.attempted, answer.doubts) == (False, ())


@pytest.mark.parametrize("number", ["**1 (b)** ", "1b: ", "### 1b\n\n", "_1. b)_ "])
def test_text_that_begins_with_its_number(
    tiny: Assignment, unanswered: NotebookNode, number: str
) -> None:
    """A text elsewhere that begins with the question's number is its answer."""
    unanswered.cells += [v4.new_markdown_cell(t) for t in (f"{number}{ANSWER}", "And so it ends.")]
    answer = align(tiny, unanswered)["1b"]
    assert (answer.cells, answer.attempted, answer.is_sure) == ((16,), True, True)
    assert answer.evidence[0].text == "text that begins with the question's number: cell 16"


def test_number_in_another_answer(tiny: Assignment, notebook: NotebookNode) -> None:
    """An answer that begins with another question's number stays where it stands."""
    strip_both(notebook)
    notebook.cells[7].source = "1 (a) has shown that the derivative changes its sign."
    answer = align(tiny, notebook)["1b"]
    assert (answer.cells, answer.attempted, answer.is_sure) == ((7,), True, True)


def test_below_the_next_prompt(tiny: Assignment, unanswered: NotebookNode) -> None:
    """Where the next written question has one text more than it asks for, that may be lost."""
    written = [
        replace(q, kind=QuestionKind.WRITTEN, names=()) if q.id == "2c" else q
        for q in tiny.questions
    ]
    both = replace(tiny, questions=tuple(written))
    unanswered.cells[14] = v4.new_markdown_cell("The total of it is fourteen.")
    assert align(both, unanswered)["1b"].doubts == ()
    unanswered.cells.insert(14, v4.new_markdown_cell(ANSWER))
    answers = align(both, unanswered)
    assert not answers["1b"].is_sure
    assert set(answers["1b"].candidates) == {14, 15}
    assert answers["2c"].attempted


@pytest.mark.parametrize("source", [f"# {ANSWER}", f'"""\n{ANSWER}\n"""', f"# 1.\n\n# {ANSWER}\n"])
def test_comments_as_an_answer(tiny: Assignment, unanswered: NotebookNode, source: str) -> None:
    """What is said in comments below the prompt of a written question is its answer."""
    unanswered.cells[7] = v4.new_code_cell(source)
    answer = align(tiny, unanswered)["1b"]
    assert (answer.cells, answer.attempted, answer.is_sure) == ((7,), True, True)


@pytest.mark.parametrize("source", ["", "# your answer here", "# ---", '""', "pass"])
def test_comments_that_say_nothing(tiny: Assignment, unanswered: NotebookNode, source: str) -> None:
    """Comments without a word of the student's own are no attempt."""
    unanswered.cells[7] = v4.new_code_cell(source)
    assert not align(tiny, unanswered)["1b"].attempted


def test_comments_in_place_of_code(tiny: Assignment, unanswered: NotebookNode) -> None:
    """Comments below the prompt of a question of code are no attempt at it."""
    unanswered.cells[10] = v4.new_code_cell(f"# {ANSWER}")
    answer = align(tiny, unanswered)["2a"]
    assert (answer.attempted, answer.in_text) == (False, False)


def test_code_in_a_raw_cell(tiny: Assignment, notebook: NotebookNode) -> None:
    """Code in a raw cell is run like code in Markdown, and it is said."""
    strip_both(notebook)
    notebook.cells[4] = v4.new_raw_cell(SQUARES)
    answer = align(tiny, notebook)["1a"]
    assert (answer.cells, answer.attempted) == ((4, 5), True)
    assert answer.notes == ("cell 4 is raw text that holds code, and was run as code",)
    notebook.cells[4] = v4.new_raw_cell("I could not do it.")
    assert not align(tiny, notebook)["1a"].attempted


def test_code_without_names_in_one_cell_with_others(
    tiny: Assignment, notebook: NotebookNode
) -> None:
    """Where one cell answers several questions, it may answer one that asks for no names, too."""
    nameless = [replace(q, names=()) if q.id == "2c" else q for q in tiny.questions]
    without = replace(tiny, questions=tuple(nameless))
    strip_both(notebook)
    notebook.cells[14].source = tiny.release.cells[14].source
    assert align(without, notebook)["2c"].doubts == ()
    merged = v4.new_code_cell("\n\n".join(notebook.cells[j].source for j in (4, 10)))
    del notebook.cells[10], notebook.cells[4]
    notebook.cells.append(merged)
    answer = align(without, notebook)["2c"]
    assert (answer.attempted, answer.is_sure, answer.candidates) == (False, False, (14,))
