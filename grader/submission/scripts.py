"""Python scripts as notebooks: cell by cell where cells are marked, else statement by statement.

`jupytext` reads the percent and the light format, and splits a plain script at
blank lines. What nbconvert exports (`# In[3]:`) is put into the percent format
first.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import PurePosixPath
from typing import Any

from grader.errors import SubmissionError
from grader.submission.kinds import CURES, Kind, kind_of

SUFFIX = ".py"
# Of a package or its tests, which are not where answers stand.
NOT_ANSWERS = re.compile(r"(__\w+__|setup|conftest|test_\w*|\w*_test)\.py", re.IGNORECASE)
_EXPORTED = re.compile(r"^# In\s?\[[\d ]*\]:[ \t]*$", re.MULTILINE)
_PREAMBLE = re.compile(r"\A(?:#!.*\n|#.*coding[:=].*\n|\s*\n)*")
_MARKED = re.compile(r"^#\s?%%|^# In\s?\[[\d ]*\]:|^# \+|^#\s+jupytext:", re.MULTILINE)
_LINE_MAGIC = re.compile(
    r"^([ \t]*)get_ipython\(\)\.(?:run_line_)?magic\((.*)\)[ \t]*$", re.MULTILINE
)
_SYSTEM = re.compile(r"^([ \t]*)get_ipython\(\)\.system\((.*)\)[ \t]*$", re.MULTILINE)


def has_marked_cells(content: bytes) -> bool:
    """Whether a script says where its cells begin."""
    return bool(_MARKED.search(decoded(content)))


def may_answer(path: str) -> bool:
    """Whether a file's name is that of a script in which answers may stand."""
    name = PurePosixPath(path).name
    return name.lower().endswith(SUFFIX) and not NOT_ANSWERS.fullmatch(name)


def read_script(content: bytes, name: str) -> dict[str, Any]:
    """A script as the JSON tree of a notebook of nbformat 4.

    Raises:
        SubmissionError: it is no text, or there is nothing in it.
    """
    kind = kind_of(content)
    if kind is not Kind.OTHER:
        cure = CURES.get(kind, "hand in the script itself")
        raise SubmissionError(f"{name}: this is {kind}, not a Python script; {cure}")
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SubmissionError(f"{name}: this is not text; hand in the script itself")
    text = decoded(content).lstrip("\n")
    is_export = bool(_EXPORTED.search(text))
    text = _from_export(text) if is_export else text
    import jupytext  # half a second, which no notebook should pay

    try:
        form = jupytext.guess_format(text, SUFFIX)[0]
        return dict(jupytext.reads(text, fmt={"extension": SUFFIX, "format_name": form}))
    except Exception as error:  # jupytext and the parsers below it raise all kinds of errors
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SubmissionError(
            f"{name}: the script cannot be split into cells ({reason}); hand in the notebook"
        ) from error


def decoded(content: bytes) -> str:
    """A script's text: in UTF-16 with a mark, in the encoding that it names, or in any."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding).replace("\r\n", "\n")
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return content.decode("latin-1").replace("\r\n", "\n")


def _from_export(text: str) -> str:
    """What nbconvert wrote, in the percent format: text cells became comments between cells."""
    before, *cells = _EXPORTED.split(_PREAMBLE.sub("", text, count=1))
    made = [_marked(before.strip(), "markdown")] if before.strip() else []
    for cell in cells:
        code, comments = _trailing_comments(cell)
        made.append(_marked(_with_magics(code.strip("\n")), ""))
        made += [_marked(block, "markdown") for block in comments]
    return "\n".join(made)


def _marked(source: str, kind: str) -> str:
    return f"# %%{f' [{kind}]' if kind else ''}\n{source}\n"


def _trailing_comments(cell: str) -> tuple[str, list[str]]:
    """A cell's code, and the blocks of comments after it, which were cells of text."""
    # nbconvert leaves two blank lines before a cell of text.
    blocks = re.split(r"\n{3,}", cell.strip("\n"))
    first = len(blocks)
    while first > 1 and _is_comment(blocks[first - 1]):
        first -= 1
    return "\n\n\n".join(blocks[:first]), [block.strip("\n") for block in blocks[first:]]


def _is_comment(block: str) -> bool:
    lines = [line for line in block.split("\n") if line.strip()]
    return bool(lines) and all(line.startswith("#") for line in lines)


def _with_magics(code: str) -> str:
    """Magics as they stood in the notebook."""

    def magic(call: re.Match[str]) -> str:
        words = _strings(call[2])
        return f"{call[1]}%{' '.join(words).strip()}" if words else call[0]

    def system(call: re.Match[str]) -> str:
        words = _strings(call[2])
        return f"{call[1]}!{words[0]}" if words else call[0]

    return _SYSTEM.sub(system, _LINE_MAGIC.sub(magic, code))


def _strings(arguments: str) -> list[str]:
    try:
        values = ast.literal_eval(f"({arguments},)")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    return [str(value) for value in values]
