"""An assignment's folder, read and checked: its questions, limits and solution."""

from __future__ import annotations

import ast
import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cattrs
import nbformat
from cattrs.errors import BaseValidationError
from nbformat import NotebookNode

from grader.answer_files import (
    Place,
    check_solution_files,
    read_files,
    read_files_at_home,
    read_texts,
    release_files,
)
from grader.errors import AssignmentError
from grader.execution.isolation import Level
from grader.execution.limits import COURSEWORK, Limits
from grader.records import QuestionKind
from grader.release import cell_question, cell_role, make_release, without_magics
from grader.repair.kinds import ALL_KINDS, unknown_kinds

PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Question:
    """One question; `names` are what an answer defines.

    `section` and `label` are how the notebook itself names it: "(b)" below a
    heading that begins with "1.2"; without a label, that heading alone. Where a
    question asks for code and for text, the text is a question of its own,
    `part_of` the one with the prompt. With `markdown`, Markdown is part of an
    answer that is checked. `scans` are patterns of names: a file of such a name
    may be a written answer, too. `file` is the path of the file beside the
    notebook that answers it, `""` where cells do.
    """

    id: str
    title: str
    kind: QuestionKind
    points: float
    label: str = ""
    section: str = ""
    names: tuple[str, ...] = ()
    part_of: str = ""
    scans: tuple[str, ...] = ()
    file: str = ""
    markdown: bool = False

    @property
    def place(self) -> Place:
        """Where in its file it is answered."""
        return Place(self.names, self.section, self.label)


class Experiments(StrEnum):
    """What becomes of cells that are marked as experiments."""

    SKIP = "skip"
    RUN = "run"


@dataclass(frozen=True)
class RunSettings:
    """How notebooks are run.

    `figures` says whether inline figures are rendered again, `isolation` is the
    least level at which a submission may run. Where `experiments` are run, each
    cell of them may take `experiment_seconds`, and plain assignments to the
    names in `override` get the values there. `optional_modules` may be missing
    here: what needs them is then left ungraded. `repairs` are `repair.kinds` to be made.
    """

    figures: bool = False
    isolation: Level = Level.LANDLOCK
    experiments: Experiments = Experiments.SKIP
    experiment_seconds: float = 60.0
    override: dict[str, Any] = field(default_factory=dict)
    optional_modules: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ALL_KINDS


@dataclass(frozen=True)
class _File:
    """assignment.toml as it is written."""

    title: str
    question: tuple[Question, ...]
    course: str = ""
    limits: dict[str, float] = field(default_factory=dict)
    run: RunSettings = RunSettings()
    requires: tuple[str, ...] = ()
    notebook: str = ""


