"""Answers that do not stand where they should: found elsewhere, or at least not counted as none."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.alignment.matching import LEAST_LIKENESS
from grader.alignment.reading import Reading
from grader.alignment.records import AlignedAnswer, Evidence
from grader.assignment import Question
from grader.records import QuestionKind
from grader.rewriting import parse_cell

SURE, LABELLED = 0.95, 0.9
# From this likeness on, code is taken for an answer; from that on, it may be one.
TAKEN, POSSIBLE = 0.6, 0.3
MAX_CANDIDATES = 6
# Shorter code is a test, or a line of a plot.
LEAST_LINES = 2
# Fewer words are a caption, unless there is a formula or a picture.
# More than "1", with which a list begins.
_NUMBER = re.compile(r"\d\W*[a-z]|[a-z]\W*\d|\d\.\d", re.IGNORECASE)
_SAYS = re.compile(r"(?:\w+\W+){2}\w|\$|!\[|<img")


def is_for_person(question: Question) -> bool:
    """Whether a person reads the answer."""
    return question.kind is not QuestionKind.CODE


@dataclass(frozen=True)
class _Spare:
    """Cells of the student's own that may be answers: those of code, and those that say something.

    A text may also stand below a prompt where there are more of them than the
    question asks for. Those that are `named` answer the question whose number they begin with.
    """

    code: tuple[int, ...]
    texts: tuple[int, ...]
    named: frozenset[int]


def with_lost(
    reading: Reading,
    asked: Sequence[Question],
    answers: Mapping[str, AlignedAnswer],
    coded: Collection[int],
) -> dict[str, AlignedAnswer]:
    """All answers, with what may have been lost of them; cells that are `coded` answer others."""
    said = _said(reading)
    answers, named = _named(reading, asked, answers, said)
    texts = tuple(_spare_texts(reading, asked, answers, [j for j in said if j not in named]))
    taken = {j for a in answers.values() for j in a.cells if reading.cells[j].kind != "code"}
    code = tuple(j for j in range(len(reading.cells)) if _is_spare_code(reading, j, coded, taken))
    spare = _Spare(code, texts, frozenset(named))
    return {q.id: _completed(reading, q, answers[q.id], spare) for q in asked}


def _is_spare_code(
    reading: Reading, j: int, coded: Collection[int], taken: Collection[int]
) -> bool:
    is_free = j not in coded and j not in taken
    return is_free and _is_code(reading, j) and reading.is_own(j) and reading.owner(j) is None


def _is_code(reading: Reading, j: int) -> bool:
    return reading.cells[j].kind == "code"


# --- texts -----------------------------------------------------------------------


def _said(reading: Reading) -> list[int]:
    """The texts of the student's own; what stands above all prompts is a title, or names."""
    prompts = [j for i, j in reading.matched.items() if reading.release[i].is_prompt]
    first = min(prompts, default=0)
    return [j for j in range(first, len(reading.cells)) if _says_something(reading, j)]


def _spare_texts(
    reading: Reading,
    asked: Sequence[Question],
    answers: Mapping[str, AlignedAnswer],
    said: Sequence[int],
) -> Iterator[int]:
    """Texts of the student's own, but for those that answer the question above them."""
    settled: set[int] = set()
    for question in asked:
        texts = _texts_below(reading, question, answers[question.id], said)
        if len(texts) <= _room(reading, question):
            settled |= texts
    yield from (j for j in said if j not in settled)


def _texts_below(
    reading: Reading, question: Question, answer: AlignedAnswer, said: Sequence[int]
) -> set[int]:
    """The texts that a question has; one of code has them where there is no code."""
    cells: Sequence[int] = answer.cells
    if not is_for_person(question) and not question.markdown:
        region = range(len(reading.cells)) if not answer.attempted else ()
        cells = [j for j in region if reading.region(j) == question.id]
    return {j for j in cells if j in said}


def _room(reading: Reading, question: Question) -> int:
    """How many texts of the student's own a question asks for."""
    own = [i for i in reading.own_cells(question) if reading.release[i].kind != "code"]
    return max(1, sum(i not in reading.matched for i in own))


