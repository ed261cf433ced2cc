"""Takes a cell apart that holds the answers to several questions.

Each top-level statement is followed through the release's code cells, as cells
are in `matching`: it goes on in the same one, forward to a later one, or back.
A part is run as a cell of its own, so that a snapshot can be taken behind it.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from grader.alignment.cells import Cell
from grader.alignment.code import Code, read_code, read_statements
from grader.assignment import Assignment
from grader.rewriting import parse_cell

DEFINES, SAME_LINES, BEGINS = 3.0, 2.0, 0.3
FORWARD, BACKWARD = 0.4, 2.0
# So much of a released cell must stand in another for the one to hold the other.
LEAST_HELD = 0.8
LEAST_LINES = 3


@dataclass(frozen=True)
class Home:
    """A code cell of the release to which statements may belong; `asked` are names of answers."""

    question: str
    names: frozenset[str]
    asked: frozenset[str]
    lines: frozenset[str]
    first: frozenset[str]
    given: frozenset[str]

    def likeness(self, code: Code) -> float:
        """How much speaks for a statement's belonging here."""
        lines = code.leaves | code.headers
        score = DEFINES if self.names & code.names else 0.0
        return score + (SAME_LINES * len(lines & self.lines) / len(lines) if lines else 0.0)

    def begins_with(self, code: Code) -> bool:
        """Whether a statement is the first one here."""
        return bool((code.leaves | code.headers) & self.first)


def take_apart(source: str, homes: Sequence[Home]) -> list[str]:
    """The parts of a code cell; one, all of it, where it answers no more than one question."""
    code = read_code(source)
    if source.lstrip().startswith("%%") or not _holds_several(code, homes):
        return [source]
    tree = parse_cell(source)
    if tree is None or len(tree.body) < 2:
        return [source]
    statements = [read_statements([node]) for node in tree.body]
    path = _path(statements, homes)
    starts = [k for k in range(1, len(path)) if path[k] != path[k - 1]]
    return _cut(source, tree, [k for k in starts if _is_own_line(tree, k)])


def homes_of(release: Sequence[Cell], assignment: Assignment) -> list[Home]:
    """The release's code cells, as statements are compared with them."""
    homes = []
    for cell in release:
        if cell.kind != "code":
            continue
        names = assignment.question(cell.question).names if cell.question else ()
        definitions = [d for code in cell.codes for d in code.definitions]
        asked = frozenset(d.name for d in definitions) & set(names)
        # A variable such as `x` or `rng` is everywhere.
        functions = frozenset(d.name for d in definitions if not d.value)
        lines = [code.leaves | code.headers for code in cell.codes]
        homes.append(
            Home(
                question=cell.question,
                names=asked or functions,
                asked=asked,
                lines=frozenset[str]().union(*lines),
                first=_first_lines(cell),
                given=lines[0] if cell.role != "answer" else frozenset(),
            )
        )
    return homes


def _first_lines(cell: Cell) -> frozenset[str]:
    tree = parse_cell(cell.source)
    code = read_statements(tree.body[:1]) if tree else None
    return code.leaves | code.headers if code else frozenset()


def _holds_several(code: Code, homes: Sequence[Home]) -> bool:
    """Whether a cell answers more than one question, or holds a released cell beside one."""
    lines = code.leaves | code.headers
    bound = Counter(definition.name for definition in code.definitions)
    answered: defaultdict[str, set[str]] = defaultdict(set)
    for home in homes:
        if home.asked & bound.keys():
            answered[home.question] |= home.asked & bound.keys()
    if answered and not any(all(o <= one for o in answered.values()) for one in answered.values()):
        return True
    asking = Counter(name for names in answered.values() for name in names)
    if any(bound[name] > 1 and count > 1 for name, count in asking.items()):
        return True
    held = [home for home in homes if _is_held(home.given, lines)]
    return len(held) > 1 or bool(held and answered)


def _is_held(given: frozenset[str], lines: frozenset[str]) -> bool:
    return len(given) >= LEAST_LINES and len(given & lines) >= LEAST_HELD * len(given)


def _path(statements: Sequence[Code], homes: Sequence[Home]) -> list[int]:
    """The home of each statement."""
    count = len(homes)
    states = np.arange(count)
    costs = np.where(states[None, :] > states[:, None], FORWARD, BACKWARD).astype(float)
    np.fill_diagonal(costs, 0.0)
    score = np.zeros(count)
    came_from: list[np.ndarray] = []
    for code in statements:
        begins = BEGINS * np.array([home.begins_with(code) for home in homes])
        ways = score[:, None] - costs + np.where(costs > 0.0, begins[None, :], 0.0)
        came_from.append(ways.argmax(axis=0))
        score = ways.max(axis=0) + np.array([home.likeness(code) for home in homes])
    path = [int(score.argmax())]
    for origins in reversed(came_from[1:]):
        path.append(int(origins[path[-1]]))
    return path[::-1]


def _is_own_line(tree: ast.Module, index: int) -> bool:
    """Whether a statement begins a line: of `a = 1; b = 2` the second does not."""
    return _start(tree.body[index]) > (tree.body[index - 1].end_lineno or 0)


def _start(node: ast.stmt) -> int:
    """The line in which a statement begins, its decorators included."""
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(int(d.lineno) for d in decorators)])


def _cut(source: str, tree: ast.Module, starts: Sequence[int]) -> list[str]:
    """The source in pieces; comments between two statements go with the second."""
    lines = source.split("\n")
    ends = [tree.body[k - 1].end_lineno or 0 for k in starts]
    bounds = [0, *ends, len(lines)]
    return ["\n".join(lines[begin:end]).strip("\n") for begin, end in pairwise(bounds)]
