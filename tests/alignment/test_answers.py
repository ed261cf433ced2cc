"""Which cells answer which question, on hand-ins that were changed in ways students change them."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import replace

import pytest
from hand_ins import SQUARES, strip_both, strip_ids, strip_metadata
from nbformat import NotebookNode, v4

from grader.alignment import AlignedAnswer, align
from grader.assignment import Assignment, Question
from grader.records import QuestionKind
from grader.release import TEXT_PLACEHOLDER

AS_RELEASED = {"1a": (4, 5), "1b": (7,), "2a": (10,), "2b": (12,), "2c": (14,)}


def cells_of(answers: dict[str, AlignedAnswer]) -> dict[str, tuple[int, ...]]:
    """Each question's cells."""
    return {question: answer.cells for question, answer in answers.items()}


EDITORS = [strip_ids, strip_metadata, strip_both]


@pytest.mark.parametrize("strip", [lambda notebook: None, *EDITORS])
def test_cells_are_found(
    tiny: Assignment, notebook: NotebookNode, strip: Callable[[NotebookNode], None]
) -> None:
    """Ids, metadata or the text alone are enough to find every answer."""
    strip(notebook)
    answers = align(tiny, notebook)
    assert cells_of(answers) == AS_RELEASED
    assert all(answer.attempted and answer.found for answer in answers.values())


def test_reworded_prompts(tiny: Assignment, notebook: NotebookNode) -> None:
    """Prompts that were reworded in part, or lost all but their letter, still separate answers."""
    strip_both(notebook)
    notebook.cells[3].source = "**(a) Implement `square(x)` and also its derivative** (2 points)"
    notebook.cells[9].source = "(a) my solution"
    notebook.cells[13].source = "(c) Compute the total of some squares, please."
    assert cells_of(align(tiny, notebook)) == AS_RELEASED


@pytest.mark.parametrize("strip", [lambda notebook: None, strip_both])
def test_extra_cells(
    tiny: Assignment, notebook: NotebookNode, strip: Callable[[NotebookNode], None]
) -> None:
    """A student's own cells go with the question above them; notes are no part of code."""
    strip(notebook)
    notebook.cells.insert(5, v4.new_code_cell("print(square(5))"))
    notebook.cells.insert(5, v4.new_markdown_cell("I first tried a loop."))
    notebook.cells.insert(0, v4.new_markdown_cell("Ann and Bob, group 7"))
    assert cells_of(align(tiny, notebook)) == {
        "1a": (5, 7, 8),
        "1b": (10,),
        "2a": (13,),
        "2b": (15,),
        "2c": (17,),
    }


@pytest.mark.parametrize("strip", [lambda notebook: None, strip_both])
def test_split_answer(
    tiny: Assignment, notebook: NotebookNode, strip: Callable[[NotebookNode], None]
) -> None:
    """An answer that was split into two cells is both of them."""
    strip(notebook)
    first, second = SQUARES.split("\n\n\n")
    notebook.cells[4].source = first
    notebook.cells.insert(5, v4.new_code_cell(second))
    assert align(tiny, notebook)["1a"].cells == (4, 5, 6)


def test_deleted_prompt(tiny: Assignment, notebook: NotebookNode) -> None:
    """Without its prompt, an answer is found by the name that it defines, wherever it stands."""
    strip_both(notebook)
    answer = notebook.cells[10]
    del notebook.cells[9:11]
    notebook.cells.insert(1, answer)
    found = align(tiny, notebook)["2a"]
    assert found.cells == (1,)
    assert found.attempted
    assert found.is_sure
    assert found.evidence[0].text == "it alone defines sum_of_squares"


def test_deleted_question(tiny: Assignment, notebook: NotebookNode) -> None:
    """A question whose cells were all deleted is not found, and takes no other's cells."""
    del notebook.cells[9:11]
    answers = align(tiny, notebook)
    assert answers["2a"] == AlignedAnswer("2a", (), found=False, attempted=False)
    assert answers["2b"].cells == (10,)
    assert answers["2c"].cells == (12,)


def test_deleted_answer(tiny: Assignment, notebook: NotebookNode) -> None:
    """Where the prompt stands and its answer was deleted, the question is found and empty."""
    del notebook.cells[7]
    del notebook.cells[9]
    answers = align(tiny, notebook)
    for identity in ("1b", "2a"):
        answer = answers[identity]
        assert (answer.cells, answer.found, answer.attempted) == ((), True, False)
        assert answer.is_sure


@pytest.mark.parametrize("strip", [lambda notebook: None, strip_both])
def test_name_defined_twice(
    tiny: Assignment, notebook: NotebookNode, strip: Callable[[NotebookNode], None]
) -> None:
    """Of two cells that define a name, each goes with the prompt above it."""
    notebook.cells[10].source = f"{SQUARES}\n\n\n{notebook.cells[10].source}"
    strip(notebook)
    assert cells_of(align(tiny, notebook)) == AS_RELEASED


