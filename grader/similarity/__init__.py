"""What submissions of a batch have in common, beyond what all of them were given."""

from __future__ import annotations

from grader.similarity.comparing import Pair, Passage, compare_all
from grader.similarity.documents import Document, Given, Part, document_of, read_given

__all__ = [
    "Document",
    "Given",
    "Pair",
    "Part",
    "Passage",
    "compare_all",
    "document_of",
    "read_given",
]
