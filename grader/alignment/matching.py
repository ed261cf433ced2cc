"""Which cell of the release each cell of a hand-in is, or stands behind.

The cells are followed through the release like a path: whoever answers goes
forward, leaves cells out, adds some, and jumps back at times. The path with the
most evidence, less what its jumps cost, is the matching (Viterbi's algorithm).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from rapidfuzz import fuzz, process

from grader.alignment.cells import Cell, Label
from grader.alignment.code import Code

# Evidence that two cells are the same one. Identity beats labels, and a label
# with its section beats any likeness of texts.
SAME_METADATA = 12.0
SAME_ID = 10.0
SAME_LABEL = 6.0
SAME_LETTER = 1.5
SAME_NAMES = 4.0
# Of variables that questions ask for, and of those that none does: `x` and `rng` are everywhere.
SAME_VALUES, SAME_VARIABLES = 2.0, 1.0
LIKE_TEXT = 3.0
# A long text that the release has once, and that is hardly changed, is that cell wherever it is.
VERY_TEXT, NEARLY_ALL, LONG = 4.0, 0.92, 60
LEAST_LIKENESS = 0.55
LEAST_EVIDENCE = 1.2
# What it costs to go back, and to leave out a cell of the release, up to a limit.
BACKWARD, LEFT_OUT, MOST_LEFT_OUT = 3.5, 0.12, 2.0
NOWHERE = -1
Matrix: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Place:
    """Where in the release a cell stands: `at` a cell of it if `matched`, else behind that."""

    at: int
    matched: bool


@dataclass(frozen=True)
class Likeness:
    """How much speaks for each pair (release cell, submitted cell).

    `texts` in [0, 1] compares their texts, `evidence` weighs all there is.
    """

    texts: np.ndarray
    evidence: np.ndarray


def compare(release: Sequence[Cell], submitted: Sequence[Cell], asked: frozenset[str]) -> Likeness:
    """The evidence for every pair of cells; `asked` are the names that questions ask for."""
    texts = _text_likeness(release, submitted)
    evidence = LIKE_TEXT * texts + VERY_TEXT * (texts >= NEARLY_ALL) * _telling(release)[:, None]
    for i, ours in enumerate(release):
        for j, theirs in enumerate(submitted):
            if (ours.kind == "code") == (theirs.kind == "code"):
                evidence[i, j] += _signs(ours, theirs, asked)
            else:
                evidence[i, j] = texts[i, j] = 0.0
    return Likeness(texts, evidence)


def _text_likeness(release: Sequence[Cell], submitted: Sequence[Cell]) -> Matrix:
    theirs = [cell.text for cell in submitted]
    if not release or not theirs:
        return np.zeros((len(release), len(theirs)))
    likeness = _ratios([cell.text for cell in release], theirs)
    # An answer's solution is compared as code only: texts are nobody's to guess.
    solved = [i for i, c in enumerate(release) if c.kind == "code" and c.solution != c.text]
    if solved:
        as_solved = _ratios([release[i].solution for i in solved], theirs)
        likeness[solved] = np.maximum(likeness[solved], as_solved)
    return likeness


def _ratios(ours: list[str], theirs: list[str]) -> Matrix:
    least = 100 * LEAST_LIKENESS
    ratios: Matrix = process.cdist(ours, theirs, scorer=fuzz.ratio, score_cutoff=least)
    return ratios.astype(float) / 100.0


def _telling(release: Sequence[Cell]) -> np.ndarray:
    """Which of the release's cells can be known by their text alone."""
    texts = [cell.text for cell in release]
    return np.array([len(t) >= LONG and texts.count(t) == 1 for t in texts], dtype=float)


def _signs(ours: Cell, theirs: Cell, asked: frozenset[str]) -> float:
    """What speaks for it beside the text."""
    score = 0.0
    if ours.question and (ours.question, ours.role) == (theirs.question, theirs.role):
        score += SAME_METADATA
    if ours.identity and ours.identity == theirs.identity:
        score += SAME_ID
    if ours.labels and theirs.labels:
        score += label_evidence(ours.labels, theirs.labels)
    if ours.kind == theirs.kind == "code":
        score += max(_same_names(code, theirs.code, asked) for code in ours.codes)
    return score


