"""What becomes of headings, prompts and other Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random

from grader.assignment import Assignment
from mangling.bases import fresh_id
from mangling.records import Cell, Expected, HandIn, NotApplicableError, Stage, deformation

HEADINGS = "headings"
_HEADING = re.compile(r"^(?P<marks>#{1,6})[ \t]+(?P<text>[^\n]*)$", re.MULTILINE)
_NUMBER = re.compile(r"^(?:Exercise|Question|Task|Problem)?\s*(?P<number>Q?\d+(?:\.\d+)*)\b")
# What a heading says in another language, after the word for "exercise" and the number.
WORDS = {
    "Dutch": ("Opgave", ["gradiënten berekenen", "een eigen netwerk", "resultaten en bespreking"]),
    "German": ("Aufgabe", ["Ableitungen bestimmen", "ein eigenes Netz", "Ergebnisse"]),
    "Finnish": ("Tehtävä", ["derivaattojen laskeminen", "oma verkko", "tulokset ja pohdinta"]),
    "Persian": ("سوال", ["محاسبهٔ گرادیان", "شبکهٔ عصبی", "نتیجه‌ها و بحث"]),
}
_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


@deformation(Stage.TEXT, text=Expected.OR_UNGRADED, group=HEADINGS)
def headings_deleted(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All headings are deleted."""
    return _map_text(hand_in, lambda text: _HEADING.sub("", text).strip(), "there are no headings")


@deformation(Stage.TEXT, text=Expected.OR_UNGRADED, group=HEADINGS)
def headings_translated(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All headings are in another language; numbers stay, if in other digits."""
    language = rng.choice(sorted(WORDS))
    exercise, phrases = WORDS[language]

    def translated(heading: re.Match[str]) -> str:
        found = _NUMBER.match(heading["text"])
        number = found["number"].lstrip("Q") if found else ""
        number = number.translate(_PERSIAN_DIGITS) if language == "Persian" else number
        words = f"{exercise} {number}: {rng.choice(phrases)}" if number else rng.choice(phrases)
        return f"{heading['marks']} {words}"

    return _map_text(hand_in, lambda text: _HEADING.sub(translated, text), "there are no headings")


@deformation(Stage.TEXT, text=Expected.OR_UNGRADED, group=HEADINGS)
def prompts_deleted(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All prompts are deleted; answers and other text stay."""
    return _without(hand_in, lambda cell: cell.role == "prompt", "there are no prompts")


@deformation(Stage.TEXT, text=Expected.ANYTHING, group=HEADINGS)
def markdown_deleted(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All Markdown is deleted, the written answers included."""
    return _without(hand_in, lambda cell: not cell.is_code, "there is no Markdown")


@deformation(Stage.TEXT)
def markdown_as_comments(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Written answers stand as comments in code cells."""

    def turned(cell: Cell) -> Cell:
        lines = [f"# {line}".rstrip() for line in cell.source.splitlines()]
        return replace(cell, kind="code", source="\n".join(lines), identity=fresh_id(rng))

    cells = [turned(c) if c.role == "answer" and not c.is_code else c for c in hand_in.cells]
    return _changed(hand_in, cells, "no answer is written as Markdown")


@deformation(Stage.TEXT, code=Expected.OR_UNGRADED, text=Expected.OR_UNGRADED)
def code_as_markdown(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All code answers stand in Markdown cells, where nothing can be run."""

    def turned(cell: Cell) -> Cell:
        fenced = f"```python\n{cell.source}\n```"
        return replace(cell, kind="markdown", source=fenced, outputs=(), count=None)

    cells = [turned(c) if c.role == "answer" and c.is_code else c for c in hand_in.cells]
    return _changed(hand_in, cells, "no cell answers with code")


@deformation(Stage.TEXT, code=Expected.OR_UNGRADED, text=Expected.OR_UNGRADED)
def last_code_as_markdown(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """The last code answer stands in a Markdown cell, where it cannot be run."""
    indices = [i for i, c in enumerate(hand_in.cells) if c.is_code and c.role == "answer"]
    if not indices:
        raise NotApplicableError("no cell answers with code")
    cells = list(hand_in.cells)
    cell = cells[indices[-1]]
    fenced = f"```python\n{cell.source}\n```"
    cells[indices[-1]] = replace(cell, kind="markdown", source=fenced, outputs=(), count=None)
    return hand_in.with_cells(cells)


def _map_text(hand_in: HandIn, change: Callable[[str], str], reason: str) -> HandIn:
    """The hand-in with its Markdown changed; cells that have nothing left are gone."""
    cells = [
        cell if cell.is_code else replace(cell, source=change(cell.source))
        for cell in hand_in.cells
    ]
    kept = [cell for cell in cells if cell.is_code or cell.source.strip()]
    files = {
        path: change(content.decode()).encode()
        if path.endswith(".md") and path in hand_in.answer_files
        else content
        for path, content in hand_in.files.items()
    }
    return _changed(replace(hand_in, files=files), kept, reason)


def _without(hand_in: HandIn, gone: Callable[[Cell], bool], reason: str) -> HandIn:
    return _changed(hand_in, [cell for cell in hand_in.cells if not gone(cell)], reason)


def _changed(hand_in: HandIn, cells: list[Cell], reason: str) -> HandIn:
    if hand_in.cells == tuple(cells):
        raise NotApplicableError(reason)
    return hand_in.with_cells(cells)
