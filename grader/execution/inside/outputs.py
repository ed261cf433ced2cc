"""What a student's process prints and displays, kept to a size that the grader takes."""

from __future__ import annotations

import io
from typing import Any

MAX_OUTPUT_CHARACTERS = 1 << 20
# Beyond a little more, the grader closes the channel, and what follows is lost.
MAX_MESSAGE_BYTES = 7 << 20


class CappedText(io.StringIO):
    """Collects printed text and drops what exceeds the cap."""

    def write(self, text: str) -> int:
        """Keeps what there is room for, and claims to have written all."""
        room = MAX_OUTPUT_CHARACTERS - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)


def leave_out_large(session: Any) -> None:
    """Puts a word in the place of what the grader would not take, and close the channel over."""
    pack = session.pack

    def pack_small(value: Any) -> bytes:
        packed: bytes = pack(value)
        if len(packed) <= MAX_MESSAGE_BYTES:
            return packed
        note = f"[{len(packed) >> 20} MB of output left out]"
        shown = {"data": {"text/plain": note}, "metadata": {}, "name": "stdout", "text": note}
        failed = {"ename": "Error", "evalue": note, "traceback": [], "status": "error"}
        replaced: bytes = pack({**shown, **failed, "execution_count": None})
        return replaced

    session.pack = pack_small
