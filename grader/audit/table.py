"""An audit on the terminal: tables for a person, plain lines for a pipe."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from grader.audit.records import AuditReport, MutantResult, MutantStatus, Promise
from grader.reports.plain import one_line
from grader.reports.wording import number

FULL_MARKS = "your checks would give full marks to this:"
WORDS = {
    Promise.SOLUTION: "the solution gets full marks",
    Promise.RELEASE: "the release gets nothing",
    Promise.VARIANT: "variants get full marks",
    Promise.MUTANT: "planted mutants cost their questions",
}


def render_audit(report: AuditReport, console: Console) -> None:
    """Prints an audit; what is wrong comes last, where a reader of a terminal looks first."""
    for rows, title in (
        (promise_rows(report), f"{one_line(report.title)}: promises"),
        (cover_rows(report), "Generic mutants by question"),
    ):
        _print_rows(rows, title, console)
    for line in notes(report):
        console.print(Text(line), soft_wrap=True)
    for mutant in report.survivors:
        _print_survivor(mutant, console)
    for line in verdict(report):
        console.print(Text(line), soft_wrap=True)


def promise_rows(report: AuditReport) -> list[tuple[str, ...]]:
    """A row for each kind of promise, and one for each that is broken."""
    rows: list[tuple[str, ...]] = [("Promise", "Kept", "Found")]
    for kind, words in WORDS.items():
        results = [promise for promise in report.promises if promise.promise is kind]
        kept = sum(result.kept for result in results)
        rows.append((words, f"{kept} of {len(results)}", "" if results else "there is none"))
        rows += [(f"  {one_line(r.name)}", "no", one_line(r.found)) for r in results if not r.kept]
    return rows


def cover_rows(report: AuditReport) -> list[tuple[str, ...]]:
    """A row for each code question."""
    head = ("Question", "Points", "Checks", "Hidden", "Mutants", "Killed")
    return [
        head,
        *(
            (
                *(one_line(q.question), number(q.points), str(q.checks), str(q.hidden)),
                *(str(q.mutants), str(q.killed)),
            )
            for q in report.cover
        ),
    ]


def notes(report: AuditReport) -> list[str]:
    """What an author may want to know, and that breaks nothing."""
    lines = [f"Remark: {remark}" for remark in report.remarks]
    if report.idle_checks:
        lines.append(f"Never failed on any mutant: {', '.join(report.idle_checks)}")
    for status, words in (
        (MutantStatus.EQUIVALENT, "Equivalent by numbers"),
        (MutantStatus.DECLARED, "Equivalent by mutants.toml"),
        (MutantStatus.EXPLAINED, "Survives, explained in mutants.toml"),
    ):
        found = [mutant for mutant in report.mutants if mutant.status is status]
        lines += [f"{words}: {mutant.name} ({one_line(mutant.note)})" for mutant in found]
    lines.append(time_words(report))
    return lines


def time_words(report: AuditReport) -> str:
    """How long grading takes."""
    spent = [mutant.seconds for mutant in report.mutants]
    each = f", a generic mutant {number(sum(spent) / len(spent))} s" if spent else ""
    return (
        f"Grading the solution took {number(report.grading_seconds)} s{each}; the audit "
        f"{number(report.seconds)} s in {report.jobs} processes (isolation: {report.isolation})"
    )


def verdict(report: AuditReport) -> list[str]:
    """The mutation score, what is at fault, and whether the audit passed."""
    lines = [f"Fault: {fault}" for fault in report.faults]
    lines.append(score_words(report))
    if report.passed:
        return [*lines, "The audit passed."]
    counts = {
        "broken promise{}": sum(not promise.kept for promise in report.promises),
        "survivor{} without an explanation": len(report.survivors),
        "fault{}": len(report.faults),
    }
    parts = [f"{n} {words.format('s' * (n > 1))}" for words, n in counts.items() if n]
    if is_too_low(report):
        parts.append("a mutation score that is too low")
    return [*lines, f"The audit failed: {', '.join(parts)}."]


def is_too_low(report: AuditReport) -> bool:
    """Whether fewer mutants are killed than must be."""
    return report.score is not None and report.score < report.least_score


def score_words(report: AuditReport) -> str:
    """The mutation score and what it is made of."""
    if report.score is None:
        return "Mutation score: none, for there are no generic mutants"
    right = report.count(MutantStatus.EQUIVALENT, MutantStatus.DECLARED)
    return (
        f"Mutation score: {report.score:.1%} ({report.count(MutantStatus.KILLED)} of "
        f"{len(report.mutants) - right} killed; {right} equivalent; at least "
        f"{report.least_score:.0%} must be)"
    )


def heading(mutant: MutantResult) -> str:
    """What stands above a survivor's diff."""
    if mutant.status is MutantStatus.UNDECIDED:
        return f"{mutant.name}: your checks cannot decide on this:"
    return f"{mutant.name}: {FULL_MARKS}"


def _print_rows(rows: list[tuple[str, ...]], title: str, console: Console) -> None:
    if console.is_terminal:
        table = Table(box=box.SIMPLE_HEAD, title=Text(title), title_justify="left")
        for name in rows[0]:
            table.add_column(name, overflow="fold")
        for row in rows[1:]:
            table.add_row(*map(Text, row))
        console.print(table)
        return
    console.print(Text(title), soft_wrap=True)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows[1:]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.print(Text(line.rstrip()), soft_wrap=True)


def _print_survivor(mutant: MutantResult, console: Console) -> None:
    console.print(Text(f"\n{heading(mutant)}", style="bold"), soft_wrap=True)
    if console.is_terminal:
        console.print(Syntax(mutant.diff, "diff", background_color="default", word_wrap=True))
    else:
        console.print(Text(mutant.diff), soft_wrap=True)
    note = one_line(mutant.note)
    console.print(
        Text(f"{mutant.mistake} Found: {note}" if note else mutant.mistake), soft_wrap=True
    )
    console.print()
