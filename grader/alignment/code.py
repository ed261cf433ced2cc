"""What a cell's code does, read from its syntax tree: formatting and comments say nothing."""

from __future__ import annotations

import ast
import functools
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grader.assignment import assigned_names
from grader.rewriting import parse_cell, read_names

_FENCE = re.compile(
    r"^[ \t]*(?P<mark>```+|~~~+)[ \t]*(?P<language>\w*)[^\n]*\n"
    r"(?P<code>.*?)^[ \t]*(?P=mark)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_PYTHON = ("", "python", "python3", "py", "py3", "ipython", "ipython3")
_BROKEN_NAMES = re.compile(r"^(?:def|class)\s+(\w+)|^(\w+)\s*=(?!=)", re.MULTILINE)
_ZEROS = ("zeros", "zeros_like", "empty", "empty_like")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
# What is said in code and hardly ever in a sentence that happens to be Python.
_DOING = (
    *(*_DEFINITIONS, ast.Import, ast.ImportFrom, ast.Assign, ast.AugAssign, ast.AnnAssign),
    *(ast.For, ast.While, ast.With, ast.If, ast.Assert),
)


@dataclass(frozen=True)
class Definition:
    """A name that a cell binds at its top level.

    `leaves` are the lines behind it. A `wraps` definition is made of what the
    name held before, as `f = np.vectorize(f)` is; a `value` is neither function
    nor class.
    """

    name: str
    leaves: frozenset[str]
    wraps: bool = False
    value: bool = False

    def is_more_than(self, released: frozenset[str]) -> bool:
        """Whether there is anything in it that the release does not have."""
        return bool(self.leaves - released)


@dataclass(frozen=True)
class Code:
    """A cell's code: its simple statements and headers as plain lines, and what it defines.

    `leaves` hold no blanks (`pass`, `raise NotImplementedError`, ...) and no
    headers of functions and classes, which `headers` are.
    """

    leaves: frozenset[str]
    headers: frozenset[str]
    definitions: tuple[Definition, ...]
    can_be_parsed: bool = True

    @property
    def names(self) -> frozenset[str]:
        """The names that it defines."""
        return frozenset(definition.name for definition in self.definitions)

    def telling(self, asked: frozenset[str]) -> frozenset[str]:
        """The names of functions and classes, and those that are `asked` for."""
        return frozenset(d.name for d in self.definitions if not d.value or d.name in asked)


# What a statement does, and whether it is a header.
Line = tuple[str, bool]
NO_CODE = Code(frozenset(), frozenset(), ())


@functools.lru_cache(maxsize=1024)
def read_code(source: str) -> Code:
    """Reads a code cell; where it cannot be parsed, its lines stand for themselves."""
    tree = parse_cell(source)
    return _read_broken(source) if tree is None else read_statements(tree.body)


def read_statements(body: list[ast.stmt]) -> Code:
    """The same for some statements of a cell."""
    by_node = [(node, list(_lines(node))) for node in body]
    lines = [line for _, found in by_node for line in found]
    return Code(
        leaves=frozenset(text for text, is_header in lines if not is_header),
        headers=frozenset(text for text, is_header in lines if is_header),
        definitions=tuple(d for node, found in by_node for d in _definitions(node, found)),
    )


@functools.lru_cache(maxsize=256)
def code_in_text(source: str) -> str:
    """The Python code that a Markdown cell holds: fenced, or all of it; "" if there is none."""
    fences = [m for m in _FENCE.finditer(source) if m["language"].lower() in _PYTHON]
    blocks = [textwrap.dedent(match["code"]).strip("\n") for match in fences]
    code = "\n\n".join(blocks) if fences else textwrap.dedent(source).strip("\n")
    return code if _does_something(code) else ""


def is_mostly_code(source: str) -> bool:
    """Whether a Markdown cell that holds code holds hardly anything else."""
    rest = _FENCE.sub("", source).split()
    return not _FENCE.search(source) or len(rest) <= len(code_in_text(source).split())


def remark_in(source: str) -> str:
    """What code says that does nothing else: its comments and texts; "" where it does something."""
    tree = parse_cell(source)
    if tree is None or not all(map(_is_text, tree.body)):
        return ""
    return "\n".join(filter(None, (line.strip(" \t#\"'") for line in source.splitlines())))


def _is_text(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(ast.Constant(str())):
            return True
    return False


def _does_something(code: str) -> bool:
    tree = parse_cell(code)
    if tree is None:
        return False
    calls = (n.value for n in tree.body if isinstance(n, ast.Expr))
    return any(isinstance(node, _DOING) for node in tree.body) or any(
        isinstance(value, ast.Call) for value in calls
    )


def _read_broken(source: str) -> Code:
    """What can be told of code that is not Python, line by line."""
    stripped = (line.split("#")[0].strip() for line in source.splitlines())
    lines = frozenset(line for line in stripped if line and not _is_blank_line(line))
    names = [name for pair in _BROKEN_NAMES.findall(source) for name in pair if name]
    found = tuple(Definition(name, lines) for name in dict.fromkeys(names))
    return Code(lines, frozenset(), found, can_be_parsed=False)


def _is_blank_line(line: str) -> bool:
    return line in ("pass", "...") or line.startswith("raise NotImplementedError")


# --- lines --------------------------------------------------------------------


def _lines(node: ast.AST) -> Iterator[Line]:
    """Each simple statement and each header below a node; the second says which is a header."""
    if isinstance(node, _DEFINITIONS):
        yield _header(node), True
        body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
        for child in body:
            yield from _lines(child)
    elif blocks := [name for name in _BLOCKS if getattr(node, name, None)]:
        # A block that is left empty does nothing, whatever stands above it.
        children = [child for name in blocks for child in getattr(node, name)]
        inside = [line for child in children for line in _lines(child)]
        yield from inside
        if inside and isinstance(node, ast.stmt):
            yield _without_blocks(node), False
    elif isinstance(node, ast.stmt) and not _is_blank(node):
        yield _plain(node), False


def _header(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}"
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return f"def {node.name}({', '.join(a.arg for a in every)})"


def _without_blocks(node: ast.stmt) -> str:
    """A compound statement's own line."""
    fields = {name: getattr(node, name) for name in node._fields if name not in _BLOCKS}
    empty: dict[str, Any] = {name: [] for name in node._fields if name in _BLOCKS}
    bare = type(node)(**fields, **empty)
    return ast.dump(bare)


def _plain(node: ast.stmt) -> str:
    """A simple statement without its formatting and its type hint."""
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        node = ast.Assign([node.target], node.value)
    return ast.dump(node)


def _is_blank(node: ast.stmt) -> bool:
    """Whether a statement only keeps a place: `pass`, `...`, a text, NotImplementedError, None."""
    match node:
        case ast.Pass() | ast.Expr(ast.Constant()) | ast.AnnAssign(value=None):
            return True
        case ast.Raise(exc=ast.Name("NotImplementedError")):
            return True
        case ast.Raise(exc=ast.Call(ast.Name("NotImplementedError"))):
            return True
        case ast.Return(value):
            return value is None or _is_nothing(value)
        case ast.Assign(value=ast.Constant(value)):
            return value is None or value is ...
    return False


def _is_nothing(value: ast.expr) -> bool:
    """Whether an expression is None, `...` or the zeros that a stub returns."""
    match value:
        case ast.Constant(constant):
            return constant is None or constant is ... or constant == 0
        case ast.Call(ast.Attribute(attr=name) | ast.Name(name)):
            return name in _ZEROS
        case ast.BinOp(left, ast.Mult(), right):
            return _is_nothing(left) or _is_nothing(right)
        case ast.Tuple(elements) | ast.List(elements):
            return all(map(_is_nothing, elements))
        case ast.Dict(values=values):
            return bool(values) and all(map(_is_nothing, values))
    return False


# --- definitions --------------------------------------------------------------


def _definitions(node: ast.AST, lines: list[Line]) -> Iterator[Definition]:
    leaves = frozenset(text for text, is_header in lines if not is_header)
    if isinstance(node, _DEFINITIONS):
        yield Definition(node.name, leaves)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        reads = read_names(node.value) if node.value is not None else set()
        for name in assigned_names(node):
            yield Definition(name, leaves, wraps=name in reads, value=not _makes_function(node))
    else:
        for block in _BLOCKS:
            for child in getattr(node, block, ()):
                yield from _definitions(child, list(_lines(child)))


def _makes_function(node: ast.Assign | ast.AnnAssign) -> bool:
    """Whether an assignment gives a name to a function: a lambda, or one made of another."""
    match node.value:
        case ast.Lambda() | ast.Call(ast.Attribute(attr="vectorize" | "frompyfunc" | "partial")):
            return True
        case ast.Call(ast.Name("vectorize" | "partial")):
            return True
    return False
