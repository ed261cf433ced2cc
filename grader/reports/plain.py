"""Untrusted text made plain: no terminal escapes, no control characters, no endless length."""

from __future__ import annotations

import re

HEAD = 6000
"""Characters shown of the beginning of a long text; about two screens."""

TAIL = 2000
"""Characters shown of its end, where a traceback says what went wrong."""

_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements
    r"|\x1b[\]PX^_][^\x07\x1b\n]{0,1000}(?:\x07|\x1b\\)?"  # OSC, DCS and the like: titles, links
    r"|\x1b[ -/]*[0-~]?"  # two-character sequences, and an escape that was cut off
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_REORDERING = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_OVERWRITTEN = re.compile(r"^.*\r(?=[^\r\n])", re.MULTILINE)


def plain(text: str) -> str:
    """Return `text` without escape sequences and control characters, on plain lines."""
    lines = _ESCAPE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", lines)


def as_displayed(text: str) -> str:
    """Return `text` as `plain` does, and of a line that rewrote itself only what stayed.

    Progress bars go back with carriage returns a thousand times; a terminal
    shows the last state only.
    """
    return plain(_OVERWRITTEN.sub("", _ESCAPE.sub("", text).replace("\r\n", "\n")))


def one_line(text: str) -> str:
    """Return `text` on one line, safe to print on a terminal."""
    return " ".join(_REORDERING.sub("", plain(text)).split())


def clip(text: str, head: int = HEAD, tail: int = TAIL) -> str:
    """Return `text`, its middle left out and counted where it is too long."""
    left_out = len(text) - head - tail
    if left_out <= 0:
        return text
    return f"{text[:head]}\n… {left_out} characters left out …\n{text[len(text) - tail :]}"
