"""The outputs that a hand-in recorded: text and pictures, everything else named only."""

from __future__ import annotations

from html import escape

from grader.records import CellOutput
from grader.reports.images import BITMAPS, SVG, data_uri
from grader.reports.markdown import render_markdown
from grader.reports.plain import as_displayed, clip

_FORMATTED = ("text/markdown", "text/latex")


def render_output(output: CellOutput, cell: int) -> str:
    """Return one output as safe HTML; `cell` names it for those who cannot see a picture."""
    media_type = output.media_type.partition(";")[0].strip().lower()
    if media_type in (*BITMAPS, SVG):
        return _picture(media_type, output.data, cell)
    if media_type in _FORMATTED:
        return f'<div class="prose">{render_markdown(output.data)}</div>'
    if media_type == "application/json" or _is_text(media_type):
        return f'<pre class="output" tabindex="0">{escape(clip(as_displayed(output.data)))}</pre>'
    return _note(f"An output of type {output.media_type[:80]} is not shown.")


def _is_text(media_type: str) -> bool:
    return media_type.startswith("text/") and media_type != "text/html"


def _picture(media_type: str, data: str, cell: int) -> str:
    address = data_uri(media_type, data)
    if address is None:
        return _note("A recorded picture is broken or too large to be shown.")
    return f'<img class="output" src="{address}" alt="Picture recorded in cell {cell}">'


def _note(text: str) -> str:
    return f'<p class="muted">{escape(text)}</p>'
