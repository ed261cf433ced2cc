"""Running notebooks that fail, hang, crash, exit and flood, in real kernels."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from grader import grade
from grader.execution.limits import Limits
from grader.execution.plan import CellPlan
from grader.execution.probing import reached_level
from grader.execution.room import Room
from grader.execution.runner import run_notebook
from grader.records import CellEnding, CellStatus, QuestionStatus

DESCRIPTORS = Path("/proc/self/fd")
IGNORES_INTERRUPTS = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    pass
"""
STARTS_A_PROCESS = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(100)", os.getcwd()])
"""
PLOTS = """
import matplotlib.pyplot as plt
%matplotlib inline
plt.plot([1, 2, 3])
plt.show()
"""
SENDS_NONSENSE = """
kernel = get_ipython().kernel
kernel.send_response(kernel.iopub_socket, "display_data", {"bogus": 1})
"""
SENDS_BAD_FRAMES = """
kernel.iopub_socket.send_multipart([b"x", b"<IDS|MSG>", b"forged", b"{}", b"{}", b"{}", b"{}"])
"""
LISTS_DESCRIPTORS = """
import os
held = []
for name in os.listdir("/proc/self/fd"):
    try:
        held.append(os.readlink(f"/proc/self/fd/{name}"))
    except OSError:
        pass
"""

FAILING = {
    "title": "#!md # A notebook",
    "one": "x = 1\nprint('one')",
    "raises": "y = 1 / 0",
    "syntax": "def broken(:",
    "after": "x += 1\nprint(x)",
    "asks": "input('name? ')",
    "loops": "import time\nwhile True:\n    time.sleep(0.01)",
    "sys_exit": "import sys\nsys.exit()",
    "exit": "exit()",
    "plots": PLOTS,
    "redefines": "x = 'another'\ndata = [1]",
    "deletes": "del x\ndata.append(2)",
    "silent": "",
    "nonsense": SENDS_NONSENSE,
    "bad_frames": SENDS_BAD_FRAMES,
    "floods": "while True:\n    print('y' * 1000)",
    "much": "for _ in range(100):\n    print('z' * 100_000)\nprint('end')",
    "last": "print('last')",
}
PLACE = {name: index for index, name in enumerate(FAILING)}


@pytest.fixture(scope="module")
def failing(run_cells: Callable[..., Any]) -> Any:
    """A notebook in which much goes wrong and nothing ends the kernel."""
    return run_cells(*FAILING.values())


def status(ran: Any, name: str) -> CellStatus:
    """How the cell of this name ended."""
    return CellStatus(ran.run(PLACE[name]).status)


def test_goes_on_after_a_failing_cell(failing: Any) -> None:
    """An exception and a syntax error cost their own cells only."""
    assert failing.run(PLACE["raises"]).error == "ZeroDivisionError: division by zero"
    assert failing.run(PLACE["syntax"]).error.startswith("SyntaxError")
    assert status(failing, "after") is CellStatus.OK
    assert failing.execution.output_of([PLACE["one"], PLACE["after"]]) == "one\n2\n"


def test_every_code_cell_is_recorded_once_and_in_order(failing: Any) -> None:
    """Each code cell, and no other, has one record, in the notebook's order."""
    cells = [run.cell for run in failing.execution.cells]
    assert cells == list(range(1, len(FAILING)))


def test_errors_are_one_line(failing: Any) -> None:
    """A record's error is short, and empty where the cell ran."""
    for run in failing.execution.cells:
        assert (run.error == "") == (run.status is CellStatus.OK)
        assert len(run.error) <= 500


def test_input_fails_at_once(failing: Any) -> None:
    """A cell that asks for input raises instead of waiting for somebody."""
    run = failing.run(PLACE["asks"])
    assert run.status is CellStatus.ERROR
    assert "StdinNotImplementedError" in run.error
    assert run.seconds < 1.5


def test_a_loop_is_interrupted_at_its_limit(failing: Any) -> None:
    """A cell that does not end is stopped, and the kernel lives on."""
    run = failing.run(PLACE["loops"])
    assert run.status is CellStatus.TIMEOUT
    assert run.error == "did not finish within 2 s and was interrupted"
    assert run.seconds < 3.5
    assert len(failing.execution.kernels) == 1


def test_exits_keep_the_kernel(failing: Any) -> None:
    """sys.exit() and exit() do not cost the cells after them."""
    assert status(failing, "sys_exit") is CellStatus.ERROR
    assert status(failing, "exit") is CellStatus.OK
    assert failing.value(PLACE["exit"] + 1, "x") == 2


def test_figures_are_not_rendered_by_default(failing: Any) -> None:
    """A plot runs, but no image of it is made."""
    assert status(failing, "plots") is CellStatus.OK
    assert "image/png" not in str(failing.execution.notebook.cells[PLACE["plots"]].outputs)


