"""Answers that are files beside the notebook: their release, their parts, whether they show work.

A question's part of a Python file are the definitions that the question names,
`"SGD.update"` being a method; of a Markdown file, what stands under its section
and label. Where a part cannot be told, it is the whole file.
"""

from __future__ import annotations

import ast
import os
import re
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.errors import AssignmentError
from grader.records import AnswerFile
from grader.release import BEGIN, CODE_PLACEHOLDER, END, TEXT_PLACEHOLDER, strip_regions

PLACEHOLDERS = {".py": CODE_PLACEHOLDER, ".md": (TEXT_PLACEHOLDER,)}
_HEADING = re.compile(r"#{1,6}\s*(?:question\s+)?(\d+(?:\.\d+)*)\b", re.IGNORECASE)
# Not indented: a list within an answer is.
_LABEL = re.compile(r"(?:[-*] )?[*_]*\(?([a-z]|\d+)[.)]", re.IGNORECASE)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True)
class Place:
    """Where in a file a question is answered: the names defined, or a section and label."""

    names: tuple[str, ...] = ()
    section: str = ""
    label: str = ""


def release_files(solutions: Mapping[str, str]) -> dict[str, str]:
    """The solution's files without what lies in solution regions.

    Raises:
        AssignmentError: a region is not closed, or in a file that has no placeholder.
    """
    return {path: _released(path, text) for path, text in solutions.items()}


def read_files(folder: Path) -> dict[str, bytes]:
    """The files of a folder by their paths in it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path: path.relative_to(folder) for path in paths}
    kept = {path: name for path, name in names.items() if "__pycache__" not in name.parts}
    return {name.as_posix(): path.read_bytes() for path, name in kept.items()}


def read_files_at_home(folder: Path, kept: str) -> dict[str, bytes]:
    """The same of a folder in which somebody works.

    Without virtual environments, and without what tools hide; `kept` is the one
    hidden folder that belongs to it.
    """
    found: dict[str, bytes] = {}
    for place, below, names in os.walk(folder):
        here = Path(place)
        below[:] = [name for name in below if name == kept or _is_work(here / name)]
        for name in sorted(names):
            if not name.startswith(".") and (here / name).is_file():
                found[(here / name).relative_to(folder).as_posix()] = (here / name).read_bytes()
    return dict(sorted(found.items()))


def _is_work(folder: Path) -> bool:
    is_tools = folder.name.startswith(".") or folder.name in ("__pycache__", "node_modules")
    return not is_tools and not (folder / "pyvenv.cfg").exists()


def read_texts(folder: Path) -> dict[str, str]:
    """The same, as texts.

    Raises:
        AssignmentError: one of them is not text.
    """
    try:
        return {path: content.decode("utf-8") for path, content in read_files(folder).items()}
    except UnicodeDecodeError as error:
        reason = f"what is not text belongs in files/ ({error})"
        raise AssignmentError(f"{folder}: {reason}") from None


def check_solution_files(folder: Path, asked: Mapping[str, str]) -> None:
    """Sees to it that files answer what questions say, and that no answer is handed out.

    `asked` maps questions to the files that answer them.

    Raises:
        AssignmentError: an assignment's `folder` does not hold what it needs to.
    """
    solutions = read_texts(folder / "solution")
    for question, path in asked.items():
        if not has_region(solutions.get(path, "")):
            raise AssignmentError(
                f"{folder}/solution: question {question} needs a solution region in {path}"
            )
    for path in solutions.keys() - set(asked.values()):
        if has_region(solutions[path]):
            reason = "its solution region answers no question"
            raise AssignmentError(f"{folder}/solution/{path}: {reason}")
    if doubled := solutions.keys() & read_files(folder / "files").keys():
        raise AssignmentError(f"{folder}: {min(doubled)} is in files/ and in solution/")
    release_files(solutions)


def has_region(text: str) -> bool:
    """Whether a file has a solution region, or a part of one."""
    return BEGIN in text or END in text


def _released(path: str, text: str) -> str:
    if not has_region(text):
        return text
    placeholder = PLACEHOLDERS.get(PurePosixPath(path).suffix)
    if placeholder is None:
        raise AssignmentError(f"solution/{path}: only .py and .md files can have solution regions")
    return strip_regions(text, f"solution/{path}", placeholder)


def module_name(path: str) -> str:
    """The name under which Python imports a file."""
    parts = PurePosixPath(path).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def readable(content: bytes) -> str | None:
    """A file's text, or None where it holds something else."""
    if b"\0" in content:
        return None
    return content.decode("utf-8-sig", "replace")


def parts(path: str, text: str, place: Place, others: Sequence[Place]) -> tuple[AnswerFile, ...]:
    """A question's parts of a file that is handed in; `others` are the file's other places.

    Empty where the file has text but no such part.
    """
    if path.endswith(".md"):
        return _markdown_part(path, text, place, others)
    tree = _parse(text)
    found = [_find(tree, name) for name in place.names] if tree else []
    return tuple(_lines(path, text, node) for node in found if node is not None)


