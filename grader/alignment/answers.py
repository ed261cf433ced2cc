"""From places to answers: which cells answer a question, how sure that is, and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from grader.alignment.definitions import Found, every_definition, find_definitions
from grader.alignment.matching import LEAST_LIKENESS, SAME_LABEL, label_evidence
from grader.alignment.reading import Reading
from grader.alignment.records import AlignedAnswer, Evidence
from grader.assignment import Question
from grader.records import QuestionKind

SURE, LETTER, ORDER = 0.95, 0.45, 0.3
LABELLED = 0.9
# From this likeness on, code is taken for an answer; from that on, it may be one.
TAKEN, POSSIBLE = 0.6, 0.3
POSSIBLE_TEXT = 0.4
MAX_CANDIDATES = 6
# Shorter code is a test, or a line of a plot.
LEAST_LINES = 2


def answers(reading: Reading) -> dict[str, AlignedAnswer]:
    """The answers to the questions that cells answer, by question id."""
    asked = [question for question in reading.assignment.questions if not question.file]
    found = find_definitions(reading, asked)
    first = {q.id: _answer(reading, q, found.get(q.id, Found())) for q in asked}
    coded = {j for q in asked if q.kind is QuestionKind.CODE for j in first[q.id].cells}
    first |= {q.id: _without(reading, first[q.id], coded) for q in asked if _is_for_person(q)}
    # Below the prompt of a written answer, code may be another question's.
    texts = {j for a in first.values() for j in a.cells if reading.cells[j].kind != "code"}
    taken = coded | texts
    spare = [j for j in range(len(reading.cells)) if j not in taken and _is_spare(reading, j)]
    complete = {q.id: _completed(reading, q, first[q.id], spare) for q in asked}
    return {identity: with_experiments(reading, a) for identity, a in complete.items()}


def _is_for_person(question: Question) -> bool:
    return question.kind is not QuestionKind.CODE


def _without(reading: Reading, answer: AlignedAnswer, coded: Collection[int]) -> AlignedAnswer:
    """A written answer without code that answers another question."""
    cells = tuple(j for j in answer.cells if j not in coded or reading.owner(j) is not None)
    if cells == answer.cells:
        return answer
    return replace(answer, cells=cells, attempted=has_work(reading, cells))


def _is_spare(reading: Reading, j: int) -> bool:
    """Whether a cell may be an answer that was lost: the student's own, and no cell of ours."""
    is_text = reading.cells[j].kind != "code"
    own = reading.is_own_text(j) if is_text else reading.is_own(j)
    return own and reading.owner(j) is None


def _answer(reading: Reading, question: Question, found: Found) -> AlignedAnswer:
    """The cells below the prompt, and those elsewhere that define what is asked for."""
    below = reading.below(question)
    prompt = reading.prompt(question)
    if not has_work(reading, below) and _is_answered_in(reading, question, prompt):
        below = [prompt] if prompt is not None else []
    cells = tuple(sorted({*below, *found.cells}))
    if found.moved:
        # What is left below the prompt is a stub, and would be taken for the end of the answer.
        cells = tuple(j for j in cells if j in found.cells or reading.is_own(j))
    position = _position_evidence(reading, question, prompt, below)
    evidence = (*found.evidence, *(() if found.moved or found.contested else position))
    is_found = prompt is not None or bool(cells)
    answer = AlignedAnswer(
        question=question.id,
        cells=cells,
        found=is_found,
        attempted=has_work(reading, cells),
        notes=found.notes,
        defines=found.defines,
        evidence=evidence if is_found else (),
        candidates=found.candidates,
        alternatives=found.alternatives,
    )
    if answer.is_sure or not answer.defines:
        return answer
    return replace(answer, alternatives=every_definition(reading, question, cells))


def has_work(reading: Reading, cells: Sequence[int]) -> bool:
    """Whether one of the cells shows work."""
    return any(_is_attempt(reading, j) for j in cells)


def _is_attempt(reading: Reading, j: int) -> bool:
    """Whether a cell shows work: code handed out complete must have been run."""
    cell, owner = reading.cells[j], reading.owner(j)
    if owner is not None and owner.role == "test":
        return False
    if owner is not None and owner.role == "given":
        changed = reading.is_own(j) and bool(cell.code.leaves - owner.code.leaves)
        # Where outputs were cleared, whoever wrote code will have run what was given, too.
        return cell.was_run or changed or (not reading.is_recorded and reading.has_own_code)
    return reading.is_own(j)


