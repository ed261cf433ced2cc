"""Hand-ins from another environment: right work keeps its points, and what was done is told."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from grader import grade
from grader.assignment import Assignment, load_assignment
from grader.batch.jobs import Job, grade_job
from grader.errors import AssignmentError
from grader.records import CellRun, CellStatus, QuestionStatus, Report
from grader.reports import from_json, render_instructor, render_student, to_json
from grader.submission import Submission, read_notebook

FILES = {
    "hw/far/data.csv": b"1,2\n3,4\n",
    "old/data.csv": b"9,9\n",
    "hw/notes.txt": b"beside",
    "hw/src/helpers.py": b"import numpy as np\nCOUNT = np.int(2.7)\n",
    "hw/src/more.py": b"MORE = 5\n",
}
# Cells, with `# %%` between them. Each ends with an error where its repair is missing.
FOREIGN = r"""
!pip install numpy==1.16
%cd /content/drive/MyDrive/hw
%load_ext autoreload
%unheard of
# %%
from google.colab import drive, files
drive.mount('/content/drive')
assert files.upload()['data.csv']
# %%
import os
os.chdir('/home/jane.doe/hw')
import seaborn_like as sns, tqdm
bar = [k for k in tqdm.tqdm(range(3))]
# %%
%matplotlib notebook
import matplotlib
matplotlib.use('TkAgg')
import matplotlib.pyplot as plt
plt.switch_backend('Qt5Agg')
plt.style.use('seaborn-white')
# %%
import numpy as np, collections
from sklearn.cross_validation import train_test_split
assert np.int(2.5) == 2 and np.Inf > np.float(1) and np.product([2, 3]) == 6
assert collections.Callable and np.in1d([1], [1]).all()
# %%
import helpers
%run /home/jane.doe/more.py
assert (helpers.COUNT, MORE) == (2, 5)
# %%
data = np.loadtxt('C:\\Users\\Jane\\data.csv', delimiter=',')
text = open('/home/jane.doe/Downloads/data.csv').read()
from pathlib import Path
assert Path('../input/data.csv').read_text() == text
import pandas
assert pandas.read_csv('/x/data.csv', header=None).shape == (2, 2)
assert data.sum() == 10
# %%
%%time
assert np.asscalar(data[:1, :1]) == 1
"""
# What a repair must not touch; each cell raises if one has.
OWN = r"""
class np:
    int = 'mine'
assert np.int == 'mine'
# %%
import numpy
assert not hasattr(numpy, 'float')
# %%
listed = !echo /content/drive
assert listed == ['/content/drive'], listed
names = !ls notes.txt
assert names == ['notes.txt'], names
# %%
path = 'notes.txt'
assert open(path).read() == 'beside'
text = '''
!pip install x
'''
assert 'pip' in text
# %%
try:
    import google.colab
    in_colab = True
except ImportError:
    in_colab = False
assert not in_colab
# %%
try:
    open('/home/jane.doe/none.csv')
except FileNotFoundError as error:
    assert 'jane' in str(error)
else:
    raise AssertionError
# %%
import os
with open('data.csv', 'w') as f:
    f.write('7')
