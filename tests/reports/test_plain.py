"""Untrusted text loses what could act, and keeps what can be read."""

from __future__ import annotations

import pytest

from grader.reports.plain import as_displayed, clip, one_line, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;https://a.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;title\x07text", "text"),
        ("a\x1b", "a"),
        ("a\x9b31mb", "ab"),
        ("a\x00b\x08c\x7f", "abc"),
        ("tab\tand\r\nline\rother", "tab\tand\nline\nother"),
        ("\x1b]never closed\nnext", "\nnext"),
    ],
)
def test_escapes_and_controls_are_gone(text: str, expected: str) -> None:
    """Escape sequences, whole or cut off, and control characters vanish; the text stays."""
    assert plain(text) == expected


def test_a_progress_bar_shows_its_end() -> None:
    """Of a line that rewrote itself, what a terminal would show is left."""
    assert as_displayed("10%\r50%\r100%\ndone\r\n") == "100%\ndone\n"


def test_one_line_is_one_line() -> None:
    """Line ends, runs of spaces and reordering marks are gone."""
    assert one_line(" a\n\n b\u202e\tc ") == "a b c"


def test_long_text_keeps_both_ends() -> None:
    """The middle is left out and counted; text that fits is untouched."""
    assert clip("a" * 5 + "b" * 9 + "c" * 5, 5, 5) == "aaaaa\n… 9 characters left out …\nccccc"
    assert clip("x" * 10, 5, 5) == "x" * 10