def test_snapshots_hold_the_state_at_their_boundary(failing: Any) -> None:
    """What is redefined, changed or deleted later is still there at the earlier boundary."""
    assert failing.value(PLACE["one"] + 1, "x") == 1
    assert failing.value(PLACE["after"] + 1, "x") == 2
    assert failing.value(PLACE["redefines"] + 1, "x") == "another"
    assert failing.value(PLACE["redefines"] + 1, "data") == [1]
    assert failing.value(PLACE["deletes"] + 1, "data") == [1, 2]
    assert set(failing.execution.snapshots) == set(range(len(FAILING) + 1))
    assert failing.execution.lost == {}


def test_malformed_messages_cost_their_own_cell(failing: Any) -> None:
    """A cell that writes nonsense to the kernel's channels does not end the run."""
    for name in ("nonsense", "bad_frames"):
        assert status(failing, name) is CellStatus.ERROR
        assert "cannot be read" in failing.run(PLACE[name]).error
    assert status(failing, "last") is CellStatus.OK
    assert failing.execution.output_of([PLACE["last"]]) == "last\n"


def test_output_is_capped(failing: Any) -> None:
    """Printing without an end is stopped at the limit, and only so much of it is kept."""
    assert status(failing, "floods") is CellStatus.TIMEOUT
    assert status(failing, "much") is CellStatus.OK
    for name in ("floods", "much"):
        assert len(str(failing.execution.notebook.cells[PLACE[name]].outputs)) < 3 << 20


def test_progress_is_called_after_each_cell(failing: Any) -> None:
    """Progress counts the code cells that were run, out of all of them."""
    total = len(FAILING) - 1
    assert failing.progress == [(done, total) for done in range(1, total + 1)]


def test_the_notebook_that_was_given_is_not_changed(run_cells: Callable[..., Any]) -> None:
    """The run works on a copy: outputs that were handed in stay as they were."""
    notebook = new_notebook(cells=[new_code_cell("print(2)", outputs=[])])
    with Room({}, "a.ipynb") as room:
        limits = Limits(cell=2, notebook=20, check=2)
        execution = run_notebook(notebook, [], room, limits, level=reached_level())
        execution.close()
    assert execution.output_of([0]) == "2\n"
    assert notebook.cells[0].outputs == []


# --- kernels that end ------------------------------------------------------------

DYING = (
    "state = ['first']",
    IGNORES_INTERRUPTS,
    "state.append('after a hang')",
    "import os\nos._exit(3)",
    "state.append('after an exit')",
    "import ctypes\nctypes.string_at(0)",
    "state.append('never run')",
)


@pytest.fixture(scope="module")
def dying(run_cells: Callable[..., Any]) -> Any:
    """A notebook that ends its kernel three times."""
    return run_cells(*DYING)


def test_a_cell_that_ignores_interrupts_is_killed(dying: Any) -> None:
    """A loop that ignores SIGINT ends with its kernel, soon after the grace."""
    run = dying.run(1)
    assert run.status is CellStatus.TIMEOUT
    assert run.error == "did not stop after 2 s and ignored the interrupt, so it was killed"
    assert run.seconds < 6


def test_later_cells_run_in_a_fresh_kernel(dying: Any) -> None:
    """After a kernel's end the earlier cells are run again, and the rest goes on from there."""
    assert dying.run(2).status is CellStatus.OK
    assert dying.value(2, "state") == ["first"]
    assert dying.value(3, "state") == ["first", "after a hang"]
    assert dying.run(4).status is CellStatus.OK
    assert dying.value(5, "state") == ["first", "after a hang", "after an exit"]


def test_exits_and_crashes_are_told(dying: Any) -> None:
    """os._exit and a segmentation fault are errors of their own cells."""
    for cell in (3, 5):
        assert dying.run(cell).status is CellStatus.ERROR
        assert dying.run(cell).error == "ended the kernel (an exit or a crash)"


def test_too_many_deaths_end_the_run(dying: Any) -> None:
    """After the allowed restarts the rest is skipped, and says why."""
    assert len(dying.execution.kernels) == 3
    assert dying.run(6).status is CellStatus.SKIPPED
    assert dying.run(6).error == "not run: the kernel had ended 3 times"
    assert set(dying.execution.lost) == {6, 7}
    assert dying.execution.lost[7] == "not run: the kernel had ended 3 times"
    assert [run.cell for run in dying.execution.cells] == list(range(7))


@pytest.mark.parametrize(
    "sources", [("a = 1", "import os\nos._exit(0)"), ()], ids=["dies", "empty"]
)
def test_the_boundary_after_the_last_cell_is_always_kept(
    run_cells: Callable[..., Any], sources: tuple[str, ...]
) -> None:
    """A last cell that ends its kernel, or a notebook without cells, still leaves a snapshot."""
    ran = run_cells(*sources, boundaries=[len(sources)])
    assert set(ran.execution.snapshots) == {len(sources)}
    if sources:
        assert ran.value(2, "a") == 1


def test_a_notebook_that_uses_up_its_time_is_cut_off(run_cells: Callable[..., Any]) -> None:
    """When the notebook's time is over the rest is skipped, and says why."""
    limits = Limits(cell=30, notebook=3, check=2, interrupt=1)
    ran = run_cells("a = 1", "import time\ntime.sleep(60)", "b = 1", limits=limits)
    assert ran.run(1).status is CellStatus.TIMEOUT
    assert ran.run(2).status is CellStatus.SKIPPED
    assert ran.run(2).error == "not run: the notebook had used up its 3 s"
    assert ran.execution.lost[3] == "not run: the notebook had used up its 3 s"
    assert 1 in ran.execution.snapshots


