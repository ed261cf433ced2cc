"""Answers by the names that they define: where these are defined, and which definition counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.alignment.reading import Reading
from grader.alignment.records import Evidence
from grader.assignment import Question
from grader.records import QuestionKind
from grader.rewriting import listed

# How much it says that cells define the names which a question asks for.
ONLY_HERE, ALSO_ELSEWHERE = 0.9, 0.6
# A variable's name serves many purposes.
ALSO_VALUE = 0.3
IN_ORDER, ALL_TRIED = 0.75, 0.7
CONTESTED, ANOTHERS = 0.5, 0.4
MAX_ALTERNATIVES = 8
FOUND_BY_NAME = "found by the name it defines"


@dataclass(frozen=True)
class Found:
    """What the names say of an answer.

    `cells` define names that nothing below the prompt defines; where they are
    `moved`, nothing there counts, and where they are `contested`, something else
    stands there that may be the answer under another name. See `AlignedAnswer` for the rest.
    """

    cells: tuple[int, ...] = ()
    moved: bool = False
    defines: bool = False
    contested: bool = False
    evidence: tuple[Evidence, ...] = ()
    notes: tuple[str, ...] = ()
    alternatives: tuple[tuple[int, ...], ...] = ()
    candidates: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Need:
    """A question, the names that are not defined below its prompt, and who defines them elsewhere.

    `definers` has, by cell, the missing names that it defines and no other
    question claims; `claimed` those that are another question's answer. Those
    `here` `are_strays` where others ask for the same, and not all stand below the prompt.
    """

    question: Question
    here: tuple[int, ...]
    missing: tuple[str, ...]
    definers: dict[int, frozenset[str]]
    claimed: dict[int, frozenset[str]]
    wraps: frozenset[int]
    contested: bool
    are_strays: bool


def find_definitions(reading: Reading, questions: Sequence[Question]) -> dict[str, Found]:
    """What the names say, for each question that code with names answers."""
    named = [q for q in questions if q.kind is QuestionKind.CODE and q.names]
    needs = [_need(reading, question, named) for question in named]
    return {need.question.id: _found(reading, need, needs) for need in needs}


def _need(reading: Reading, question: Question, named: Sequence[Question]) -> _Need:
    below = reading.below(question)
    here = [j for j in below if reading.new_definitions(j, question.names)]
    defined = {d.name for j in here for d in reading.new_definitions(j, question.names)}
    missing = tuple(name for name in question.names if name not in defined)
    work = [j for j in below if reading.cells[j].kind == "code" and reading.is_own(j)]
    definers: dict[int, frozenset[str]] = {}
    claimed: dict[int, frozenset[str]] = {}
    for j in range(len(reading.cells)):
        if j in below or not (new := reading.new_definitions(j, missing)):
            continue
        names = frozenset(d.name for d in new)
        values = all(d.value for d in new)
        rival = _rival(reading, j, question, named, names)
        if rival:
            claimed |= {} if values else {j: names}
        elif not values or _may_give_value(reading, j, question, names, bool(work)):
            definers[j] = names
    definers = _genuine_first(reading, definers)
    return _Need(
        question=question,
        here=tuple(here),
        missing=missing,
        definers=definers,
        claimed=claimed,
        wraps=frozenset(j for j in definers if _only_wraps(reading, j, missing)),
        contested=_is_contested(reading, question, here, work),
        are_strays=_are_strays(reading, question, here, named),
    )


def _is_contested(
    reading: Reading, question: Question, here: Sequence[int], work: Sequence[int]
) -> bool:
    """Whether other functions than those asked for stand right below the prompt."""
    prompt = reading.prompt(question)
    if prompt is None or (here and reading.are_below(prompt, here)):
        return False
    return any(_may_be_renamed(reading, j) and reading.are_below(prompt, [j]) for j in work)


def _are_strays(
    reading: Reading, question: Question, here: Sequence[int], named: Sequence[Question]
) -> bool:
    """Whether cells far from the prompt define a name that other questions ask for too."""
    shared = {n for q in named if q.id != question.id for n in q.names} & set(question.names)
    prompt = reading.prompt(question)
    is_far = prompt is None or not all(reading.are_below(prompt, [j]) for j in here)
    return bool(shared and here and is_far)


def _may_be_renamed(reading: Reading, j: int) -> bool:
    """Whether a cell defines a function or class, which may be the answer under another name."""
    return any(not definition.value for definition in reading.cells[j].code.definitions)


def _rival(
    reading: Reading, j: int, question: Question, named: Sequence[Question], names: frozenset[str]
) -> bool:
    """Whether a cell stands where another question is answered that asks for the same names."""
    here = reading.region(j)
    return any(q.id == here != question.id and names & set(q.names) for q in named)


def _may_give_value(
    reading: Reading, j: int, question: Question, names: frozenset[str], has_work: bool
) -> bool:
    """Whether a cell that only gives a variable its value may answer a question from afar.

    Variables of one name serve many purposes: what stands elsewhere for a reason is left alone,
    unless it has all of several names.
    """
    has_all = len(names) > 1 and names == set(question.names)
    is_near = not has_work or reading.region(j) in ("", question.id)
    return reading.owner(j) is None and (is_near or has_all)


def _genuine_first(
    reading: Reading, definers: dict[int, frozenset[str]]
) -> dict[int, frozenset[str]]:
    """Without Markdown whose names are all defined by code as well."""
    coded = frozenset[str]().union(
        *(names for j, names in definers.items() if not reading.cells[j].held_code)
    )
    return {
        j: names
        for j, names in definers.items()
        if not reading.cells[j].held_code or not names <= coded
    }


def _only_wraps(reading: Reading, j: int, names: Sequence[str]) -> bool:
    """Whether all that a cell does to these names is to make them of themselves."""
    return all(d.wraps for d in reading.new_definitions(j, names))


# --- which one counts -----------------------------------------------------------


def _found(reading: Reading, need: _Need, needs: Sequence[_Need]) -> Found:
    if not need.definers:
        return _not_elsewhere(reading, need)
    rivals = [n for n in needs if set(n.missing) & set(need.missing) and n.definers]
    alternatives = _states(need.definers, need.wraps)
    several = _is_several(need.definers, need.wraps, need.missing)
    if not several:
        weight = ONLY_HERE if len(rivals) == 1 else CONTESTED
        chosen, why = tuple(sorted(need.definers)), "the only cell that defines"
    elif (place := _place_in_order(need, rivals)) is not None:
        chosen, weight, why = place, IN_ORDER, "by their order, the one of several that define"
    else:
        chosen, weight, why = alternatives[0], ALL_TRIED, "one of several that define"
    weight = min(weight, CONTESTED) if need.contested else weight
    names = listed(need.missing)
    note = f"{FOUND_BY_NAME}, in {_cells(chosen)}"
    if several:
        are = "are" if need.missing[1:] else "is"
        note = f"{names} {are} defined in {_cells(sorted(need.definers))}"
    whole = tuple(sorted({*chosen, *need.here}))
    others = [tuple(sorted({*cells, *need.here})) for cells in alternatives if several]
    return Found(
        cells=whole,
        moved=not need.here,
        defines=True,
        contested=need.contested,
        evidence=(Evidence(f"{why} {names}: {_cells(chosen)}", weight),),
        notes=(note,),
        alternatives=tuple(cells for cells in others if cells != whole)[:MAX_ALTERNATIVES],
        candidates=tuple(need.definers),
    )


def _not_elsewhere(reading: Reading, need: _Need) -> Found:
    """Where the names are defined below the prompt, or in another question's answer, or nowhere."""
    question = need.question
    if need.here:
        return _in_place(reading, need)
    own = [i for i in reading.own_cells(question) if reading.release[i].role == "answer"]
    if not need.claimed or any(i in reading.matched for i in own) or need.contested:
        return Found()
    # Its own cell is gone, but what it asks for exists.
    cell = list(need.claimed)[-1]
    words = f"the answer to {reading.region(cell)} defines {listed(need.claimed[cell])} too"
    return Found(
        cells=(cell,),
        moved=True,
        defines=True,
        evidence=(Evidence(f"{words}: {_cells((cell,))}", ANOTHERS),),
        notes=(f"{FOUND_BY_NAME}, in {_cells((cell,))}, which answers {reading.region(cell)}",),
        alternatives=tuple((j,) for j in need.claimed if j != cell),
        candidates=tuple(need.claimed),
    )


