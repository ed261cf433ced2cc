"""Fingerprints: hashes of every run of k tokens, and the few of them that stand for all.

S. Schleimer, D. Wilkerson, A. Aiken, Winnowing: Local Algorithms for Document
Fingerprinting, SIGMOD 2003: of each window of w hashes the least is kept, so
that of any two texts that share k + w - 1 tokens in a row, a common hash is kept
in both. The hashes are the same in every process, so that a batch that is
compared twice gives the same page.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from grader.similarity.tokens import Token

Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

_BASE = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


def fingerprints(tokens: Sequence[Token], length: int) -> Hashes:
    """A hash for each run of `length` tokens, in order: shape (max(0, n - length + 1),)."""
    codes = np.array([_code(token.text) for token in tokens], dtype=np.uint64)
    count = len(codes) - length + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    hashes = np.zeros(count, np.uint64)
    # Horner's rule modulo 2^64: uint64 wraps around.
    for offset in range(length):
        hashes = hashes * _BASE + codes[offset : offset + count]
    # The multiplications leave the low bits poor, by which the least one is chosen.
    return (hashes ^ (hashes >> np.uint64(29))) * _MIX


def _code(text: str) -> int:
    raw = text.encode("utf-8", "replace")
    return zlib.crc32(raw) << 32 | zlib.adler32(raw)


def winnowed(hashes: Hashes, window: int) -> Hashes:
    """The hashes that stand for a text, each once and sorted."""
    if len(hashes) <= window:
        return np.unique(hashes[np.argmin(hashes)][None]) if len(hashes) else hashes
    windows = np.lib.stride_tricks.sliding_window_view(hashes, window)
    return np.unique(windows.min(axis=1))


def covered(size: int, starts: Places, length: int) -> Mask:
    """Which of `size` tokens lie in a run of `length` from one of `starts` on."""
    edges = np.zeros(size + 1, np.int64)
    np.add.at(edges, starts, 1)
    np.add.at(edges, starts + length, -1)
    mask: Mask = np.cumsum(edges[:-1]) > 0
    return mask
