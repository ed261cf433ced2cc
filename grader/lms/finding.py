"""Finding the submissions in a bulk download of any system that is known here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from grader.errors import UsageError
from grader.lms import blackboard, brightspace, canvas, files, gradescope, moodle, nbgrader
from grader.lms.names import is_clutter, safe_ids
from grader.lms.records import Download, FoundSubmission, PassedOver
from grader.lms.roster import join, read_roster
from grader.lms.unpacking import unpack
from grader.submission import has_archive_suffix

Found = tuple[list[FoundSubmission], list[PassedOver]]


# The most distinctive layouts first; plain files are whatever no other one claims.
FINDERS: dict[str, tuple[Callable[[Path, Sequence[Path]], bool], Callable[..., Found]]] = {
    module.SYSTEM: (module.recognises, module.find)
    for module in (gradescope, moodle, brightspace, blackboard, nbgrader, canvas, files)
}
SYSTEMS = tuple(FINDERS)


def find_submissions(
    folder: Path,
    *,
    system: str | None = None,
    roster: Path | None = None,
    assignment: str = "",
) -> Download:
    """Everything that lies in a bulk download: a folder, or the zip file as it came.

    `system` is found out unless it is given. `roster` is a CSV of the course's
    students. `assignment` is needed only for a tree of nbgrader's with several.

    Raises:
        UsageError: there is no such folder, nothing is in it, or it is not of this system.
    """
    folder = Path(folder)
    if system is not None and system not in FINDERS:
        raise UsageError(f"{system!r} is not a system that is known: {', '.join(SYSTEMS)}")
    left_out: list[PassedOver] = []
    if folder.is_file() and folder.suffix.lower() == ".zip":
        folder, left_out = unpack(folder)
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder, nor a zip file")
    system, folder, entries, passed_over = _look(folder, system)
    keywords = {"assignment": assignment} if system == nbgrader.SYSTEM else {}
    found, more = FINDERS[system][1](folder, entries, **keywords)
    if not found:
        raise UsageError(f"{folder}: there are no submissions in it")
    narrowed = [_narrowed(submission) for submission in found]
    beside = [pair for _, left in narrowed for pair in left]
    everything = [*left_out, *passed_over, *more, *beside]
    return _download(system, [submission for submission, _ in narrowed], everything, roster)


def _look(folder: Path, system: str | None) -> tuple[str, Path, list[Path], list[PassedOver]]:
    """The system, and the folder in which its entries lie, which may be the only one inside."""
    entries, clutter = _entries(folder)
    recognised = _recognised(folder, entries)
    if recognised == files.SYSTEM and len(entries) == 1 and entries[0].is_dir():
        inner, inner_clutter = _entries(entries[0])
        deeper = _recognised(entries[0], inner)
        # A zip unpacked by hand lies in a folder of its own.
        if deeper != files.SYSTEM and system in (None, deeper):
            return deeper, entries[0], inner, [*clutter, *inner_clutter]
    return system or recognised, folder, entries, clutter


def _entries(folder: Path) -> tuple[list[Path], list[PassedOver]]:
    entries: list[Path] = []
    passed_over: list[PassedOver] = []
    for path in sorted(folder.iterdir()):
        if is_clutter(path.name):
            passed_over.append((path, "left behind by a program"))
        elif path.is_symlink() or not (path.is_dir() or path.is_file()):
            passed_over.append((path, "a link, or no regular file"))
        else:
            entries.append(path)
    return entries, passed_over


def _recognised(folder: Path, entries: Sequence[Path]) -> str:
    return next(name for name, (fits, _) in FINDERS.items() if fits(folder, entries))


def _narrowed(submission: FoundSubmission) -> tuple[FoundSubmission, list[PassedOver]]:
    """The archive alone, where a student handed in one instead of a notebook or scripts."""
    inside = [
        (file, name) for path, name in _named(submission) for file, name in _files(path, name)
    ]
    archives = [(file, name) for file, name in inside if has_archive_suffix(name)]
    has_answers = any(name.lower().endswith((".ipynb", ".py")) for _, name in inside)
    if len(archives) != 1 or has_answers:
        return submission, []
    ((archive, name),) = archives
    beside = [(file, "beside the archive that is graded") for file, _ in inside if file != archive]
    return replace(submission, paths=(archive,), names=(name,)), beside


def _named(submission: FoundSubmission) -> Iterable[tuple[Path, str]]:
    names = submission.names or tuple(path.name for path in submission.paths)
    return zip(submission.paths, names, strict=True)


def _files(path: Path, name: str) -> Iterable[tuple[Path, str]]:
    """The files below a path, itself if it is one; a program's leavings aside."""
    if not path.is_dir():
        yield path, name
        return
    for file in sorted(path.rglob("*")):
        is_clear = not any(map(is_clutter, file.relative_to(path).parts))
        if is_clear and file.is_file() and not file.is_symlink():
            yield file, file.name


def _download(
    system: str,
    found: Sequence[FoundSubmission],
    passed_over: Sequence[PassedOver],
    roster: Path | None,
) -> Download:
    people = read_roster(roster) if roster is not None else ()
    joined, missing, notes = join(found, people)
    ids = safe_ids([submission.id for submission in joined])
    named = [_named_for_good(s, identity) for s, identity in zip(joined, ids, strict=True)]
    named.sort(key=lambda submission: submission.id)
    return Download(
        *(system, tuple(named), tuple(passed_over), tuple(missing), tuple(notes)), tuple(people)
    )


def _named_for_good(submission: FoundSubmission, identity: str) -> FoundSubmission:
    """The submission with its final id; a group's members go where its keys go."""
    if not submission.members:
        return replace(submission, id=identity)
    keys = {**submission.keys, "members": "\n".join(submission.members)}
    return replace(submission, id=identity, keys=keys)