def whole(path: str, text: str) -> AnswerFile:
    """All of a file."""
    return AnswerFile(path, 1, text)


def shows_work(path: str, text: str, released: str, place: Place, others: Sequence[Place]) -> bool:
    """Whether the question's part differs from the release, and from a blank to be filled in."""
    if _squeezed(text) in ("", _squeezed(released)):
        return False
    if path.endswith(".md"):
        own = parts(path, text, place, others) or (whole(path, text),)
        known = {_squeezed(line) for line in released.splitlines()}
        lines = {_squeezed(line) for part in own for line in part.source.splitlines()}
        return bool(lines - known - {""})
    try:
        return _code_shows_work(_parse(text), _parse(released), place.names)
    except RecursionError:  # a sum of a thousand terms is as deep as that
        return True


def _code_shows_work(
    tree: ast.Module | None, released: ast.Module | None, names: Sequence[str]
) -> bool:
    if tree is None or released is None or not names:
        return True
    pairs = [(_find(tree, name), _find(released, name)) for name in names]
    # A definition that is gone was changed; its check says that it is missing.
    return any(own is None or not _is_untouched(own, given) for own, given in pairs)


def _is_untouched(own: Definition, given: Definition | None) -> bool:
    same = given is not None and [*map(ast.dump, _body(own))] == [*map(ast.dump, _body(given))]
    return same or (isinstance(own, ast.FunctionDef) and _is_blank(_body(own)))


def _is_blank(body: Sequence[ast.stmt]) -> bool:
    """Whether a function computes nothing: it raises, passes, or returns names that are None."""
    nothing: set[str] = set()
    for node in body:
        match node:
            case ast.Pass() | ast.Expr(ast.Constant()):
                continue
            case ast.Raise(exc=error) if error and "NotImplementedError" in ast.unparse(error):
                continue
            case ast.Assign(targets=targets, value=ast.Constant(None)):
                nothing |= {ast.unparse(target) for target in targets}
            case ast.Return(value=value):
                returned = value.elts if isinstance(value, ast.Tuple) else [value]
                shown = {ast.unparse(item) for item in returned if item is not None}
                if shown - nothing - {"None"}:
                    return False
            case _:
                return False
    return True


def _body(node: Definition) -> list[ast.stmt]:
    """What a definition consists of, without its docstring."""
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return [node]
    return node.body[1:] if ast.get_docstring(node) is not None else node.body


def _parse(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _find(tree: ast.Module, dotted: str) -> Definition | None:
    """The last definition of a name, as Python would find it."""
    body: Sequence[ast.stmt] = tree.body
    node: Definition | None = None
    for name in dotted.split("."):
        named = [n for n in body if isinstance(n, Definition) and name in _names(n)]
        if not named:
            return None
        node = named[-1]
        body = node.body if isinstance(node, ast.ClassDef) else []
    return node


def _names(node: Definition) -> Iterator[str]:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name))
    else:
        yield node.name


def _lines(path: str, text: str, node: Definition) -> AnswerFile:
    decorators = [] if isinstance(node, ast.Assign | ast.AnnAssign) else node.decorator_list
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    # Not `splitlines`, which also breaks at characters that Python does not count.
    lines = text.replace("\r\n", "\n").split("\n")[first - 1 : node.end_lineno]
    return AnswerFile(path, first, textwrap.dedent("\n".join(lines)))


@dataclass(frozen=True)
class _Mark:
    """A line of a Markdown file that may open a part: a numbered heading, or a labelled line."""

    line: int
    section: str
    label: str = ""


def _markdown_part(
    path: str, text: str, place: Place, others: Sequence[Place]
) -> tuple[AnswerFile, ...]:
    lines = text.splitlines()
    marks = list(_marks(lines))
    start = _start(marks, place)
    if start is None:
        return ()
    starts = {_start(marks, other) for other in others}
    inside = f"{_number(place)}."
    ends = [
        mark.line
        for mark in marks
        if mark.line in starts or (not mark.label and not mark.section.startswith(inside))
    ]
    end = min((line for line in ends if line > start), default=len(lines))
    return (AnswerFile(path, start + 1, "\n".join(lines[start:end]).strip()),)


def _marks(lines: Sequence[str]) -> Iterator[_Mark]:
    section = ""
    for number, line in enumerate(lines):
        if heading := _HEADING.match(line):
            section = heading[1]
            yield _Mark(number, section)
        elif label := _LABEL.match(line):
            yield _Mark(number, section, label[1].lower())


def _start(marks: Sequence[_Mark], place: Place) -> int | None:
    """The line of the heading "2.1", or of the first "1." under the heading "2"."""
    for mark in marks:
        is_heading = not mark.label and mark.section == _number(place)
        labelled = bool(mark.label) and (mark.section, mark.label) == (place.section, place.label)
        if is_heading or labelled:
            return mark.line
    return None


def _number(place: Place) -> str:
    return ".".join(part for part in (place.section, place.label) if part)


def _squeezed(text: str) -> str:
    return " ".join(text.split())
