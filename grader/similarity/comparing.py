"""Which submissions have how much in common, and where.

Candidates come from an index of winnowed fingerprints: of 500 submissions, only
those pairs are compared that share some of them. What a good part of the batch
has in common is the course's, like what was handed out, and does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from rapidfuzz import fuzz, process
from scipy import sparse

from grader.similarity.documents import Document, Text
from grader.similarity.fingerprints import Hashes, covered, winnowed
from grader.similarity.tiling import Tile, tiles

WINDOW = 8
# What more of the batch than this has in common is taken for the course's; a few are never many.
COMMON_SHARE, LEAST_COMMON = 0.15, 8
# Of a pair's own fingerprints, before it is worth a comparison.
CANDIDATE_SHARE = 0.05
MOST_CANDIDATES = 20_000
# Pairs of which the passages are looked for.
SHOWN = 100
# Texts that say the same in nearly the same words, in percent of `fuzz.ratio`.
LIKE_WORDS = 80.0


@dataclass(frozen=True)
class Thresholds:
    """Which pairs are shown: a share of the shorter one's own over enough tokens, or many tokens.

    A line of code has about eight tokens. Right answers to the bundled
    assignments that were written apart stay below each of these; copies of one
    with other names, comments and order come to 0.9 of the code.
    """

    code_share: float = 0.3
    code_tokens: int = 80
    much_code: int = 200
    word_share: float = 0.4
    words: int = 40
    many_words: int = 120


@dataclass(frozen=True)
class Excerpt:
    """A stretch of a part's source, in characters."""

    part: str
    source: str
    start: int
    end: int


@dataclass(frozen=True)
class Passage:
    """Two stretches that coincide; `tokens` counts what was nobody's to begin with."""

    first: Excerpt
    second: Excerpt
    tokens: int
    is_code: bool


@dataclass(frozen=True)
class Shares:
    """How many tokens coincide, and the share of each side's own that they are."""

    tokens: int = 0
    first: float = 0.0
    second: float = 0.0

    @property
    def larger(self) -> float:
        """The share of the side that has less of its own."""
        return max(self.first, self.second)


@dataclass(frozen=True)
class Pair:
    """Two submissions with something in common."""

    first: str
    second: str
    code: Shares
    words: Shares
    passages: tuple[Passage, ...]

    def is_shown(self, thresholds: Thresholds) -> bool:
        """Whether there is enough in common to be looked at."""
        code, words = self.code, self.words
        return (
            (code.larger >= thresholds.code_share and code.tokens >= thresholds.code_tokens)
            or code.tokens >= thresholds.much_code
            or (words.larger >= thresholds.word_share and words.tokens >= thresholds.words)
            or words.tokens >= thresholds.many_words
        )

    @property
    def share(self) -> float:
        """What pairs are sorted by."""
        return max(self.code.larger, self.words.larger)


def compare_all(
    documents: Sequence[Document], thresholds: Thresholds = Thresholds(), shown: int = SHOWN
) -> tuple[Pair, ...]:
    """The pairs with enough in common, most first; the first `shown` with their passages."""
    documents = _without_common(documents)
    candidates = set(_candidates([document.code for document in documents]))
    candidates |= set(_candidates([document.words for document in documents]))
    found = []
    for i, j in sorted(candidates):
        pair = _measured(documents[i], documents[j])
        if pair.is_shown(thresholds):
            found.append((pair, i, j))
    found.sort(key=lambda one: (-one[0].share, one[0].first, one[0].second))
    detailed = [
        replace(pair, passages=tuple(_passages(documents[i], documents[j])))
        for pair, i, j in found[:shown]
    ]
    return (*detailed, *(pair for pair, _, _ in found[shown:]))


# --- candidates ---------------------------------------------------------------------


def _without_common(documents: Sequence[Document]) -> list[Document]:
    most = max(LEAST_COMMON, int(COMMON_SHARE * len(documents)))
    code = _common([document.code for document in documents], most)
    words = _common([document.words for document in documents], most)
    return [
        replace(document, code=document.code.without(code), words=document.words.without(words))
        for document in documents
    ]


