"""Students' Markdown as safe HTML: no raw HTML, no foreign addresses, math as MathML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from grader.reports.code import render_code
from grader.reports.direction import set_directions
from grader.reports.images import data_uri
from grader.reports.mathml import render_math
from grader.reports.plain import clip, plain

MAX_HEAD = 30_000
"""Characters of one cell that are rendered, its pictures not counted; parsing is quadratic."""

SAFE_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_PICTURE = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/]+={0,2})")
_PLACE = re.compile(r"nn-grader-picture:(\d{1,6})")
# Tags that notebooks use for layout only; every other one is shown as text.
_LAYOUT_TAG = re.compile(r"</?(?:span|div|center|font|p)(?:\s[^<>]{0,300})?>", re.IGNORECASE)
_LINE_BREAK = re.compile(r"<br\s{0,3}/?>", re.IGNORECASE)


def render_markdown(source: str) -> str:
    """Return safe HTML; text that no parser can digest comes back escaped as it is."""
    try:
        text, pictures = _without_pictures(plain(source))
        return str(_parser().render(clip(text, MAX_HEAD), {"pictures": pictures}))
    except Exception:  # noqa: BLE001 - hostile text must not cost the student the whole report
        return f'<pre class="plain">{escape(clip(plain(source)))}</pre>\n'


def _without_pictures(text: str) -> tuple[str, list[str | None]]:
    """Return the text with short marks in place of pasted pictures, and the pictures."""
    pictures: list[str | None] = []

    def keep(match: re.Match[str]) -> str:
        pictures.append(data_uri(match[1], match[2]))
        return f"nn-grader-picture:{len(pictures) - 1}"

    return _PICTURE.sub(keep, text), pictures


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "highlight": _highlighted})
    parser.enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin, allow_labels=False, allow_digits=False, double_inline=True)
    parser.use(amsmath_plugin)
    # Every address is parsed, and then judged by the rules below: what the
    # parser itself refuses would stand in the text as raw Markdown.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    parser.inline.ruler.before("autolink", "layout_tag", _layout_tag)
    parser.core.ruler.push("tame", _tame)
    _add_renderers(parser)
    return parser


def _add_renderers(parser: MarkdownIt) -> None:
    parser.add_render_rule("image", _image)
    parser.add_render_rule("math_inline", _inline_math)
    parser.add_render_rule("math_inline_double", _display_math)
    parser.add_render_rule("math_block", _display_math)
    parser.add_render_rule("amsmath", _display_math)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)


def _highlighted(code: str, language: str, attributes: str) -> str:
    """Return marked Python; an empty string asks the parser to escape the code itself."""
    return render_code(code) + "\n" if language.lower() in {"python", "py", "python3"} else ""


def _layout_tag(state: StateInline, silent: bool) -> bool:
    """Take a line break as one, and drop layout tags."""
    if state.src[state.pos] != "<":
        return False
    line_break = _LINE_BREAK.match(state.src, state.pos)
    match = line_break or _LAYOUT_TAG.match(state.src, state.pos)
    if match is None:
        return False
    if line_break and not silent:
        state.push("hardbreak", "br", 0)
    state.pos = match.end()
    return True


def _tame(state: StateCore) -> None:
    """Keep a page's outline and the text's direction, and only links to the web or to mail."""
    set_directions(state.tokens)
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            _lower_heading(token)
        elif token.type == "th_open":
            token.attrSet("scope", "col")
        _tame_links(token.children or ())


def _lower_heading(token: Token) -> None:
    # The page's own headings end at the fourth level.
    level = int(token.tag[1])
    token.tag = f"h{min(6, level + 4)}"
    if token.nesting == 1:
        token.attrSet("class", f"level-{level}")


def _tame_links(tokens: Sequence[Token]) -> None:
    safe = True
    for token in tokens:
        if token.type == "link_open":
            safe = SAFE_LINK.match(str(token.attrGet("href"))) is not None
            token.attrs = {**token.attrs, "rel": "noopener noreferrer nofollow"} if safe else {}
        if token.type in {"link_open", "link_close"} and not safe:
            token.tag = "span"


def _image(
    self: RendererHTML, tokens: Sequence[Token], i: int, options: OptionsDict, env: EnvType
) -> str:
    alternative = escape(self.renderInlineAsText(tokens[i].children, options, env))
    place = _PLACE.fullmatch(str(tokens[i].attrGet("src")))
    pictures: list[str | None] = env["pictures"]
    if place is None or int(place[1]) >= len(pictures) or not pictures[int(place[1])]:
        return f'<span class="no-picture">{alternative or "picture"}</span>'
    return f'<img src="{pictures[int(place[1])]}" alt="{alternative}">'


def _inline_math(self: RendererHTML, tokens: Sequence[Token], i: int, *rest: Any) -> str:
    return f'<span class="math">{render_math(tokens[i].content.strip(), display=False)}</span>'


def _display_math(self: RendererHTML, tokens: Sequence[Token], i: int, *rest: Any) -> str:
    # A span, since display math may stand inside a paragraph.
    formula = render_math(tokens[i].content.strip(), display=True)
    return f'<span class="math display" tabindex="0">{formula}</span>\n'


def _table_open(self: RendererHTML, tokens: Sequence[Token], i: int, *rest: Any) -> str:
    return f'<div class="scroll"{self.renderAttrs(tokens[i])}><table>\n'


def _table_close(self: RendererHTML, *rest: Any) -> str:
    return "</table></div>\n"