@pytest.mark.parametrize("strip", [lambda notebook: None, strip_both])
def test_untouched_release(tiny: Assignment, strip: Callable[[NotebookNode], None]) -> None:
    """In the release as it is handed out, every question is found and none attempted."""
    release = copy.deepcopy(tiny.release)
    strip(release)
    answers = align(tiny, release)
    assert cells_of(answers) == AS_RELEASED
    assert all(answer.found and not answer.attempted for answer in answers.values())


@pytest.mark.parametrize(
    "text",
    [
        *("", "   \n", TEXT_PLACEHOLDER, "Your answer here", "*Type your answer here*"),
        *("TODO: write your answer here.", "_Put your text here!_", "**Answer here**"),
    ],
)
def test_placeholders(tiny: Assignment, notebook: NotebookNode, text: str) -> None:
    """A placeholder in whatever wording is no attempt."""
    notebook.cells[7].source = text
    assert not align(tiny, notebook)["1b"].attempted


@pytest.mark.parametrize("text", ["0", "?", "Here is my answer: yes.", "The answer is here: 4"])
def test_short_answers(tiny: Assignment, notebook: NotebookNode, text: str) -> None:
    """A short answer is an attempt, even one that has a placeholder's words in it."""
    notebook.cells[7].source = text
    assert align(tiny, notebook)["1b"].attempted


def test_code_placeholder(tiny: Assignment, notebook: NotebookNode) -> None:
    """A code cell with nothing but a placeholder's comment is no attempt."""
    notebook.cells[14].source = "# your code here"
    assert not align(tiny, notebook)["2c"].attempted


def test_whitespace_is_no_attempt(tiny: Assignment, notebook: NotebookNode) -> None:
    """A release cell in which only the white space changed is no attempt."""
    notebook.cells[4].source = tiny.release.cells[4].source.replace("\n", "\n\n") + "\n  "
    assert not align(tiny, notebook)["1a"].attempted


def test_markdown_answer_in_several_cells(tiny: Assignment, notebook: NotebookNode) -> None:
    """A written answer is all text and code up to the next heading."""
    notebook.cells.insert(8, v4.new_code_cell("square(-1), square(1)"))
    notebook.cells.insert(8, v4.new_markdown_cell("And it is convex."))
    assert align(tiny, notebook)["1b"].cells == (7, 8, 9)


def test_given_code_counts_once_it_was_run(tiny: Assignment, notebook: NotebookNode) -> None:
    """Code that the question hands out complete is attempted when it was run."""
    assert align(tiny, notebook)["2b"].attempted
    notebook.cells[12].execution_count, notebook.cells[4].execution_count = None, 1
    assert not align(tiny, notebook)["2b"].attempted


def test_given_code_without_any_outputs(tiny: Assignment, notebook: NotebookNode) -> None:
    """Where all outputs were cleared, given code counts as run beside code that was written."""
    notebook.cells[12].execution_count = None
    assert align(tiny, notebook)["2b"].attempted
    assert not align(tiny, tiny.release)["2b"].attempted


def test_changed_test_cell_is_no_attempt(tiny: Assignment, notebook: NotebookNode) -> None:
    """Editing the notebook's own assert is no attempt at its question."""
    notebook.cells[4].source = tiny.release.cells[4].source
    notebook.cells[5].source = "assert True"
    assert not align(tiny, notebook)["1a"].attempted


def test_no_cells(tiny: Assignment) -> None:
    """An empty notebook has no answer to anything."""
    answers = align(tiny, v4.new_notebook())
    assert all(not (a.cells or a.found or a.attempted) for a in answers.values())


def test_foreign_notebook(tiny: Assignment) -> None:
    """Cells of some other notebook are no answers."""
    cells = [v4.new_code_cell(f"import pandas as pd\npd.NA + {i}") for i in range(20)]
    cells.insert(0, v4.new_markdown_cell("# Pandas"))
    answers = align(tiny, v4.new_notebook(cells=cells))
    assert not any(answer.attempted for answer in answers.values())


@pytest.mark.parametrize(
    "source",
    [
        "def square(x) return x * x\ntotal = 5",
        "%%time\ndef square(x):\n    return x",
        "!pip install torch\nsquare = 3",
        "print 'hello'\nsquare = 3",
        "square = '\\sigma'",
        "square = 3\x00",
        "square = " + "(" * 500 + ")" * 500,
    ],
)
def test_any_source(tiny: Assignment, notebook: NotebookNode, source: str) -> None:
    """Code that is not plain Python neither fails nor warns, and its names are still found."""
    strip_both(notebook)
    notebook.cells[4].source = source
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert align(tiny, notebook)["1a"].cells == (4, 5)


