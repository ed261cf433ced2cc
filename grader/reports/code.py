"""Source code with its syntax marked by CSS classes."""

from __future__ import annotations

from functools import cache

from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

from grader.reports.plain import clip, plain

MAX_HEAD = 40_000
"""Characters of one code cell that are shown; longer ones hold pasted data."""


def render_code(source: str) -> str:
    """Return Python source as escaped HTML, each token in a `<span>` with a short class."""
    lexer, formatter = _machinery()
    return str(highlight(clip(plain(source), MAX_HEAD), lexer, formatter)).rstrip("\n")


@cache
def _machinery() -> tuple[PythonLexer, HtmlFormatter]:
    return PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)