def _is_answered_in(reading: Reading, question: Question, prompt: int | None) -> bool:
    """Whether an answer was typed into the very cell that asks."""
    owner = reading.owner(prompt) if prompt is not None else None
    takes_text = question.kind is not QuestionKind.CODE or question.markdown
    if prompt is None or owner is None or not takes_text:
        return False
    asked = {line.strip() for line in owner.source.splitlines() if line.strip()}
    lines = [line.strip() for line in reading.cells[prompt].source.splitlines() if line.strip()]
    added = [line for line in lines if line not in asked]
    # A prompt in other words is no answer: what was asked must still stand there.
    return bool(added) and asked <= set(lines)


# --- evidence -----------------------------------------------------------------


def _position_evidence(
    reading: Reading, question: Question, prompt: int | None, below: Sequence[int]
) -> tuple[Evidence, ...]:
    found = []
    if prompt is not None and (not below or reading.are_below(prompt, below)):
        found = _prompt_evidence(reading, prompt)
    own = reading.own_cells(question)
    same = [(i, reading.matched[i]) for i in own if reading.matched.get(i) in below]
    if same:
        found.append(max((_same_cell(reading, i, j) for i, j in same), key=lambda e: e.weight))
    if not found and below:
        found.append(Evidence("its place in the order of the cells", ORDER))
    return tuple(found)


def _prompt_evidence(reading: Reading, j: int) -> list[Evidence]:
    ours, theirs = reading.owner(j), reading.cells[j]
    if ours is None:
        return []
    question = reading.assignment.question(ours.question)
    likeness = float(reading.likeness.texts[reading.places[j].at, j])
    by_label = label_evidence(ours.labels, theirs.labels)
    name = f"{question.section} ({question.label})" if question.label else question.section
    if _is_same(reading, j):
        return [Evidence("below its prompt, which has the release's id", SURE)]
    evidence = []
    if likeness:
        words = f"below a prompt that is {likeness:.0%} like the release's"
        evidence.append(Evidence(words, _weight(likeness)))
    if by_label >= SAME_LABEL:
        evidence.append(Evidence(f"below the label {name}", LABELLED))
    elif by_label:
        evidence.append(Evidence(f"below the letter ({question.label})", LETTER))
    return evidence


def _is_same(reading: Reading, j: int) -> bool:
    """Whether a cell has the id or the metadata of the release's."""
    ours, theirs = reading.owner(j), reading.cells[j]
    if ours is None:
        return False
    by_metadata = ours.question and (ours.question, ours.role) == (theirs.question, theirs.role)
    return bool(by_metadata or (ours.identity and ours.identity == theirs.identity))


def _same_cell(reading: Reading, i: int, j: int) -> Evidence:
    if _is_same(reading, j):
        return Evidence("a cell with the id of the release's", SURE)
    likeness = float(reading.likeness.texts[i, j])
    if not likeness:
        return Evidence("a cell that defines the same names as the release's", ORDER)
    return Evidence(f"a cell that is {likeness:.0%} like the release's", _weight(likeness))


def _weight(likeness: float) -> float:
    """What a likeness of texts says: little at the least that counts, nearly all from 0.8 on."""
    return round(min(SURE, 0.3 + 3.0 * max(0.0, likeness - LEAST_LIKENESS)), 2)


# --- what is left over ----------------------------------------------------------


def _completed(
    reading: Reading, question: Question, answer: AlignedAnswer, spare: Sequence[int]
) -> AlignedAnswer:
    """The answer, with what may have been lost of it."""
    if answer.attempted:
        return _with_candidates(reading, question, answer, spare)
    if question.kind is QuestionKind.CODE:
        return _lost_code(reading, question, _with_text(reading, question, answer), spare)
    return _lost_text(reading, question, answer, spare)


def _with_candidates(
    reading: Reading, question: Question, answer: AlignedAnswer, spare: Sequence[int]
) -> AlignedAnswer:
    if answer.is_sure:
        return answer
    possible = _possible(reading, question, spare, answer)
    return replace(answer, candidates=tuple(dict.fromkeys((*answer.cells, *possible))))


