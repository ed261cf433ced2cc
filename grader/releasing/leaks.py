"""Refuses a release in which something stands that students must not have."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping

from grader.assignment import Assignment
from grader.errors import AssignmentError
from grader.releasing.answers import answer_blocks, squeezed

# nbgrader's markers, and those of courses that have their own.
MARKER = re.compile(
    r"(BEGIN|END) +(SOLUTION|ANSWER|HIDDEN +TESTS?|MARK +SCHEME|TESTS? CONFIG)\b"
    r"|^\s*#\s*(HIDDEN|BEGIN TESTS)\b",
    re.MULTILINE,
)
HIDDEN = re.compile(r"\bhidden\s*=\s*True\b")
PRIVATE = ("solution.ipynb", "mutants.toml", "data.py")


def refuse_leaks(
    assignment: Assignment, files: Mapping[str, bytes], hidden: Collection[str]
) -> None:
    """Looks through every file of a release; `hidden` are hidden checks, `file::function`.

    Raises:
        AssignmentError: a solution marker, a solution's code, recorded output, a
            hidden check or a file that only the grader may have stands in it.
    """
    found = [leak for leaks in _searches(assignment, files, hidden) for leak in leaks]
    if found:
        lines = "\n".join(f"  {leak}" for leak in found)
        raise AssignmentError(f"{assignment.slug} is not released, for it would leak:\n{lines}")


def _searches(
    assignment: Assignment, files: Mapping[str, bytes], hidden: Collection[str]
) -> Iterator[Iterator[str]]:
    private = _digests(assignment)
    blocks = answer_blocks(assignment)
    for name, content in files.items():
        if (digest := hashlib.sha256(content).hexdigest()) in private:
            yield iter([f"{name} is the assignment's own {private[digest]}"])
        for where, text in _texts(name, content):
            yield _markers(where, text)
            yield _answers(where, text, blocks)
            if name.startswith("checks/"):
                file = name.removeprefix("checks/")
                own = [h.partition("::")[2] for h in hidden if h.startswith(f"{file}::")]
                yield _hidden(where, text, own)
        if name.endswith(".ipynb"):
            yield _outputs(name, content)


def _digests(assignment: Assignment) -> dict[str, str]:
    paths = [assignment.folder / name for name in PRIVATE]
    paths += sorted((assignment.folder / "variants").glob("*"))
    kept = [path for path in paths if path.is_file() and path.stat().st_size]
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path.name for path in kept}


def _texts(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    """What can be read in a file; of a notebook, cell by cell."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return
    if not name.endswith(".ipynb"):
        yield name, text
        return
    for index, cell in enumerate(json.loads(text).get("cells", [])):
        source = cell.get("source", "")
        yield f"{name}, cell {index}", source if isinstance(source, str) else "".join(source)


def _markers(where: str, text: str) -> Iterator[str]:
    for match in MARKER.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{where}, line {line}: the marker {match[0].strip()!r}"


def _answers(where: str, text: str, blocks: Collection[str]) -> Iterator[str]:
    code = "\n" + squeezed(text)
    for block in blocks:
        if "\n" + block in code:
            first = block.split("\n")[0]
            yield f"{where}: an answer of the solution, which begins with `{first}`"


def _hidden(where: str, text: str, hidden: Collection[str]) -> Iterator[str]:
    if HIDDEN.search(text):
        yield f"{where}: a check that is marked as hidden"
    for name in hidden:
        if re.search(rf"\bdef {re.escape(name)}\b", text):
            yield f"{where}: the hidden check {name}"


def _outputs(name: str, content: bytes) -> Iterator[str]:
    for index, cell in enumerate(json.loads(content).get("cells", [])):
        if cell.get("outputs"):
            yield f"{name}, cell {index}: recorded output"
