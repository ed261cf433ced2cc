"""What cells that could not run here leave undefined, and who is not to be charged for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from grader.planning import RunPlan
from grader.records import CellEnding, CellRun, CellStatus
from grader.rewriting import STAR, bound_names, parse_cell, read_names

_UNDEFINED = re.compile(r"NameError: name '(\w+)' is not defined")
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '(\w+)[.\w]*'")
_DEFINITIONS = (
    *(ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom),
)
NOT_CHARGED = (CellEnding.EXPERIMENT, CellEnding.UNAVAILABLE)


@dataclass(frozen=True)
class Losses:
    """The runs, those that failed for want of something marked so, and what is lost.

    `lost` has, after each cell, the names that cannot be relied on: not
    defined, left over, or computed from such; each with what is wanting.
    """

    runs: tuple[CellRun, ...]
    lost: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    def excuse(self, cells: Sequence[int], names: Collection[str]) -> str:
        """What is wanting where an answer in `cells` was asked for `names`; "" if nothing is.

        `STAR` among the names stands for whatever the cells do.
        """
        lost = self.lost.get(max(cells, default=-1), {})
        wanting = [lost[name] for name in names if name in lost]
        if STAR in names:
            own = [run for run in self.runs if run.cell in cells]
            wanting += [run.error for run in own if run.ending in NOT_CHARGED]
        return wanting[0] if wanting else ""


def find_losses(sources: Mapping[int, str], runs: Sequence[CellRun], plan: RunPlan) -> Losses:
    """Follows through the notebook what could not be imported or was skipped.

    `sources` are the code cells as they were run.
    """
    settled, after = [], {}
    lost: dict[str, str] = {}
    defined = _defined_anywhere(sources) if _has_star(plan) else set()
    for run in runs:
        lost |= {n: _absent(m) for n, m in plan.removed.get(run.cell, {}).items()}
        settled.append(_settle(run, lost, plan, defined))
        lost = _after(settled[-1], parse_cell(sources[run.cell]), lost)
        after[run.cell] = lost
    return Losses(tuple(settled), after)


def _absent(module: str) -> str:
    return f"needs {module}, which is not installed here"


def _want(run: CellRun, lost: Mapping[str, str], plan: RunPlan, defined: set[str]) -> str:
    """What a cell that raised was wanting, if that is why."""
    if found := _NO_MODULE.match(run.error):
        return _absent(found[1]) if found[1] in plan.missing else ""
    found = _UNDEFINED.match(run.error)
    if found and found[1] not in lost and STAR in lost and found[1] not in defined:
        return lost[STAR]
    return lost.get(found[1], "") if found else ""


def _settle(run: CellRun, lost: Mapping[str, str], plan: RunPlan, defined: set[str]) -> CellRun:
    """The run, no longer charged where it raised for want of something."""
    want = _want(run, lost, plan, defined) if run.ending is CellEnding.RAISED else ""
    if not want:
        return run
    return replace(run, status=CellStatus.SKIPPED, ending=CellEnding.UNAVAILABLE, error=want)


def _after(run: CellRun, tree: ast.Module | None, lost: Mapping[str, str]) -> dict[str, str]:
    """The lost names after a cell, given those before it."""
    now = dict(lost)
    if tree is None:
        return now
    if run.ending in NOT_CHARGED:
        reason = run.error
        if run.ending is CellEnding.EXPERIMENT:
            reason = (
                f"needs what cell {run.cell} defines, an experiment that was not run to its end"
            )
        return now | dict.fromkeys(bound_names(tree), reason)
    for statement in tree.body if run.status is CellStatus.OK else []:
        _follow(statement, now)
    return now


def _follow(statement: ast.stmt, lost: dict[str, str]) -> None:
    """What is computed from lost names is lost, and what is defined anew is not."""
    wanting = [lost[name] for name in sorted(read_names(statement)) if name in lost]
    for name in bound_names(statement):
        if wanting:
            lost[name] = wanting[0]
        elif isinstance(statement, _DEFINITIONS):
            lost.pop(name, None)


def _has_star(plan: RunPlan) -> bool:
    return any(STAR in names for names in plan.removed.values())


def _defined_anywhere(sources: Mapping[int, str]) -> set[str]:
    trees = [tree for tree in map(parse_cell, sources.values()) if tree is not None]
    return {name for tree in trees for name in bound_names(tree)}
