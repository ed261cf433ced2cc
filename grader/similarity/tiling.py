"""Where two texts coincide: runs of tokens that both have, each token in at most one of them.

M. Wise, String Similarity via Greedy String Tiling and Running Karp-Rabin Matching, 1993; greedy
from the beginning of the first text on, since only what is shown hangs on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from grader.similarity.documents import Text

# Places in the other text that are tried for one run of tokens.
MOST_PLACES = 20


@dataclass(frozen=True)
class Tile:
    """`length` tokens of one text from `first` on, and those of the other that go with them."""

    first: int
    second: int
    length: int
    other_length: int


def tiles(one: Text, other: Text, taken: Iterable[Tile] = ()) -> Iterator[Tile]:
    """Runs that both texts have and that are mostly their own, but for what is `taken`."""
    used = np.zeros(len(one.tokens), np.bool_), np.zeros(len(other.tokens), np.bool_)

    def take(tile: Tile) -> None:
        used[0][tile.first : tile.first + tile.length] = True
        used[1][tile.second : tile.second + tile.other_length] = True

    for tile in taken:
        take(tile)
    places = _places(one, other)
    hashes, starts = one.own_runs
    for hashed, start in zip(hashes.tolist(), starts.tolist(), strict=True):
        options = [] if used[0][start] else places.get(hashed, [])
        free = [option for option in options if not used[1][option]][:MOST_PLACES]
        found = (_longest(one, other, start, option) for option in free)
        best = max(found, key=lambda tile: tile.length, default=None)
        if best and best.length >= one.length and not _overlaps(best, *used):
            take(best)
            yield best


def _overlaps(tile: Tile, first: np.ndarray, second: np.ndarray) -> bool:
    end = tile.length
    return bool(first[tile.first : tile.first + end].any() or second[tile.second :][:end].any())


def _places(one: Text, other: Text) -> dict[int, list[int]]:
    """Where in the other text the hashes of the one are."""
    hashes, starts = other.own_runs
    wanted = np.isin(hashes, one.own_runs[0])
    places: defaultdict[int, list[int]] = defaultdict(list)
    for hashed, start in zip(hashes[wanted].tolist(), starts[wanted].tolist(), strict=True):
        places[hashed].append(start)
    return places


def _longest(one: Text, other: Text, first: int, second: int) -> Tile:
    """The longest run from two places on, within one part of each."""
    ends = (_end(one, first) - first, _end(other, second) - second)
    length = 0
    for a, b in zip(one.tokens[first:], other.tokens[second:], strict=False):
        if length == min(ends) or a.text != b.text:
            break
        length += 1
    return Tile(first, second, length, length)


def _end(text: Text, place: int) -> int:
    """Where the part ends in which a token lies."""
    return int(np.searchsorted(text.part_of, text.part_of[place], side="right"))