@dataclass(frozen=True, eq=False)
class Assignment:
    """An assignment's folder. `slug` is the folder's name.

    `requires` are the modules that its notebooks import and that may be missing.
    `notebook` is empty but in what students get of an assignment: there it is the
    released notebook, which stands in the solution's place.
    """

    slug: str
    folder: Path
    title: str
    course: str
    questions: tuple[Question, ...]
    limits: Limits
    run: RunSettings
    requires: tuple[str, ...]
    solution: NotebookNode
    notebook: str = ""

    @property
    def is_release(self) -> bool:
        """Whether this is what students get: without solution and hidden checks."""
        return bool(self.notebook)

    @property
    def checks(self) -> Path:
        """The folder of the pytest files."""
        return self.folder / "checks"

    @cached_property
    def files(self) -> Mapping[str, bytes]:
        """What the release has beside the notebook: files/, and solution/ without its answers."""
        if self.is_release:
            return self._files_at_home()
        released = release_files(self.solution_files)
        stripped = {path: text.encode() for path, text in released.items()}
        return {**read_files(self.folder / "files"), **stripped}

    def _files_at_home(self) -> dict[str, bytes]:
        """What a release has beside its notebook: as it was handed out, where that is kept."""
        found = read_files_at_home(self.folder, Path(self.notebook).parts[0])
        kept = f"{Path(self.notebook).parent.as_posix()}/"
        own = ("checks/", kept, "README.md", "assignment.toml")
        beside = {p: c for p, c in found.items() if not p.startswith(own) and ".ipynb" not in p}
        handed_out = {p.removeprefix(kept): c for p, c in found.items() if p.startswith(kept)}
        handed_out.pop(Path(self.notebook).name)
        return {**beside, **handed_out}

    @cached_property
    def solution_files(self) -> Mapping[str, str]:
        """The files in the folder solution/: those that answer questions, and others with them.

        Raises:
            AssignmentError: one of them is not text.
        """
        return read_texts(self.folder / "solution")

    @property
    def answer_files(self) -> tuple[str, ...]:
        """The paths of the files that answer questions."""
        return tuple(dict.fromkeys(q.file for q in self.questions if q.file))

    @property
    def cells_answer_code(self) -> bool:
        """Whether a question that code answers is answered by cells: only then are cells run."""
        return any(q.kind is QuestionKind.CODE and not q.file for q in self.questions)

    def places_beside(self, question: Question) -> tuple[Place, ...]:
        """Where the other questions of the same file are answered."""
        others = [q for q in self.questions if q.file == question.file and q.id != question.id]
        return tuple(other.place for other in others)

    @cached_property
    def release(self) -> NotebookNode:
        """The notebook that students get."""
        if self.is_release:
            return self.solution
        try:
            return make_release(self.solution)
        except AssignmentError as error:
            raise AssignmentError(f"{self.folder / 'solution.ipynb'}: {error}") from error

    def question(self, identity: str) -> Question:
        """The question with this id.

        Raises:
            AssignmentError: there is none.
        """
        for question in self.questions:
            if question.id == identity:
                return question
        raise AssignmentError(f"{self.slug} has no question {identity!r}")

    def require_packages(self) -> None:
        """Sees to it that no student pays for a package that is missing here.

        Raises:
            AssignmentError: a package that the assignment's notebooks need is not installed.
        """
        missing = [name for name in self.requires if not _is_installed(name)]
        if missing:
            raise AssignmentError(
                f"{self.slug} needs packages that are not installed ({', '.join(missing)}): "
                "python -m pip install 'nn-grader[courses]'"
            )

    def missing_modules(self) -> frozenset[str]:
        """The optional modules that are not installed here, by their packages' names."""
        roots = {name.partition(".")[0] for name in self.run.optional_modules}
        return frozenset(root for root in roots if not _is_installed(root))

    def definitions(self, identity: str) -> str:
        """The code of the solution that defines what this question asks for."""
        names = self.question(identity).names
        cells = [c for c in self.solution.cells if cell_question(c) == identity]
        answers = [c.source for c in cells if c.cell_type == "code" and cell_role(c) == "answer"]
        kept = [node for s in answers for node in _parse(s).body if _defines(node, names)]
        return ast.unparse(ast.Module(body=kept, type_ignores=[]))


def load_assignment(name: str | Path) -> Assignment:
    """Reads a bundled assignment by name, or any by its folder.

    Raises:
        AssignmentError: there is no such folder, or something in it is wrong.
    """
    folder = _find(name)
    written = _read_toml(folder / "assignment.toml")
    solution = _read_solution(folder / (written.notebook or "solution.ipynb"))
    _check_questions(folder, written.question, solution)
    _check_run(folder, written.run)
    if not written.notebook:
        check_solution_files(folder, {q.id: q.file for q in written.question if q.file})
    return Assignment(
        slug=folder.name,
        folder=folder,
        title=written.title,
        course=written.course,
        questions=written.question,
        limits=_limits(folder, written.limits),
        run=written.run,
        requires=written.requires,
        solution=solution,
        notebook=written.notebook,
    )


def bundled_assignments() -> list[str]:
    """The names of the assignments that come with the grader."""
    folders = _bundled_folder().glob("*/assignment.toml")
    return sorted(path.parent.name for path in folders)


def _bundled_folder() -> Path:
    installed = PACKAGE / "assignments"
    return installed if installed.is_dir() else PACKAGE.parent / "assignments"


def _find(name: str | Path) -> Path:
    given = Path(name)
    for folder in (given, _bundled_folder() / given):
        if (folder / "assignment.toml").is_file():
            return folder.resolve()
    known = ", ".join(bundled_assignments())
    raise AssignmentError(
        f"no assignment {str(name)!r}: neither a folder with an assignment.toml "
        f"nor a bundled one ({known})"
    )


