"""What is to be repaired for one submission, before it is run; and what was, while it ran."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from nbformat import NotebookNode

from grader.errors import SubmissionError
from grader.execution.inside.elsewhere import MEDIA_TYPE, folders_of
from grader.records import Repair
from grader.repair.cells import WINDOWS, Surroundings, bodies, loads_extensions, repair_cell
from grader.repair.kinds import ALL_KINDS, RepairKind
from grader.repair.modules import Modules, find_modules, is_installed
from grader.repair.names import REMOVED_MODULES, Gone, find_gone, find_styles
from grader.repair.python2 import refusal, says_python_2
from grader.repair.scanning import Uses, imported_names, uses

# A cell's position, or a file's name.
Place: TypeAlias = int | str
MAX_FILES = 300
MAX_FILE_BYTES = 400_000
MAX_TEXT = 200
USUAL_KERNELS = frozenset(["", "python3", "python", "ipython", "ipykernel", "nn-grader"])
_WRITTEN = re.compile(r"^%%(?:writefile|file)\s+(?:-a\s+)?(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class RepairPlan:
    """`sources` are the cells to run in place of those handed in.

    `order` is what a process is told (see `execution/inside/elsewhere.py`); None
    where nothing is repaired. `repairs` are known before anything runs.
    """

    sources: Mapping[int, str] = field(default_factory=dict)
    order: Mapping[str, Any] | None = None
    repairs: tuple[Repair, ...] = ()


def plan_repairs(
    notebook: NotebookNode,
    folder: str,
    files: Mapping[str, bytes],
    kinds: Collection[str] = ALL_KINDS,
    unavailable: Collection[str] = (),
) -> RepairPlan:
    """The repairs for a notebook in `folder` among `files`, as far as `kinds` go.

    `unavailable` are modules whose absence the assignment has provided for.

    Raises:
        SubmissionError: the notebook asks for a kernel, and that is not to be repaired.
    """
    if not kinds:
        _kernel(notebook, kinds)
        return RepairPlan()
    return _Planner(notebook, folder, files, frozenset(kinds), frozenset(unavailable)).plan()


def refuse_python_2(notebook: NotebookNode, files: Mapping[str, bytes]) -> None:
    """Sees to it that nobody is charged for code that only Python 2 can read.

    `files` are those that answer questions.

    Raises:
        SubmissionError: most of it is such code; the message names the first place.
    """
    cells = enumerate(notebook.cells)
    sources = {f"cell {i}": str(c.source) for i, c in cells if c.cell_type == "code"}
    sources |= {name: _text(content) for name, content in files.items() if name.endswith(".py")}
    if reason := refusal(sources, says_python_2(notebook.metadata)):
        raise SubmissionError(reason)


def repaired_meanwhile(notebook: NotebookNode, files: Collection[str]) -> tuple[Repair, ...]:
    """What processes said that they have found elsewhere while the cells ran.

    A submission can show the same: what it names has to be among the `files`.
    """
    there = {"files": {*files}, "folders": {*folders_of([*files]), ""}}
    said: dict[tuple[str, str], list[Place]] = {}
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            match output.get("data", {}).get(MEDIA_TYPE):
                case {"kind": str(kind), "asked": str(asked), "taken": str(taken), "of": int(of)}:
                    if taken in there.get(kind, ()):
                        text = _found_elsewhere(asked[:MAX_TEXT], taken, of)
                        said.setdefault((kind, text), []).append(index)
    return _records(said)


def _found_elsewhere(asked: str, taken: str, of: int) -> str:
    if not taken:
        return f"{asked} is not there: it was not changed to"
    others = f", the nearest of {of} of that name" if of > 1 else ""
    return f"{asked} is not there: {taken} was taken{others}"


def _records(said: Mapping[tuple[str, str], Sequence[Place]]) -> tuple[Repair, ...]:
    return tuple(
        Repair(
            kind,
            text,
            tuple(dict.fromkeys(p for p in places if isinstance(p, int))),
            tuple(dict.fromkeys(p for p in places if isinstance(p, str))),
        )
        for (kind, text), places in said.items()
    )


def _kernel(notebook: NotebookNode, kinds: Collection[str]) -> str:
    """What is said of a notebook that asks for a kernel of its own."""
    name = str(notebook.metadata.get("kernelspec", {}).get("name", ""))
    if name.lower() in USUAL_KERNELS:
        return ""
    if RepairKind.KERNELS not in kinds:
        raise SubmissionError(
            f"the notebook asks for the kernel {name!r}, which there is not; save it with the "
            "kernel python3, or turn the repair `kernels` on"
        )
    return f"the notebook asks for the kernel {name!r}; it was run with Python 3"


def _text(content: bytes) -> str:
    return content.decode("utf-8-sig", "replace")


class _Planner:
    """One `plan_repairs`."""

    def __init__(
        self,
        notebook: NotebookNode,
        folder: str,
        files: Mapping[str, bytes],
        kinds: frozenset[str],
        unavailable: frozenset[str],
    ) -> None:
        self.notebook, self.folder, self.files = notebook, folder, files
        self.kinds, self.unavailable = kinds, unavailable
        self.said: dict[tuple[str, str], list[Place]] = {}
        cells = enumerate(notebook.cells)
        self.cells = {i: str(cell.source) for i, cell in cells if cell.cell_type == "code"}

    def plan(self) -> RepairPlan:
        """The whole plan."""
        if reason := _kernel(self.notebook, self.kinds):
            self._say(RepairKind.KERNELS, reason)
        sources = self._cells()
        order = {
            "read": RepairKind.FILES in self.kinds,
            "folders": RepairKind.FOLDERS in self.kinds,
            "names": [[g.module, g.attribute, g.target] for g in self._names()],
            "backends": self._backends(),
            "colab": self._colab(),
            **self._modules(),
        }
        return RepairPlan(sources, order, _records(self.said))

    def _say(self, kind: RepairKind, text: str, *places: Place) -> None:
        self.said.setdefault((kind.value, text), []).extend(places)

    def _cells(self) -> dict[int, str]:
        """The cells that are changed."""
        loaded = loads_extensions(list(self.cells.values()), is_installed)
        names = tuple(sorted(self.files))
        around = Surroundings(self.kinds, names, self.folder, loaded, is_installed)
        changed: dict[int, str] = {}
        for index, source in self.cells.items():
            repaired = repair_cell(source, around)
            if repaired.done:
                changed[index] = repaired.source
            for kind, text in repaired.done:
                self._say(RepairKind(kind), text, index)
        return changed

    @cached_property
    def _uses(self) -> dict[Place, Uses]:
        """What each cell and each Python file asks for."""
        trees = {index: list(bodies(source)) for index, source in self.cells.items()}
        shared = imported_names([tree for found in trees.values() for tree in found])
        asked: dict[Place, Uses] = {
            index: _together([uses(tree, shared) for tree in found])
            for index, found in trees.items()
        }
        for name in sorted(n for n in self.files if n.endswith(".py"))[:MAX_FILES]:
            content = self.files[name]
            found = list(bodies(_text(content))) if len(content) <= MAX_FILE_BYTES else []
            asked[name] = _together([uses(tree, imported_names([tree])) for tree in found])
        return asked

    def _names(self) -> list[Gone]:
        if RepairKind.NAMES not in self.kinds:
            return []
        places: dict[Gone, list[Place]] = {}
        for place, asked in self._uses.items():
            for gone in (*find_gone(asked.names | asked.modules), *find_styles(asked.styles)):
                places.setdefault(gone, []).append(place)
        for gone, where in places.items():
            self._say(RepairKind.NAMES, gone.text, *where)
        return list(places)

    def _backends(self) -> list[str]:
        asked = [(p, b) for p, found in self._uses.items() for b in sorted(found.backends)]
        windows = [(p, b) for p, b in asked if b.lower() in WINDOWS]
        if not windows or RepairKind.BACKENDS not in self.kinds:
            return []
        for place, backend in windows:
            text = f"the backend {backend} opens windows: figures are drawn inline instead"
            self._say(RepairKind.BACKENDS, text, place)
        return sorted(WINDOWS)

    def _colab(self) -> bool:
        places = [p for p, found in self._uses.items() if any(map(_is_colab, found.modules))]
        if not places or RepairKind.COLAB not in self.kinds:
            return False
        text = "google.colab has a stand-in: drives are mounted nowhere, uploads are the files here"
        self._say(RepairKind.COLAB, text, *places)
        return True

    def _modules(self) -> dict[str, Any]:
        found = Modules()
        if RepairKind.MODULES in self.kinds:
            asked = {m for found in self._uses.values() for m in found.modules}
            if RepairKind.NAMES in self.kinds:
                asked -= REMOVED_MODULES
            files = [*self.files, *self._written()]
            found = find_modules(asked, files, self.folder, self.unavailable)
        for root, text in found.said:
            places = [p for p, asked in self._uses.items() if _imports(asked, root)]
            self._say(RepairKind.MODULES, text, *places)
        return {"elsewhere": found.elsewhere, "absent": list(found.absent)}

    def _written(self) -> list[str]:
        """The files that cells write with a magic."""
        names = [name for source in self.cells.values() for name in _WRITTEN.findall(source)]
        return [posixpath.normpath(f"{self.folder}/{name}") for name in names]


def _together(several: Sequence[Uses]) -> Uses:
    whole = Uses()
    for one in several:
        whole.names |= one.names
        whole.modules |= one.modules
        whole.styles |= one.styles
        whole.backends |= one.backends
    return whole


def _is_colab(module: str) -> bool:
    return f"{module}.".startswith("google.colab.")


def _imports(asked: Uses, root: str) -> bool:
    return any(module.partition(".")[0] == root for module in asked.modules)