def test_boundaries() -> None:
    """An answer's boundaries enclose its cells; without cells both are the notebook's end."""
    answer = AlignedAnswer("1a", (4, 7), found=True, attempted=True)
    assert (answer.first(16), answer.last(16)) == (4, 8)
    nothing = AlignedAnswer("1a", (), found=True, attempted=False)
    assert (nothing.first(16), nothing.last(16)) == (16, 16)


def test_text_of_a_question_of_code(tiny: Assignment, notebook: NotebookNode) -> None:
    """A question that is part of another has the text below its prompt, and none of its code."""
    part = Question("1a.written", "", QuestionKind.WRITTEN, 1.0, part_of="1a")
    both = replace(tiny, questions=(*tiny.questions, part))
    notebook.cells.insert(5, v4.new_markdown_cell("It is a parabola."))
    answers = align(both, notebook)
    assert (answers["1a"].cells, answers["1a.written"].cells) == ((4, 6), (5,))
    assert answers["1a.written"].attempted
    del notebook.cells[5]
    left = align(both, notebook)["1a.written"]
    assert (left.cells, left.found, left.attempted) == ((), True, False)


def test_exercises_and_letters(tiny: Assignment, notebook: NotebookNode) -> None:
    """Prompts are found by "Exercise 2" and "b)" alone, and by a heading that has no letter."""
    strip_both(notebook)
    notebook.cells[2].source = "to be graded"
    notebook.cells[3].source = "## Exercise 1 (Other words)\n\na) Something else entirely."
    notebook.cells[8].source = "## Exercise 2 Sums"
    notebook.cells[9].source = "a) Once more, in quite different words than those."
    notebook.cells[13].source = "## Exercise 3: the end of it all, at last"
    questions = [replace(q, label="", section="3") if q.id == "2c" else q for q in tiny.questions]
    answers = align(replace(tiny, questions=tuple(questions)), notebook)
    assert cells_of(answers) == AS_RELEASED


@pytest.mark.parametrize(
    ("text", "in_text"),
    [
        ("The sum is $\\sum x^2$, by hand.", True),
        ("## Answer", False),
        ("## Answer\n\n| x | 3 |", True),
        ("*Your answer here.*", False),
    ],
)
def test_text_in_place_of_code(
    tiny: Assignment, notebook: NotebookNode, text: str, in_text: bool
) -> None:
    """Text alone below a question of code is shown to a person; headings and blanks are none."""
    strip_both(notebook)
    notebook.cells[10] = v4.new_markdown_cell(text)
    answer = align(tiny, notebook)["2a"]
    assert (answer.in_text, answer.cells) == (in_text, (10,) if in_text else ())
    assert not answer.attempted


def test_notes_beside_code(tiny: Assignment, notebook: NotebookNode) -> None:
    """Beside code that was written, text is no part of the answer."""
    notebook.cells.insert(10, v4.new_markdown_cell("I add them up."))
    answer = align(tiny, notebook)["2a"]
    assert (answer.in_text, answer.cells) == (False, (11,))


def test_headings_that_answers_repeat(tiny: Assignment, notebook: NotebookNode) -> None:
    """A prompt that is the heading "Q2.1" alone is found, although its answer repeats the id."""
    strip_both(notebook)
    sections = {"1a": "1.1", "1b": "1.2", "2a": "2.1", "2b": "2.2", "2c": "2.3"}
    for index, section in zip((3, 6, 9, 11, 13), sections.values(), strict=True):
        notebook.cells[index].source = f"## Q{section}: quite other words than in the release"
    notebook.cells[7].source = "**[Answer]**\n\n## Q1.2: My answer\n\n### 1. First\n\n### 2. Then"
    named = [replace(q, label="", section=sections[q.id]) for q in tiny.questions]
    assert cells_of(align(replace(tiny, questions=tuple(named)), notebook)) == AS_RELEASED


def test_markdown_as_an_answer_of_code(tiny: Assignment, notebook: NotebookNode) -> None:
    """Where a question of code takes Markdown, it is part of the answer, and an attempt."""
    taking = replace(tiny.questions[0], markdown=True)
    both = replace(tiny, questions=(taking, *tiny.questions[1:]))
    notebook.cells[4].source = tiny.release.cells[4].source
    notebook.cells.insert(5, v4.new_markdown_cell("It is 4."))
    answer = align(both, notebook)["1a"]
    assert (answer.cells, answer.attempted) == ((4, 5, 6), True)
    assert not align(tiny, notebook)["1a"].attempted
