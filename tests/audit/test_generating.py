"""Generic mutants: where they are made, what they look like, what they are called."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import pytest

from grader.assignment import Assignment, Experiments, load_assignment
from grader.audit.generating import answer_lines, difference, generic_mutants
from grader.audit.planting import solution_submission
from grader.audit.trial import changed
from grader.errors import AssignmentError


def with_answer(folder: Path, cell_id: str, source: str) -> Assignment:
    """The tiny assignment with another answer in its solution."""
    path = folder / "solution.ipynb"
    notebook = nbformat.read(path, as_version=4)
    next(cell for cell in notebook.cells if cell.id == cell_id).source = source
    nbformat.write(notebook, path)
    return load_assignment(folder)


def test_only_answers_of_graded_code_change(tiny: Assignment) -> None:
    """Mutants change one cell each, an answer to a code question that has points."""
    mutants = generic_mutants(tiny)
    assert {mutant.question for mutant in mutants} == {"1a", "2a"}
    for mutant in mutants:
        original = tiny.solution.cells[mutant.cell].source
        assert mutant.source != original
        assert mutant.diff == difference(original, mutant.source, f"cell {mutant.cell}")
        ast.parse(mutant.source)


def test_experiments_that_give_points_change(tiny_folder: Path) -> None:
    """An experiment is mutated like any answer: where it gives points, its checks run it."""
    path = tiny_folder / "solution.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.id == "q1a-answer")
    cell.metadata["nn_grader"]["experiment"] = True
    nbformat.write(notebook, path)
    tiny = load_assignment(tiny_folder)
    assert tiny.run.experiments is Experiments.SKIP
    assert any(mutant.question == "1a" for mutant in generic_mutants(tiny))


def test_only_solution_regions_change(tiny: Assignment) -> None:
    """What stands outside of the markers is handed out, and stays as it is."""
    for mutant in generic_mutants(tiny):
        before = tiny.solution.cells[mutant.cell].source.split("\n")
        after = mutant.source.split("\n")
        inside = {line for region in answer_lines("\n".join(before)) for line in region}
        assert len(before) == len(after)
        changed = {n for n, (a, b) in enumerate(zip(before, after, strict=True), 1) if a != b}
        assert changed <= inside


def test_names_stay_the_same(tiny: Assignment, tiny_folder: Path) -> None:
    """A mutant keeps its name when another function of the solution changes."""
    names = [mutant.name for mutant in generic_mutants(tiny)]
    assert len(set(names)) == len(names)
    source = (
        "def square(x):\n    ### BEGIN SOLUTION\n    y = x * x + 0 * x - 0\n    return y\n"
        "    ### END SOLUTION\n\n\ndef square_grad(x):\n    ### BEGIN SOLUTION\n"
        "    return 2 * x\n    ### END SOLUTION"
    )
    renamed = [m.name for m in generic_mutants(with_answer(tiny_folder, "q1a-answer", source))]
    of_gradient = [name for name in names if name.startswith("1a/square_grad/")]
    assert of_gradient == [name for name in renamed if name.startswith("1a/square_grad/")]
    assert of_gradient


def test_no_mutant_twice(tiny_folder: Path) -> None:
    """Two operators that make the same code make one mutant."""
    tiny = with_answer(tiny_folder, "q1a-answer", "def square(x):\n    return x + x")
    sources = [m.source for m in generic_mutants(tiny) if m.question == "1a"]
    assert len(set(sources)) == len(sources)


def test_text_around_a_change_stays(tiny_folder: Path) -> None:
    """Comments, magics, odd spaces and letters outside of ASCII stay where they were."""
    source = (
        "%matplotlib inline\n\ndef square(x):\n    # η² – kept\n"
        "    name = 'é';  return (x   *x)  # kept\n\n!ls"
    )
    tiny = with_answer(tiny_folder, "q1a-answer", source)
    mutants = [m for m in generic_mutants(tiny) if m.question == "1a"]
    assert mutants
    for mutant in mutants:
        lines = mutant.source.split("\n")
        assert lines[:4] == source.split("\n")[:4]
        assert lines[-1] == "!ls"
        assert lines[4].startswith("    name = 'é';")
        assert lines[4].endswith("# kept")


def test_printing_is_left_alone(tiny_folder: Path) -> None:
    """What is printed, drawn, asserted or raised is no answer."""
    source = (
        "def square(x):\n    print(x + 1)\n    plt.plot(x - 1)\n    plot_it(x * 2)\n"
        "    assert x > -5, x + 2\n    if x is None:\n        raise ValueError(x + 3)\n"
        "    return np.square(x)"
    )
    tiny = with_answer(tiny_folder, "q1a-answer", source)
    mutants = [m for m in generic_mutants(tiny) if m.question == "1a"]
    assert mutants
    for mutant in mutants:
        assert mutant.source.split("\n")[:7] == source.split("\n")[:7]


def test_numpy_only_where_it_is_imported(tiny_folder: Path) -> None:
    """A mutant of a cell that runs before NumPy is imported does not use it."""
    path = tiny_folder / "solution.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace("import numpy as np", "")
    notebook.cells.append(nbformat.v4.new_code_cell("import numpy as np"))
    nbformat.write(notebook, path)
    answer = "def square(x):\n    return x * x"
    mutants = generic_mutants(with_answer(tiny_folder, "q1a-answer", answer))
    of_square = [mutant.diff for mutant in mutants if mutant.function == "square"]
    assert of_square
    assert not any("np." in diff for diff in of_square)


def test_crash_stands_before_the_change(tiny: Assignment) -> None:
    """The code that tells whether a line is reached raises right before it."""
    for mutant in generic_mutants(tiny):
        assert "raise SystemError('reached')" in mutant.crash
        ast.parse(mutant.crash)


def test_broken_answer(tiny_folder: Path) -> None:
    """An answer that is not Python is an error that names its cell."""
    tiny = with_answer(tiny_folder, "q1a-answer", "def square(x:")
    with pytest.raises(AssignmentError, match=r"solution.ipynb: cell 4: this answer is not Python"):
        generic_mutants(tiny)


def test_answers_in_files() -> None:
    """A question that a file answers has mutants of what it names there, and of nothing else."""
    modular = load_assignment(Path(__file__).parents[1] / "modular")
    mutants = [m for m in generic_mutants(modular) if m.path]
    assert mutants
    for mutant in mutants:
        question = modular.question(mutant.question)
        assert mutant.path == question.file
        assert any(mutant.function.startswith(name.split(".")[0]) for name in question.names)
        original = modular.solution_files[mutant.path]
        assert mutant.diff == difference(original, mutant.source, mutant.path)


def test_changed_file(tmp_path: Path) -> None:
    """The hand-in of such a mutant is the solution with that one file changed."""
    modular = load_assignment(Path(__file__).parents[1] / "modular")
    mutant = next(m for m in generic_mutants(modular) if m.path)
    files, original = changed(modular, mutant, mutant.source).files, solution_submission(modular)
    differing = [name for name in files if files[name] != original.files[name]]
    assert differing == [mutant.path]
