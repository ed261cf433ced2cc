"""From a path to a submission: what there is, which notebook counts, what was done to read it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from nbformat import NotebookNode, v4

from grader.errors import SubmissionError
from grader.records import SubmissionRecord
from grader.submission.archives import Files, open_nested, read_archive
from grader.submission.choosing import Candidate, answers, choose, has_work
from grader.submission.kinds import (
    ARCHIVES,
    CURES,
    Kind,
    has_archive_suffix,
    is_notebook,
    kind_of,
    without_archive_suffix,
)
from grader.submission.limits import Room, is_clutter, member_path
from grader.submission.notebook import from_tree, read_notebook
from grader.submission.records import HandedInFile, Submission
from grader.submission.scripts import SUFFIX, has_marked_cells, may_answer, read_script

NOTEBOOK_SUFFIX = ".ipynb"
# What a notebook is called by browsers and mail programs that do not know its suffix.
MISNAMED = (".txt", ".json", ".ipynb_", "")
ACCEPTED = "give a notebook (.ipynb), or a folder or .zip with one, or a Python script (.py)"
MOST_NAMED = 5
Read = Callable[[bytes, str], NotebookNode]


@dataclass
class _HandIn:
    """The files of a hand-in as they are found, and what is to be said of them."""

    where: str
    files: Files
    room: Room
    expected: Collection[str] = ()
    release: NotebookNode | None = None
    is_single: bool = False
    is_opened: bool = False
    notes: list[str] = field(default_factory=list)
    errors: list[SubmissionError] = field(default_factory=list)


def load_submission(
    path: str | Path, expected: Collection[str] = (), release: NotebookNode | None = None
) -> Submission:
    """Reads a notebook, a Python script, or a folder or archive that holds one.

    `expected` are the paths of the files that answer questions of the
    assignment. They are found in whatever folder they lie, and with one of
    them the notebook may be missing. `release` is the notebook that students
    got: of several, the one that is most like it counts.

    Raises:
        SubmissionError: it cannot be graded; the sentence says why, and what to do.
    """
    path = Path(path)
    if not path.exists():
        raise SubmissionError(f"{path}: there is no such file")
    try:
        found = _HandIn(str(path), {}, Room(), expected, release)
        _gather(path, found)
    except OSError as error:
        raise SubmissionError(f"{path}: it cannot be read ({error.strerror})") from error
    name, notebook = _notebook(found)
    files = {name: file.content for name, file in found.files.items()}
    whole = path.resolve()
    identity = whole.name if whole.is_dir() else _stem(whole)
    root = _root(name, files, expected)
    return Submission(identity, name, notebook, files, root, tuple(found.notes))


def refused_record(path: Path) -> SubmissionRecord:
    """The record of a file or folder that cannot be graded."""
    path = path.resolve()
    if path.is_dir():
        return SubmissionRecord(path.name, (), "")
    content = path.read_bytes()
    return SubmissionRecord(_stem(path), (path.name,), hashlib.sha256(content).hexdigest())


def _stem(path: Path) -> str:
    # `hw.ipynb.txt` is called `hw`, and so is `hw.tar.gz`.
    name = without_archive_suffix(path.name) if has_archive_suffix(path.name) else path.stem
    return name.removesuffix(NOTEBOOK_SUFFIX) or path.stem


# --- what there is ------------------------------------------------------------------


def _gather(path: Path, found: _HandIn) -> None:
    if path.is_dir():
        _gather_folder(path, found)
        return
    content = path.read_bytes()
    kind = kind_of(content)
    if kind in ARCHIVES:
        found.files = read_archive(str(path), content, found.room)
        if not has_archive_suffix(path.name):
            found.notes.append(f"{path.name} is {kind}, and was read as one")
        return
    suffix = path.suffix.lower()
    if has_archive_suffix(path.name) and kind is not Kind.NOTEBOOK:
        raise SubmissionError(_refusal(str(path), kind, f"the {suffix[1:]} file cannot be read"))
    if suffix not in (NOTEBOOK_SUFFIX, SUFFIX) and kind is not Kind.NOTEBOOK:
        raise SubmissionError(_refusal(str(path), kind, ACCEPTED))
    found.files = {path.name: HandedInFile(content, path.stat().st_mtime)}
    found.is_single = True


def _refusal(where: str, kind: Kind, otherwise: str) -> str:
    """One sentence on a file that is no hand-in."""
    if kind is Kind.OTHER:
        return f"{where}: {otherwise}"
    cure = CURES.get(kind, ACCEPTED)
    what = f"this is {kind}, from which no notebook can be read"
    return f"{where}: {what}; {cure}" if kind is not Kind.EMPTY else f"{where}: it is empty; {cure}"


def _gather_folder(folder: Path, found: _HandIn) -> None:
    links = []
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if is_clutter(relative.parts):
            continue
        if path.is_symlink():
            links.append(relative.as_posix())
        elif path.is_file():
            member_path(str(folder), relative.as_posix())
            stat = path.stat()
            found.room.take(str(folder), stat.st_size)
            found.files[relative.as_posix()] = HandedInFile(path.read_bytes(), stat.st_mtime)
        elif not path.is_dir():
            links.append(relative.as_posix())
    if links:
        found.notes.append(f"links and devices are not followed: {_listed(links)}")


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


# --- which notebook -----------------------------------------------------------------


def _notebook(found: _HandIn) -> tuple[str, NotebookNode]:
    """The notebook that counts and its path; `""` where the answers are files alone."""
    if found.is_single:
        return _single(found)
    if candidates := _candidates(found):
        return _chosen(found, candidates)
    if answers(found.files, found.expected) and not found.errors:
        return "", v4.new_notebook()
    if not found.errors and _open_archives(found):
        return _notebook(found)
    if found.errors:
        raise SubmissionError(f"{found.where}: {found.errors[0]}") from found.errors[0]
    raise SubmissionError(_nothing(found))


def _single(found: _HandIn) -> tuple[str, NotebookNode]:
    ((name, file),) = found.files.items()
    if name.lower().endswith(SUFFIX) and kind_of(file.content) is not Kind.NOTEBOOK:
        if answers(found.files, found.expected):
            return "", v4.new_notebook()
        notebook = _script(file.content, found.where)
        found.notes.append(_script_note(name, notebook))
        return name, notebook
    notebook = read_notebook(file.content, name)
    if not name.lower().endswith(NOTEBOOK_SUFFIX):
        found.notes.append(f"{name} is a notebook, and was read as one")
    return name, notebook


def _candidates(found: _HandIn) -> list[Candidate]:
    """The notebooks by the name of one, else by content, else the scripts, until there is work."""
    files = found.files
    named = [name for name in files if name.lower().endswith(NOTEBOOK_SUFFIX)]
    misnamed = [name for name in files if name not in named and _is_misnamed(name, files[name])]
    scripts = [n for n in files if may_answer(n) and not answers([n], found.expected)]
    marked = [name for name in scripts if has_marked_cells(files[name].content)]
    # Beside a notebook that cannot be read, a plain script is what the notebook imports.
    plain = [] if found.expected or named else scripts
    tiers: tuple[tuple[list[str], Read], ...] = (
        (named, read_notebook),
        (misnamed, read_notebook),
        (marked, _script),
        (plain, _script),
    )
    candidates: list[Candidate] = []
    for names, read in tiers:
        candidates += _read_all(found, names, read)
        # The untouched release may lie beside the work.
        if any(has_work(candidate, found.release) for candidate in candidates):
            break
    return candidates


def _is_misnamed(name: str, file: HandedInFile) -> bool:
    return PurePosixPath(name).suffix.lower() in MISNAMED and is_notebook(file.content)


def _read_all(found: _HandIn, names: Iterable[str], read: Read) -> list[Candidate]:
    """Those that can be read; of the others it is kept why not."""
    candidates = []
    for name in names:
        file = found.files[name]
        try:
            notebook = read(file.content, name)
        except SubmissionError as error:
            found.errors.append(error)
        else:
            candidates.append(Candidate(name, file.content, notebook, file.modified))
    return candidates


def _script(content: bytes, name: str) -> NotebookNode:
    return from_tree(read_script(content, name), name)


def _chosen(found: _HandIn, candidates: Sequence[Candidate]) -> tuple[str, NotebookNode]:
    choice = choose(found.where, candidates, found.release)
    name, notebook = choice.chosen.name, choice.chosen.notebook
    found.notes += [*choice.notes, *(f"not graded: {error}" for error in found.errors)]
    if name.lower().endswith(SUFFIX):
        found.notes.append(_script_note(name, notebook))
    elif not name.lower().endswith(NOTEBOOK_SUFFIX):
        found.notes.append(f"{name} is a notebook, and was read as one")
    return name, notebook


def _script_note(name: str, notebook: NotebookNode) -> str:
    count = len(notebook.cells)
    return f"{name} is a script; it was read as a notebook of {count} cell{'s' * (count != 1)}"


def _open_archives(found: _HandIn) -> bool:
    """Opens the archives in the hand-in, and says so; whether there were any.

    Archives beside answers may be data that the notebook opens itself.
    """
    if found.is_opened:
        return False
    found.is_opened = True
    packed = [name for name, f in found.files.items() if kind_of(f.content) in ARCHIVES]
    opened = open_nested(found.where, found.files, found.room)
    if opened:
        found.files = {**found.files, **opened}
        found.notes.append(f"opened, since no answers lie outside of it: {_listed(packed)}")
    return bool(opened)


def _nothing(found: _HandIn) -> str:
    """Why there is nothing to grade, and what there is instead."""
    refused = {
        name: kind
        for name, kind in ((n, kind_of(f.content)) for n, f in found.files.items())
        if kind in CURES and kind is not Kind.EMPTY
    }
    wanted = "there is no notebook (.ipynb) in it"
    if found.expected:
        asked = ", ".join(found.expected)
        wanted = f"there is neither a notebook (.ipynb) nor any of these files in it: {asked}"
    if refused:
        shown = _listed([f"{name} is {kind}" for name, kind in refused.items()])
        return f"{found.where}: {wanted}; {shown}: {CURES[next(iter(refused.values()))]}"
    if not found.files:
        return f"{found.where}: there is nothing in it; hand in the notebook (.ipynb)"
    shown = _listed(sorted(found.files))
    return f"{found.where}: {wanted}; it holds {shown}: hand in the notebook as well"


# --- the files beside it ------------------------------------------------------------


def _root(name: str, files: Mapping[str, bytes], expected: Collection[str]) -> str:
    """The folder with most of the expected files; of several, the notebook's, or the outermost."""
    found = _found(files, expected)
    beside = str(PurePosixPath(name).parent)
    return min(found, key=lambda f: (-found[f], f != beside, f.count("/"), f), default="")


def _found(files: Collection[str], expected: Collection[str]) -> Counter[str]:
    """How many of the expected files each folder holds."""
    paths = [PurePosixPath(name) for name in files]
    wanted = [PurePosixPath(name).parts for name in expected]
    return Counter(
        str(PurePosixPath(*path.parts[: -len(parts)]))
        for path in paths
        for parts in wanted
        if path.parts[-len(parts) :] == parts
    )
