"""What a hand-in holds besides code: texts, recorded outputs and files, none of which was run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class HandIn:
    """A submission as it arrived.

    `markdown` are the sources of the notebook's Markdown cells and `outputs` the
    texts among the outputs of its code cells, as the student recorded them, both
    in their order. `files` are the contents of all files by their paths.
    """

    markdown: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
