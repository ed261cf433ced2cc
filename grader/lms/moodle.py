"""Moodle's assignment activity: its folders or files, its grading worksheet.

A name is `<full name>_<participant>_assignsubmission_file` (mod/assign/classes/downloader.php),
before 4.1 with `_` behind it, and `…_onlinetext`; `Participant_<participant>_…` under blind
marking; `<group>_<group id>_…` for groups, `Default group_…` without an id for those in none.
"""

from __future__ import annotations

import html
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.lms.grades import Matcher, Target, by_id, by_name, choose_column, plan_sheet
from grader.lms.names import common_name, name_keys, plain_key, safe_name
from grader.lms.records import ExportOptions, FoundSubmission, PassedOver, Plan, ScoreRow
from grader.lms.sheet import Sheet, as_text, find_column, parse_number

SYSTEM = "moodle"
ENTRY = re.compile(
    r"(?P<name>.*?)(?:_(?P<id>\d+))?_assignsubmission_(?P<plugin>[a-z]+)(?:_(?P<file>.*))?",
    re.DOTALL,
)
PARTICIPANT = re.compile(r"\D*?(\d+)\s*")
BLIND = {"participant", "teilnehmer", "teilnehmer in", "teilnehmer/in", "deelnemer", "participante"}

# Moodle writes its titles in the language of whoever downloads the worksheet.
IDENTIFIER = ("Identifier", "Identifikator", "Id", "Identifiant", "Identificador", "ID-nummer")
GRADE = (
    *("Grade", "Bewertung", "Cijfer", "Beoordeling", "Note", "Calificación", "Nota"),
    *("Valutazione", "Betyg", "Karakter", "Arvosana", "Arviointi", "Ocena", "成绩", "評点"),
)
MAXIMUM = (
    *("Maximum Grade", "Maximum grade", "Bestwertung", "Maximumcijfer", "Maximale cijfer"),
    *("Note maximale", "Calificación máxima", "Nota máxima", "Voto massimo", "Valutazione massima"),
)
CHANGEABLE = (
    *("Grade can be changed", "Bewertung kann geändert werden", "Cijfer kan gewijzigd worden"),
    *("La note peut être modifiée", "La calificación puede ser cambiada"),
)
COMMENTS = (
    *("Feedback comments", "Feedback als Kommentar", "Feedbackcommentaren", "Feedback"),
    *("Commentaires de feedback", "Comentarios de retroalimentación", "Feedback come commenti"),
)
FULL_NAME = ("Full name", "Vollständiger Name", "Volledige naam", "Nom complet", "Nombre completo")
EMAIL = ("Email address", "E-Mail-Adresse", "E-mailadres", "Adresse de courriel")
NO = {"no", "nein", "nee", "non", "nei", "nej", "não", "ei", "nie"}


@dataclass(frozen=True)
class _Entry:
    path: Path
    name: str
    id: str
    plugin: str
    file: str

    @property
    def stem(self) -> str:
        """What a student's folders have in common."""
        return f"{self.name}_{self.id}" if self.id else self.name


def recognises(folder: Path, entries: Sequence[Path]) -> bool:
    """Whether any entry is named as Moodle names folders or files."""
    return any("_assignsubmission_" in entry.name for entry in entries)


def find(folder: Path, entries: Sequence[Path]) -> tuple[list[FoundSubmission], list[PassedOver]]:
    """The submissions, one for each participant or group; their ids are Moodle's numbers."""
    owners: dict[str, list[_Entry]] = defaultdict(list)
    passed_over: list[PassedOver] = []
    for entry in entries:
        match = ENTRY.fullmatch(entry.name)
        if match is None:
            passed_over.append((entry, "its name is not one that Moodle gives"))
            continue
        groups = {key: value or "" for key, value in match.groupdict().items()}
        parsed = _Entry(entry, **groups)
        owners[parsed.stem].append(parsed)
    shared = common_name(own[0].name for own in owners.values())
    ids = Counter(own[0].id for own in owners.values())
    found = []
    for stem, own in owners.items():
        taken, beside = _taken(own)
        passed_over += beside
        is_blind = taken[0].name in {shared, ""} or taken[0].name.casefold() in BLIND
        number = taken[0].id
        identity = number if number and ids[number] == 1 else stem
        found.append(_submission(taken, identity, "" if is_blind else taken[0].name))
    return found, passed_over


def _taken(entries: Sequence[_Entry]) -> tuple[list[_Entry], list[PassedOver]]:
    """The files of a student; what was typed into the browser only where there are none."""
    files = [entry for entry in entries if entry.plugin == "file"]
    if not files:
        return list(entries), []
    typed = [entry.path for entry in entries if entry.plugin != "file"]
    return files, [(path, "text typed beside the files that are graded") for path in typed]


def _submission(entries: Sequence[_Entry], identity: str, name: str) -> FoundSubmission:
    first = entries[0]
    keys = {
        "moodle_id": first.id,
        "moodle_name": name,
        "moodle_folder": f"{first.stem}_assignsubmission_file",
    }
    return FoundSubmission(
        id=identity,
        paths=tuple(entry.path for entry in entries),
        name=name,
        keys={key: value for key, value in keys.items() if value},
        names=tuple(safe_name(entry.file or entry.path.name) for entry in entries),
    )


