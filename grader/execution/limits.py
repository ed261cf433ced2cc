"""How long a submission may run: named presets, in seconds of wall time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """`cell` bounds one cell, `notebook` all of them, `check` one check, `start` a kernel's start.

    `interrupt` is the grace between asking a cell to stop and killing its kernel.
    `restarts` is how often a notebook goes on in a fresh kernel after a cell ended its own.
    """

    cell: float
    notebook: float
    check: float
    start: float = 60.0
    interrupt: float = 3.0
    restarts: int = 2


# Numpy coursework trains for seconds; a minute a cell is generous on a slow machine.
COURSEWORK = Limits(cell=60.0, notebook=600.0, check=20.0)
