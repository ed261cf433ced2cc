"""What a student's process prints and displays, kept to a size that the grader takes."""

from __future__ import annotations

import io
import sys
from typing import Any

MAX_OUTPUT_CHARACTERS = 1 << 20
# The grader accepts twice as much; beyond that it closes the channel, and what follows is lost.
MAX_MESSAGE_BYTES = 4 << 20
MAX_FIELD_CHARACTERS = 2000
# The kernel's own stdout and stderr, of which a student's code may have taken hold.
kernel_streams: list[Any] = []


class CappedText(io.StringIO):
    """Collects printed text and drops what exceeds the cap."""

    def write(self, text: str) -> int:
        """Keeps what there is room for, and claims to have written all."""
        room = MAX_OUTPUT_CHARACTERS - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)


def print_to(text: io.StringIO) -> None:
    """Collects what is printed; a kernel's stream would wait for a thread that a fork lacks."""
    sys.stdout = sys.stderr = text
    for stream in kernel_streams:
        stream.write, stream.flush = text.write, text.flush


def shorten_messages(session: Any) -> None:
    """Lets no message exceed what the grader accepts: it would close the connection instead."""
    serialize = session.serialize

    def short(message: dict[str, Any], ident: Any = None) -> Any:
        frames = serialize(message, ident)
        if sum(map(len, frames)) <= MAX_MESSAGE_BYTES:
            return frames
        return serialize({**message, "content": _shortened(message["content"])}, ident)

    session.serialize = short


def _shortened(content: dict[str, Any]) -> dict[str, Any]:
    """The same message with less in it."""
    kept = {key: value for key, value in content.items() if len(str(value)) <= MAX_FIELD_CHARACTERS}
    kept |= {key: str(content[key])[:MAX_OUTPUT_CHARACTERS] for key in ("text",) if key in content}
    if "evalue" in content:
        kept |= {"evalue": str(content["evalue"])[:MAX_FIELD_CHARACTERS], "traceback": []}
    if "data" in content:
        kept["data"] = {"text/plain": "an output too large to be shown"}
    return kept


def leave_out_redrawing() -> None:
    """Figures are drawn when they are shown, and not once more after each cell."""
    if backend := sys.modules.get("matplotlib.backends.backend_agg"):
        backend.FigureCanvasAgg.draw_idle = lambda canvas, *args, **kwargs: None
