"""How each cell of a submission is to be run: experiments, and imports that cannot be had here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from nbformat import NotebookNode

from grader.alignment import AlignedAnswer
from grader.assignment import Assignment, Experiments, RunSettings
from grader.execution.plan import CellPlan
from grader.rewriting import Rewritten, remove_imports, replace_constants

NOT_REPAIRED: Mapping[int, str] = MappingProxyType({})


@dataclass(frozen=True)
class RunPlan:
    """The cells that are not run as they are.

    `removed` are the names whose import was taken out of a cell, each with the
    module that is missing; `missing` are all such modules. `origins` are the
    cells' numbers in the notebook as it was handed in, where these are others.
    """

    cells: Mapping[int, CellPlan] = field(default_factory=dict)
    removed: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    origins: tuple[int, ...] = ()

    @property
    def skipped(self) -> frozenset[int]:
        """The cells that are not run at all."""
        return frozenset(index for index, cell in self.cells.items() if cell.skip)

    def number(self, cell: int) -> int:
        """A cell's number in the notebook as it was handed in."""
        return self.origins[cell] if self.origins else cell


def plan_run(
    assignment: Assignment,
    alignment: Mapping[str, AlignedAnswer],
    notebook: NotebookNode,
    repaired: Mapping[int, str] = NOT_REPAIRED,
    origins: tuple[int, ...] = (),
) -> RunPlan:
    """The plan for each code cell that is not simply run as it was handed in.

    `repaired` are sources to run in place of those of some cells.
    """
    missing = assignment.missing_modules()
    experiments = {cell for answer in alignment.values() for cell in answer.experiments}
    cells: dict[int, CellPlan] = {}
    removed: dict[int, Mapping[str, str]] = {}
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            code, names = remove_imports(repaired.get(index, str(cell.source)), missing)
            if names:
                removed[index] = names
            is_changed = index in repaired or bool(code.changes)
            plan = _plan(code, is_changed, index in experiments, assignment.run)
            if plan.skip:
                # A check may run it.
                plan = replace(plan, source=repaired.get(index))
            if plan != CellPlan():
                cells[index] = plan
    return RunPlan(cells, removed, missing, origins)


def _plan(
    code: Rewritten, is_changed: bool, is_experiment: bool, settings: RunSettings
) -> CellPlan:
    if not is_experiment:
        return CellPlan(source=code.source, note=_note(code)) if is_changed else CellPlan()
    if settings.experiments is Experiments.SKIP:
        return CellPlan(skip="it is an experiment")
    small = replace_constants(code.source, settings.override)
    both = Rewritten(small.source, (*code.changes, *small.changes))
    budget = settings.experiment_seconds
    return CellPlan(source=both.source, note=_note(both), seconds=budget)


def _note(code: Rewritten) -> str:
    return f"was run {', '.join(_phrases(code.changes))}" if code.changes else ""


def _phrases(changes: tuple[str, ...]) -> list[str]:
    return [c if c.startswith("without") else f"with {c}" for c in changes]
