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
ANSWERS = "written answers"
FENCED = "code as text"
_HEADING = re.compile(r"^(?P<marks>#{1,6})[ \t]+(?P<text>[^\n]*)$", re.MULTILINE)
_NUMBER = re.compile(r"^(?:Exercise|Question|Task|Problem)?\s*(?P<number>Q?\d+(?:\.\d+)*)\b")
# What a heading says in another language, after the word for "exercise" and the number.
WORDS = {
    "Dutch": ("Opgave", ["gradiënten berekenen", "een eigen netwerk", "resultaten en bespreking"]),
    "German": ("Aufgabe", ["Ableitungen bestimmen", "ein eigenes Netz", "Ergebnisse"]),
    "Finnish": ("Tehtävä", ["derivaattojen laskeminen", "oma verkko", "tulokset ja pohdinta"]),
    "Persian": ("سوال", ["محاسبهٔ گرادیان", "شبکهٔ عصبی", "نتیجه‌ها و بحث"]),
}
_FIRST_NUMBER = re.compile(r"\d+")
_LABEL = re.compile(r"\([a-z]\)\s?")
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
def renumbered(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All headings have another year's numbers: each is one more."""

    def raised(heading: re.Match[str]) -> str:
        found = _FIRST_NUMBER.search(heading[0])
        if not found or not _NUMBER.match(heading["text"]):
            return heading[0]
        number = str(int(found[0]) + 1)
        return heading[0][: found.start()] + number + heading[0][found.end() :]

    return _map_text(hand_in, lambda text: _HEADING.sub(raised, text), "no heading has a number")


@deformation(Stage.TEXT, text=Expected.OR_UNGRADED, group=HEADINGS)
def prompts_translated(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All prompts are in another language; their headings' numbers and their labels stay."""
    exercise, phrases = WORDS[rng.choice(sorted(WORDS))]

    def translated(cell: Cell) -> Cell:
        heading = _HEADING.search(cell.source)
        found = _NUMBER.match(heading["text"]) if heading else None
        label = _LABEL.search(cell.source)
        lines = [f"## {exercise} {found['number']}" if found else "", label[0] if label else ""]
        text = "\n\n".join(filter(None, lines)) + " " + ", ".join(rng.choices(phrases, k=4))
        return replace(cell, source=text.strip())

    cells = [translated(c) if c.role == "prompt" else c for c in hand_in.cells]
    return _changed(hand_in, cells, "there are no prompts")


@deformation(Stage.TEXT, text=Expected.OR_UNGRADED, group=HEADINGS)
def labels_deleted(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Labels such as "(a)" are gone from the prompts."""
    cells = [
        replace(c, source=_LABEL.sub("", c.source, count=1)) if c.role == "prompt" else c
        for c in hand_in.cells
    ]
    return _changed(hand_in, cells, "no prompt has a label")


@deformation(Stage.TEXT, code=Expected.OR_UNGRADED, text=Expected.OR_UNGRADED, group=HEADINGS)
def prompts_deleted(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All prompts are deleted; answers and other text stay."""
    return _without(hand_in, lambda cell: cell.role == "prompt", "there are no prompts")


@deformation(Stage.TEXT, code=Expected.OR_UNGRADED, text=Expected.ANYTHING, group=HEADINGS)
def markdown_deleted(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All Markdown is deleted, the written answers included."""
    return _without(hand_in, lambda cell: not cell.is_code, "there is no Markdown")


@deformation(Stage.SURROUNDINGS, group=ANSWERS)
def answered_in_prompts(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Written answers are typed below the prompt, in the prompt's own cell."""
    cells: list[Cell] = []
    for cell in hand_in.cells:
        above = cells[-1] if cells else None
        if above and above.role == "prompt" and cell.role == "answer" and not cell.is_code:
            cells[-1] = replace(above, source=f"{above.source}\n\n{cell.source}")
        else:
            cells.append(cell)
    return _changed(hand_in, cells, "no written answer stands below its prompt")


@deformation(Stage.TEXT, group=ANSWERS)
def answers_coloured(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Written answers are marked by a word, a colour or a quotation."""
    before, after = rng.choice(
        [
            ("**Answer:** ", ""),
            ("<font color='blue'>\n\n", "\n\n</font>"),
            ("> ", ""),
            ("Ans. ", ""),
        ]
    )
    cells = [
        replace(c, source=before + c.source + after) if c.role == "answer" and not c.is_code else c
        for c in hand_in.cells
    ]
    return _changed(hand_in, cells, "no answer is written as Markdown")


@deformation(Stage.TEXT, group=ANSWERS)
def markdown_as_comments(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Written answers stand as comments in code cells."""

    def turned(cell: Cell) -> Cell:
        lines = [f"# {line}".rstrip() for line in cell.source.splitlines()]
        return replace(cell, kind="code", source="\n".join(lines), identity=fresh_id(rng))

    cells = [turned(c) if c.role == "answer" and not c.is_code else c for c in hand_in.cells]
    return _changed(hand_in, cells, "no answer is written as Markdown")


# Not before the layout: what moves cells has to see what their code needs.
@deformation(Stage.SURROUNDINGS, code=Expected.OR_UNGRADED, text=Expected.OR_UNGRADED, group=FENCED)
def code_as_markdown(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All code answers stand in Markdown cells, where nothing can be run."""

    def turned(cell: Cell) -> Cell:
        fenced = f"```python\n{cell.source}\n```"
        return replace(cell, kind="markdown", source=fenced, outputs=(), count=None)

    cells = [turned(c) if c.role == "answer" and c.is_code else c for c in hand_in.cells]
    return _changed(hand_in, cells, "no cell answers with code")


@deformation(Stage.SURROUNDINGS, code=Expected.OR_UNGRADED, text=Expected.OR_UNGRADED, group=FENCED)
def code_as_raw(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All code answers stand in raw cells, where nothing can be run."""
    cells = [
        replace(c, kind="raw", outputs=(), count=None) if c.role == "answer" and c.is_code else c
        for c in hand_in.cells
    ]
    return _changed(hand_in, cells, "no cell answers with code")


@deformation(Stage.SURROUNDINGS, code=Expected.OR_UNGRADED, text=Expected.OR_UNGRADED, group=FENCED)
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