def _says_something(reading: Reading, j: int) -> bool:
    """Whether a cell is more than a caption, and neither ours nor code that was commented out."""
    cell = reading.cells[j]
    if reading.owner(j) is not None or not _SAYS.search(cell.remark or cell.text):
        return False
    if cell.remark:
        return reading.is_own_remark(j) and parse_cell(cell.remark) is None
    return reading.is_own_text(j)


def _named(
    reading: Reading,
    asked: Sequence[Question],
    answers: Mapping[str, AlignedAnswer],
    said: Sequence[int],
) -> tuple[dict[str, AlignedAnswer], set[int]]:
    """The answers, and texts elsewhere that begin with the number of a question without one."""
    begun = {q.id: [j for j in said if _begins_with(reading, j, q)] for q in asked}
    found, named = dict(answers), set[int]()
    for question in filter(is_for_person, asked):
        answer, own = answers[question.id], begun[question.id]
        others = {j for q in asked if q.id != question.id for j in begun[q.id]}
        texts = [j for j in answer.cells if j in said]
        if len(own) != 1 or not answer.found or not others.issuperset(texts):
            continue
        if not set(own).isdisjoint(texts):
            continue
        named |= set(own)
        words = f"text that begins with the question's number: cell {{{own[0]}}}"
        kept = [j for j in answer.cells if j not in texts and _is_code(reading, j)]
        cells = tuple(sorted({*kept, *own}))
        evidence = (Evidence(words, LABELLED),)
        found[question.id] = replace(answer, cells=cells, attempted=True, evidence=evidence)
    return {q.id: _without_texts(reading, q, found, begun, named) for q in asked}, named


def _without_texts(
    reading: Reading,
    question: Question,
    found: Mapping[str, AlignedAnswer],
    begun: Mapping[str, Sequence[int]],
    named: Collection[int],
) -> AlignedAnswer:
    """A question's answer without texts that were found to be another's."""
    answer = found[question.id]
    cells = tuple(j for j in answer.cells if j not in named or j in begun[question.id])
    if cells == answer.cells:
        return answer
    return replace(answer, cells=cells, attempted=reading.is_attempted(question, cells))


def _begins_with(reading: Reading, j: int, question: Question) -> bool:
    """Whether a text begins with a question's id, or its section and label."""
    cell = reading.cells[j]
    return bool(_number(question).match(cell.remark or cell.source))


@functools.lru_cache(maxsize=1024)
def _number(question: Question) -> re.Pattern[str]:
    forms = [re.escape(question.id)] if _NUMBER.search(question.id) else []
    if question.label:
        forms.append(rf"{re.escape(question.section)}[\s.:]*\(?{re.escape(question.label)}\)?")
    return re.compile(rf"[\W_]*(?:{'|'.join(forms) or '(?!)'})(?![^\W_]|\.\d)", re.IGNORECASE)


# --- what is left over -----------------------------------------------------------


def _completed(
    reading: Reading, question: Question, answer: AlignedAnswer, spare: _Spare
) -> AlignedAnswer:
    """The answer, with what may have been lost of it."""
    if answer.attempted:
        return _with_candidates(reading, question, answer, spare)
    if question.kind is QuestionKind.CODE:
        return _lost_code(reading, question, _with_text(reading, question, answer, spare), spare)
    return _lost_text(reading, question, answer, spare)


def _with_candidates(
    reading: Reading, question: Question, answer: AlignedAnswer, spare: _Spare
) -> AlignedAnswer:
    if answer.is_sure:
        return answer
    possible = _possible(reading, question, spare, answer)
    return replace(answer, candidates=tuple(dict.fromkeys((*answer.cells, *possible))))


def _with_text(
    reading: Reading, question: Question, answer: AlignedAnswer, spare: _Spare
) -> AlignedAnswer:
    """A question of code that nothing but text answers is for a person to judge."""
    has_part = any(q.part_of == question.id for q in reading.assignment.questions)
    every = (j for j in range(len(reading.cells)) if j not in spare.named)
    here = [j for j in every if reading.region(j) == question.id]
    text = [j for j in here if reading.owner(j) is None and reading.is_own_text(j)]
    if has_part or not text:
        return answer
    return replace(answer, cells=tuple(sorted({*answer.cells, *text})), in_text=True)