def _in_place(reading: Reading, need: _Need) -> Found:
    """The names are defined where the question is answered."""
    definers = _defined_in(reading, need.question, need.here)
    wraps = frozenset(j for j in need.here if _only_wraps(reading, j, need.question.names))
    if need.are_strays and _is_several(definers, wraps, need.question.names):
        return _one_of_strays(need, _states(definers, wraps))
    names = frozenset(need.question.names)
    others = [
        j
        for j in range(len(reading.cells))
        if j not in need.here and reading.new_definitions(j, need.question.names)
    ]
    new = [d for j in need.here for d in reading.new_definitions(j, need.question.names)]
    elsewhere = ALSO_VALUE if all(d.value for d in new) else ALSO_ELSEWHERE
    weight = elsewhere if others else ONLY_HERE
    weight = min(weight, CONTESTED) if need.contested else weight
    defined = names - set(need.missing)
    share = len(defined) / len(names)
    words = f"{'it' if others else 'it alone'} defines {listed(defined)}"
    return Found(
        defines=True,
        contested=need.contested,
        evidence=(Evidence(words, round(weight * share, 2)),),
        alternatives=(
            every_definition(reading, need.question, need.here)
            if need.are_strays
            else _wrapped_later(reading, need, others)
        ),
    )


def _one_of_strays(need: _Need, states: Sequence[tuple[int, ...]]) -> Found:
    """Of cells far from the prompt that define the same, one may be another question's."""
    words = f"one of several that define {listed(sorted(need.question.names))}"
    return Found(
        cells=need.here,
        moved=True,
        defines=True,
        evidence=(Evidence(f"{words}: {_cells(need.here)}", CONTESTED),),
        alternatives=tuple(states)[:MAX_ALTERNATIVES],
        candidates=need.here,
    )


