"""An assignment's folder: what is read of it, and what each fault in it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.assignment import Assignment, Experiments, bundled_assignments, load_assignment
from grader.errors import AssignmentError
from grader.execution.limits import COURSEWORK
from grader.records import QuestionKind

Change = Callable[[str, str], None]


@pytest.fixture
def change(tiny_folder: Path) -> Change:
    """Replaces a text in the tiny assignment's assignment.toml."""

    def replace(old: str, new: str) -> None:
        path = tiny_folder / "assignment.toml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return replace


def test_tiny(tiny: Assignment) -> None:
    """Questions, kinds, points, names and limits are those of the file."""
    assert [question.id for question in tiny.questions] == ["1a", "1b", "2a", "2b", "2c"]
    first = tiny.question("1a")
    assert (first.kind, first.points) == (QuestionKind.CODE, 2.0)
    assert first.names == ("square", "square_grad")
    assert (tiny.limits.cell, tiny.limits.start) == (5, COURSEWORK.start)
    assert (tiny.slug, tiny.title, tiny.course) == ("tiny", "A tiny assignment", "Tests")


@pytest.mark.parametrize("name", bundled_assignments())
def test_bundled(name: str) -> None:
    """Every bundled assignment can be loaded by its name."""
    assert load_assignment(name).slug == name


def test_unknown_name(tmp_path: Path) -> None:
    """A name that is no assignment's is refused, and the bundled ones are named."""
    with pytest.raises(AssignmentError, match="radboud_a1"):
        load_assignment(tmp_path)


def test_unknown_question(tiny: Assignment) -> None:
    """Asking for a question that is not there is the author's fault."""
    with pytest.raises(AssignmentError, match="no question '9z'"):
        tiny.question("9z")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('title = "A tiny assignment"', "title = ", "assignment.toml"),
        ('title = "A tiny assignment"', "", "assignment.toml.*title"),
        ('course = "Tests"', 'curse = "Tests"', "assignment.toml.*curse"),
        ('kind = "code"', 'kind = "essay"', "assignment.toml.*question"),
        ("points = 2", 'points = "two"', "assignment.toml.*question"),
        ("points = 2", "points = -2", "assignment.toml.*1a.*points"),
        ("points = 2", "points = nan", "assignment.toml.*1a.*points"),
        ('names = ["total"]', 'names = "total"', r"assignment.toml.*question\[4\]\.names"),
        ("check = 5", "checks = 5", r"assignment.toml.*\[limits\] knows .*check"),
        ("check = 5", "check = -5", r"assignment.toml.*\[limits\]"),
        ("check = 5", "check = 5\n[run]\noverride = { 'a b' = 1 }", "override: 'a b' = 1 is not"),
        (
            "check = 5",
            "check = 5\n[run]\noverride = { a = { b = 1 } }",
            "override: 'a' = .* is not",
        ),
        ("check = 5", "check = 5\n[run]\nexperiments = 'maybe'", "run.experiments"),
        ("check = 5", "check = 5\n[run]\nexperiment_seconds = 0", "experiment_seconds is above 0"),
        ('names = ["total"]', 'part_of = "1a"', "2c needs no prompt"),
        ('id = "1b"', 'id = "1a"', "assignment.toml.*two questions have the same id"),
        ('id = "1b"', 'id = "9z"', "solution.ipynb.*question 9z needs one prompt"),
    ],
)
def test_wrong_toml(tiny_folder: Path, change: Change, old: str, new: str, words: str) -> None:
    """A fault in assignment.toml is told with the file and what is wrong in it."""
    change(old, new)
    with pytest.raises(AssignmentError, match=words):
        load_assignment(tiny_folder)


def test_toml_that_is_not_text(tiny_folder: Path) -> None:
    """An assignment.toml in another encoding is refused by its path."""
    (tiny_folder / "assignment.toml").write_bytes(b'title = "\xff"')
    with pytest.raises(AssignmentError, match=r"assignment\.toml"):
        load_assignment(tiny_folder)


def test_missing_solution(tiny_folder: Path) -> None:
    """An assignment without its notebook is refused."""
    (tiny_folder / "solution.ipynb").unlink()
    with pytest.raises(AssignmentError, match=r"solution\.ipynb is missing"):
        load_assignment(tiny_folder)


def test_broken_solution(tiny_folder: Path) -> None:
    """A solution that is no notebook is refused by its path."""
    (tiny_folder / "solution.ipynb").write_text("{}")
    with pytest.raises(AssignmentError, match=r"solution\.ipynb is not a notebook"):
        load_assignment(tiny_folder)


def test_unknown_question_in_solution(tiny_folder: Path) -> None:
    """A cell that names a question which assignment.toml does not know is refused."""
    path = tiny_folder / "solution.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["metadata"] = {"nn_grader": {"question": "9z", "role": "given"}}
    path.write_text(json.dumps(notebook))
    with pytest.raises(AssignmentError, match=r"solution\.ipynb: unknown question 9z"):
        load_assignment(tiny_folder)


