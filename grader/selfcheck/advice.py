"""What a student may try next, by what a check met."""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.records import CheckResult, CheckStatus, QuestionReport
from grader.reports.plain import one_line
from grader.reports.wording import CAUSES

_UNDEFINED = re.compile(r"`\w+` is not defined")
# The first that fits the message counts: what to try, by how a check says what is wrong.
TRY_BY_MESSAGE = (
    (
        re.compile(r"raised NotImplementedError"),
        "write your answer in place of `raise NotImplementedError`, run the cell and save",
    ),
    (
        re.compile(r"`(?P<name>\w+)` is not defined"),
        (
            "define `{name}`, spelled just like this, and save; then restart the kernel and run "
            "all cells: a name may live on in your kernel although no cell defines it any more"
        ),
    ),
    (
        re.compile(r"\breturns? None\b|\bnot None\b|None, not"),
        "end the function with a `return` of its result: printing it is not enough",
    ),
    (
        re.compile(r"\bNaN\b|\binfinit|\binf\b"),
        (
            "call it with that input and print each step: log(0), 0/0 and exp of a large number "
            "are where NaN and infinity come from"
        ),
    ),
    (
        re.compile(r"\bshape\b"),
        "print the `.shape` of everything that goes into this result, and of the result",
    ),
    (
        re.compile(r"\bchange[sd]? (its|the|your) (argument|input)|left .* as (it|they) w"),
        "work on a copy: `x = x.copy()`, or `a = a - b` in place of `a -= b`",
    ),
    (
        re.compile(r"your code raised (?P<name>\w+)"),
        "call it in a new cell in the same way, and read the traceback from its end",
    ),
)
TRY_GRADIENT = (
    "compute one element by hand: {element} of the gradient, beside "
    "(f(x + h) - f(x - h)) / 2h for h = 1e-5"
)
TRY_VALUE = "call it in a new cell with the input that is named, and compare by hand"
TRY_TIME = "look for a loop that does not end; if there is none, work on whole arrays"


@dataclass(frozen=True)
class Advice:
    """What is said of one check: a sentence, what it asks for, the named mistake, what to try."""

    sentence: str
    hint: str
    diagnosis: str
    attempt: str


def advise(check: CheckResult) -> Advice:
    """What is said of a check that did not pass."""
    said = one_line(check.message) or CAUSES.get(check.cause, "") or f"the check {check.status}"
    diagnosis = one_line(check.diagnosis.text) if check.diagnosis is not None else ""
    hint = one_line(check.description)
    return Advice(
        sentence=said,
        hint="" if hint == check.name else hint,
        diagnosis="" if diagnosis == said else diagnosis,
        attempt=_attempt(check, said),
    )


def is_undefined(check: CheckResult) -> bool:
    """Whether a check only met with a name that nobody has defined."""
    return bool(_UNDEFINED.fullmatch(check.message))


def blank_cells(question: QuestionReport) -> str:
    """Where the answer belongs that is not there yet."""
    undefined = [check.message for check in question.checks if is_undefined(check)]
    if undefined and len(undefined) == len(question.checks):
        return f"{undefined[0]}: {_place(question)}, and its cell has to be run"
    return _place(question)


def _place(question: QuestionReport) -> str:
    if question.files:
        return f"the answer belongs into {question.files[0].path}"
    if not question.cells:
        return "its cell was not found in the notebook: take it from the release again"
    numbers = ", ".join(map(str, question.cells))
    return f"the answer belongs into cell {numbers} (the first cell is 0)"


def _attempt(check: CheckResult, said: str) -> str:
    if check.cause in ("author", "grader"):
        return "hand in all the same, and tell your teachers what stands here"
    if check.cause == "environment" or check.status is CheckStatus.INCONCLUSIVE:
        return ""
    if check.status is CheckStatus.TIMEOUT:
        return TRY_TIME
    if check.evidence is not None and check.evidence.worst and "NaN" not in said:
        index = list(check.evidence.worst[0].index)
        return TRY_GRADIENT.format(element=f"element {index}" if index else "the only element")
    for pattern, words in TRY_BY_MESSAGE:
        if found := pattern.search(said):
            return words.format_map(found.groupdict())
    return TRY_VALUE