def _defined_in(
    reading: Reading, question: Question, cells: Iterable[int]
) -> dict[int, frozenset[str]]:
    """The question's names that each of some cells defines, where it does any."""
    new = {j: reading.new_definitions(j, question.names) for j in cells}
    return {j: frozenset(d.name for d in found) for j, found in new.items() if found}


def _wrapped_later(
    reading: Reading, need: _Need, others: Sequence[int]
) -> tuple[tuple[int, ...], ...]:
    """The state behind a later cell that only wraps the answer, as `f = np.vectorize(f)` does."""
    last = need.here[-1]
    later = [j for j in others if j > last]
    found = []
    for j in later:
        if not _only_wraps(reading, j, need.question.names):
            break
        found.append((*need.here, j))
    return tuple(found)


def _is_several(
    definers: dict[int, frozenset[str]], wraps: frozenset[int], wanted: Sequence[str]
) -> bool:
    """Whether a wanted name has more than one definition, not counting what wraps one."""
    cells = [names for j, names in definers.items() if j not in wraps]
    return any(sum(name in names for names in cells) > 1 for name in wanted)


def every_definition(
    reading: Reading, question: Question, cells: tuple[int, ...]
) -> tuple[tuple[int, ...], ...]:
    """What to try in place of `cells` where it is not sure that these are the answer."""
    found = _defined_in(reading, question, range(len(reading.cells)))
    wraps = frozenset(j for j in found if _only_wraps(reading, j, question.names))
    return tuple(s for s in _states(found, wraps) if s != cells)[:MAX_ALTERNATIVES]


def _states(definers: dict[int, frozenset[str]], wraps: frozenset[int]) -> list[tuple[int, ...]]:
    """For each cell that defines one of the names, the cells whose definitions hold behind it."""
    order = sorted(definers)
    wanted = frozenset[str]().union(*definers.values())
    states = []
    for k, _ in enumerate(order):
        last: dict[str, list[int]] = {}
        for j in order[: k + 1]:
            for name in definers[j]:
                last[name] = [*last[name], j] if j in wraps and name in last else [j]
        if last.keys() >= wanted:
            states.append(tuple(sorted({j for cells in last.values() for j in cells})))
    return list(dict.fromkeys(states))


def _place_in_order(need: _Need, rivals: Sequence[_Need]) -> tuple[int, ...] | None:
    """Where as many definitions as questions are there, each question's in its turn."""
    same = [n for n in rivals if n.missing == need.missing]
    states = _states(need.definers, need.wraps)
    if len(same) != len(rivals) or len(states) != len(same):
        return None
    return states[[n.question.id for n in same].index(need.question.id)]


def _cells(cells: Sequence[int]) -> str:
    """Cells in a sentence; the numbers in braces become those of the notebook handed in."""
    return f"cell{'s' if cells[1:] else ''} {', '.join(f'{{{j}}}' for j in cells)}"