def plan(rows: Sequence[ScoreRow], sheet: Sheet, options: ExportOptions, name: str) -> Plan:
    """What would change in a grading worksheet; rows that do not change stay out of the way.

    Raises:
        UsageError: it is no grading worksheet.
    """
    records = range(1, len(sheet.raw))
    filled = [record for record in records if any(cell.strip() for cell in sheet.values[record])]
    grade, maximum = _grade_columns(sheet, filled, options, name)
    changeable = find_column(sheet, *CHANGEABLE)

    def refuses(record: int) -> str:
        locked = changeable is not None and sheet.value(record, changeable).strip()
        return "Moodle has locked the grade" if locked and locked.casefold() in NO else ""

    target = Target(
        SYSTEM,
        "moodle.csv",
        filled,
        grade,
        matchers(sheet, filled, name),
        lambda record: parse_number(sheet.value(record, maximum)) if maximum is not None else None,
        refuses,
        find_column(sheet, *COMMENTS),
        _as_html,
        is_capped=True,
        blank_words=frozenset({"-"}),
    )
    return plan_sheet(sheet, target, rows, options)


def matchers(sheet: Sheet, records: Sequence[int], name: str) -> list[Matcher]:
    """Ways to find a participant's row, or the rows of a group's members.

    A number alone could be a group's that happens to be a participant's too: where
    both sides know a name, it must be the same.

    Raises:
        UsageError: no column holds participants' numbers.
    """
    identity = identifier_column(sheet, records, name)
    # The name stands behind the number, whatever its title is called in this language.
    person = find_column(sheet, *FULL_NAME) or identity + 1
    others = [c for c in range(len(sheet.header)) if c not in (identity, person)]
    people: dict[int, list[str]] = {}
    teams: dict[int, list[str]] = {}
    for record in records:
        number = participant_number(sheet.value(record, identity))
        shown = name_keys(sheet.value(record, person))
        people[record] = [f"{number}|{key}" for key in ("", *shown)] if number else []
        teams[record] = [plain_key(sheet.value(record, column)) for column in others]

    def participant(row: ScoreRow) -> list[str]:
        number = row.keys.get("moodle_id", "")
        shown = name_keys(row.keys.get("moodle_name", "")) or {""}
        return [f"{number}|{key}" for key in shown] if number else []

    def team(row: ScoreRow) -> list[str]:
        return [plain_key(row.keys.get("moodle_name", ""))]

    return [
        Matcher(participant, dict(people)),
        Matcher(team, dict(teams), several=True, is_final=True),
        by_id(sheet, records, [find_column(sheet, *EMAIL), find_column(sheet, "ID number")]),
        by_name(sheet, records, person),
    ]


def identifier_column(sheet: Sheet, records: Sequence[int], name: str) -> int:
    """The column of `Participant 123`.

    Raises:
        UsageError: there is none.
    """
    column = find_column(sheet, *IDENTIFIER) or 0
    if all(PARTICIPANT.fullmatch(sheet.value(record, column)) for record in records):
        return column
    raise UsageError(
        f"{name}: this is no grading worksheet of Moodle (the first column must be like "
        "'Participant 123'); download it with View all submissions > Download grading worksheet"
    )


def participant_number(text: str) -> str:
    """The number in `Participant 123`, in any language."""
    match = PARTICIPANT.fullmatch(text)
    return match[1] if match else ""


def _grade_columns(
    sheet: Sheet, records: Sequence[int], options: ExportOptions, name: str
) -> tuple[int, int | None]:
    """The columns of the grades and of the highest grade.

    In a language that is not known here, the highest grade is the column that holds
    one and the same number in all rows; the grades stand before it.
    """
    maximum = find_column(sheet, *MAXIMUM)
    if options.column:
        every = range(len(sheet.header))
        return choose_column(sheet, every, options.column, name), maximum
    grade = find_column(sheet, *GRADE)
    if grade is not None:
        return grade, maximum if maximum is not None else _constant_after(sheet, records, grade)
    constant = _constant_after(sheet, records, 1)
    if constant is None:
        raise UsageError(
            f"{name}: no column of grades is known by its title; name it with --column"
        )
    return constant - 1, constant


def _constant_after(sheet: Sheet, records: Sequence[int], start: int) -> int | None:
    for column in range(start + 1, len(sheet.header)):
        numbers = {parse_number(sheet.value(record, column)) for record in records}
        before = [sheet.value(record, column - 1).strip() for record in records]
        are_grades = all(parse_number(text) is not None or text in ("", "-") for text in before)
        if len(numbers) == 1 and None not in numbers and are_grades:
            return column
    return None


def _as_html(comment: str) -> str:
    """A comment as Moodle keeps it."""
    return as_text(html.escape(comment.strip(), quote=False).replace("\n", "<br>"))
