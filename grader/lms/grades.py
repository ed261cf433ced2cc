"""Putting scores into a school's own sheet without lowering or blanking one by accident."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from grader.errors import UsageError
from grader.lms.names import name_keys, plain_key
from grader.lms.records import Change, ExportOptions, Form, OutputFile, Plan, ScoreRow, Skipped
from grader.lms.sheet import Sheet, as_text, parse_number

HALF_A_STEP = 0.005
"""Grades are written with two decimals: what differs by less is the same grade."""

INTERNAL = ("canvas_id", "canvas_anonymous_id", "canvas_prefix", "moodle_id", "brightspace_user")
"""Keys of submissions whose id is a number that the LMS made up."""

Keys = Callable[[ScoreRow], Iterable[str]]


@dataclass(frozen=True)
class Matcher:
    """One way to find a submission's rows: what a submission offers, what each record has.

    `several` says that a submission may stand for many rows, as a group's does;
    `is_final` that who offers something here is not looked for in other ways.
    """

    offers: Keys
    has: dict[int, Iterable[str]]
    several: bool = False
    is_final: bool = False


@dataclass(frozen=True)
class Target:
    """Where in a sheet the grades go.

    `maximum` is a record's highest grade, None where the sheet does not say;
    `refuses` says why a record must be left alone. `blank_words` stand in the
    cells of those who have no grade yet.
    """

    system: str
    file_name: str
    records: Sequence[int]
    grade: int
    matchers: Sequence[Matcher]
    maximum: Callable[[int], float | None]
    refuses: Callable[[int], str] = lambda record: ""
    comment: int | None = None
    write_comment: Callable[[str], str] = as_text
    fixed: dict[int, str] = field(default_factory=dict)
    is_capped: bool = False
    blank_words: frozenset[str] = frozenset()


@dataclass
class _Draft:
    decimal_mark: str
    edits: dict[tuple[int, int], str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    unchanged: int = 0

    def skip(self, row: ScoreRow, reason: str) -> None:
        self.skipped.append(Skipped(row.id, row.name, reason))


def plan_sheet(
    sheet: Sheet, target: Target, rows: Sequence[ScoreRow], options: ExportOptions
) -> Plan:
    """What the scores would change in a sheet; the plan holds the sheet as it would be.

    Raises:
        UsageError: the sheet's maximum is another one, and nobody said what to do.
    """
    draft = _Draft(sheet.decimal_mark(target.grade))
    found = _matched(target, rows, draft)
    for row, records in found:
        for record in records:
            _plan_record(sheet, target, row, record, options, draft)
    content = sheet.edited(draft.edits).to_bytes()
    return Plan(
        target.system,
        Form.FILE,
        (OutputFile(target.file_name, content),),
        tuple(draft.changes),
        tuple(draft.skipped),
        draft.unchanged,
        _notes(target, found),
    )


def _matched(
    target: Target, rows: Sequence[ScoreRow], draft: _Draft
) -> list[tuple[ScoreRow, list[int]]]:
    indexes = [_index(matcher) for matcher in target.matchers]
    found = []
    for row in rows:
        records, is_ambiguous = _records_of(row, target.matchers, indexes)
        if is_ambiguous:
            draft.skip(row, "several rows of the sheet fit")
        elif not records:
            draft.skip(row, "not in the sheet")
        else:
            found.append((row, records))
            _say_missing_members(row, records, draft)
    claims = Counter(record for _, records in found for record in records)
    clear = []
    for row, records in found:
        if any(claims[record] > 1 for record in records):
            draft.skip(row, "another submission fits the same row of the sheet")
        else:
            clear.append((row, records))
    return clear


def _say_missing_members(row: ScoreRow, records: Sequence[int], draft: _Draft) -> None:
    members = list(filter(None, row.keys.get("members", "").split("\n")))
    if len(members) > len(records):
        lost = len(members) - len(records)
        draft.skip(row, f"{lost} of the group's {len(members)} members: not in the sheet")


def _index(matcher: Matcher) -> dict[str, list[int]]:
    index = defaultdict(list)
    for record, keys in matcher.has.items():
        for key in {key for key in keys if key}:
            index[key].append(record)
    return index


def _records_of(
    row: ScoreRow, matchers: Sequence[Matcher], indexes: Sequence[dict[str, list[int]]]
) -> tuple[list[int], bool]:
    """The records of a submission, by the first way that finds any; whether it was undecided."""
    for matcher, index in zip(matchers, indexes, strict=True):
        offered = {key for key in matcher.offers(row) if key}
        records = sorted({record for key in offered for record in index.get(key, [])})
        if records:
            is_clear = len(records) == 1 or matcher.several
            return (records, False) if is_clear else ([], True)
        if offered and matcher.is_final:
            break
    return [], False


def _plan_record(
    sheet: Sheet,
    target: Target,
    row: ScoreRow,
    record: int,
    options: ExportOptions,
    draft: _Draft,
) -> None:
    if reason := target.refuses(record):
        draft.skip(row, reason)
        return
    value = _scaled(row, target.maximum(record), options)
    old = sheet.value(record, target.grade)
    if reason := _objection(row, value, old, target, target.maximum(record), options):
        draft.skip(row, reason)
        return
    before = parse_number(old)
    if before is not None and abs(before - value) < HALF_A_STEP:
        draft.unchanged += 1
    else:
        new = f"{value:.2f}".replace(".", draft.decimal_mark)
        _change(sheet, row, record, target.grade, new, draft)
    if options.comments:
        _plan_comment(sheet, target, row, record, draft)


def _scaled(row: ScoreRow, maximum: float | None, options: ExportOptions) -> float:
    if maximum is None or options.scale is False or abs(maximum - row.max_score) < HALF_A_STEP:
        return row.score
    if options.scale is None:
        raise UsageError(
            f"the sheet's maximum is {maximum:g} points, the assignment's {row.max_score:g}: "
            "say --scale to convert the scores or --no-scale to write them as they are"
        )
    return row.score * maximum / row.max_score if row.max_score else math.nan


def _objection(
    row: ScoreRow,
    value: float,
    old: str,
    target: Target,
    maximum: float | None,
    options: ExportOptions,
) -> str:
    """Why a grade is left as it is; empty where nothing speaks against the new one."""
    before = parse_number(old)
    is_word = before is None and old.strip() and old.strip().casefold() not in target.blank_words
    cases = {
        "it has no score": not math.isfinite(value),
        f"{row.pending:g} points wait for a person (--with-pending writes it all the same)": (
            row.pending > 0 and not options.with_pending
        ),
        f"the sheet has {old.strip()!r} instead of a grade": is_word,
        f"{value:.2f} is more than the maximum": (
            target.is_capped and maximum is not None and value > maximum + HALF_A_STEP
        ),
        f"{value:.2f} is lower than {old.strip()} (--lower writes it all the same)": (
            before is not None and value < before - HALF_A_STEP and not options.lower
        ),
    }
    return next((reason for reason, applies in cases.items() if applies), "")


def _change(sheet: Sheet, row: ScoreRow, record: int, column: int, new: str, draft: _Draft) -> None:
    old = sheet.value(record, column)
    draft.edits[record, column] = new
    draft.changes.append(Change(row.id, row.name, sheet.header[column], old, new))


def _plan_comment(sheet: Sheet, target: Target, row: ScoreRow, record: int, draft: _Draft) -> None:
    if target.comment is None or not row.comment.strip():
        return
    new = target.write_comment(row.comment)
    old = sheet.value(record, target.comment)
    if old.strip() and old != new:
        draft.skip(row, "the comment: the sheet has another one already")
    elif old != new:
        _change(sheet, row, record, target.comment, new, draft)
        for column, text in target.fixed.items():
            if not sheet.value(record, column).strip():
                draft.edits[record, column] = text


def _notes(target: Target, found: list[tuple[ScoreRow, list[int]]]) -> tuple[str, ...]:
    reached = {record for _, records in found for record in records}
    untouched = len(set(target.records) - reached)
    if not untouched:
        return ()
    return (f"{untouched} of {len(target.records)} rows of the sheet have no score here",)


# --- ways to find a row ------------------------------------------------------------


def by_key(sheet: Sheet, records: Sequence[int], column: int | None, key: str) -> Matcher:
    """Rows whose cell in `column` is what the submission's `key` holds; nothing else will do."""

    def offers(row: ScoreRow) -> list[str]:
        return [plain_key(row.keys.get(key, ""))]

    return Matcher(offers, column_keys(sheet, records, column), is_final=True)


