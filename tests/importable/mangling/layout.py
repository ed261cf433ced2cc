"""Cells merged, split, moved and left over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random

from grader.assignment import Assignment
from mangling.bases import fresh_id
from mangling.records import Cell, Expected, HandIn, NotApplicableError, Stage, deformation
from mangling.syntax import bound, free, statements

MERGED = "merged cells"
MOVED = "moved cells"
PARTS = 5
_SECTION = re.compile(r"^#{1,2}\s")


@deformation(Stage.LAYOUT, text=Expected.ANYTHING)
def given_deleted(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """The release's code cells that nothing later needs are deleted, its tests first of all."""
    later: set[str] = set()
    kept: list[Cell] = []
    for cell in reversed(hand_in.cells):
        is_needed = not cell.is_code or cell.role == "answer" or bound(cell.source) & later
        if is_needed:
            kept.insert(0, cell)
            later |= free(cell.source) if cell.is_code else set()
    return _changed(hand_in, kept, "all code that was given is needed")


@deformation(Stage.LAYOUT, code=Expected.OR_UNGRADED, text=Expected.OR_UNGRADED, group=MERGED)
def merged_by_section(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All code of a section stands in one cell at its end."""
    cells = [cell for section in _sections(hand_in.cells) for cell in _merged(section, rng)]
    return _changed(hand_in, cells, "no section has two code cells")


@deformation(Stage.LAYOUT, code=Expected.OR_UNGRADED, text=Expected.OR_UNGRADED, group=MERGED)
def all_in_one_cell(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All code of the notebook stands in one cell at its end."""
    return _changed(hand_in, _merged(hand_in.cells, rng), "there are not two code cells")


@deformation(Stage.LAYOUT, group=MERGED)
def neighbours_merged(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Code cells that follow each other without text between are merged into one."""
    cells: list[Cell] = []
    for cell in hand_in.cells:
        if cells and cell.is_code and cells[-1].is_code:
            cells[-1] = _merged([cells[-1], cell], rng)[-1]
        else:
            cells.append(cell)
    return _changed(hand_in, cells, "no code cells follow each other")


@deformation(Stage.LAYOUT, group=MERGED)
def split_in_five(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Each code answer is split into up to five cells."""
    cells: list[Cell] = []
    for cell in hand_in.cells:
        pieces = statements(cell.source) if cell.is_code and cell.role == "answer" else []
        cells += [cell] if len(pieces) < 2 else _split(cell, pieces, rng)
    return _changed(hand_in, cells, "no code answer has two statements")


@deformation(Stage.LAYOUT, text=Expected.OR_UNGRADED, group=MOVED)
def out_of_order(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """The questions of a section are answered in another order, where the code allows it."""
    cells: list[Cell] = []
    sections = _sections(hand_in.cells)
    for number, section in enumerate(sections):
        after = {n for s in sections[number + 1 :] for n in _reads(s)}
        head, *questions = _blocks(section)
        cells += head
        cells += [cell for block in _permuted(questions, after, rng) for cell in block]
    return _changed(hand_in, cells, "no two questions of a section may change places")


@deformation(Stage.LAYOUT, text=Expected.OR_UNGRADED, group=MOVED)
def sections_out_of_order(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Whole sections stand in another order, where the code allows it."""
    first, *sections = _sections(hand_in.cells)
    moved = [cell for section in _permuted(sections, set(), rng) for cell in section]
    return _changed(hand_in, [*first, *moved], "no two sections may change places")


@deformation(Stage.LAYOUT, text=Expected.OR_UNGRADED, group=MOVED)
def answers_at_end(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All answers stand at the end, numbered there, with the code that runs after the first."""
    begins = [cell.role == "answer" and cell.is_code for cell in hand_in.cells]
    first = begins.index(True) if any(begins) else len(begins)
    stay: list[Cell] = []
    moved: list[Cell] = []
    for index, cell in enumerate(hand_in.cells):
        moves = cell.role == "answer" or (cell.is_code and index > first)
        if moves and not cell.is_code and cell.question:
            question = assignment.question(cell.question)
            numbers = f"{question.section} ({question.label})" if question.label else question.id
            cell = replace(cell, source=f"**{numbers}** {cell.source}")  # noqa: PLW2901
        (moved if moves else stay).append(cell)
    heading = Cell("markdown", "# Answers", identity=fresh_id(rng))
    return _changed(hand_in, [*stay, heading, *moved], "there are no answers in cells")


@deformation(Stage.LAYOUT, text=Expected.OR_UNGRADED, group=MOVED)
def below_next_prompt(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Every second question is answered below the next question's prompt or heading."""
    cells = list(hand_in.cells)
    prompts = [i for i, cell in enumerate(cells) if cell.role == "prompt"]
    for number in range(rng.randrange(2), len(prompts) - 1, 2):
        start, end = prompts[number] + 1, prompts[number + 1]
        between = cells[start:end]
        own = [c for c in between if c.role == "answer" and c.question == cells[start - 1].question]
        # Only what stands last there moves, so that the code keeps its order.
        kept = [c for c in between if c not in own]
        if own and between == [*own, *kept] and not any(c.is_code for c in kept):
            cells[start : end + 1] = [*kept, cells[end], *own]
    return _changed(hand_in, cells, "no answer stands right above a prompt")


@deformation(Stage.LAYOUT, group=MOVED)
def stub_above(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """The release's stub is left under its prompt, and the answer stands in a cell below it."""
    cells: list[Cell] = []
    for cell in hand_in.cells:
        if cell.role == "answer" and cell.stub:
            cells += [replace(cell, source=cell.stub, outputs=()), _own(cell, rng)]
        else:
            cells.append(cell)
    return _changed(hand_in, cells, "no answer has a stub")


@deformation(Stage.LAYOUT, group=MOVED)
def stub_left(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """The release is left as it is, and all code stands once more, complete, at the end."""
    left = [
        replace(cell, source=cell.stub, outputs=())
        if cell.is_code and cell.role == "answer" and cell.stub
        else cell
        for cell in hand_in.cells
    ]
    heading = Cell("markdown", "# My code", identity=fresh_id(rng))
    again = [_own(cell, rng) for cell in hand_in.cells if cell.is_code]
    if left == list(hand_in.cells):
        raise NotApplicableError("no code answer has a stub")
    return hand_in.with_cells([*left, heading, *again])


def _own(cell: Cell, rng: Random) -> Cell:
    """The cell as one that the student made anew."""
    return replace(cell, metadata={}, identity=fresh_id(rng))


def _sections(cells: Sequence[Cell]) -> list[list[Cell]]:
    """The cells from each heading of the first or second level to the next; first what is above."""
    sections: list[list[Cell]] = [[]]
    for cell in cells:
        if not cell.is_code and _SECTION.match(cell.source):
            sections.append([])
        sections[-1].append(cell)
    return sections


def _blocks(section: Sequence[Cell]) -> list[list[Cell]]:
    """The cells from each prompt to the next; first what stands above all prompts.

    A prompt that holds the section's heading stays at its place, with its question.
    """
    blocks: list[list[Cell]] = [[]]
    for index, cell in enumerate(section):
        if cell.role == "prompt" and index:
            blocks.append([])
        blocks[-1].append(cell)
    return blocks


def _reads(cells: Iterable[Cell]) -> set[str]:
    """The names that the code reads before binding them."""
    known: set[str] = set()
    names: set[str] = set()
    for cell in cells:
        if cell.is_code:
            names |= free(cell.source) - known
            known |= bound(cell.source)
    return names


def _binds(cells: Iterable[Cell]) -> set[str]:
    return {name for cell in cells if cell.is_code for name in bound(cell.source)}


def _permuted(blocks: Sequence[list[Cell]], after: set[str], rng: Random) -> list[list[Cell]]:
    """The blocks in another order in which all code still finds what it found.

    Neighbours change places many times, where neither binds what the other reads, and
    nothing that comes `after` reads what both bind.
    """
    order = list(blocks)
    by_chance = [rng.randrange(len(order) - 1) for _ in range(len(order) ** 2 if order[1:] else 0)]
    for at in by_chance:
        _swap(order, at, after)
    for at in range(len(order) - 1):
        if order == list(blocks):
            _swap(order, at, after)
    return order


def _swap(order: list[list[Cell]], at: int, after: set[str]) -> None:
    if _may_swap(order[at], order[at + 1], after, order[at + 2 :]):
        order[at], order[at + 1] = order[at + 1], order[at]


def _may_swap(
    one: list[Cell], other: list[Cell], after: set[str], rest: Sequence[list[Cell]]
) -> bool:
    later = after | {name for block in rest for name in _reads(block)}
    return not (
        _binds(one) & _reads(other)
        or _binds(other) & _reads(one)
        or _binds(one) & _binds(other) & later
    )


def _merged(cells: Sequence[Cell], rng: Random) -> list[Cell]:
    """The text, then all code in one cell."""
    code = [cell for cell in cells if cell.is_code]
    if len(code) < 2:
        return list(cells)
    owner = next((cell for cell in code if cell.role == "answer"), code[0])
    made = replace(
        owner,
        source="\n\n".join(cell.source for cell in code),
        outputs=tuple(output for cell in code for output in cell.outputs),
        metadata={},
        identity=fresh_id(rng),
    )
    return [*(cell for cell in cells if not cell.is_code), made]


def _split(cell: Cell, pieces: Sequence[str], rng: Random) -> list[Cell]:
    cuts = sorted(rng.sample(range(1, len(pieces)), min(PARTS, len(pieces)) - 1))
    bounds = [0, *cuts, len(pieces)]
    texts = ["\n\n".join(pieces[a:b]) for a, b in pairwise(bounds)]
    first = replace(cell, source=texts[0], outputs=())
    rest = [replace(_own(cell, rng), source=text, outputs=()) for text in texts[1:]]
    rest[-1] = replace(rest[-1], outputs=cell.outputs)
    return [first, *rest]


def _changed(hand_in: HandIn, cells: Sequence[Cell], reason: str) -> HandIn:
    if hand_in.cells == tuple(cells):
        raise NotApplicableError(reason)
    return hand_in.with_cells(cells)
