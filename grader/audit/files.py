"""An audit as JSON and as one HTML page."""

from __future__ import annotations

import json
from pathlib import Path

import cattrs
from markupsafe import Markup
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import DiffLexer  # type: ignore[import-untyped]

from grader.audit import table
from grader.audit.records import AuditReport, MutantStatus
from grader.reports.html_report import page_environment


def to_json(report: AuditReport) -> str:
    """The audit as JSON, schema `nn-grader/audit/v1`: the record, the score and the verdict."""
    content = cattrs.Converter().unstructure(report)
    content = {"schema": content.pop("schema"), **content}
    content |= {"mutation_score": report.score, "passed": report.passed}
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_html(report: AuditReport) -> str:
    """The audit as a page in the look of the reports."""
    score = table.score_words(report)
    explained = (MutantStatus.EQUIVALENT, MutantStatus.DECLARED, MutantStatus.EXPLAINED)
    return (
        page_environment()
        .get_template("audit.html.j2")
        .render(
            report=report,
            verdict=[line for line in table.verdict(report) if line != score],
            score=score,
            time=table.time_words(report),
            promise_words=table.WORDS,
            heading=table.heading,
            diff=_diff,
            explained=[mutant for mutant in report.mutants if mutant.status in explained],
            killed=[m for m in report.mutants if m.status is MutantStatus.KILLED],
        )
    )


def write_audit(report: AuditReport, directory: Path) -> list[Path]:
    """Writes audit.html and audit.json into `directory`; returns their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    texts = {"audit.html": to_html(report), "audit.json": to_json(report)}
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8", newline="\n")
    return [directory / name for name in texts]


def _diff(text: str) -> Markup:
    # nowrap: the template's own <pre> is styled; Pygments escapes the text.
    return Markup(highlight(text, DiffLexer(), HtmlFormatter(nowrap=True)))
