"""`%check` in a real kernel, on forks and on copies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from grader.assignment import load_assignment
from grader.releasing import make_bundle, write_bundle

WRONG_SLOPE = """
calls = []
def square(x):
    calls.append(x)
    x *= 1
    return x * x

def square_grad(x):
    return -2 * x
"""
ENDLESS = "def square(x):\n    while True:\n        pass"
SETTING = """
import random
import matplotlib.pyplot as plt
import numpy as np
%config InlineBackend.close_figures = False
figure = plt.figure()
data = np.arange(3.0)
"""
REMEMBER = """
_kept = {name: id(value) for name, value in globals().items() if name[0] != "_"}
_drawn = (np.random.get_state()[1].tolist(), random.getstate(), plt.get_fignums())
"""
COMPARE = """
assert _drawn == (np.random.get_state()[1].tolist(), random.getstate(), plt.get_fignums())
assert _kept == {name: id(value) for name, value in globals().items() if name[0] != "_"}
assert calls == [] and data.tolist() == [0, 1, 2] and plt.gcf() is figure
print("as it was")
"""
COMPLETE = "print(get_ipython().complete('2', '%check 2', 8)[1])"
# In a process of its own: nbclient leaves sockets open.
RUN = """
import sys, nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], as_version=4)
resources = {"metadata": {"path": sys.argv[2]}}
NotebookClient(notebook, timeout=120, allow_errors=True, resources=resources).execute()
nbformat.write(notebook, sys.argv[1])
"""
CELLS = {
    "load": "%load_ext grader",
    "setting": SETTING,
    "answer": WRONG_SLOPE,
    "remember": REMEMBER,
    "failed": "%check 1a",
    "compare": COMPARE,
    "all": "%check",
    "unknown": "%check 9",
    "option": "%check --all",
    "complete": COMPLETE,
    "no fork": "import os\ndel os.fork",
    "remember again": REMEMBER,
    "failed again": "%check 1a -v",
    "compare again": COMPARE,
    "endless": ENDLESS,
    "late": "%check 1a",
    "alive": "print(sum(data))",
}


def run(folder: Path, sources: Sequence[str]) -> NotebookNode:
    """Runs these cells in the folder, as a student's front end would."""
    path = folder.with_name("run.ipynb")
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    subprocess.run([sys.executable, "-c", RUN, str(path), str(folder)], check=True)
    return nbformat.read(path, as_version=4)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[NotebookNode]]:
    """What each of the cells above has shown."""
    folder = tmp_path_factory.mktemp("homework") / "home"
    write_bundle(make_bundle(load_assignment(Path(__file__).parents[1] / "tiny")), folder)
    path = folder / "assignment.toml"
    path.write_text(path.read_text().replace("check = 5", "check = 1"))
    cells = run(folder, list(CELLS.values())).cells
    return {name: cell.outputs for name, cell in zip(CELLS, cells, strict=True)}


def text_of(shown: list[NotebookNode]) -> str:
    """Everything that a cell has shown, as text."""
    parts = [o.get("text") or o.get("evalue") or o.data["text/plain"] for o in shown]
    return "\n".join(parts)


def test_loading_says_what_it_is(outputs: dict[str, list[NotebookNode]]) -> None:
    """That nothing is kept apart is said once, where the extension is loaded."""
    assert "nothing keeps it apart from this machine" in text_of(outputs["load"])
    assert "kept apart" not in text_of(outputs["failed"])


@pytest.mark.parametrize("cell", ["failed", "failed again"], ids=["fork", "copy"])
def test_failure(outputs: dict[str, list[NotebookNode]], cell: str) -> None:
    """The outcome stands below the cell as HTML, and as text where there is none."""
    (shown,) = outputs[cell]
    text, html = shown.data["text/plain"], shown.data["text/html"]
    assert "1a  1/2  failed  the square" in text
    assert "✗ test_square_grad: " in text
    assert "what it looks like: " in text
    assert "the square" in html
    assert "<code>test_square_grad</code>" in html
    assert "wrong at 3 of 3 elements" in html


@pytest.mark.parametrize("cell", ["compare", "compare again"], ids=["fork", "copy"])
def test_nothing_is_spoiled(outputs: dict[str, list[NotebookNode]], cell: str) -> None:
    """Variables, figures and random numbers are the same objects and states as before."""
    assert text_of(outputs[cell]) == "as it was\n"


def test_all(outputs: dict[str, list[NotebookNode]]) -> None:
    """Without an id all questions are checked; what is not there yet is not answered yet."""
    text = text_of(outputs["all"])
    assert "2a  0/1  not answered yet" in text
    assert "1 of 4 checks passed" in text


def test_slips(outputs: dict[str, list[NotebookNode]]) -> None:
    """A slip is answered by a sentence, without a traceback."""
    for cell, sentence in (("unknown", "no question '9'"), ("option", "unrecognized arguments")):
        assert sentence in text_of(outputs[cell])
        assert "Traceback" not in str(outputs[cell])


def test_completion(outputs: dict[str, list[NotebookNode]]) -> None:
    """The ids of the questions that code answers are completed."""
    assert text_of(outputs["complete"]) == "['2a', '2c']\n"


def test_endless_loop(outputs: dict[str, list[NotebookNode]]) -> None:
    """A function that does not stop is interrupted, and the kernel lives on."""
    assert "did not finish within the check's 1 seconds" in text_of(outputs["late"])
    assert text_of(outputs["alive"]) == "3.0\n"


def test_the_extension_is_light() -> None:
    """Importing the package, from which the extension is loaded, brings nothing heavy."""
    code = "import sys, grader; print('numpy' in sys.modules, 'IPython' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False False\n"
