"""Refuses a release in which something stands that students must not have."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

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
    secrets = Secrets.of(assignment, hidden)
    for name, content in files.items():
        yield from _leaks(name, content, secrets, is_check=name.startswith("checks/"))


@dataclass(frozen=True)
class Secrets:
    """What nobody may have of an assignment; of its own files, names by their digests."""

    private: Mapping[str, str] = field(default_factory=dict)
    blocks: Collection[str] = ()
    hidden: Collection[str] = ()

    @classmethod
    def of(cls, assignment: Assignment, hidden: Collection[str]) -> Secrets:
        """Those of an assignment, whose `hidden` checks are named `file::function`."""
        return cls(_digests(assignment), answer_blocks(assignment), hidden)


def find_leaks(name: str, content: bytes, secrets: Collection[Secrets]) -> list[str]:
    """What must not stand in a file that is to be released, wherever it lies.

    Markers, recorded output and checks that are marked as hidden are found in any
    case, answers and hidden checks of the assignments whose `secrets` are given.
    A notebook that is none is one, too.
    """
    is_check = name.endswith(".py") and b"mark.question" in content
    try:
        searches = [_leaks(name, content, known, is_check) for known in secrets or [Secrets()]]
        found = [leak for search in searches for leaks in search for leak in leaks]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return [f"{name}: it is no notebook, and cannot be looked through"]
    return list(dict.fromkeys(found))


def _leaks(name: str, content: bytes, secrets: Secrets, is_check: bool) -> Iterator[Iterator[str]]:
    if (digest := hashlib.sha256(content).hexdigest()) in secrets.private:
        yield iter([f"{name} is the assignment's own {secrets.private[digest]}"])
    for where, text in _texts(name, content):
        yield _markers(where, text)
        yield _answers(where, text, secrets.blocks)
        if is_check:
            file = name.rpartition("checks/")[2]
            own = [h.partition("::")[2] for h in secrets.hidden if h.startswith(f"{file}::")]
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
