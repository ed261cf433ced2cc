"""A report as Markdown for a page that others wrote: nothing in it can format, link or notify."""

from __future__ import annotations

import re
import string
from html import escape

from grader.records import CheckStatus, QuestionReport, QuestionStatus, Report
from grader.reports.audience import for_student
from grader.reports.plain import clip, one_line, plain
from grader.reports.wording import QUESTION_WORDS, SYMBOLS, earned, out_of, points, reason

_PUNCTUATION = {ord(sign): f"&#{ord(sign)};" for sign in string.punctuation}
# A name behind an at sign is not to be called: a zero-width space keeps them apart.
_PUNCTUATION[ord("@")] = "&#64;&#8203;"
_EMPTY_LINES = re.compile(r"\n\s*\n")
HEAD = "| | Question | Points | |\n|---|---|--:|---|\n"
CUT = "\n*{left} more questions are in the report: there is no more room here.*\n"


def text(value: str) -> str:
    """A text on one line; signs are written by their numbers, which mean nothing in Markdown."""
    return one_line(value).translate(_PUNCTUATION)


def block(value: str) -> str:
    """A longer text as it is, in a box. Markdown is not read inside of `<pre>`."""
    kept = escape(plain(clip(value, 3000, 1000)).strip("\n"))
    # An empty line would end the box for some readers of Markdown.
    kept = kept.replace("@", _PUNCTUATION[ord("@")])
    return f"<pre>{_EMPTY_LINES.sub(chr(10) + '&#8203;' + chr(10), kept)}</pre>\n"


def summary(report: Report, room: int) -> str:
    """The report as students may see it, in at most `room` bytes of UTF-8."""
    shown = for_student(report)
    made = _head(shown)
    rest = [*(_row(q) for q in shown.questions), "\n", *(_details(q) for q in shown.questions)]
    pieces, used = [], len(made.encode())
    for place, piece in enumerate(rest):
        used += len(piece.encode())
        if used > room - len(CUT) - 20:
            pieces.append(CUT.format(left=len(rest) - place))
            break
        pieces.append(piece)
    return made + "".join(pieces)


def fault_summary(fault: str) -> str:
    """What is said where there is no report."""
    return f"## Not graded\n\n{block(fault)}"


def _head(report: Report) -> str:
    waiting = f", {points(report.pending)} not graded yet" if report.pending else ""
    title = f"## {text(report.title)}: {out_of(report.score, report.max_score)}{waiting}\n\n"
    notes = "".join(f"- {text(note)}\n" for note in report.notes)
    return f"{title}{notes}\n{HEAD}"


def _row(question: QuestionReport) -> str:
    symbol, words = SYMBOLS[question.status.value], QUESTION_WORDS[question.status]
    name = text(f"{question.id} {question.title}")
    return f"| {symbol} | {name} | {earned(question)} | {words}{_why(question)} |\n"


def _why(question: QuestionReport) -> str:
    why = text(one_line(reason(question))[:200])
    return f": {why}" if why and question.status is not QuestionStatus.PASSED else ""


def _details(question: QuestionReport) -> str:
    failed = [check for check in question.checks if check.status is not CheckStatus.PASSED]
    if not failed:
        return ""
    title = text(f"{question.id} {question.title}")
    pieces = [f"\n### {title}\n"]
    for check in failed:
        said = [check.message, check.diagnosis.text if check.diagnosis else ""]
        pieces.append(f"\n{text(check.description or check.name)}\n\n")
        pieces.append(block("\n".join(filter(None, said)) or check.status.value))
    return "".join(pieces)


def points_table(report: Report) -> list[str]:
    """The points for a log, in the author's words: a student's stand in no line of it."""
    rows = [f"  {q.id:10} {earned(q):>10}  {QUESTION_WORDS[q.status]}" for q in report.questions]
    return [*rows, f"  {'':10} {out_of(report.score, report.max_score):>10}"]
