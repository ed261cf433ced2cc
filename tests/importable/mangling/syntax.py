"""Reads and changes pieces of code by their places, so that all else stays as it is written."""

from __future__ import annotations

import ast
import io
import re
import symtable
import tokenize
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from grader.rewriting import bound_names, parse_cell, read_names
from mangling.records import Cell, HandIn

Function = ast.FunctionDef | ast.AsyncFunctionDef
# Not a line that goes on with the operator %, which a space follows.
_MAGIC_LINE = re.compile(r"^([ \t]*)(?:%{1,2}[a-zA-Z]|[!?])[^\n]*", re.MULTILINE)


@dataclass(frozen=True)
class Edit:
    """`text` in place of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


def edited(source: str, edits: Iterable[Edit]) -> str:
    """The source with all edits made."""
    for edit in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
        source = source[: edit.start] + edit.text + source[edit.end :]
    return source


def position(source: str, line: int, column: int) -> int:
    """The place of a tree's line (from 1) and column (in bytes) in the text."""
    lines = source.splitlines(keepends=True)
    before = sum(map(len, lines[: line - 1]))
    return before + len(lines[line - 1].encode()[:column].decode())


def start_of(source: str, node: ast.stmt | ast.expr | ast.arg) -> int:
    """Where a node begins."""
    return position(source, node.lineno, node.col_offset)


def end_of(source: str, node: ast.stmt | ast.expr | ast.arg) -> int:
    """Where a node ends."""
    return position(source, node.end_lineno or 0, node.end_col_offset or 0)


def indentation(source: str, node: ast.stmt) -> str:
    """What stands before a statement on its line, tabs as they are."""
    start = start_of(source, node)
    return source[source.rfind("\n", 0, start) + 1 : start]


def tree_of(source: str) -> ast.Module:
    """A cell's syntax tree, magics passed over; empty where it cannot be parsed."""
    return _parsed(source) or ast.Module([], [])


def _parsed(source: str) -> ast.Module | None:
    return parse_cell(_MAGIC_LINE.sub(r"\1pass", source))


def functions_of(tree: ast.Module) -> Iterator[Function]:
    """The functions at the top and the methods of the classes there."""
    for node in tree.body:
        if isinstance(node, Function):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from (part for part in node.body if isinstance(part, Function))


def has_magics(source: str) -> bool:
    """Whether a line is a magic or a shell command."""
    return bool(_MAGIC_LINE.search(source))


def statements(source: str) -> list[str]:
    """The text cut at the statements at the top, comments going with what they stand above."""
    tree = _parsed(source)
    if tree is None or not tree.body:
        return [source]
    lines = source.splitlines(keepends=True)
    ends = sorted({node.end_lineno or 0 for node in tree.body})
    pieces = []
    start = 0
    for end in ends:
        pieces.append("".join(lines[start:end]))
        start = end
    pieces[-1] += "".join(lines[start:])
    return [piece.strip("\n") for piece in pieces]


def bound(source: str) -> set[str]:
    """The names that a cell binds."""
    return {name for node in tree_of(source).body for name in bound_names(node)}


def free(source: str) -> set[str]:
    """The names that a cell reads before it has bound them; functions read when they are made."""
    known: set[str] = set()
    names: set[str] = set()
    for node in tree_of(source).body:
        names |= _reads(node) - known
        known |= bound_names(node)
    return names


def _reads(node: ast.stmt) -> set[str]:
    """The notebook's names that a statement reads, a definition's own local names not."""
    if not isinstance(node, Function | ast.ClassDef):
        return read_names(node)
    table = symtable.symtable(ast.unparse(node), "cell", "exec")
    outside = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    waiting = list(table.get_children())
    while waiting:
        scope = waiting.pop()
        waiting += scope.get_children()
        outside |= {s.get_name() for s in scope.get_symbols() if s.is_global()}
    return outside


def comments(source: str) -> list[tokenize.TokenInfo]:
    """The comments; none where the text cannot be read as tokens, or has magics."""
    if has_magics(source):
        return []
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    return [token for token in tokens if token.type == tokenize.COMMENT]


def map_code(
    hand_in: HandIn, change: Callable[[str], str], *, answers_only: bool = False
) -> HandIn:
    """The hand-in with its code changed, in cells and in the Python files that answer."""
    changed = hand_in.map_cells(
        lambda cell: (
            replace(cell, source=change(cell.source)) if _is_meant(cell, answers_only) else cell
        )
    )
    files = {
        path: change(content.decode()).encode()
        if path.endswith(".py") and path in hand_in.answer_files
        else content
        for path, content in hand_in.files.items()
    }
    return replace(changed, files=files)


def _is_meant(cell: Cell, answers_only: bool) -> bool:
    return cell.is_code and (cell.role == "answer" or not answers_only)
