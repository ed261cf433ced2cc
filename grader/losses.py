"""What cells that could not run here leave undefined, and who is not to be charged for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from grader.planning import RunPlan
from grader.records import CellEnding, CellRun, CellStatus
from grader.rewriting import (
    STAR,
    bound_names,
    imported_modules,
    listed,
    parse_cell,
    read_names,
)

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
    `defined` are the names that cells which ran had defined until then.
    """

    runs: tuple[CellRun, ...]
    lost: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    defined: Mapping[int, frozenset[str]] = field(default_factory=dict)
    plan: RunPlan = field(default_factory=RunPlan)

    def excuse(self, cells: Sequence[int], names: Collection[str]) -> str:
        """What is wanting where an answer in `cells` was asked for `names`; "" if nothing is.

        `STAR` among the names stands for whatever the cells do.
        """
        code = [run for run in self.runs if run.cell in cells]
        last = max((run.cell for run in code), default=-1)
        lost, defined = self.lost.get(last, {}), self.defined.get(last, frozenset())
        wanting = [lost[name] for name in sorted(names) if name in lost]
        if not defined.issuperset(names):
            # What the cells that did not run would have left, nobody knows.
            wanting += [_reason(run, self.plan) for run in code if run.ending in NOT_CHARGED]
        return wanting[0] if wanting else ""


def find_losses(sources: Mapping[int, str], runs: Sequence[CellRun], plan: RunPlan) -> Losses:
    """Follows through the notebook what could not be imported or was skipped.

    `sources` are the code cells as they were run.
    """
    if not plan.missing and not any(run.ending in NOT_CHARGED for run in runs):
        return Losses(tuple(runs))
    trees = {run.cell: parse_cell(sources[run.cell]) for run in runs}
    anywhere = {name for tree in trees.values() if tree for name in bound_names(tree)}
    settled: list[CellRun] = []
    after: dict[int, Mapping[str, str]] = {}
    defined: dict[int, frozenset[str]] = {}
    lost: dict[str, str] = {}
    for run in runs:
        lost |= {n: _absent(m) for n, m in plan.removed.get(run.cell, {}).items()}
        settled.append(_settle(run, lost, plan, anywhere))
        tree = trees[run.cell]
        lost = after[run.cell] = _after(settled[-1], tree, lost, plan)
        made = bound_names(tree) if tree and run.status is CellStatus.OK else set()
        defined[run.cell] = frozenset[str]().union(*defined.values(), made)
    return Losses(tuple(settled), after, defined, plan)


def absent_module(error: str, missing: Collection[str]) -> str:
    """What is wanting where an error says that one of the `missing` modules is; "" if none is."""
    found = _NO_MODULE.search(error)
    return _absent(found[1]) if found and found[1] in missing else ""


def _absent(*modules: str) -> str:
    which = "which are" if len(set(modules)) > 1 else "which is"
    return f"needs {listed(modules)}, {which} not installed here"


def _want(run: CellRun, lost: Mapping[str, str], plan: RunPlan, anywhere: set[str]) -> str:
    """What a cell that raised was wanting, if that is why."""
    if _NO_MODULE.match(run.error):
        return absent_module(run.error, plan.missing)
    found = _UNDEFINED.match(run.error)
    if found and found[1] not in lost and STAR in lost and found[1] not in anywhere:
        return lost[STAR]
    return lost.get(found[1], "") if found else ""


def _settle(run: CellRun, lost: Mapping[str, str], plan: RunPlan, anywhere: set[str]) -> CellRun:
    """The run, no longer charged where it raised for want of something."""
    want = _want(run, lost, plan, anywhere) if run.ending is CellEnding.RAISED else ""
    if not want:
        return run
    if removed := plan.removed.get(run.cell):
        # It stopped at the first of them.
        want = _absent(*removed.values())
    return replace(run, status=CellStatus.SKIPPED, ending=CellEnding.UNAVAILABLE, error=want)


def _after(
    run: CellRun, tree: ast.Module | None, lost: Mapping[str, str], plan: RunPlan
) -> dict[str, str]:
    """The lost names after a cell, given those before it."""
    now = dict(lost)
    if tree is None:
        return now
    if run.ending in NOT_CHARGED:
        return now | dict.fromkeys(bound_names(tree), _reason(run, plan))
    for statement in tree.body if run.status is CellStatus.OK else []:
        _follow(statement, now, plan.missing)
    return now


def _reason(run: CellRun, plan: RunPlan) -> str:
    """What is wanting where a cell did not run."""
    if run.ending is CellEnding.EXPERIMENT:
        return (
            f"needs what cell {plan.number(run.cell)} defines, an experiment that was not finished"
        )
    return run.error


def _follow(statement: ast.stmt, lost: dict[str, str], missing: Collection[str]) -> None:
    """What is computed from lost names is lost, and what is defined anew is not."""
    wanting = [lost[name] for name in sorted(read_names(statement)) if name in lost]
    wanting += [_absent(module) for module in sorted(imported_modules(statement) & set(missing))]
    for name in bound_names(statement):
        if wanting:
            lost[name] = wanting[0]
        elif isinstance(statement, _DEFINITIONS):
            lost.pop(name, None)
