"""Functions under other names, and names that are defined more than once."""

from __future__ import annotations

import ast
import builtins
import re
from dataclasses import replace
from pathlib import PurePosixPath
from random import Random

from grader.assignment import Assignment
from mangling.bases import fresh_id
from mangling.records import Cell, HandIn, NotApplicableError, Stage, deformation
from mangling.syntax import Edit, bound, edited, end_of, free, map_code, statements, tree_of

ELEMENTWISE = frozenset(
    ["sigmoid", "sigmoid_grad", "relu", "relu_grad", "bce_loss", "bce_loss_grad", "d_sigmoid"]
)
TWICE = "twice"
PLACE = "place of functions"


@deformation(Stage.NAMES)
def vectorized(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Elementwise functions are renamed through `f = np.vectorize(f)`."""

    def renamed(source: str) -> str:
        found = [n for n in tree_of(source).body if isinstance(n, ast.FunctionDef)]
        meant = [node for node in found if node.name in ELEMENTWISE]
        lines = [(end_of(source, n), f"\n\n{n.name} = np.vectorize({n.name})") for n in meant]
        return edited(source, [Edit(end, end, line) for end, line in lines])

    cells = [_in_answer(cell, renamed(cell.source)) for cell in hand_in.cells]
    return _changed(hand_in, hand_in.with_cells(cells), "no answer is an elementwise function")


@deformation(Stage.NAMES)
def aliased(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Functions and classes have names of the student's own, and the asked name is an alias."""
    wanted = {name.partition(".")[0] for q in assignment.questions for name in q.names}

    def renamed(source: str) -> str:
        edits = []
        for node in tree_of(source).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in wanted:
                word = "def" if isinstance(node, ast.FunctionDef) else "class"
                begins = re.compile(rf"^{word}\s+{node.name}\b", re.MULTILINE)
                line_start = sum(map(len, source.splitlines(keepends=True)[: node.lineno - 1]))
                found = begins.search(source, line_start)
                end = end_of(source, node)
                if found:
                    own = f"{word} my_{node.name}"
                    edits.append(Edit(found.start(), found.end(), own))
                    edits.append(Edit(end, end, f"\n\n{node.name} = my_{node.name}"))
        return edited(source, edits)

    return _changed(hand_in, map_code(hand_in, renamed, answers_only=True), "nothing is defined")


@deformation(Stage.NAMES, group=PLACE)
def functions_at_top(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Functions and classes of the answers stand in one cell above them; what uses them stays."""
    moved: list[str] = []
    cells: list[Cell] = []
    first = 0
    for cell in hand_in.cells:
        definitions, rest = _parted(cell) if cell.is_code and cell.role == "answer" else ("", "")
        if definitions:
            first = first if moved else len(cells)
            moved.append(definitions)
            cells += [replace(cell, source=rest)] if rest.strip() else []
        else:
            cells.append(cell)
    if not moved:
        raise NotApplicableError("no answer defines a function")
    return hand_in.with_cells([*cells[:first], _new("\n\n".join(moved), rng), *cells[first:]])


@deformation(Stage.NAMES, group=PLACE)
def in_own_module(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Functions that need nothing of the notebook are imported from a file beside it."""
    moved: list[str] = []
    cells: list[Cell] = []
    for cell in hand_in.cells:
        definitions, rest = _parted(cell) if _defined_of(cell, assignment) else ("", "")
        known = {"np", *dir(builtins), *(name for text in moved for name in bound(text))}
        if definitions and not free(definitions) - bound(definitions) - known:
            moved.append(definitions)
            names = ", ".join(sorted(bound(definitions)))
            source = f"from my_network import {names}\n\n{rest}".strip()
            cells.append(replace(cell, source=source))
        else:
            cells.append(cell)
    if not moved:
        raise NotApplicableError("no answer is a function that needs nothing else")
    module = "import numpy as np\n\n\n" + "\n\n\n".join(moved) + "\n"
    path = str(PurePosixPath(hand_in.name).parent / "my_network.py")
    files = {**hand_in.files, path: module.encode()}
    return replace(hand_in.with_cells(cells), files=files)


@deformation(Stage.NAMES, group=TWICE)
def draft_first(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Above each code answer stands an early draft that defines the same names wrongly."""
    cells: list[Cell] = []
    for cell in hand_in.cells:
        names = _defined_of(cell, assignment)
        draft = _drafts(cell.source, names) if names else ""
        if draft:
            cells.append(_new(draft, rng, cell.question))
        cells.append(cell)
    return _changed(hand_in, hand_in.with_cells(cells), "no cell defines what is asked for")


@deformation(Stage.NAMES, group=TWICE)
def answer_twice(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Each code answer stands there twice, in two cells of the same text."""
    cells: list[Cell] = []
    for cell in hand_in.cells:
        cells.append(cell)
        if _defined_of(cell, assignment):
            cells.append(_new(cell.source, rng, cell.question))
    return _changed(hand_in, hand_in.with_cells(cells), "no cell defines what is asked for")


@deformation(Stage.NAMES, group=TWICE)
def answer_copied(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Each code answer was copied with its id and its metadata."""
    cells: list[Cell] = []
    for cell in hand_in.cells:
        cells += [cell, cell] if _defined_of(cell, assignment) else [cell]
    return _changed(hand_in, hand_in.with_cells(cells), "no cell defines what is asked for")


@deformation(Stage.NAMES, group=TWICE)
def redefined_at_end(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """A cell at the end of the notebook defines the asked names again, wrongly."""
    drafts = [
        _drafts(c.source, names) for c in hand_in.cells if (names := _defined_of(c, assignment))
    ]
    if not any(drafts):
        raise NotApplicableError("no cell defines what is asked for")
    text = "# trying something else\n" + "\n\n".join(dict.fromkeys(filter(None, drafts)))
    return hand_in.with_cells([*hand_in.cells, _new(text, rng)])


def _parted(cell: Cell) -> tuple[str, str]:
    """The functions and classes of a cell, and all else."""
    pieces = statements(cell.source)
    meant = (ast.FunctionDef, ast.ClassDef)
    defines = [[isinstance(n, meant) for n in tree_of(piece).body] == [True] for piece in pieces]
    parts: dict[bool, list[str]] = {True: [], False: []}
    for piece, is_definition in zip(pieces, defines, strict=True):
        parts[is_definition].append(piece.strip("\n"))
    return "\n\n\n".join(parts[True]), "\n".join(parts[False])


def _defined_of(cell: Cell, assignment: Assignment) -> list[str]:
    """The functions and classes in an answer that its question asks for."""
    if not cell.is_code or cell.role != "answer" or not cell.question:
        return []
    asked = assignment.question(cell.question).names
    nodes = [n for n in tree_of(cell.source).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    return [node.name for node in nodes if node.name in asked]


def _drafts(source: str, names: list[str]) -> str:
    """Definitions of these names that do not work: functions return what they are given."""
    made = []
    for node in tree_of(source).body:
        if isinstance(node, ast.FunctionDef) and node.name in names:
            first = node.args.args[0].arg if node.args.args else "0"
            body = [ast.parse(f"return {first}").body[0]]
            draft = ast.FunctionDef(node.name, node.args, body, [], None, None)  # type: ignore[call-overload]
            draft.type_params = []
            made.append(ast.unparse(ast.fix_missing_locations(draft)))
        elif isinstance(node, ast.ClassDef) and node.name in names:
            made.append(f"class {node.name}:\n    pass")
    return "\n\n".join(made)


def _new(source: str, rng: Random, question: str = "") -> Cell:
    return Cell(
        "code", source, question, "answer" if question else "", identity=fresh_id(rng), count=1
    )


def _in_answer(cell: Cell, source: str) -> Cell:
    return replace(cell, source=source) if cell.is_code and cell.role == "answer" else cell


def _changed(before: HandIn, after: HandIn, reason: str) -> HandIn:
    if before == after:
        raise NotApplicableError(reason)
    return after