def _common(texts: Iterable[Text], most: int) -> Hashes:
    """The hashes that more than `most` texts have."""
    each = [np.unique(text.hashes) for text in texts]
    hashes, counts = np.unique(np.concatenate(each or [np.empty(0, np.uint64)]), return_counts=True)
    common: Hashes = hashes[counts > most]
    return common


def _candidates(texts: Sequence[Text]) -> Iterator[tuple[int, int]]:
    """Pairs of places of texts that share fingerprints, at most so many, the likest first."""
    chosen = [winnowed(text.own_runs[0], WINDOW) for text in texts]
    sizes = np.array([len(hashes) for hashes in chosen])
    if not sizes.sum():
        return
    _, columns = np.unique(np.concatenate(chosen), return_inverse=True)
    rows = np.repeat(np.arange(len(texts)), sizes)
    index = sparse.csr_matrix((np.ones(len(rows), np.int32), (rows, columns)))
    shared = sparse.triu(index @ index.T, k=1).tocoo()
    shares = shared.data / np.minimum(sizes[shared.row], sizes[shared.col])
    order = np.argsort(-shares, kind="stable")[:MOST_CANDIDATES]
    for place in order[shares[order] >= CANDIDATE_SHARE]:
        yield int(shared.row[place]), int(shared.col[place])


# --- how much -----------------------------------------------------------------------


def _measured(one: Document, other: Document) -> Pair:
    """How much two submissions share, without where."""
    words = list(_like_parts(one.words, other.words))
    return Pair(
        one.id, other.id, _shares(one.code, other.code), _shares(one.words, other.words, words), ()
    )


def _shares(one: Text, other: Text, like: Sequence[Tile] = ()) -> Shares:
    """What lies in runs that both texts have, or in parts that are `like` each other."""
    sides = ((one, other, [t.first for t in like]), (other, one, [t.second for t in like]))
    counts = []
    for text, against, firsts in sides:
        hashes, starts = text.own_runs
        mask = covered(len(text.own), starts[np.isin(hashes, against.own_runs[0])], text.length)
        parts = text.part_of[firsts]
        counts.append(int(((mask | np.isin(text.part_of, parts)) & text.own).sum()))
    first, second = counts
    return Shares(min(counts), first / max(1, one.size), second / max(1, other.size))


def _like_parts(one: Text, other: Text) -> Iterator[Tile]:
    """Whole cells of words that differ in few of them, each taken once.

    They are no runs of the same tokens: the tile is as long as the shorter one.
    """
    if not one.own_parts or not other.own_parts:
        return
    first, second = ([text for _, _, text in side.own_parts] for side in (one, other))
    scores = process.cdist(first, second, scorer=fuzz.ratio, score_cutoff=LIKE_WORDS)
    taken: set[int] = set()
    for row in np.argsort(-scores.max(axis=1), kind="stable"):
        column = int(np.argmax(scores[row]))
        if scores[row, column] and column not in taken:
            taken.add(column)
            start, length, _ = one.own_parts[row]
            place, other_length, _ = other.own_parts[column]
            yield Tile(start, place, length, other_length)


# --- where --------------------------------------------------------------------------


def _passages(one: Document, other: Document) -> Iterator[Passage]:
    like = list(_like_parts(one.words, other.words))
    words = [*like, *tiles(one.words, other.words, like)]
    for found, texts, is_code in (
        (tiles(one.code, other.code), (one.code, other.code), True),
        (words, (one.words, other.words), False),
    ):
        for tile in sorted(found, key=lambda tile: tile.first):
            yield Passage(
                _excerpt(texts[0], tile.first, tile.length),
                _excerpt(texts[1], tile.second, tile.other_length),
                int(texts[0].own[tile.first : tile.first + tile.length].sum()),
                is_code,
            )


def _excerpt(text: Text, start: int, length: int) -> Excerpt:
    part = text.parts[text.part_of[start]]
    first, last = text.tokens[start], text.tokens[start + length - 1]
    return Excerpt(part.label, part.source, first.start, last.end)
