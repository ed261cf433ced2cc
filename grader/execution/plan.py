"""How single cells are run where it is not simply as they were handed in."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class CellPlan:
    """One cell's plan.

    `skip` says why the cell is not run at all. `source`, where it is not None,
    is run in place of the cell's own, and `note` says what differs. `seconds`
    is a budget: an experiment that exceeds it is no fault of the student's.
    """

    skip: str = ""
    source: str | None = None
    note: str = ""
    seconds: float = math.inf
