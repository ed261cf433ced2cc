"""Recognises code that only Python 2 can parse."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from grader.repair.cells import python_text
from grader.rewriting import parse_python

_STATEMENT = "Missing parentheses in call to"
# What Python 2 wrote and Python 3 does not, each with a Python 3 of the same form.
_OLD_FORMS = (
    (re.compile(r"\bexcept\s+(\(.*?\)|[\w.]+)\s*,\s*(\w+)\s*:"), r"except \1 as \2:"),
    (re.compile(r"\braise\s+([\w.]+)\s*,"), r"_ = \1,"),
    (re.compile(r"<>"), "!="),
    (re.compile(r"\bur(?=['\"])"), "r"),
    (re.compile(r"(?<![\w.])0(\d+)\b"), r"0o\1"),
    (re.compile(r"\b(\d+)[lL]\b"), r"\1"),
    (re.compile(r"`([^`]+)`"), r"repr(\1)"),
    (re.compile(r"\blambda\s*\(([\w\s,]+)\)\s*:"), r"lambda \1:"),
)
# Where a statement may begin.
_OLD_STATEMENT = re.compile(r"(?:(?<=[:;])|^)(?P<space>\s*)(?:print|exec)\b(?!\s*\()", re.MULTILINE)
_PRINT_KEYWORDS = frozenset(["end", "sep", "file", "flush"])
SHOWN_CHARACTERS = 60


def first_old_line(source: str) -> str:
    """The first line that only Python 2 can parse; "" where there is none.

    The code must be right as a whole once all such lines are written as Python 3
    has them: a slip in a Python 3 notebook is no proof.
    """
    text = python_text(source)
    first = ""
    for _ in range(text.count("\n") + 2):
        try:
            compile(text, "<cell>", "exec", flags=ast.PyCF_ONLY_AST, dont_inherit=True)
        except SyntaxError as error:
            modern = _modernised(text, error)
            if modern == text:
                return ""
            first = first or _line(text, error)
            text = modern
        except (ValueError, RecursionError, MemoryError):
            return ""
        else:
            return first
    return ""


def refusal(sources: Mapping[str, str], says_python_2: bool) -> str:
    """Why a submission cannot be graded as Python 3; "" where it can.

    `sources` is its code by place ("cell 3"). Where the notebook does not say
    that it is Python 2, one such place is a slip, and most that print have to be.
    """
    old = {place: line for place, source in sources.items() if (line := first_old_line(source))}
    if not old or any(_is_python_3(source) for p, source in sources.items() if p not in old):
        return ""
    printing = [
        p for p, source in sources.items() if p not in old and re.search(r"\bprint\b", source)
    ]
    if not says_python_2 and (len(old) < 2 or len(old) <= len(printing)):
        return ""
    place, line = next(iter(old.items()))
    more = len(old) - 1
    others = f" and {more} other place{'s' * (more > 1)}" if more else ""
    return (
        f"this is Python 2, which cannot be run here: {place} (`{line}`){others} cannot be read by "
        "Python 3; convert the code (`print(x)`, `except E as e`) and hand it in again"
    )


def says_python_2(metadata: Mapping[str, Mapping[str, object]]) -> bool:
    """Whether a notebook's metadata names Python 2."""
    specification = metadata.get("kernelspec", {})
    name = f"{specification.get('name', '')} {specification.get('display_name', '')}".lower()
    version = str(metadata.get("language_info", {}).get("version", ""))
    return version.startswith("2.") or "python2" in name.replace(" ", "")


def _modernised(text: str, error: SyntaxError) -> str:
    """The text with the offending line in a form that Python 3 has."""
    if isinstance(error, TabError):
        return text.expandtabs(8)
    lines = text.split("\n")
    at = (error.lineno or 0) - 1
    if not 0 <= at < len(lines):
        return text
    if error.msg.startswith(_STATEMENT):
        lines[at] = _OLD_STATEMENT.sub(r"\g<space>_ =", lines[at])
    else:
        for pattern, replacement in _OLD_FORMS:
            lines[at] = pattern.sub(replacement, lines[at])
    return "\n".join(lines)


def _line(text: str, error: SyntaxError) -> str:
    line = text.split("\n")[(error.lineno or 1) - 1].strip()
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[: SHOWN_CHARACTERS - 1]}…"


def _is_python_3(source: str) -> bool:
    """Whether code has what Python 2 cannot parse."""
    tree = parse_python(python_text(source))
    return tree is not None and any(map(_is_new, ast.walk(tree)))


def _is_new(node: ast.AST) -> bool:
    new = (ast.JoinedStr, ast.MatMult, ast.AnnAssign, ast.Nonlocal, ast.AsyncFunctionDef)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
        return any(keyword.arg in _PRINT_KEYWORDS for keyword in node.keywords)
    if isinstance(node, ast.arg):
        return node.annotation is not None
    return isinstance(node, new)