# --- cells that are not run as they are --------------------------------------------

LONG = "import time\nfor seconds in range(600):\n    time.sleep(1)"


@pytest.fixture(scope="module")
def planned(run_cells: Callable[..., Any]) -> Any:
    """A notebook with a skipped cell, a changed one, and a long one with a budget."""
    plans = {
        1: CellPlan(skip="it is an experiment"),
        2: CellPlan(source="x = 2", note="was run with x = 2 in place of 200"),
        3: CellPlan(source=LONG, seconds=1.0),
    }
    limits = Limits(cell=30, notebook=60, check=2, interrupt=1)
    sources = ("x = 1", "x = 100", "x = 200", LONG, "import os\nos._exit(1)", "y = x")
    return run_cells(*sources, plans=plans, limits=limits)


def test_a_skipped_cell_is_not_run(planned: Any) -> None:
    """It leaves the names as they were, also where cells are run again, and says why."""
    run = planned.run(1)
    assert (run.status, run.ending) == (CellStatus.SKIPPED, CellEnding.EXPERIMENT)
    assert run.error == "it is an experiment"
    assert planned.value(2, "x") == 1


def test_a_changed_cell_is_run_as_planned(planned: Any) -> None:
    """Its other code takes effect, before and after a restart, and its record says so."""
    assert planned.value(3, "x") == planned.value(6, "y") == 2
    assert planned.run(2).note == "was run with x = 2 in place of 200"
    assert planned.run(2).status is CellStatus.OK


def test_a_budget_is_no_limit_of_the_students(planned: Any) -> None:
    """What is cut off by an experiment's budget counts as skipped, and the rest is run."""
    run = planned.run(3)
    assert (run.status, run.ending) == (CellStatus.SKIPPED, CellEnding.EXPERIMENT)
    assert run.error == "it is an experiment, and was stopped after 1 s"
    assert planned.run(5).status is CellStatus.OK


def test_endings(failing: Any, dying: Any) -> None:
    """A record holds as data how its cell ended."""
    expected = {"one": "finished", "raises": "raised", "loops": "interrupted"}
    expected |= {"nonsense": "unreadable", "sys_exit": "raised", "syntax": "raised"}
    assert {name: failing.run(PLACE[name]).ending.value for name in expected} == expected
    endings = [dying.run(cell).ending.value for cell in (1, 3, 5, 6)]
    assert endings == ["killed", "died", "died", "not_reached"]


# --- what is left behind -----------------------------------------------------------


def test_nothing_survives_close(run_cells: Callable[..., Any]) -> None:
    """Kernels, snapshots, copies in use and processes of the student's all end with `close`."""
    ran = run_cells(STARTS_A_PROCESS, "import os\nos._exit(1)", STARTS_A_PROCESS, figures=True)
    copy = ran.execution.snapshots[1].copy(5)
    copy.request("execute", {}, lambda tree: tree, source="pass")
    # Two kernels' children, the second kernel, five snapshots or so, a copy.
    assert len(ran.processes()) >= 6
    ran.close()
    assert ran.processes_left() == []
    copy.close()
    assert not ran.room.path.exists()


def test_figures_are_rendered_where_asked(run_cells: Callable[..., Any]) -> None:
    """With figures=True a plot leaves its image."""
    ran = run_cells(PLOTS, figures=True, boundaries=[])
    assert "image/png" in str(ran.execution.notebook.cells[0].outputs)


def test_runs_leave_no_descriptors_and_no_threads(run_cells: Callable[..., Any]) -> None:
    """A batch may run thousands of notebooks in one process."""

    def held() -> tuple[int, int]:
        return len(list(DESCRIPTORS.iterdir())), threading.active_count()

    run_cells("a = 1").close()
    before = held()
    run_cells("a = 1", "import os\nos._exit(1)").close()
    assert held() == before


def test_kernels_do_not_hold_the_graders_output(
    run_cells: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """No descriptor of a kernel's leads to the grader's own stdout or stderr."""
    ran = run_cells(LISTS_DESCRIPTORS, "import os\nos.write(2, b'SMUGGLED')")
    ours = {str((DESCRIPTORS / number).readlink()) for number in ("1", "2")}
    assert not ours & set(ran.value(1, "held"))
    captured = capfd.readouterr()
    assert "SMUGGLED" not in captured.out + captured.err


def test_grades_inside_a_running_event_loop(tiny: Any) -> None:
    """`grade` can be called from async code, as in a notebook, with the same result."""

    async def grade_here() -> Any:
        return grade(tiny, submission)

    from grader.submission import Submission

    submission = Submission("x", "x.ipynb", tiny.solution, {})
    report = asyncio.run(grade_here())
    coded = [q for q in report.questions if q.checks]
    assert {q.status for q in coded} == {QuestionStatus.PASSED}