def by_id(sheet: Sheet, records: Sequence[int], columns: Iterable[int | None]) -> Matcher:
    """Rows in which one of `columns` is the submission's id or e-mail address."""

    def offers(row: ScoreRow) -> list[str]:
        return [plain_key(text) for text in (_own_id(row), row.email)]

    has: dict[int, list[str]] = {record: [] for record in records}
    for column in columns:
        for record, keys in column_keys(sheet, records, column).items():
            has[record].extend(keys)
    return Matcher(offers, dict(has))


def by_members(sheet: Sheet, records: Sequence[int], columns: Iterable[int | None]) -> Matcher:
    """Rows in which one of `columns` is the id or address of a member of the group."""

    def offers(row: ScoreRow) -> list[str]:
        return [plain_key(member) for member in row.keys.get("members", "").split("\n")]

    return replace(by_id(sheet, records, columns), offers=offers, several=True)


def _own_id(row: ScoreRow) -> str:
    """The student's id as a school knows it: an LMS's internal number may be another student's."""
    is_internal = any(key in row.keys for key in INTERNAL)
    return row.keys.get("roster_id", "" if is_internal else row.keys.get("student_id", row.id))


def by_name(sheet: Sheet, records: Sequence[int], *columns: int | None) -> Matcher:
    """Rows with the submission's name, spread over one or two columns."""
    present = [column for column in columns if column is not None]

    def name(record: int) -> str:
        return " ".join(sheet.value(record, column) for column in present)

    has = {record: name_keys(name(record)) for record in records if present}
    return Matcher(lambda row: name_keys(row.name), dict(has))