def _same_names(ours: Code, theirs: Code, asked: frozenset[str]) -> float:
    telling = ours.telling(asked), theirs.telling(asked)
    if any(telling):
        are_values = not ours.telling(frozenset()) & telling[1]
        return (SAME_VALUES if are_values else SAME_NAMES) * _overlap(*telling)
    return SAME_VARIABLES * _overlap(ours.names, theirs.names)


def label_evidence(ours: frozenset[Label], theirs: frozenset[Label]) -> float:
    """How much speaks for two cells' being the same by their labels."""
    # A heading with a question below it in the same cell is that question's prompt.
    if any(not label and any(s == section and t for s, t in theirs) for section, label in ours):
        return SAME_LETTER
    if ours & theirs:
        return SAME_LABEL
    letters = {letter for _, letter in ours if letter}
    # A letter without its section is a hint; one in another section is none.
    return SAME_LETTER if any(s == "" and letter in letters for s, letter in theirs) else 0.0


def _overlap(some: frozenset[str], others: frozenset[str]) -> float:
    return len(some & others) / len(some | others) if some and others else 0.0


def match(likeness: Likeness) -> list[Place]:
    """The place of each submitted cell; no cell of the release is matched twice."""
    evidence = np.where(likeness.evidence >= LEAST_EVIDENCE, likeness.evidence, -np.inf)
    while True:
        places = _best_path(evidence)
        doubled = _weaker_doubles(places, likeness.evidence)
        if not doubled:
            return places
        for i, j in doubled:
            evidence[i, j] = -np.inf


def _weaker_doubles(places: Sequence[Place], evidence: np.ndarray) -> list[tuple[int, int]]:
    """Pairs whose cell of the release is matched more strongly by another cell."""
    best: dict[int, int] = {}
    for j, place in enumerate(places):
        if place.matched:
            rival = best.get(place.at)
            if rival is None or evidence[place.at, j] > evidence[place.at, rival]:
                best[place.at] = j
    return [(p.at, j) for j, p in enumerate(places) if p.matched and best[p.at] != j]


def _best_path(evidence: np.ndarray) -> list[Place]:
    """The places of all cells with the most evidence in all, less the cost of jumps."""
    rows, columns = evidence.shape
    # State i stands before (0) or at or behind (i) the i-th cell of the release.
    score = np.full(rows + 1, -np.inf)
    score[0] = 0.0
    costs = _jump_costs(rows)
    came_from = np.zeros((columns, rows + 1), dtype=int)
    is_match = np.zeros((columns, rows + 1), dtype=bool)
    for j in range(columns):
        jumped = score[:, None] - costs
        origin = jumped.argmax(axis=0)
        matched = np.full(rows + 1, -np.inf)
        matched[1:] = jumped.max(axis=0)[1:] + evidence[:, j]
        is_match[j] = matched > score
        came_from[j] = np.where(is_match[j], origin, np.arange(rows + 1))
        score = np.maximum(matched, score)
    return _trace(score, came_from, is_match)


def _jump_costs(rows: int) -> Matrix:
    """What it costs to go from state i to a match in state k; staying there is going back."""
    states = np.arange(rows + 1)
    distance = states[None, :] - states[:, None]
    left_out = np.minimum(LEFT_OUT * np.abs(distance - 1), MOST_LEFT_OUT)
    costs: Matrix = np.where(distance >= 1, left_out, left_out + BACKWARD)
    return costs


def _trace(score: np.ndarray, came_from: np.ndarray, is_match: np.ndarray) -> list[Place]:
    state = int(score.argmax())
    places: list[Place] = []
    for j in range(len(came_from) - 1, -1, -1):
        places.append(Place(state - 1, bool(is_match[j, state])))
        state = int(came_from[j, state])
    return places[::-1]
