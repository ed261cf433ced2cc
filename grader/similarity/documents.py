"""What of a submission is compared: its code and its words, less what was handed out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import PurePosixPath

import numpy as np
from nbformat import NotebookNode

from grader.similarity.fingerprints import Hashes, Mask, Places, covered, fingerprints
from grader.similarity.tokens import Token, code_tokens, word_tokens
from grader.submission import Submission

# Tokens in a row that two hand-ins have to share. Found on the bundled assignments: with 12, right
# answers of the same few formulas coincide; with 20 and more, changed lines hide what is around.
CODE_LENGTH, WORD_LENGTH = 15, 6
# Files beyond this hold pasted data.
MAX_CHARACTERS = 200_000
# Words of a cell, before it is compared as a whole.
LEAST_WORDS = 12


@dataclass(frozen=True)
class Part:
    """A cell or a file: `label` names it on a page."""

    label: str
    source: str


@dataclass(frozen=True, eq=False)
class Text:
    """Parts of one kind and their tokens; `own` marks those that nobody was given.

    `part_of` is the part of each token. `hashes` are of the runs of `length` tokens
    that begin at `starts`; none reaches over two parts.
    """

    parts: tuple[Part, ...]
    part_of: Places
    hashes: Hashes
    starts: Places
    own: Mask
    length: int

    def without(self, known: Hashes) -> Text:
        """The same text, of which no run in `known` is its own."""
        starts = self.starts[np.isin(self.hashes, known)]
        return replace(self, own=self.own & ~covered(len(self.own), starts, self.length))

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens of all parts: read again where they are needed, since they take room."""
        return tuple(token for part in self.parts for token in _read(part.source, self.length)[0])

    @cached_property
    def size(self) -> int:
        """How many tokens are its own."""
        return int(self.own.sum())

    @cached_property
    def own_runs(self) -> tuple[Hashes, Places]:
        """The hashes and starts of the runs that are for the most part its own."""
        sums = np.concatenate([[0], np.cumsum(self.own)])
        mostly = sums[self.starts + self.length] - sums[self.starts] > self.length // 2
        return self.hashes[mostly], self.starts[mostly]

    @cached_property
    def own_parts(self) -> tuple[tuple[int, int, str], ...]:
        """First token, length and words of the parts that are mostly its own."""
        found = []
        for number, part in enumerate(self.parts):
            (where,) = np.nonzero(self.part_of == number)
            own = int(self.own[where].sum())
            if own >= LEAST_WORDS and 2 * own > len(where):
                words = " ".join(token.text for token in _read(part.source, self.length)[0])
                found.append((int(where[0]), len(where), words))
        return tuple(found)


@dataclass(frozen=True, eq=False)
class Document:
    """A submission as it is compared."""

    id: str
    code: Text
    words: Text


@dataclass(frozen=True, eq=False)
class Given:
    """The fingerprints of what every student was given, or is led to by the task."""

    code: Hashes = field(default_factory=lambda: np.empty(0, np.uint64))
    words: Hashes = field(default_factory=lambda: np.empty(0, np.uint64))


def read_given(*sources: tuple[NotebookNode, Mapping[str, bytes]]) -> Given:
    """The fingerprints of notebooks and the files beside them: what is nobody's own."""
    each = [_parts(notebook, files) for notebook, files in sources]
    code = [part for parts, _ in each for part in parts]
    words = [part for _, parts in each for part in parts]
    return Given(
        np.unique(_text(code, CODE_LENGTH).hashes), np.unique(_text(words, WORD_LENGTH).hashes)
    )


def document_of(submission: Submission, given: Given, name: str = "") -> Document:
    """The code and words of a submission, called `name`; what was `given` does not count."""
    files = {name: c for name, c in submission.files.items() if name != submission.name}
    code, words = _parts(submission.notebook, files)
    return Document(
        name or submission.id,
        _text(code, CODE_LENGTH).without(given.code),
        _text(words, WORD_LENGTH).without(given.words),
    )


def _parts(notebook: NotebookNode, files: Mapping[str, bytes]) -> tuple[list[Part], list[Part]]:
    """The parts with code, and those with words."""
    code: list[Part] = []
    words: list[Part] = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type in ("code", "markdown"):
            part = Part(f"cell {index}", str(cell.source)[:MAX_CHARACTERS])
            (code if cell.cell_type == "code" else words).append(part)
    for name in sorted(files):
        suffix = PurePosixPath(name).suffix.lower()
        if suffix in (".py", ".md", ".txt"):
            text = files[name][:MAX_CHARACTERS].decode("utf-8", "replace")
            (code if suffix == ".py" else words).append(Part(name, text))
    return code, words


def _text(parts: Sequence[Part], length: int) -> Text:
    read = [_read(part.source, length) for part in parts]
    sizes = [len(tokens) for tokens, _ in read]
    firsts = np.cumsum([0, *sizes])
    counts = [len(hashes) for _, hashes in read]
    starts = [np.arange(n) + first for n, first in zip(counts, firsts, strict=False)]
    # What is shorter than a run cannot be found again, and counts for nothing.
    own = [np.full(len(tokens), len(hashes) > 0) for tokens, hashes in read]
    return Text(
        tuple(parts),
        np.repeat(np.arange(len(parts), dtype=np.int32), sizes),
        np.concatenate([np.empty(0, np.uint64), *(hashes for _, hashes in read)]),
        np.concatenate([np.empty(0, np.int64), *starts]),
        np.concatenate([np.empty(0, np.bool_), *own]),
        length,
    )


# Most cells of a batch are those of the release.
@lru_cache(maxsize=4000)
def _read(source: str, length: int) -> tuple[tuple[Token, ...], Hashes]:
    tokens = code_tokens(source) if length == CODE_LENGTH else word_tokens(source)
    return tuple(tokens), fingerprints(tokens, length)