def _lost_code(
    reading: Reading, question: Question, answer: AlignedAnswer, spare: _Spare
) -> AlignedAnswer:
    """Code elsewhere that is like the question's, where nothing was written below its prompt."""
    likeness = {j: reading.code_likeness(j, question) for j in spare.code}
    best = max(spare.code, key=lambda j: likeness[j], default=None)
    if best is not None and likeness[best] >= TAKEN and not question.names:
        words = f"cell {{{best}}} is {likeness[best]:.0%} like the release's or the solution's"
        evidence = (Evidence(words, likeness_weight(likeness[best])),)
        found = replace(answer, cells=(best,), found=True, attempted=True, evidence=evidence)
        return replace(found, notes=(*answer.notes, f"taken from elsewhere: {words}"))
    return _doubted(reading, question, answer, spare)


def _lost_text(
    reading: Reading, question: Question, answer: AlignedAnswer, spare: _Spare
) -> AlignedAnswer:
    """Text elsewhere, where nothing stands below its prompt: by the label, or any at all."""
    label = (question.section, question.label)
    own = [j for j in spare.texts if question.label and label in reading.cells[j].labels]
    if len(own) == 1 and not answer.found:
        evidence = (Evidence(f"text that begins with the label {' '.join(label)}", LABELLED),)
        return replace(answer, cells=tuple(own), found=True, attempted=True, evidence=evidence)
    return _doubted(reading, question, answer, spare)


def _doubted(
    reading: Reading, question: Question, answer: AlignedAnswer, spare: _Spare
) -> AlignedAnswer:
    """An answer that was not found where it should be, and may stand elsewhere."""
    possible = _possible(reading, question, spare, answer) or _in_place_of_gone(
        reading, question, answer, spare
    )
    if not possible:
        return answer
    doubt = "nothing stands below its prompt" if answer.found else "its prompt was not found"
    return replace(
        answer, candidates=possible, doubts=(f"{doubt}, and the answer may stand elsewhere",)
    )


def _possible(
    reading: Reading, question: Question, spare: _Spare, answer: AlignedAnswer
) -> tuple[int, ...]:
    """The cells that may be the answer, most likely first."""
    likeness: dict[int, float] = dict.fromkeys(answer.candidates, 1.0)
    if is_for_person(question):
        # What was written elsewhere may be the answer in whatever words.
        likeness |= {j: 1.0 + reading.text_likeness(j, question) for j in spare.texts}
    if question.kind is not QuestionKind.WRITTEN:
        for j in spare.code:
            likeness.setdefault(j, reading.code_likeness(j, question) / POSSIBLE)
    likely = sorted((j for j in likeness if likeness[j] >= 1.0), key=lambda j: -likeness[j])
    return tuple(likely[:MAX_CANDIDATES])


def _in_place_of_gone(
    reading: Reading, question: Question, answer: AlignedAnswer, spare: _Spare
) -> tuple[int, ...]:
    """Code of the student's, where a question's own cell is gone, or in one with others'."""
    own = [i for i in reading.own_cells(question) if reading.release[i].role == "answer"]
    code = [i for i in own if reading.release[i].kind == "code"]
    if not answer.found or not code or question.kind is QuestionKind.WRITTEN:
        return ()
    is_gone = not answer.cells and not any(i in reading.matched for i in code)
    if not is_gone and (question.names or not reading.parts):
        return ()
    # In a cell with several answers, one may not be told from the next.
    possible = sorted({*spare.code, *(j for j in reading.parts if reading.is_own(j))})
    found = [j for j in possible if len(reading.cells[j].code.leaves) >= LEAST_LINES]
    return tuple(found[:MAX_CANDIDATES])


def likeness_weight(likeness: float) -> float:
    """What a likeness of texts says: little at the least that counts, nearly all from 0.8 on."""
    return round(min(SURE, 0.3 + 3.0 * max(0.0, likeness - LEAST_LIKENESS)), 2)
