"""A course's list of students, joined with what was handed in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from grader.errors import UsageError
from grader.lms.names import name_keys, plain_key, squashed
from grader.lms.records import FoundSubmission, RosterEntry
from grader.lms.sheet import Sheet, read_sheet

# By their letters alone; the first that a roster has is the one that reports show.
IDS = (
    *("studentid", "studentnumber", "studentno", "studentnr", "sid", "orgdefinedid", "sisuserid"),
    *("idnumber", "matriculationnumber", "matrikelnummer", "studentnummer", "id", "username"),
    *("sisloginid", "loginid", "login", "netid", "userid", "user", "identifier", "participant"),
)
NAMES = ("name", "fullname", "student", "studentname", "displayname", "sortablename")
FIRST = ("firstname", "givenname", "givennames", "first", "forename", "voornaam", "vorname")
LAST = ("lastname", "surname", "familyname", "last", "achternaam", "nachname")
EMAILS = ("email", "emailaddress", "mail", "emailadres", "schoolemail")
SCHOOL_KEYS = ("blackboard_username", "student_id")
OWN_KEYS = ("canvas_id", "moodle_id", "brightspace_user")
GROUPS = ("group", "groupname", "team", "teamname")


def read_roster(path: Path) -> tuple[RosterEntry, ...]:
    """The people in a CSV with a column of ids, names or e-mail addresses, by any usual title.

    Raises:
        UsageError: it cannot be read, or no column is known.
    """
    try:
        sheet = read_sheet(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"{path}: the roster cannot be read ({error.strerror})") from error
    titles = [squashed(title) for title in sheet.header]
    columns = {
        kind: [titles.index(title) for title in known if title in titles]
        for kind, known in {
            "id": IDS,
            "name": NAMES,
            "first": FIRST,
            "last": LAST,
            "email": EMAILS,
            "group": GROUPS,
        }.items()
    }
    if not any(columns[kind] for kind in ("id", "name", "first", "last", "email")):
        raise UsageError(
            f"{path}: the roster needs a column called id, name or email; it has "
            + ", ".join(repr(title) for title in sheet.header)
        )
    people = (_person(sheet, record, columns) for record in range(1, len(sheet.raw)))
    return tuple(person for person in people if person.id)


def _person(sheet: Sheet, record: int, columns: dict[str, list[int]]) -> RosterEntry:
    def first(kind: str) -> str:
        cells = (sheet.value(record, column).strip() for column in columns[kind])
        return next(filter(None, cells), "")

    ids = [sheet.value(record, column).strip().lstrip("#") for column in columns["id"]]
    ids = [identity for identity in ids if identity]
    name = first("name") or " ".join(filter(None, (first("first"), first("last"))))
    email = first("email")
    # Canvas's row of points and the like has no id and is nobody's.
    is_person = bool(ids or email or not columns["id"])
    identity = (ids or [email or name])[0] if is_person else ""
    return RosterEntry(identity, name, email, first("group"), tuple(ids))


def join(
    found: Sequence[FoundSubmission], people: Sequence[RosterEntry]
) -> tuple[list[FoundSubmission], list[RosterEntry], list[str]]:
    """Submissions with the roster's ids, names and addresses; who is missing; what is unclear.

    A match is by an id, then by e-mail address, then by name; it counts only
    where it is the only one on both sides.
    """
    chosen: dict[int, int] = {}
    for keys_of, keys_in in (
        (_ids, _roster_ids),
        (_emails, _roster_emails),
        (_names, _roster_names),
    ):
        open_found = [i for i in range(len(found)) if i not in chosen]
        taken = set(chosen.values())
        open_people = [p for p in range(len(people)) if p not in taken]
        chosen |= _unique_pairs(
            {i: keys_of(found[i]) for i in open_found},
            {p: keys_in(people[p]) for p in open_people},
        )
    groups: dict[str, list[str]] = defaultdict(list)
    for person in people:
        groups[plain_key(person.group)].append(person.id)
    joined = [
        _joined(submission, people[chosen[i]]) if i in chosen else _with_members(submission, groups)
        for i, submission in enumerate(found)
    ]
    taken = set(chosen.values())
    present = {member for submission in joined for member in submission.members}
    missing = [
        person
        for place, person in enumerate(people)
        if place not in taken and person.id not in present
    ]
    notes = [
        f"{submission.id} ({submission.name or 'no name'}) is not on the roster, or not clearly"
        for i, submission in enumerate(joined)
        if people and i not in chosen and not submission.members
    ]
    return joined, missing, notes


def _unique_pairs(left: dict[int, set[str]], right: dict[int, set[str]]) -> dict[int, int]:
    index = defaultdict(set)
    for place, keys in right.items():
        for key in keys - {""}:
            index[key].add(place)
    fits = {i: set().union(*(index[k] for k in keys if k in index)) for i, keys in left.items()}
    wanted = Counter(place for places in fits.values() for place in places)
    return {
        i: next(iter(places))
        for i, places in fits.items()
        if len(places) == 1 and wanted[next(iter(places))] == 1
    }


def _joined(submission: FoundSubmission, person: RosterEntry) -> FoundSubmission:
    return replace(
        submission,
        id=person.id,
        name=person.name or submission.name,
        email=person.email or submission.email,
        keys={**submission.keys, "roster_id": person.id},
    )


def _with_members(
    submission: FoundSubmission, groups: Mapping[str, Sequence[str]]
) -> FoundSubmission:
    """A group's submission with those whom the roster puts into that group."""
    group = plain_key(submission.name)
    members = groups.get(group, ()) if group else ()
    return replace(submission, members=tuple(members)) if members else submission


def _ids(submission: FoundSubmission) -> set[str]:
    """The ids that a school knows, and an LMS's own numbers, which count only with the name."""
    known = {plain_key(submission.keys.get(key, "")) for key in SCHOOL_KEYS}
    numbers = [submission.keys[key] for key in OWN_KEYS if key in submission.keys]
    names = name_keys(submission.name)
    if not names and "moodle_id" in submission.keys:
        known.add(f"participant|{submission.keys['moodle_id']}")
    return known | {f"{number}|{name}" for number in numbers for name in names}


def _roster_ids(person: RosterEntry) -> set[str]:
    names = name_keys(person.name)
    numbers = {text.rpartition(" ")[2] for text in person.ids}
    blind = {
        f"participant|{number}"
        for word, _, number in (text.rpartition(" ") for text in person.ids)
        if word.isalpha() and number.isdigit()
    }
    with_names = {f"{number}|{name}" for number in numbers for name in names}
    return {plain_key(text) for text in person.ids} | blind | with_names


def _emails(submission: FoundSubmission) -> set[str]:
    student = submission.keys.get("student_id", "")
    return {plain_key(submission.email), plain_key(student) if "@" in student else ""}


def _roster_emails(person: RosterEntry) -> set[str]:
    return {plain_key(person.email)}


def _names(submission: FoundSubmission) -> set[str]:
    return set(name_keys(submission.name or submission.keys.get("student_id", "")))


def _roster_names(person: RosterEntry) -> set[str]:
    return set(name_keys(person.name))
