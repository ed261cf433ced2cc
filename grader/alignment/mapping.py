"""A person's word on which cells answer a question: `--map QUESTION=CELLS`, or a file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from grader.assignment import Assignment
from grader.errors import UsageError

# The cells of each question, by their numbers in the notebook as it was handed in.
CellMap = Mapping[str, tuple[int, ...]]
NO_MAP: CellMap = MappingProxyType({})
FORMS = "a cell's number, a range such as 17-19, or several of them with commas"
_RANGE = re.compile(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?")


def parse_maps(texts: Iterable[str]) -> CellMap:
    """Reads `QUESTION=CELLS` from each text; a question that is named twice gets both.

    Raises:
        UsageError: a text has another form.
    """
    found: dict[str, tuple[int, ...]] = {}
    for text in texts:
        question, equals, cells = text.rpartition("=")
        if not equals or not question.strip():
            raise UsageError(f"--map {text!r}: write QUESTION=CELLS, such as 1.2b=17-19")
        where = f"--map {text!r}"
        before = found.get(question.strip(), ())
        found[question.strip()] = _ordered((*before, *parse_cells(cells, where)))
    return found


def parse_cells(value: object, where: str) -> tuple[int, ...]:
    """The cells that a number, a text such as "3, 5-7", or a list of those names.

    Raises:
        UsageError: it is something else; `where` begins the sentence.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return (value,)
    if isinstance(value, list) and value:
        return _ordered(cell for item in value for cell in parse_cells(item, where))
    if not isinstance(value, str):
        raise UsageError(f"{where}: {value!r} names no cells: write {FORMS}")
    return _ordered(cell for part in value.split(",") for cell in _range(part, where))


def _range(text: str, where: str) -> Iterable[int]:
    found = _RANGE.fullmatch(text)
    if found is None:
        raise UsageError(f"{where}: {text.strip()!r} names no cells: write {FORMS}")
    first, last = int(found[1]), int(found[2] or found[1])
    if last < first:
        raise UsageError(f"{where}: the range {text.strip()} ends before it begins")
    return range(first, last + 1)


def _ordered(cells: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(cells)))


def read_map(path: Path) -> Mapping[str, CellMap]:
    """The maps of a file, by submission; `""` has what the file says for no submission's name.

    Raises:
        UsageError: it cannot be read, is not TOML, or has no table `[map]` of the right form.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    table = content.get("map")
    if not isinstance(table, dict) or content.keys() != {"map"}:
        raise UsageError(f'{path}: it needs one table [map], with lines such as "1.2b" = "17-19"')
    named = {key: value for key, value in table.items() if isinstance(value, dict)}
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    maps = {key: _read_table(value, f"{path}: [map.{key}]") for key, value in named.items()}
    return {**maps, "": _read_table(plain, f"{path}: [map]")}


def _read_table(table: Mapping[str, object], where: str) -> CellMap:
    return {q: parse_cells(cells, f"{where} {q}") for q, cells in table.items()}


def check_map(cell_map: CellMap, assignment: Assignment, count: int | None = None) -> None:
    """Sees to it that a map names questions of the assignment, and cells of `count` that there are.

    Raises:
        UsageError: it does not.
    """
    questions = {question.id: question for question in assignment.questions}
    for identity, cells in cell_map.items():
        if identity not in questions:
            known = ", ".join(q.id for q in assignment.questions if not q.file)
            raise UsageError(
                f"the map names question {identity!r}; those of {assignment.slug} are {known}"
            )
        if questions[identity].file:
            raise UsageError(
                f"the map names question {identity!r}, which no cell answers, "
                f"but the file {questions[identity].file}"
            )
        beyond = [cell for cell in cells if count is not None and cell >= count]
        if beyond:
            raise UsageError(
                f"the map gives question {identity!r} cell {beyond[0]}, but the notebook has "
                f"{count} cells, 0 to {(count or 0) - 1}"
            )
