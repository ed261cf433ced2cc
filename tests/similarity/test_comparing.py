"""Pairs: copies are found however they are disguised, and independent work is not."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

import nbformat
import numpy as np
import pytest
from nbformat import v4

from grader.assignment import load_assignment
from grader.audit.planting import load_variants
from grader.similarity import Document, Pair, compare_all, document_of, read_given
from grader.similarity.comparing import Thresholds
from grader.similarity.fingerprints import fingerprints, winnowed
from grader.similarity.tokens import code_tokens
from grader.submission import Submission

ASSIGNMENTS = ("radboud_a1", "aalto_ex09", "gatech_ps1", "kiel_lab4", "q3_network")
EVERYTHING = Thresholds(0, 0, 0, 0, 0, 0)
ESSAY = (
    "With a larger learning rate the loss falls faster at first, but above one half it starts to "
    "jump between the two sides of the valley and does not settle. The decay helps because late "
    "steps are short, so that the last point lies closer to the minimum than without it."
)
OTHER_ESSAY = (
    "I tried seven settings. Small steps were stable and slow; the plot shows how big ones jump "
    "and come back. Lowering the step over time gave me the best of both, which is what the "
    "lecture had promised for functions that are bowl-shaped near their lowest point."
)


def notebook_of(*code: str, words: tuple[str, ...] = ()) -> nbformat.NotebookNode:
    """A notebook of these cells."""
    cells = [v4.new_code_cell(source) for source in code]
    return v4.new_notebook(cells=[*cells, *map(v4.new_markdown_cell, words)])


def document(name: str, *code: str, words: tuple[str, ...] = (), given: str = "") -> Document:
    """A submission as it is compared, where `given` was handed out."""
    submission = Submission(name, "hw.ipynb", notebook_of(*code, words=words), {})
    return document_of(submission, read_given((notebook_of(given), {})))


def disguised(source: str, chance: random.Random) -> str:
    """The same code with other names, comments and order of its definitions."""
    pattern = r"(?<![.\w])([a-z_]\w*)(?=\s*=[^=])|(?<=def )(\w+)"
    names = {a or b for a, b in re.findall(pattern, source)}
    for number, name in enumerate(sorted(names)):
        source = re.sub(rf"(?<!\w){name}(?!\w)", f"renamed_{number}", source)
    blocks = re.split(r"\n\n+", re.sub(r"#.*", "# my own words", source))
    chance.shuffle(blocks)
    return "\n\n".join(blocks)


def answers(slug: str) -> tuple[dict[str, list[str]], Mapping[str, bytes], nbformat.NotebookNode]:
    """Right answers to an assignment that were written apart, by who wrote them."""
    assignment = load_assignment(slug)
    found = {v.name: list(v.answers.values()) for v in load_variants(assignment)}
    return found, assignment.files, assignment.release


@pytest.mark.parametrize("slug", ASSIGNMENTS)
def test_copies_and_independent_work(slug: str) -> None:
    """Of the bundled right answers, only their disguised copies are pairs, with 0.9 and more."""
    written, files, release = answers(slug)
    given, chance = read_given((release, files)), random.Random(1)
    everything = dict(written)
    for name, sources in written.items():
        copies = [disguised(source, chance) for source in sources]
        chance.shuffle(copies)
        everything[f"copy of {name}"] = copies
    documents = [
        document_of(Submission(name, "hw.ipynb", notebook_of(*sources), {}), given)
        for name, sources in everything.items()
    ]
    pairs = compare_all(documents)
    shares = {frozenset((pair.first, pair.second)): pair.code.larger for pair in pairs}
    assert shares.keys() == {frozenset((name, f"copy of {name}")) for name in written}
    assert min(shares.values()) > 0.9
    for pair in compare_all(documents, EVERYTHING):
        related = pair.first.removeprefix("copy of ") == pair.second.removeprefix("copy of ")
        assert related or pair.code.larger < Thresholds.code_share


def functions(count: int, first: int = 0) -> list[str]:
    """Functions that have no run of tokens in common."""
    return [
        f"def f{n}(x):\n" + "".join(f"    x = x * {n}.{i} + np.exp(-{n} * x)\n" for i in range(8))
        for n in range(first, first + count)
    ]


def only(pairs: tuple[Pair, ...]) -> Pair:
    """The one pair."""
    (pair,) = pairs
    return pair


def test_what_was_handed_out_does_not_count() -> None:
    """Code of the release is nobody's: two who left it as it is have nothing in common."""
    given = "\n\n".join(functions(6))
    untouched = [document(name, given, given=given) for name in ("ann", "bob")]
    assert compare_all(untouched, EVERYTHING) == ()
    own = functions(2, first=50)
    both = [document(name, given, *own, given=given) for name in ("ann", "bob")]
    pair = only(compare_all(both))
    assert (pair.code.first, pair.code.second) == (1.0, 1.0)
    assert {passage.first.part for passage in pair.passages} == {"cell 1", "cell 2"}