def _read_toml(path: Path) -> _File:
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook_func(lambda kind: kind == tuple[str, ...], _strings)
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return converter.structure(content, _File)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AssignmentError(f"{path}: {error}") from error
    except BaseValidationError as error:
        details = "; ".join(cattrs.transform_error(error))
        raise AssignmentError(f"{path}: {details}") from error


def _strings(value: object, _: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("expected a list of strings")
    return tuple(map(str, value))


def _read_solution(path: Path) -> NotebookNode:
    if not path.exists() and path.with_suffix("").is_dir():
        return nbformat.v4.new_notebook()
    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise AssignmentError(f"{path} is missing") from None
    except Exception as error:
        raise AssignmentError(f"{path} is not a notebook: {error}") from error


def _limits(folder: Path, written: dict[str, float]) -> Limits:
    try:
        limits = replace(COURSEWORK, **written)  # type: ignore[arg-type]
    except TypeError:
        known = ", ".join(COURSEWORK.__dataclass_fields__)
        raise AssignmentError(f"{folder}/assignment.toml: [limits] knows {known}") from None
    if not all(value >= 0 for value in asdict(limits).values()):
        raise AssignmentError(f"{folder}/assignment.toml: [limits] are seconds, none below 0")
    return limits


def _check_questions(folder: Path, questions: tuple[Question, ...], solution: NotebookNode) -> None:
    identities = [question.id for question in questions]
    if len(set(identities)) != len(identities):
        raise AssignmentError(f"{folder}/assignment.toml: two questions have the same id")
    for question in questions:
        if not 0 <= question.points < math.inf:
            raise AssignmentError(
                f"{folder}/assignment.toml: {question.id} has {question.points} points"
            )
    prompts = [cell_question(c) for c in solution.cells if cell_role(c) == "prompt"]
    for question in questions:
        if question.file and any(cell_question(c) == question.id for c in solution.cells):
            reason = f"question {question.id} is answered by a file, and has no cells"
            raise AssignmentError(f"{folder}/solution.ipynb: {reason}")
        expected = 0 if question.part_of or question.file else 1
        if prompts.count(question.id) != expected:
            few = "one prompt" if expected else "no prompt"
            raise AssignmentError(f"{folder}/solution.ipynb: question {question.id} needs {few}")
        _check_part(folder, question, {q.id: q for q in questions})
    for identity in {cell_question(cell) for cell in solution.cells} - {""}:
        if identity not in identities:
            raise AssignmentError(f"{folder}/solution.ipynb: unknown question {identity}")


def _check_part(folder: Path, part: Question, questions: Mapping[str, Question]) -> None:
    whole = questions.get(part.part_of)
    if part.part_of and (
        part.kind is QuestionKind.CODE or whole is None or whole.kind is not QuestionKind.CODE
    ):
        raise AssignmentError(
            f"{folder}/assignment.toml: {part.id}: part_of names a question of kind code, and is "
            "for questions of another kind"
        )


def _check_run(folder: Path, run: RunSettings) -> None:
    for name, value in run.override.items():
        if not name.isidentifier() or not _is_constant(value):
            raise AssignmentError(
                f"{folder}/assignment.toml: [run] override: {name!r} = {value!r} is not a "
                "variable's name with a number, a string, true, false or a list of those"
            )
    if reason := unknown_kinds(run.repairs):
        raise AssignmentError(f"{folder}/assignment.toml: [run] repairs: {reason}")
    if not 0 < run.experiment_seconds < math.inf:
        raise AssignmentError(f"{folder}/assignment.toml: [run] experiment_seconds is above 0")


def _is_constant(value: object) -> bool:
    if isinstance(value, list):
        return all(map(_is_constant, value))
    return isinstance(value, int | float | str)


def _is_installed(module: str) -> bool:
    # Of a submodule's name, find_spec would import the package.
    return find_spec(module.partition(".")[0]) is not None


def _parse(source: str) -> ast.Module:
    """A cell's code without its magics, which define nothing."""
    return ast.parse(without_magics(source))


def _defines(node: ast.stmt, names: tuple[str, ...]) -> bool:
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
        return True
    return not set(names).isdisjoint(assigned_names(node))


def assigned_names(node: ast.stmt) -> list[str]:
    """The names that an assignment binds; none where the statement is something else."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        targets = [node.target]
    parts = [part for target in targets for part in ast.walk(target)]
    return [p.id for p in parts if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Store)]
