"""One notebook, the same outcome at each level of isolation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grader import grade, session
from grader.assignment import Assignment
from grader.execution.isolation import Level
from grader.records import CellStatus
from grader.submission import Submission

CELLS = (
    "import os\nstate = ['first']\nprint('printed')",
    "1 / 0",
    "while True:\n    pass",
    "state.append('second')",
    "os.chdir('/')\nstate.append(os.getcwd())",
    "os._exit(3)",
    "state.append('third')",
)

POOL = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(2) as pool:
    doubled = list(pool.map(lambda x: 2 * x, [1, 2]))
"""
PROCESS = """
import subprocess, sys
command = [sys.executable, "-S", "-c", "print(7)"]
says = subprocess.run(command, capture_output=True, text=True).stdout
"""
TEMPORARY = """
import os, shutil, tempfile
with tempfile.NamedTemporaryFile("w+") as file:
    file.write("x")
    file.seek(0)
    read = file.read()
open("a.txt", "w").close()
shutil.copy("a.txt", "b.txt")
os.replace("b.txt", "c.txt")
"""
PLOT = """
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.savefig("plot.png")
size = os.path.getsize("plot.png")
"""
ARRAYS = """
import numpy as np
np.savez("a.npz", x=np.arange(3))
back = np.load("a.npz")["x"]
"""
COURSEWORK_CELLS = (POOL, PROCESS, TEMPORARY, PLOT, ARRAYS)


def test_the_same_run(run_cells: Callable[..., Any], level: Level) -> None:
    """Errors, loops, exits, snapshots and outputs come out alike, and nothing is left."""
    ran = run_cells(*CELLS, boundaries=[1, 4, 7], level=level)
    ok, error, timeout = CellStatus.OK, CellStatus.ERROR, CellStatus.TIMEOUT
    statuses = [run.status for run in ran.execution.cells]
    assert statuses == [ok, error, timeout, ok, ok, error, ok]
    assert ran.run(1).error == "ZeroDivisionError: division by zero"
    assert ran.run(2).error == "did not finish within 2 s and was interrupted"
    assert ran.run(5).error == "ended the kernel (an exit or a crash)"
    assert ran.execution.output_of([0]) == "printed\n"
    assert ran.execution.level is level
    assert ran.value(1, "state") == ["first"]
    assert ran.value(4, "state") == ["first", "second"]
    assert ran.value(7, "state") == ["first", "second", "/", "third"]
    assert len(ran.processes()) >= 4
    ran.close()
    assert ran.processes_left() == []
    assert not ran.room.path.exists()


def test_the_same_verdict(
    level: Level,
    tiny: Assignment,
    answered: Callable[..., Submission],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A hand-in gets the same points for the same reasons, and its report names the level."""
    wrong = answered(**{"q1a-answer": "def square(x):\n    return 3 * x"})
    monkeypatch.setattr(session, "reached_level", lambda: level)
    report = grade(tiny, wrong, isolation=Level.NONE)
    assert report.isolation == level.value
    expected = [
        [(check.name, check.status, check.points, check.message) for check in question.checks]
        for question in grade_plainly(tiny, wrong, monkeypatch).questions
    ]
    assert [
        [(check.name, check.status, check.points, check.message) for check in question.checks]
        for question in report.questions
    ] == expected


def grade_plainly(assignment: Assignment, wrong: Submission, patch: pytest.MonkeyPatch) -> Any:
    """The report without any isolation."""
    patch.setattr(session, "reached_level", lambda: Level.NONE)
    return grade(assignment, wrong, isolation="none")


def test_text_in_many_scripts(run_cells: Callable[..., Any], level: Level) -> None:
    """Names of files, texts and outputs are Unicode at each level."""
    source = "print('été Ωmega 数')\nname = 'été-数.txt'\nopen(name, 'w').write('Ω')\n"
    source += "import sys, locale\nencodings = [sys.getfilesystemencoding()]\n"
    source += "import os\nlisted = sorted(os.listdir('.'))"
    files = {"donné-数.csv": b"1"}
    ran = run_cells(source, boundaries=[1], level=level, files=files)
    assert ran.run(0).error == ""
    assert ran.execution.output_of([0]) == "été Ωmega 数\n"
    assert ran.value(1, "encodings") == ["utf-8"]
    assert ran.value(1, "listed") == ["donné-数.csv", "été-数.txt"]


def test_what_coursework_uses(run_cells: Callable[..., Any], level: Level) -> None:
    """Threads, pools of threads, subprocesses, temporary files and plots work at each level."""
    cells = COURSEWORK_CELLS
    ran = run_cells(*cells, boundaries=[len(cells)], level=level)
    assert [run.error for run in ran.execution.cells] == [""] * len(cells)
    value = {name: ran.value(len(cells), name) for name in ("doubled", "says", "read", "size")}
    assert value["doubled"] == [2, 4]
    assert (value["says"], value["read"]) == ("7\n", "x")
    assert value["size"] > 1000
