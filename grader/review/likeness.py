"""Which answers say the same, so that they can be scored once.

Two answers are alike where they differ in nothing but case, spacing and single
letters of longer words: a share of equal characters would take "increases" for
"decreases". Numbers, signs and pictures must be the same.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz.distance import OSA

from grader.records import AnswerCell, QuestionReport

LEAST_LETTERS = 5
"""A word of fewer letters becomes another word with one letter changed."""

MAX_CHARACTERS = 20_000
_TOKEN = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?|[^\w\s]|_")
_STOPS = frozenset(".,;:")


@dataclass(frozen=True)
class AnswerText:
    """An answer as answers are compared; `rest` stands for all that must be the same."""

    text: str
    rest: str

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """Words, numbers and signs in their order; what ends a sentence left out."""
        return tuple(t for t in _TOKEN.findall(self.text) if t not in _STOPS)

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in it."""
        return not self.text and not self.rest


def answer_text(question: QuestionReport) -> AnswerText:
    """What of an answer is compared."""
    prose = [c.source for c in question.answer if c.cell_type != "code"]
    exact = [_exact(cell) for cell in question.answer]
    exact += [file.source for file in question.files]
    text = unicodedata.normalize("NFKC", " ".join(prose)).casefold()
    text = " ".join(text.split())
    if len(text) > MAX_CHARACTERS:
        text, exact = "", [*exact, text]
    rest = "\0".join(exact).strip("\0\n ")
    digest = hashlib.sha256(rest.encode("utf-8", "replace")).hexdigest() if rest else ""
    return AnswerText(text, digest)


def _exact(cell: AnswerCell) -> str:
    """What must be the same: code, whose case and numbers count, and recorded outputs."""
    outputs = "\0".join(output.data for output in cell.outputs)
    return (cell.source.strip() if cell.cell_type == "code" else "") + outputs


def are_alike(one: AnswerText, other: AnswerText) -> bool:
    """Whether two answers say the same."""
    if one.rest != other.rest or len(one.tokens) != len(other.tokens):
        return False
    return all(a == b or _is_slip(a, b) for a, b in zip(one.tokens, other.tokens, strict=True))


def _is_slip(one: str, other: str) -> bool:
    """Whether two words differ by one slip of a finger, their first letters being the same."""
    if min(len(one), len(other)) < LEAST_LETTERS or one[0] != other[0]:
        return False
    return OSA.distance(one, other, score_cutoff=1) <= 1 and one.isalpha() and other.isalpha()


def groups(answers: Mapping[str, AnswerText]) -> list[tuple[str, ...]]:
    """The keys of answers that are alike, the largest group first.

    Each answer is compared with a group's first: likeness is not passed on from
    one answer to the next.
    """
    buckets: defaultdict[tuple[str, int], list[list[str]]] = defaultdict(list)
    for key, answer in sorted(answers.items()):
        bucket = buckets[answer.rest, len(answer.tokens)]
        for group in bucket:
            if are_alike(answers[group[0]], answer):
                group.append(key)
                break
        else:
            bucket.append([key])
    found = [tuple(group) for bucket in buckets.values() for group in bucket]
    return sorted(found, key=lambda group: (-len(group), group[0]))
