"""Each deformation deforms, keeps what is a notebook a notebook, and is the same again by seed."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import nbformat
import pytest
from mangling import (
    DEFORMATIONS,
    Cell,
    HandIn,
    NotApplicableError,
    Saved,
    Stage,
    deform,
    deform_all,
    random_names,
    save,
    solution_hand_in,
    write,
)
from mangling.bases import JUPYTER

from grader.assignment import Assignment, bundled_assignments, load_assignment
from grader.rewriting import parse_cell
from grader.submission import read_notebook

OUTPUT = {"output_type": "stream", "name": "stdout", "text": "49\n"}
SIGMOID = """# the activation
def sigmoid(x):
    return 1 / (1 + np.exp(-x))

# and its slope
def sigmoid_grad(x):
    s = sigmoid(x)
    return s * (1 - s)

print(sigmoid_grad(0))"""


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    """An assignment with sections, elementwise functions and written answers."""
    return load_assignment("radboud_a1")


@pytest.fixture(scope="module")
def hand_in() -> HandIn:
    """Something of all that a deformation may look for."""

    def answer(question: str, source: str, stub: str, kind: str = "code") -> Cell:
        shown = {"outputs": (OUTPUT,), "count": 3} if kind == "code" else {}
        return Cell(kind, source, question, "answer", stub, identity=f"a-{question[2:]}", **shown)

    def prompt(question: str, text: str) -> Cell:
        return Cell("markdown", text, question, "prompt", identity=f"p-{question[2:]}")

    cells = (
        Cell("markdown", "# Networks\n\nHand this in.", identity="title"),
        Cell(
            "code", "import numpy as np\nfrom utils import f\ndata_dir = '.'", identity="i", count=1
        ),
        Cell("code", "print('given')", role="given", identity="g", count=2),
        prompt("1.2a", "## 1.2 Parts\n\n**(a)** The derivative?"),
        answer("1.2a", "It is steepest at 0.", "*Your answer here.*", "markdown"),
        prompt("1.2b", "**(b)** Write `sigmoid` and `sigmoid_grad`."),
        answer("1.2b", SIGMOID, "def sigmoid(x):\n    raise NotImplementedError"),
        prompt("1.2h", "**(h)** Which one?"),
        answer("1.2h", "The sigmoid.", "*Your answer here.*", "markdown"),
        prompt("1.3a", "## 1.3 Model\n\n**(a)** Write `fn`."),
        answer("1.3a", "def fn(x, y):\n    return x, y", "raise NotImplementedError"),
    )
    return HandIn("hw.ipynb", cells, {}, metadata=JUPYTER)


@pytest.mark.parametrize("name", DEFORMATIONS)
def test_deforms(name: str, hand_in: HandIn, assignment: Assignment) -> None:
    """A deformation changes the files of a hand-in that has what it looks for, twice alike."""
    made = deform(name, hand_in, assignment, seed=1)
    assert made.saved != save(hand_in)
    assert made.saved.files != save(hand_in).files
    assert made == deform(name, hand_in, assignment, seed=1)
    assert made.names == (name,)


@pytest.mark.parametrize("name", [n for n, d in DEFORMATIONS.items() if d.stage < Stage.FILES])
def test_is_a_notebook(name: str, hand_in: HandIn, assignment: Assignment) -> None:
    """What no file deformation has touched is a notebook of its version, doubled ids apart."""
    saved = deform(name, hand_in, assignment).saved
    tree = json.loads(saved.files[saved.name])
    assert tree["nbformat"] in (3, 4)
    if name not in ("ids_doubled", "answer_copied"):
        nbformat.validate(nbformat.reads(saved.files[saved.name].decode(), as_version=4))
    assert read_notebook(saved.files[saved.name], saved.name).cells


def test_nothing_to_deform_is_said(hand_in: HandIn, assignment: Assignment) -> None:
    """A hand-in without what a deformation looks for is not passed off as deformed."""
    bare = hand_in.with_cells([Cell("markdown", "nothing")])
    with pytest.raises(NotApplicableError, match="elementwise"):
        deform("vectorized", bare, assignment)
    made = deform_all(["vectorized", "colab"], bare, assignment)
    assert made.names == ("colab",)
    assert list(made.passed_over) == ["vectorized"]


def test_combination(hand_in: HandIn, assignment: Assignment) -> None:
    """Deformations are applied in the order of their stages, and each leaves its trace."""
    made = deform_all(["macos_zip", "colab", "aliased", "crlf"], hand_in, assignment)
    assert made.names == ("aliased", "crlf", "colab", "macos_zip")
    assert list(made.saved.files) == ["hand-in.zip"]


def test_random_names_of_one_group() -> None:
    """A drawn combination has at most one deformation of each group."""
    for seed in range(20):
        drawn = [DEFORMATIONS[name] for name in random_names(Random(seed), 12)]
        groups = [deformation.group for deformation in drawn if deformation.group]
        assert len(groups) == len(set(groups))


def test_solution_as_handed_in() -> None:
    """The solution's hand-in has no marker of a solution; a folder keeps its files."""
    gatech = load_assignment("gatech_ps1")
    saved = save(solution_hand_in(gatech))
    assert "models/_base_network.py" in saved.files
    assert not any(b"### BEGIN" in content for content in saved.files.values())


def test_written_as_handed_in(tmp_path: Path) -> None:
    """One file is handed in as that file, one folder as that folder, several as their folder."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "c").mkdir()
    assert write(Saved("x", {"hw.zip": b""}), tmp_path / "a").name == "hw.zip"
    assert write(Saved("x", {"ann/x": b"", "ann/y": b""}), tmp_path / "b").name == "ann"
    assert write(Saved("x", {"x": b"", "y": b""}), tmp_path / "c").name == "c"


def test_combined_code_can_be_read() -> None:
    """Deformations of the code leave code that Python can read, whatever else was done to it."""
    names = [n for n, d in DEFORMATIONS.items() if d.stage <= Stage.NAMES and n != "python2_code"]
    for slug in bundled_assignments():
        assignment = load_assignment(slug)
        for seed in range(6):
            drawn = Random(seed).sample(names, 5)
            made = deform_all(drawn, solution_hand_in(assignment), assignment, seed).saved
            tree = json.loads(made.files[made.name])
            sources = ["".join(c["source"]) for c in tree["cells"] if c["cell_type"] == "code"]
            sources += [c.decode() for name, c in made.files.items() if name.endswith(".py")]
            assert all(parse_cell(source) is not None for source in sources), (slug, drawn)
