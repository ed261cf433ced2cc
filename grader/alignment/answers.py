"""From places to answers: which cells answer a question, how sure that is, and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from grader.alignment.definitions import Found, every_definition, find_definitions
from grader.alignment.lost import LABELLED, SURE, is_for_person, likeness_weight, with_lost
from grader.alignment.matching import SAME_LABEL, label_evidence
from grader.alignment.reading import Reading
from grader.alignment.records import AlignedAnswer, Evidence
from grader.assignment import Question
from grader.records import QuestionKind
from grader.rewriting import listed

LETTER, ORDER = 0.45, 0.3


def answers(reading: Reading) -> dict[str, AlignedAnswer]:
    """The answers to the questions that cells answer, by question id."""
    asked = [question for question in reading.assignment.questions if not question.file]
    found = find_definitions(reading, asked)
    first = {q.id: _answer(reading, q, found.get(q.id, Found())) for q in asked}
    coded = {j for q in asked if q.kind is QuestionKind.CODE for j in first[q.id].cells}
    coded = {j for j in coded if not reading.cells[j].remark}
    first |= {q.id: _without(reading, q, first[q.id], coded) for q in asked if is_for_person(q)}
    complete = with_lost(reading, asked, first, coded)
    return {identity: with_experiments(reading, a) for identity, a in complete.items()}


def _without(
    reading: Reading, question: Question, answer: AlignedAnswer, coded: Collection[int]
) -> AlignedAnswer:
    """A written answer without code that answers another question."""
    cells = tuple(j for j in answer.cells if j not in coded or reading.owner(j) is not None)
    if cells == answer.cells:
        return answer
    return replace(answer, cells=cells, attempted=reading.is_attempted(question, cells))


def _answer(reading: Reading, question: Question, found: Found) -> AlignedAnswer:
    """The cells below the prompt, and those elsewhere that define what is asked for."""
    below = reading.below(question)
    prompt = reading.prompt(question)
    if not reading.is_attempted(question, below) and _is_answered_in(reading, question, prompt):
        below = [prompt] if prompt is not None else []
    cells = tuple(sorted({*below, *found.cells}))
    if found.moved:
        # What is left below the prompt is a stub, and would be taken for the end of the answer.
        cells = tuple(j for j in cells if j in found.cells or reading.is_own(j))
    # A stub that was left says nothing of where the answer stands.
    work = [j for j in below if reading.is_attempted(question, [j])]
    position = _position_evidence(reading, question, prompt, work or below)
    evidence = (*found.evidence, *(() if found.moved or found.contested else position))
    is_found = prompt is not None or bool(cells)
    answer = AlignedAnswer(
        question=question.id,
        cells=cells,
        found=is_found,
        attempted=reading.is_attempted(question, cells),
        notes=found.notes,
        defines=found.defines,
        evidence=evidence if is_found else (),
        candidates=found.candidates,
        alternatives=found.alternatives,
        doubts=_what_is_absent(reading, question, prompt, cells),
    )
    if answer.is_sure or not answer.defines:
        return answer
    return replace(answer, alternatives=every_definition(reading, question, cells))


def _what_is_absent(
    reading: Reading, question: Question, prompt: int | None, cells: Sequence[int]
) -> tuple[str, ...]:
    """What speaks for it that a part of the answer was left out with the text around it."""
    is_code = question.kind is QuestionKind.CODE and not question.markdown
    if not is_code or prompt is not None or not reading.is_attempted(question, cells):
        return ()
    absent = sorted(set(question.names) - reading.bound)
    if not absent:
        return ()
    return (f"neither its prompt nor any cell that defines {listed(absent)} is in the notebook",)


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
        evidence.append(Evidence(words, likeness_weight(likeness)))
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
    return Evidence(f"a cell that is {likeness:.0%} like the release's", likeness_weight(likeness))


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