def column_keys(
    sheet: Sheet, records: Sequence[int], column: int | None
) -> dict[int, Iterable[str]]:
    """Each record's cell in a column, as keys are compared."""
    if column is None:
        return {}
    return {record: [plain_key(sheet.value(record, column))] for record in records}


def choose_column(sheet: Sheet, candidates: Sequence[int], wanted: str, name: str) -> int:
    """The assignment's column: the one that is asked for, or the only one.

    `wanted` may be a title, the part of it before a bracket, or the number in it.

    Raises:
        UsageError: none fits, or several do.
    """
    titles = {column: sheet.header[column] for column in candidates}
    if wanted:
        text = wanted.strip().casefold()
        exact = [c for c, title in titles.items() if title.strip().casefold() == text]
        fitting = exact or [c for c, title in titles.items() if _is_called(title, text)]
    else:
        fitting = list(candidates)
    if len(fitting) == 1:
        return fitting[0]
    offer = ", ".join(repr(title) for title in titles.values()) or "none"
    what = f"{wanted!r} fits {len(fitting)} columns" if wanted else "say which column with --column"
    raise UsageError(f"{name}: {what}; the columns with grades are {offer}")


def _is_called(title: str, wanted: str) -> bool:
    title = title.strip().casefold()
    starts = [f"{wanted} {mark}" for mark in ("(", "[", "points grade")]
    return title.startswith(tuple(starts)) or title.endswith((f"({wanted})", f"|{wanted}"))
