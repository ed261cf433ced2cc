"""What cells need and do not have: the release's own code, or what a later cell defines.

Whoever hands in only the functions, or deletes the cells that were given,
leaves out imports and helpers; whoever answers in another order uses a function
before the cell that defines it. Both are run before the cell that needs them.
"""

from __future__ import annotations

import ast
import builtins
import functools
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from nbformat import NotebookNode, v4

from grader.alignment.cells import Cell
from grader.alignment.records import AlignedAnswer, Arrangement
from grader.rewriting import STAR, bound_names, listed, parse_cell

SUPPLIED = -1
_KNOWN = frozenset(dir(builtins)) | {
    *("get_ipython", "display", "In", "Out", "_", "__", "___", "exit", "quit", "__file__"),
}
# These bring in names that cannot be told from the code.
_OPAQUE = re.compile(r"^[ \t]*%(?:run|pylab|load)\b", re.MULTILINE)
_DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_DEFINITIONS = (*_DEFINING, ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class Supply:
    """Code to be run before a cell, for the names that it needs.

    `origin` is the later cell that it comes from, or `SUPPLIED` for the release's.
    """

    before: int
    source: str
    origin: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Source:
    """Code that can be supplied.

    A helper belongs to no question and does nothing but define functions; what
    only imports can be run beside imports of the hand-in's own.
    """

    source: str
    origin: int
    names: frozenset[str]
    needs: frozenset[str]
    is_helper: bool = False
    only_imports: bool = False


@dataclass(frozen=True)
class _Facts:
    """What a cell binds and needs; `at_once` is what it needs when it is run, functions aside."""

    tree: ast.Module
    bound: frozenset[str]
    needs: frozenset[str]
    at_once: frozenset[str]
    is_opaque: bool


@functools.lru_cache(maxsize=1024)
def _read(source: str) -> _Facts | None:
    tree = parse_cell(source)
    if tree is None:
        return None
    bound = frozenset(bound_names(tree))
    run = ast.Module([node for node in tree.body if not isinstance(node, _DEFINING)], [])
    is_opaque = STAR in bound or bool(_OPAQUE.search(source))
    return _Facts(tree, bound, _needs(tree), _needs(run) - bound, is_opaque)


def find_supplies(
    cells: Sequence[NotebookNode],
    release: Sequence[Cell],
    matched: Mapping[int, int],
    answering: Mapping[int, int],
) -> list[Supply]:
    """What is to be run before which cell, in their order.

    `matched` are the cells that the release's are; `answering` those whose
    functions are checked, each with where in the release its question begins.
    """
    code = {j: str(cell.source) for j, cell in enumerate(cells) if cell.cell_type == "code"}
    facts = {j: known for j, source in code.items() if (known := _read(source))}
    anywhere = frozenset[str]().union(*(known.bound for known in facts.values()))
    places = {i: source for i, cell in enumerate(release) if (source := _given(cell))}
    given = list(places.values())
    absent = [s for s in given if s.only_imports or not s.names & anywhere]
    helpers = {i: s.names for i, s in places.items() if s.is_helper}
    left_out = _left_out(facts, release, matched, anywhere)
    have = set(_KNOWN)
    found: list[Supply] = []
    for j, known in facts.items():
        if known.is_opaque:
            break
        again = left_out.get(j, [])
        # What a function reads counts when it is called, which checks do behind its cell.
        needs = known.at_once
        if j in answering:
            # What checks may use of the release's helpers, no cell need read.
            above = (n for i, n in helpers.items() if i < answering[j] or not n & anywhere)
            needs = known.needs.union(*above) - known.bound
        needs = needs.union(*(source.needs for source in again)) - have
        if needs:
            behind = [s for k in facts if k > j for s in _definitions(k, facts[k].tree)]
            for source, names in _wanted(needs, [*behind, *absent], have):
                found.append(Supply(j, source.source, source.origin, names))
                have |= source.names
        for source in again:
            names = tuple(sorted(known.needs & source.names))
            found.append(Supply(j, source.source, SUPPLIED, names))
        have |= known.bound.union(*(source.names for source in again))
    return found


def _left_out(
    facts: Mapping[int, _Facts],
    release: Sequence[Cell],
    matched: Mapping[int, int],
    anywhere: frozenset[str],
) -> dict[int, list[_Source]]:
    """Deleted cells of the release's that had set anew what others set, by the cell to run after.

    Names that no cell sets at all are found by who needs them.
    """
    found: defaultdict[int, list[_Source]] = defaultdict(list)
    for i, cell in enumerate(release):
        source = _given(cell) if i not in matched and not cell.role else None
        before = max((j for k, j in matched.items() if k < i), default=-1)
        behind = min((j for k, j in matched.items() if k > i), default=-1)
        if source is None or not source.names & anywhere or behind <= before:
            continue
        if any(f.bound & source.names for j, f in facts.items() if before < j < behind):
            # The student has a cell of his or her own for it.
            continue
        reader = _first_reader(facts, before, source.names)
        if reader is not None:
            found[reader].append(source)
    return found


def _first_reader(facts: Mapping[int, _Facts], before: int, names: frozenset[str]) -> int | None:
    """The first cell behind `before` that reads one of the names before it is set anew."""
    left = names
    for j, known in facts.items():
        if j > before and known.needs & left:
            return j
        left = left - known.bound if j > before else left
    return None


def _wanted(
    needs: frozenset[str], sources: Sequence[_Source], have: set[str]
) -> list[tuple[_Source, tuple[str, ...]]]:
    """The sources of these names, each behind what it needs itself."""
    ordered: list[tuple[_Source, tuple[str, ...]]] = []
    settled = set(have)

    def take(names: frozenset[str]) -> None:
        for name in sorted(names - settled):
            source = next((s for s in sources if name in s.names), None)
            if name not in settled and source is not None:
                settled.update(source.names)
                take(source.needs)
                ordered.append((source, (name,)))

    take(needs)
    return ordered


def _given(cell: Cell) -> _Source | None:
    """A cell of the release's own that may be supplied: what it hands out, and no answer."""
    if cell.kind != "code" or cell.is_experiment or cell.role == "test":
        return None
    return _handed_out(cell.source, cell.role)


@functools.lru_cache(maxsize=1024)
def _handed_out(source: str, role: str) -> _Source | None:
    tree = parse_cell(source)
    if tree is None:
        return None
    if role == "answer":
        # The values that an answer is given to start from.
        firsts = takewhile(lambda node: not isinstance(node, _DEFINING), tree.body)
        tree = ast.Module([n for n in firsts if isinstance(n, ast.Assign | ast.Import)], [])
        return _Source(ast.unparse(tree), SUPPLIED, frozenset(bound_names(tree)), _needs(tree))
    only_defines = all(isinstance(node, _DEFINITIONS) for node in tree.body)
    if role == "given" and not only_defines:
        # It answers a question by what it does.
        return None
    only_imports = not any(isinstance(node, _DEFINING) for node in tree.body)
    return _Source(
        source,
        SUPPLIED,
        frozenset(bound_names(tree)),
        _needs(tree),
        is_helper=only_defines and not only_imports and not role,
        only_imports=only_defines and only_imports,
    )


def _definitions(j: int, tree: ast.Module) -> list[_Source]:
    """The functions, classes and imports that a cell of the hand-in brings, one by one."""
    return [
        _Source(ast.unparse(node), j, frozenset(bound_names(node)), _needs(ast.Module([node], [])))
        for node in tree.body
        if isinstance(node, _DEFINITIONS) and STAR not in bound_names(node)
    ]


def _needs(tree: ast.Module) -> frozenset[str]:
    """The names that a cell reads and nowhere binds, its functions' own names left out."""
    nodes = list(ast.walk(tree))
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    own = {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    own |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    own |= {n.name for n in nodes if isinstance(n, ast.ExceptHandler) and n.name}
    own |= {name for n in nodes if isinstance(n, ast.stmt) for name in _named(n)}
    return frozenset(read - own) - _KNOWN


def _named(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    return []


# --- put in place ---------------------------------------------------------------


def with_supplies(arrangement: Arrangement, supplies: Sequence[Supply]) -> Arrangement:
    """The arrangement with the supplies as cells of their own, and a note on each."""
    if not supplies:
        return arrangement
    cells: list[NotebookNode] = []
    origins: list[int] = []
    moved: dict[int, int] = {}
    for j, cell in enumerate(arrangement.notebook.cells):
        for supply in (s for s in supplies if s.before == j):
            cells.append(_as_cell(supply, len(cells)))
            origins.append(SUPPLIED)
        moved[j] = len(cells)
        cells.append(cell)
        origins.append(arrangement.origins[j])
    notebook = NotebookNode({**arrangement.notebook, "cells": cells})
    answers = {identity: _moved(a, moved) for identity, a in arrangement.answers.items()}
    return Arrangement(
        notebook, tuple(origins), answers, (*arrangement.notes, *_notes(supplies, arrangement))
    )


def _as_cell(supply: Supply, number: int) -> NotebookNode:
    made = v4.new_code_cell(supply.source)
    made.id = f"supplied-{number}"
    return made


def _notes(supplies: Sequence[Supply], arrangement: Arrangement) -> list[str]:
    """A note for each cell that lacks something, and each place from where that comes."""
    names: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for supply in supplies:
        origin = supply.origin
        source = origin if origin == SUPPLIED else arrangement.origins[origin]
        names[arrangement.origins[supply.before], source] += supply.names
    return [
        f"cell {cell} needs {listed(lacking)}, {_whence(source)}"
        for (cell, source), lacking in names.items()
    ]


def _whence(source: int) -> str:
    if source == SUPPLIED:
        return "which the release's own code sets: that was run first"
    return f"which only cell {source} defines: that was run first"


def _moved(answer: AlignedAnswer, moved: dict[int, int]) -> AlignedAnswer:
    return replace(
        answer,
        cells=tuple(moved[j] for j in answer.cells),
        experiments=tuple(moved[j] for j in answer.experiments),
        candidates=tuple(moved[j] for j in answer.candidates),
        alternatives=tuple(tuple(moved[j] for j in cells) for cells in answer.alternatives),
    )
