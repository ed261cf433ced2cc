"""Kernels that do not start, and notebooks that are hard on one."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from grader.errors import ExecutionFault
from grader.execution import isolation, provisioner
from grader.execution.isolation import Level
from grader.execution.limits import Limits
from grader.execution.room import Room
from grader.execution.runner import run_notebook
from grader.records import CellStatus

NOTEBOOK = new_notebook(cells=[new_code_cell("a = 1")])
FORBIDS_FORKS = """
import os
forked = os.fork
os.fork = None
"""


@pytest.mark.parametrize("agent", ["raise SystemExit(1)", "import time\ntime.sleep(60)"])
def test_a_kernel_that_does_not_start_is_the_graders_fault(agent: str) -> None:
    """Without a sandbox, an agent that ends or hangs gives an ExecutionFault."""
    limits = Limits(cell=2, notebook=20, check=2, start=1.5)
    with Room({}, "a.ipynb") as room:
        room.agent.write_text(agent)
        with pytest.raises(ExecutionFault, match="the kernel did not start"):
            run_notebook(NOTEBOOK, [1], room, limits, level=Level.NONE)


@pytest.mark.parametrize("missing", ["work", "home"])
def test_a_sandbox_that_cannot_be_built_tells_why(sandbox: Level, missing: str) -> None:
    """Where something that a sandbox needs is gone, the fault names it, at once."""
    limits = Limits(cell=2, notebook=20, check=2)
    start = time.monotonic()
    with Room({}, "a.ipynb") as room:
        shutil.rmtree(room.path / missing)
        with pytest.raises((ExecutionFault, OSError), match=str(room.path / missing)):
            run_notebook(NOTEBOOK, [1], room, limits, level=sandbox)
    assert time.monotonic() - start < 10


def test_a_kernel_that_fails_while_starting_tells_why(
    sandbox: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the kernel itself says of its failure is in the fault."""
    monkeypatch.setattr(provisioner, "make_order", misplaced)
    limits = Limits(cell=2, notebook=20, check=2)
    with Room({}, "a.ipynb") as room, pytest.raises(ExecutionFault) as caught:
        run_notebook(NOTEBOOK, [1], room, limits, level=sandbox)
    assert "the kernel did not start: the sandbox could not be built" in str(caught.value)
    assert "FileNotFoundError" in str(caught.value)
    assert "'/no/such'" in str(caught.value)


def misplaced(*arguments: Any, **keywords: Any) -> dict[str, Any]:
    """An order for a kernel in a folder that does not exist."""
    order = isolation.make_order(*arguments, **keywords)
    return {**order, "working_folder": "/no/such"}


def test_a_snapshot_that_cannot_be_taken_does_not_hang(run_cells: Callable[..., Any]) -> None:
    """Where the kernel cannot fork the boundary has no snapshot, and the run goes on at once."""
    ran = run_cells("a = 1", FORBIDS_FORKS, "a = 2", "os.fork = forked", boundaries=[1, 2, 4])
    assert set(ran.execution.snapshots) == {1, 4}
    assert ran.value(4, "a") == 2
    assert all(run.status is CellStatus.OK for run in ran.execution.cells)
