"""What a submission may use: named presets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Wall time in seconds, sizes in bytes, and counts.

    `cell` bounds one cell, `notebook` all of them, `check` one check, `start` a
    kernel's start. `interrupt` is the grace between asking a cell to stop and
    killing its kernel; `restarts` is how often a notebook goes on in a fresh
    kernel after a cell ended its own. `memory` bounds all processes together
    (shared pages once), `address_space` each of them, `processes` their threads
    besides our snapshots, `file` one file, `temporary` and `temporary_files` all
    files that it writes.
    """

    cell: float
    notebook: float
    check: float
    start: float = 60.0
    interrupt: float = 3.0
    restarts: int = 2
    memory: float = 4 << 30
    address_space: float = 3 << 30
    processes: float = 80
    file: float = 64 << 20
    descriptors: float = 256
    temporary: float = 256 << 20
    temporary_files: float = 20_000


# Numpy coursework trains for seconds; a minute a cell is generous on a slow machine.
COURSEWORK = Limits(cell=60.0, notebook=600.0, check=20.0)
