"""Kernels that do not start, and notebooks that are hard on one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from grader.errors import ExecutionFault
from grader.execution.limits import Limits
from grader.execution.room import Room
from grader.execution.runner import run_notebook
from grader.records import CellStatus

FORBIDS_FORKS = """
import os
forked = os.fork
os.fork = None
"""


@pytest.mark.parametrize("agent", ["raise SystemExit(1)", "import time\ntime.sleep(60)"])
def test_a_kernel_that_does_not_start_is_the_graders_fault(agent: str) -> None:
    """An agent that ends or hangs gives an ExecutionFault, and leaves no process."""
    limits = Limits(cell=2, notebook=20, check=2, start=1.5)
    with Room({}, "a.ipynb") as room:
        room.agent.write_text(agent)
        with pytest.raises(ExecutionFault, match="the kernel did not start"):
            run_notebook(new_notebook(cells=[new_code_cell("a = 1")]), [1], room, limits)


def test_a_snapshot_that_cannot_be_taken_does_not_hang(run_cells: Callable[..., Any]) -> None:
    """Where the kernel cannot fork the boundary has no snapshot, and the run goes on at once."""
    ran = run_cells("a = 1", FORBIDS_FORKS, "a = 2", "os.fork = forked", boundaries=[1, 2, 4])
    assert set(ran.execution.snapshots) == {1, 4}
    assert ran.value(4, "a") == 2
    assert all(run.status is CellStatus.OK for run in ran.execution.cells)
