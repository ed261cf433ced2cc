"""Which of several notebooks counts: by what is in it, then its name, then its age."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from nbformat import NotebookNode

from grader.errors import SubmissionError

# Students rewrite and delete what they were given, down to a tenth of its cells. The names in the
# code remain: the index of Jaccard (names of Python and numpy left out) of release and hand-in was
# 0.12 to 0.59 for five real hand-ins, and 0.04 to 0.16 for hand-ins for something else.
LEAST_LIKE, LEAST_OF_BEST = 0.08, 0.6
# Programs that unpack or copy write files in one go, some seconds apart.
NEWER_SECONDS = 60.0
SHORTEST_LINE = 4
MOST_NAMED = 8
_NAME = re.compile(r"[^\W\d]\w{2,}")
_GENERAL = frozenset([*keyword.kwlist, *dir(builtins), *dir(np), *dir(np.ndarray)])
_SPARE = re.compile(
    r"copy|kopie|copie|backup|bak\b|\bold\b|_old|draft|untitled|template|original|empty|blank"
    r"|\btest|release|trash|archive|previous|\bv0\b|~",
    re.IGNORECASE,
)
_MEANT = re.compile(r"final|submi|hand.?in|solution|solved|answer|done|complete", re.IGNORECASE)


@dataclass(frozen=True)
class Candidate:
    """A notebook that could be the one that was meant."""

    name: str
    content: bytes
    notebook: NotebookNode
    modified: float = 0.0


@dataclass(frozen=True)
class Choice:
    """The notebook that counts, and why each other one does not."""

    chosen: Candidate
    others: tuple[tuple[str, str], ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report says of it."""
        if not self.others:
            return ()
        shown = [f"{name} {reason}" for name, reason in self.others[:MOST_NAMED]]
        more = len(self.others) - len(shown)
        rest = [f"and {more} more"] if more else []
        return (
            f"of {len(self.others) + 1} notebooks, {self.chosen.name} was graded: "
            + "; ".join([*shown, *rest]),
        )


def choose(
    where: str, candidates: Sequence[Candidate], release: NotebookNode | None = None
) -> Choice:
    """The notebook that was meant, of at least one.

    Each rule leaves only the best candidates to the next. An untouched copy of
    the release is the most like it, and never the one that was meant where
    another one has work for this assignment in it.

    Raises:
        SubmissionError: the rules do not tell two of them apart.
    """
    left = sorted(candidates, key=lambda one: (one.name.count("/"), one.name))
    dropped: list[tuple[str, str]] = []
    for reason, least_of, value in _rules(release, left):
        values = [value(candidate) for candidate in left]
        least = least_of(max(values))
        dropped += [(c.name, reason) for c, v in zip(left, values, strict=True) if v < least]
        left = [c for c, v in zip(left, values, strict=True) if v >= least]
    same = [c for c in left[1:] if c.content == left[0].content]
    if len(same) < len(left) - 1:
        names = ", ".join(sorted(candidate.name for candidate in left))
        raise SubmissionError(
            f"{where}: there are several notebooks in it, and nothing tells which is meant "
            f"({names}); hand in the one that counts"
        )
    return Choice(left[0], (*dropped, *((c.name, "is the same") for c in same)))


Rule = tuple[str, Callable[[float], float], Callable[[Candidate], float]]


def _rules(release: NotebookNode | None, candidates: Sequence[Candidate]) -> Sequence[Rule]:
    """What is said of who loses, the least value that stays beside the best, and the value."""
    given = lines(release) if release else frozenset()
    own = {c.name: len(lines(c.notebook) - given) for c in candidates}
    like = {c.name: _likeness(c.notebook, release) for c in candidates}
    return (
        (
            "has no answers to this assignment",
            float,
            lambda c: float(own[c.name] > 0 and like[c.name] >= LEAST_LIKE),
        ),
        ("is less like the assignment", lambda best: LEAST_OF_BEST * best, lambda c: like[c.name]),
        ("is called a copy or a draft", float, lambda c: _rank(c.name)),
        ("is older", lambda best: best - NEWER_SECONDS, lambda c: c.modified),
        ("has less in it", float, lambda c: float(own[c.name])),
    )


def lines(notebook: NotebookNode) -> frozenset[str]:
    """The lines of a notebook's cells, in which neither order nor spaces count."""
    texts = (str(cell.source) for cell in notebook.cells)
    squeezed = (" ".join(line.split()) for text in texts for line in text.splitlines())
    return frozenset(line for line in squeezed if len(line) >= SHORTEST_LINE)


def has_work(candidate: Candidate, release: NotebookNode | None = None) -> bool:
    """Whether there is anything in it that does not stand in the release."""
    return bool(lines(candidate.notebook) - (lines(release) if release else frozenset()))


def _likeness(notebook: NotebookNode, release: NotebookNode | None) -> float:
    """How much of the names in the code of both is in each, in [0, 1]; 1 without a release."""
    if release is None:
        return 1.0
    own, given = names(notebook), names(release)
    return len(own & given) / max(1, len(own | given))


def names(notebook: NotebookNode) -> frozenset[str]:
    """The names in a notebook's code that are neither Python's nor numpy's."""
    sources = [str(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    found = (name for source in sources for name in _NAME.findall(source))
    return frozenset(found) - _GENERAL


def _rank(name: str) -> float:
    """Less than zero for a name that tells of a spare copy, more for one of the thing itself."""
    if _SPARE.search(name):
        return -1.0
    return float(bool(_MEANT.search(name)))


def answers(names: Collection[str], expected: Collection[str]) -> bool:
    """Whether any of the expected files is among `names`, in whatever folder."""
    return any(
        name == wanted or name.endswith(f"/{wanted}") for name in names for wanted in expected
    )
