"""JUnit XML in the dialect that GitLab reads: a submission is a suite, a question a case.

GitLab shows `classname` as the suite, drops cases of the same name, and reads the text inside
`failure`, `error` and `skipped`; scores are properties.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from grader.lms.records import Form, OutputFile, Plan, ScoreRow, Skipped
from grader.records import CheckStatus, QuestionReport, QuestionStatus, Report
from grader.reports import from_json
from grader.reports.audience import for_student
from grader.reports.plain import clip, plain
from grader.reports.wording import number, out_of, reason

SYSTEM = "junit"
MAX_BYTES = 30 << 20
"""GitLab does not read larger files."""

LEFT_OUT = {
    QuestionStatus.PENDING: "waits for a person",
    QuestionStatus.UNGRADED: "could not be graded, through no fault of the student",
}


def junit_xml(reports: Sequence[tuple[str, Report]]) -> bytes:
    """Suites for pairs of a submission's id and its report; hidden checks stay hidden."""
    root = ET.Element("testsuites", name="nn-grader")
    labels = _distinct([plain(identity) for identity, _ in reports])
    for label, (_, report) in zip(labels, reports, strict=True):
        root.append(_suite(label, for_student(report)))
    ET.indent(root, " ")
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _suite(label: str, report: Report) -> ET.Element:
    cases = [_case(label, question) for question in report.questions]
    names = _distinct([case.get("name", "") for case in cases])
    for case, name in zip(cases, names, strict=True):
        case.set("name", name)
    counts = Counter(child.tag for case in cases for child in case)
    suite = ET.Element(
        "testsuite",
        name=label,
        tests=str(len(cases)),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped=str(counts["skipped"]),
        time=f"{report.seconds:.3f}",
    )
    properties = ET.SubElement(suite, "properties")
    for name in ("score", "max_score", "pending"):
        ET.SubElement(properties, "property", name=name, value=number(getattr(report, name)))
    suite.extend(cases)
    return suite


def _case(label: str, question: QuestionReport) -> ET.Element:
    name = plain(f"{question.id} {question.title}").strip()
    case = ET.Element("testcase", classname=label, name=name)
    if question.status is QuestionStatus.PASSED:
        return case
    if question.status in LEFT_OUT:
        kind, message = "skipped", LEFT_OUT[question.status]
    elif question.max_points:
        kind = "failure"
        message = out_of(question.points, question.max_points) + " points"
    else:
        kind, message = "skipped", "no points; " + question.status.value.replace("_", " ")
    why = ET.SubElement(case, kind, message=_attribute(message, reason(question)))
    why.text = clip("\n".join([message, *_failures(question)]), 3000, 1000)
    return case


def _attribute(message: str, why: str) -> str:
    return " ".join(plain(f"{message}: {why}" if why else message).split())[:300]


def _failures(question: QuestionReport) -> list[str]:
    failed = [check for check in question.checks if check.status is not CheckStatus.PASSED]
    lines = [f"{check.description or check.name}: {check.message}" for check in failed]
    return [plain(line) for line in [*lines, *question.notes]]


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, numbered where one occurs again."""
    taken: set[str] = set()
    made = []
    for name in names:
        label, number_ = name, 1
        while label in taken:
            number_ += 1
            label = f"{name} ({number_})"
        taken.add(label)
        made.append(label)
    return made


def plan(rows: Sequence[ScoreRow]) -> Plan:
    """One file with all submissions that have a report."""
    reports, skipped = [], []
    for row in rows:
        if row.report is not None and row.report.is_file():
            reports.append((row.id, from_json(row.report.read_text(encoding="utf-8"))))
        else:
            skipped.append(Skipped(row.id, row.name, "it has no report.json"))
    content = junit_xml(reports)
    too_long = f"the file has {len(content) >> 20} MB, and GitLab reads no more than 30"
    notes = (too_long,) if len(content) > MAX_BYTES else ()
    return Plan(
        SYSTEM, Form.FILE, (OutputFile("junit.xml", content),), (), tuple(skipped), 0, notes
    )