def test_what_many_share_does_not_count() -> None:
    """What a good part of the class has in common is taken for the course's."""
    shared = functions(3)
    class_ = [document(f"s{n:02}", *shared, *functions(2, first=10 + 2 * n)) for n in range(20)]
    assert compare_all(class_, EVERYTHING) == ()
    assert len(compare_all(class_[:3])) == 3


def test_shares_of_either_side() -> None:
    """One copied function is all of the short hand-in and little of the long one."""
    one, other = document("ann", *functions(3)), document("bob", *functions(12))
    pair = only(compare_all([one, other]))
    assert pair.code.first == 1.0
    assert 0.2 < pair.code.second < 0.3
    assert pair.share == 1.0


def test_passages() -> None:
    """A passage shows where both sides stand, each token once, whatever the order."""
    parts = functions(4)
    pair = only(compare_all([document("ann", *parts), document("bob", *parts[::-1])]))
    places = [(p.first.part, p.second.part) for p in pair.passages]
    assert places == [(f"cell {i}", f"cell {3 - i}") for i in range(4)]
    for passage in pair.passages:
        one, other = passage.first, passage.second
        assert one.source[one.start : one.end] == other.source[other.start : other.end]


def test_words() -> None:
    """Answers in text that differ in few words are a pair; those on the same matter are not."""
    changed = ESSAY.replace("faster", "quicker").replace("closer", "nearer")
    pair = only(compare_all([document("a", words=(ESSAY,)), document("b", words=(changed,))]))
    assert pair.words.larger > 0.9
    assert not pair.passages[0].is_code
    others = [document("a", words=(ESSAY,)), document("b", words=(OTHER_ESSAY,))]
    assert compare_all(others) == ()


def test_the_same_page_twice() -> None:
    """The order in which submissions come does not matter."""
    documents = [document(name, *functions(3)) for name in ("ann", "bob", "eve")]
    forward, backward = compare_all(documents), compare_all(documents[::-1])
    assert [{p.first, p.second} for p in forward] != []
    assert {frozenset((p.first, p.second)) for p in forward} == {
        frozenset((p.first, p.second)) for p in backward
    }


def test_nothing_to_compare() -> None:
    """Empty submissions, and a batch of one or none, have nothing in common."""
    assert compare_all([]) == ()
    assert compare_all([document("ann", *functions(3))]) == ()
    assert compare_all([document("ann"), document("bob", "")], EVERYTHING) == ()


def test_winnowing() -> None:
    """Of any run that is as long as a window and a fingerprint, both texts keep a hash."""
    shared = code_tokens("\n".join(functions(1)))[:22]
    for noise in range(20):
        one = [*code_tokens(f"a[{noise}] = 1"), *shared, *code_tokens(f"b({noise})")]
        kept = [winnowed(fingerprints(tokens, 15), 8) for tokens in (one, shared)]
        assert len(np.intersect1d(*kept)) > 0


def test_hashes_do_not_change() -> None:
    """The same text has the same hashes in every process."""
    assert (
        fingerprints(code_tokens("x = 1"), 3).tolist()
        == fingerprints(code_tokens("y = 1"), 3).tolist()
    )
    assert int(fingerprints(code_tokens("x = 1"), 3)[0]) == 8691102609930684102