def test_open_region_in_solution(tiny_folder: Path) -> None:
    """A solution region that is not closed is told with the file and the cell."""
    path = tiny_folder / "solution.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][4]["source"] = "### BEGIN SOLUTION\nx = 1"
    path.write_text(json.dumps(notebook))
    with pytest.raises(AssignmentError, match=r"solution\.ipynb: solution cell 4 .* not closed"):
        _ = load_assignment(tiny_folder).release


@pytest.mark.parametrize("package", ["no_such_package", "no_such_package.inner"])
def test_missing_package(tiny_folder: Path, change: Change, package: str) -> None:
    """A package that is missing here is named together with the command that installs it."""
    change('course = "Tests"', f'requires = ["numpy", "{package}"]')
    with pytest.raises(AssignmentError, match=rf"\({package}\): python -m pip install"):
        load_assignment(tiny_folder).require_packages()


def test_present_packages(tiny_folder: Path, change: Change) -> None:
    """Packages that are installed are no obstacle."""
    change('course = "Tests"', 'requires = ["numpy", "scipy.optimize"]')
    load_assignment(tiny_folder).require_packages()


def test_definitions(tiny: Assignment) -> None:
    """A question's definitions are the solution's, and run on their own."""
    namespace: dict[str, object] = {}
    exec(tiny.definitions("1a"), namespace)
    assert namespace["square"](3) == 9  # type: ignore[operator]
    assert tiny.definitions("1b") == ""


def test_definitions_hold_the_questions_names_alone(tiny_folder: Path) -> None:
    """Of an answer's cells only imports, functions, classes and the asked names are taken."""
    path = tiny_folder / "solution.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][14]["source"] = (
        "import math\nother = 1\nfirst, total = 1, 2\ntotal: float = 3\nprint(total)\n"
    )
    path.write_text(json.dumps(notebook))
    code = load_assignment(tiny_folder).definitions("2c")
    assert code.splitlines() == ["import math", "first, total = (1, 2)", "total: float = 3"]


def test_run_settings(change: Change, tiny_folder: Path) -> None:
    """Experiments, their constants and optional modules are those of the file."""
    change(
        "check = 5",
        "check = 5\n[run]\nexperiments = 'run'\nexperiment_seconds = 9\n"
        "override = { n = 2, sizes = [3, 4.5], name = 'relu', flag = true }\n"
        "optional_modules = ['no_such_package.inner', 'numpy']",
    )
    assignment = load_assignment(tiny_folder)
    run = assignment.run
    assert (run.experiments, run.experiment_seconds) == (Experiments.RUN, 9.0)
    assert run.override == {"n": 2, "sizes": [3, 4.5], "name": "relu", "flag": True}
    assert assignment.missing_modules() == {"no_such_package"}


@pytest.mark.parametrize(
    ("kind", "part_of", "is_right"),
    [
        ("written", "1a", True),
        ("code", "1a", False),
        ("written", "1b", False),
        ("written", "9z", False),
    ],
)
def test_part_of(
    tiny_folder: Path, change: Change, kind: str, part_of: str, is_right: bool
) -> None:
    """Text belongs to a question of code, and to no other."""
    part = f'[[question]]\nid = "1a.x"\ntitle = "x"\nkind = "{kind}"\npoints = 1\n'
    change('[[question]]\nid = "1b"', f'{part}part_of = "{part_of}"\n\n[[question]]\nid = "1b"')
    if is_right:
        assert load_assignment(tiny_folder).question("1a.x").part_of == "1a"
    else:
        with pytest.raises(AssignmentError, match=r"1a.x: part_of names a question of kind code"):
            load_assignment(tiny_folder)


def test_files_of_the_release(modular: Assignment) -> None:
    """What the release has beside the notebook are files/ and solution/ without its answers."""
    names = ["net/__init__.py", "net/layers.py", "net/loss.py", "notes.md"]
    assert list(modular.files) == names
    assert b"2 * x" not in modular.files["net/layers.py"]
    assert b"2 * x" in modular.solution_files["net/layers.py"].encode()
    assert modular.answer_files == ("net/layers.py", "net/loss.py", "notes.md")


def test_a_question_of_a_file_has_no_cells(modular_folder: Path) -> None:
    """A cell that claims to belong to a question which a file answers is refused."""
    path = modular_folder / "solution.ipynb"
    path.write_text(path.read_text().replace('"question": "e"', '"question": "a"', 1))
    with pytest.raises(AssignmentError, match="question a is answered by a file"):
        load_assignment(modular_folder)


def test_a_question_without_its_file(modular_folder: Path) -> None:
    """A question whose file has no solution is refused, with both names."""
    (modular_folder / "solution" / "notes.md").unlink()
    with pytest.raises(AssignmentError, match=r"question d needs a solution region in notes\.md"):
        load_assignment(modular_folder)