assert open('data.csv').read() == '7'
os.mkdir('sub')
%cd sub
assert os.getcwd().endswith('hw/sub')
os.chdir('..')
"""
FAILING = r"""
import seaborn_like as sns
sns.heatmap([1])
# %%
open('/home/jane.doe/none.csv')
# %%
import urllib.request
urllib.request.urlopen('https://example.org/none.csv')
"""


def cells_of(text: str) -> list[str]:
    """The cells of a text."""
    return [part.strip("\n") for part in text.split("# %%\n")]


def hand_in(
    assignment: Assignment,
    text: str,
    *,
    kernel: str = "python3",
    files: Mapping[str, bytes] = FILES,
) -> Submission:
    """The solution of an assignment behind the cells of a text, in a folder with files."""
    notebook = copy.deepcopy(assignment.solution)
    notebook.cells[1:1] = map(new_code_cell, cells_of(text))
    notebook.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
    content, name = nbformat.writes(notebook).encode(), "hw/ann.ipynb"
    return Submission("ann", name, read_notebook(content, name), {name: content, **files})


def wrong(report: Report) -> list[CellRun]:
    """The cells that did not run through."""
    return [run for run in report.execution if run.status is not CellStatus.OK]


@pytest.fixture(scope="module")
def foreign(tiny: Assignment) -> Report:
    """The report on a hand-in that was written elsewhere."""
    return grade(tiny, hand_in(tiny, FOREIGN, kernel="jupyternotebookvenv"))


def test_right_work_keeps_its_points(foreign: Report) -> None:
    """Every cell runs through, and the score is that of the solution."""
    assert wrong(foreign) == []
    assert foreign.score == 4.0


@pytest.mark.parametrize(
    ("kind", "text", "cells", "files"),
    [
        ("kernels", "the notebook asks for the kernel 'jupyternotebookvenv'", (), ()),
        ("commands", "`!pip install numpy==1.16` was not run", (1,), ()),
        ("folders", "…/MyDrive/hw is not there: hw was taken", (1,), ()),
        ("magics", "`%unheard of` was left out", (1,), ()),
        ("colab", "google.colab has a stand-in", (2,), ()),
        ("modules", "seaborn_like is neither installed here nor handed in", (3,), ()),
        ("modules", "helpers is not beside the notebook: hw/src/helpers.py", (6,), ()),
        ("backends", "`%matplotlib notebook`: figures are drawn inline", (4,), ()),
        ("backends", "the backend TkAgg opens windows", (4,), ()),
        ("names", "the style seaborn-white is called", (4,), ()),
        ("names", "numpy.int, which numpy", (5,), ("hw/src/helpers.py",)),
        ("names", "numpy.asscalar, which numpy", (8,), ()),
        ("names", "sklearn.cross_validation, which sklearn", (5,), ()),
        ("files", "`%run …/jane.doe/more.py`: hw/src/more.py was taken", (6,), ()),
        ("files", "…/Jane/data.csv is not there: hw/far/data.csv was taken", (7,), ()),
    ],
)
def test_each_repair_is_told(
    foreign: Report, kind: str, text: str, cells: tuple[int, ...], files: tuple[str, ...]
) -> None:
    """By its kind, in words, with the cells and files that asked for it."""
    (found,) = [repair for repair in foreign.repairs if repair.text.startswith(text)]
    assert (found.kind, found.cells, found.files) == (kind, cells, files)


def test_repairs_in_every_report(foreign: Report) -> None:
    """JSON keeps them, a report without them can be read, and the pages show them."""
    assert from_json(to_json(foreign)).repairs == foreign.repairs
    older = json.loads(to_json(foreign))
    del older["repairs"]
    assert from_json(json.dumps(older)).repairs == ()
    for page in (render_instructor(foreign), render_student(foreign)):
        assert "`!pip install numpy==1.16` was not run (commands; cell 1)" in page
    assert "Repaired here" not in render_student(replace(foreign, repairs=()))


def test_what_needs_no_repair_is_not_touched(tiny: Assignment) -> None:
    """A student's own names, texts, guards and files mean what they mean; nothing is told."""
    report = grade(tiny, hand_in(tiny, OWN, files={"hw/notes.txt": b"beside"}))
    assert wrong(report) == []
    assert report.repairs == ()
    assert report.score == 4.0


def test_what_cannot_be_repaired_is_explained(tiny: Assignment) -> None:
    """The cell's error says what was missing and the cure, and the rest is graded."""
    report = grade(tiny, hand_in(tiny, FAILING))
    module, file, network = wrong(report)
    assert module.error.startswith("ModuleNotFoundError: No module named 'seaborn_like'")
    assert "neither installed where this was graded nor among the files" in module.error
    assert "handed in or put into the assignment's files/" in file.error
    assert "there is no network where this was graded" in network.error
    assert report.score == 4.0


def test_repairs_that_are_turned_off(tiny: Assignment) -> None:
    """The same hand-in, with two kinds alone: what lacks the others fails, and says so."""
    text = "\n# %%\n".join(cells_of(FOREIGN)[k] for k in (3, 4, 6))
    report = grade(tiny, hand_in(tiny, text), repairs=["backends", "magics"])
    assert {repair.kind for repair in report.repairs} == {"backends"}
    errors = [run.error for run in wrong(report)]
    assert "seaborn-white" in errors[0]
    assert "sklearn.cross_validation" in errors[1]
    assert "hw/far/data.csv, but the repair `files` is turned off" in errors[2]


def test_python_2_has_a_report(tiny: Assignment) -> None:
    """It is refused with the cell and the cure; nobody has lost a point, here as in a batch."""
    submission = hand_in(tiny, "print 'loss'", kernel="python2")
    report = grade(tiny, submission)
    assert {q.status for q in report.questions} == {QuestionStatus.UNGRADED}
    assert (report.score, report.pending) == (0.0, 5.0)
    assert report.notes[0].startswith("this is Python 2, which cannot be run here: cell 1")
    assert report.submission == submission.record
    outcome = grade_job(Job("ann", str(tiny.folder), submission))
    assert from_json(outcome.report).notes == report.notes


def test_a_kernel_that_is_not_to_be_repaired(tiny: Assignment) -> None:
    """It has a report as well."""
    report = grade(tiny, hand_in(tiny, "x = 1", kernel="torch-gpu"), repairs=["names"])
    assert "asks for the kernel 'torch-gpu'" in report.notes[0]


def test_settings(tiny_folder: Path, call_command: Callable[..., int], tmp_path: Path) -> None:
    """assignment.toml and the command say which kinds are made; unknown words are refused."""
    written = tiny_folder / "assignment.toml"
    settings = '\n[run]\nrepairs = ["names", "{}"]\n'
    text = written.read_text().replace("\n[[question]]", settings + "\n[[question]]", 1)
    written.write_text(text.format("files"))
    assert load_assignment(tiny_folder).run.repairs == ("names", "files")
    written.write_text(text.format("shims"))
    with pytest.raises(AssignmentError, match=r"\[run\] repairs: no repair is called shims"):
        load_assignment(tiny_folder)
    (tmp_path / "ann.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook()))
    wrong_option = ("grade", "radboud_a1", tmp_path / "ann.ipynb", "--repairs", "shims")
    assert call_command(*wrong_option) == 2
