"""Recorded pictures, let through only as data that a browser shows and cannot run."""

from __future__ import annotations

import base64
import binascii

BITMAPS = ("image/png", "image/jpeg", "image/gif", "image/webp")
SVG = "image/svg+xml"

MAX_BYTES = 5_000_000
"""Largest picture that a report carries: a page of fifty plots must still open on a phone."""


def data_uri(media_type: str, data: str) -> str | None:
    """Return the picture as a `data:` address, or None where it is none that we show.

    An SVG may come as its own text, as notebooks store it. Inside an `<img>`
    no browser runs the scripts of an SVG.
    """
    if media_type not in (*BITMAPS, SVG):
        return None
    content = _content(media_type, data)
    if not content or len(content) > MAX_BYTES:
        return None
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def _content(media_type: str, data: str) -> bytes:
    if media_type == SVG and data.lstrip().startswith("<"):
        return data.encode("utf-8", "replace")
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