def _with_text(reading: Reading, question: Question, answer: AlignedAnswer) -> AlignedAnswer:
    """A question of code that nothing but text answers is for a person to judge."""
    has_part = any(q.part_of == question.id for q in reading.assignment.questions)
    here = [j for j in range(len(reading.cells)) if reading.region(j) == question.id]
    text = [j for j in here if reading.owner(j) is None and reading.is_own_text(j)]
    if has_part or not text:
        return answer
    return replace(answer, cells=tuple(sorted({*answer.cells, *text})), in_text=True)


def _lost_code(
    reading: Reading, question: Question, answer: AlignedAnswer, spare: Sequence[int]
) -> AlignedAnswer:
    """Code elsewhere that is like the question's, where nothing was written below its prompt."""
    code = [j for j in spare if reading.cells[j].kind == "code"]
    likeness = {j: reading.code_likeness(j, question) for j in code}
    best = max(code, key=lambda j: likeness[j], default=None)
    if best is not None and likeness[best] >= TAKEN and not question.names:
        words = f"cell {{{best}}} is {likeness[best]:.0%} like the release's or the solution's"
        evidence = (Evidence(words, _weight(likeness[best])),)
        found = replace(answer, cells=(best,), found=True, attempted=True, evidence=evidence)
        return replace(found, notes=(*answer.notes, f"taken from elsewhere: {words}"))
    return _doubted(reading, question, answer, spare)


def _lost_text(
    reading: Reading, question: Question, answer: AlignedAnswer, spare: Sequence[int]
) -> AlignedAnswer:
    """Text that begins with the question's label, where nothing stands below its prompt."""
    label = (question.section, question.label)
    own = [j for j in spare if question.label and label in reading.cells[j].labels]
    if len(own) == 1 and not answer.found:
        evidence = (Evidence(f"text that begins with the label {' '.join(label)}", LABELLED),)
        return replace(answer, cells=tuple(own), found=True, attempted=True, evidence=evidence)
    return _doubted(reading, question, answer, spare)


def _doubted(
    reading: Reading, question: Question, answer: AlignedAnswer, spare: Sequence[int]
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
    reading: Reading, question: Question, spare: Sequence[int], answer: AlignedAnswer
) -> tuple[int, ...]:
    """The cells that may be the answer, most likely first."""
    likeness: dict[int, float] = dict.fromkeys(answer.candidates, 1.0)
    for j in spare:
        if reading.cells[j].kind != "code" and question.kind is not QuestionKind.CODE:
            likeness.setdefault(j, reading.text_likeness(j, question) / POSSIBLE_TEXT)
        elif reading.cells[j].kind == "code" and question.kind is not QuestionKind.WRITTEN:
            likeness.setdefault(j, reading.code_likeness(j, question) / POSSIBLE)
    likely = sorted((j for j in likeness if likeness[j] >= 1.0), key=lambda j: -likeness[j])
    return tuple(likely[:MAX_CANDIDATES])


def _in_place_of_gone(
    reading: Reading, question: Question, answer: AlignedAnswer, spare: Sequence[int]
) -> tuple[int, ...]:
    """Code of the student's, where a question's own cell is gone and its prompt is not."""
    own = [i for i in reading.own_cells(question) if reading.release[i].kind == "code"]
    if not answer.found or answer.cells or not own or question.kind is QuestionKind.WRITTEN:
        return ()
    if any(i in reading.matched for i in own):
        return ()
    # In a cell with several answers, one may not be told from the next.
    possible = sorted({*spare, *(j for j in reading.parts if reading.is_own(j))})
    code = [j for j in possible if len(reading.cells[j].code.leaves) >= LEAST_LINES]
    return tuple(code[:MAX_CANDIDATES])


def with_experiments(reading: Reading, answer: AlignedAnswer) -> AlignedAnswer:
    """The answer, with those of its code cells that count as experiments."""
    if not any(c.is_experiment and c.question == answer.question for c in reading.release):
        return answer
    code = [j for j in answer.cells if reading.cells[j].kind == "code"]
    owners = {j: reading.owner(j) for j in code}
    return replace(
        answer,
        experiments=tuple(j for j in code if (o := owners[j]) is None or o.is_experiment),
    )
