"""Only pictures that a browser merely shows are let through."""

from __future__ import annotations

import pytest

from grader.reports.images import MAX_BYTES, data_uri


def test_a_picture_becomes_an_address(png: str) -> None:
    """Base64 with line breaks, as notebooks store it, is accepted."""
    wrapped = "\n".join(png[k : k + 76] for k in range(0, len(png), 76)) + "\n"
    assert data_uri("image/png", wrapped) == f"data:image/png;base64,{png}"


def test_svg_may_be_text() -> None:
    """A notebook stores SVG as text; it is shown as data all the same."""
    assert data_uri("image/svg+xml", "<svg/>") == "data:image/svg+xml;base64,PHN2Zy8+"


@pytest.mark.parametrize(
    ("media_type", "data"),
    [
        ("image/png", ""),
        ("image/png", "no base64!"),
        ("image/png", "AAA"),
        ("image/png", 'AAAA" onerror="x'),
        ("image/png", "ÀÀÀÀ"),
        ("text/html", "AAAA"),
        ("image/tiff", "AAAA"),
        ("image/png", "A" * (MAX_BYTES // 3 * 4 + 8)),
    ],
    ids=lambda value: value[:16],
)
def test_anything_else_is_refused(media_type: str, data: str) -> None:
    """Other types, broken base64 and pictures that are too large give no address."""
    assert data_uri(media_type, data) is None
