"""TeX from students as MathML: converted offline, rebuilt from known elements only."""

from __future__ import annotations

import re
from html import escape
from xml.etree import ElementTree as ET

from latex2mathml.converter import convert

MAX_TEX = 5000
"""Longest formula that is converted, in characters; the converter is plain Python."""

MAX_DEPTH = 60
"""Deepest nesting that is kept; browsers lay out MathML recursively too."""

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"

# annotation and annotation-xml are left out on purpose: they may hold HTML.
ELEMENTS = frozenset({
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "ms", "mfrac", "msqrt", "mroot",
    "mstyle", "merror", "mpadded", "mphantom", "msub", "msup", "msubsup", "munder", "mover",
    "munderover", "mmultiscripts", "mprescripts", "mtable", "mtr", "mtd", "menclose",
})  # fmt: skip
WORD_ATTRIBUTES = frozenset({
    "display", "displaystyle", "scriptlevel", "mathvariant", "mathcolor", "stretchy", "symmetric",
    "fence", "separator", "form", "largeop", "movablelimits", "accent", "accentunder",
    "columnalign", "rowalign", "notation",
})  # fmt: skip
LENGTH_ATTRIBUTES = frozenset({
    "width", "height", "depth", "lspace", "rspace", "voffset", "minsize", "maxsize",
    "linethickness",
})  # fmt: skip
_WORDS = re.compile(r"#?[\w\s-]{1,60}", re.ASCII)
# Short lengths only: a long negative space would move a formula over other text.
_LENGTH = re.compile(r"-?[0-4]?(\.\d{1,4})?(em|ex)|\d{1,2}(\.\d{1,4})?(pt|px|mu)", re.ASCII)

# Macros expand exponentially, and no answer needs them.
_DEFINITION = re.compile(r"\\(?:(?:re)?new(?:command|environment)|def(?![a-zA-Z])|Declare)")
_ENVIRONMENT = re.compile(
    r"\\(begin|end)\s*\{(align(?:ed|at|edat)?|flalign|eqnarray|split|gather(?:ed)?|multline"
    r"|equation)\*?\}(?:(?:(?<=at\})|(?<=at\*\}))\s*\{\d+\})?"
)


class _RefusedError(Exception):
    """The converter's output holds something that a report must not carry."""


def render_math(tex: str, *, display: bool) -> str:
    """Return MathML for one formula, or its source where it cannot be shown safely."""
    try:
        return _mathml(tex, "block" if display else "inline")
    except Exception:  # noqa: BLE001 - whatever hostile TeX breaks, the reader gets its source
        return f'<code class="tex">{escape(tex)}</code>'


def _mathml(tex: str, display: str) -> str:
    if len(tex) > MAX_TEX or _DEFINITION.search(tex):
        raise _RefusedError
    converted = convert(_ENVIRONMENT.sub(_known, tex), display=display)
    # It begins with <math>, so that no document type can define entities.
    untrusted = ET.fromstring(converted)  # noqa: S314
    math = _rebuilt(untrusted, MAX_DEPTH)
    if math.tag != "math":
        raise _RefusedError
    return ET.tostring(math, encoding="unicode")


def _known(match: re.Match[str]) -> str:
    """Return an environment that the converter knows; numbers restart in each formula, so none."""
    edge, name = match.groups()
    if name == "equation":
        return ""
    return rf"\{edge}{{{'matrix' if name.startswith(('gather', 'multline')) else 'align*'}}}"


def _rebuilt(source: ET.Element, depth: int) -> ET.Element:
    tag = source.tag.removeprefix(NAMESPACE)
    if tag not in ELEMENTS or depth == 0:
        raise _RefusedError
    element = ET.Element(tag, _attributes(source))
    element.text = source.text
    children = [_rebuilt(child, depth - 1) for child in source]
    breaks = [_is_line_break(child) for child in source]
    element.extend([_lines(children, breaks)] if any(breaks) else children)
    return element


def _attributes(source: ET.Element) -> dict[str, str]:
    return {
        name: value
        for name, value in source.attrib.items()
        if (name in WORD_ATTRIBUTES and _WORDS.fullmatch(value))
        or (name in LENGTH_ATTRIBUTES and _LENGTH.fullmatch(value))
    }


def _is_line_break(element: ET.Element) -> bool:
    return element.get("linebreak") == "newline"


def _lines(children: list[ET.Element], breaks: list[bool]) -> ET.Element:
    """Return the pieces between line breaks as a table: browsers ignore breaks in formulas."""
    table = ET.Element("mtable", {"displaystyle": "true"})
    cell = ET.SubElement(ET.SubElement(table, "mtr"), "mtd")
    for child, ends_line in zip(children, breaks, strict=True):
        if ends_line:
            cell = ET.SubElement(ET.SubElement(table, "mtr"), "mtd")
        else:
            cell.append(child)
    return table
