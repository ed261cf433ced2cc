"""What editors and formats make of a notebook's metadata, ids, outputs and counts."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from grader.assignment import Assignment
from mangling.bases import JUPYTER, fresh_id
from mangling.records import Cell, Expected, HandIn, NotApplicableError, Stage, deformation

EDITOR = "editor"
KERNEL = "kernel"
FORMAT = "format"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


@deformation(Stage.METADATA, group=EDITOR)
def metadata_stripped(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All metadata and ids are gone, the notebook's own included."""
    bare = hand_in.map_cells(lambda cell: replace(cell, metadata={}, identity=""))
    return replace(bare, metadata={}, version=(4, 4))


@deformation(Stage.METADATA, group=EDITOR)
def colab(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Colab saved it: ids move into the metadata and are made anew."""

    def rewritten(cell: Cell) -> Mapping[str, Any]:
        made: dict[str, Any] = {"id": _letters(rng, 12)}
        if cell.is_code:
            made["colab"] = {"base_uri": "https://localhost:8080/", "height": 35}
            made["executionInfo"] = {
                "status": "ok",
                "timestamp": 1700000000000 + rng.randrange(10**9),
                "user_tz": -60,
                "elapsed": rng.randrange(900),
                "user": {"displayName": "", "userId": ""},
            }
            made["outputId"] = _uuid(rng)
        return made

    metadata = {
        "colab": {"provenance": [], "collapsed_sections": [], "toc_visible": True},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
    }
    return _resaved(hand_in, rewritten, metadata, (4, 0))


@deformation(Stage.METADATA, group=EDITOR)
def datalore(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Datalore saved it: its node ids in place of ids and metadata."""

    def rewritten(cell: Cell) -> Mapping[str, Any]:
        node = {
            "node_id": _letters(rng, 22),
            "type": "CODE" if cell.is_code else "MD",
            "hide_input_from_viewers": cell.is_code,
            "hide_output_from_viewers": cell.is_code,
        }
        return {"datalore": node}

    metadata = {
        "kernelspec": {"display_name": "Python", "language": "python", "name": "python"},
        "datalore": {
            "version": 1,
            "computation_mode": "JUPYTER",
            "package_manager": "pip",
            "base_environment": "default",
            "packages": [],
        },
    }
    return _resaved(hand_in, rewritten, metadata, (4, 4))


@deformation(Stage.METADATA, group=EDITOR)
def deepnote(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Deepnote saved it: its cell ids in place of ids and metadata, and its mark at the end."""

    def rewritten(cell: Cell) -> Mapping[str, Any]:
        made: dict[str, Any] = {"cell_id": f"{rng.randrange(10**5):05d}-{_uuid(rng)}", "tags": []}
        if cell.is_code:
            made |= {
                "deepnote_to_be_reexecuted": False,
                "source_hash": f"{rng.getrandbits(32):x}",
                "execution_start": 1650000000000 + rng.randrange(10**9),
                "execution_millis": rng.randrange(2000),
            }
        return {**made, "deepnote_cell_type": cell.kind}

    metadata = {
        "deepnote": {},
        "deepnote_notebook_id": _uuid(rng),
        "deepnote_execution_queue": [],
        "orig_nbformat": 2,
    }
    mark = Cell(
        "markdown",
        "<a style='text-decoration:none;' href='https://deepnote.com'>Created in "
        "<span style='font-weight:600;'>Deepnote</span></a>",
        metadata={"tags": [], "created_in_deepnote_cell": True, "deepnote_cell_type": "markdown"},
    )
    saved = _resaved(hand_in, rewritten, metadata, (4, 0))
    return saved.with_cells([*saved.cells, mark])


@deformation(Stage.METADATA, group=EDITOR)
def vs_code(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """VS Code saved it: no ids, and nothing but its own marks in the metadata."""

    def rewritten(cell: Cell) -> Mapping[str, Any]:
        return {"vscode": {"languageId": "python"}} if cell.is_code and rng.random() < 0.5 else {}

    metadata = {
        "interpreter": {"hash": f"{rng.getrandbits(256):064x}"},
        "kernelspec": {
            "display_name": "Python 3.9.7 ('base')",
            "language": "python",
            "name": "python3",
        },
        "language_info": {**JUPYTER["language_info"], "version": "3.9.7"},
        "orig_nbformat": 4,
        "vscode": {"interpreter": {"hash": f"{rng.getrandbits(256):064x}"}},
    }
    return _resaved(hand_in, rewritten, metadata, (4, 2))


@deformation(Stage.METADATA, group=EDITOR)
def kaggle(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Kaggle saved it: its unique ids and times in place of ids and metadata."""

    def rewritten(cell: Cell) -> Mapping[str, Any]:
        made: dict[str, Any] = {"_uuid": f"{rng.getrandbits(160):040x}", "_cell_guid": _uuid(rng)}
        if cell.is_code:
            made["execution"] = {
                "iopub.status.busy": "2023-10-02T10:11:12.131415Z",
                "iopub.execute_input": "2023-10-02T10:11:12.161718Z",
                "iopub.status.idle": "2023-10-02T10:11:12.192021Z",
                "shell.execute_reply": "2023-10-02T10:11:12.222324Z",
            }
            made["trusted"] = True
        return made

    metadata = {
        "kernelspec": {"language": "python", "display_name": "Python 3", "name": "python3"},
        "language_info": {**JUPYTER["language_info"], "version": "3.10.12"},
        "kaggle": {
            "accelerator": "none",
            "dataSources": [],
            "isInternetEnabled": True,
            "language": "python",
            "sourceType": "notebook",
        },
    }
    return _resaved(hand_in, rewritten, metadata, (4, 4))


@deformation(Stage.METADATA, group=KERNEL)
def kernel_renamed(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """The kernel is called `jupyternotebookvenv`, after an environment of the student's."""
    return _with_kernel(hand_in, "jupyternotebookvenv", "3.8.10")


@deformation(Stage.METADATA, group=KERNEL)
def python2_label(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """The kernel is called `python2`, though the code is Python 3."""
    named = _with_kernel(hand_in, "python2", "2.7.10")
    language = {
        **named.metadata["language_info"],
        "codemirror_mode": {"name": "ipython", "version": 2},
        "pygments_lexer": "ipython2",
    }
    return replace(named, metadata={**named.metadata, "language_info": language})


@deformation(Stage.METADATA, group=FORMAT)
def nbformat_3(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Saved in nbformat 3: worksheets, heading cells, and no ids."""
    return _in_version(hand_in, 3, 0)


@deformation(Stage.METADATA, group=FORMAT)
def nbformat_4_0(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Saved in nbformat 4.0, without ids."""
    return _in_version(hand_in, 4, 0)


@deformation(Stage.METADATA, group=FORMAT)
def nbformat_4_1(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Saved in nbformat 4.1, without ids."""
    return _in_version(hand_in, 4, 1)


@deformation(Stage.METADATA, group=FORMAT)
def nbformat_4_2(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Saved in nbformat 4.2, without ids."""
    return _in_version(hand_in, 4, 2)


@deformation(Stage.METADATA, group=FORMAT)
def nbformat_4_4(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Saved in nbformat 4.4, without ids."""
    return _in_version(hand_in, 4, 4)


@deformation(Stage.METADATA, group=FORMAT)
def nbformat_4_5(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Saved in nbformat 4.5 by an editor that made all ids anew and kept the metadata."""
    renewed = hand_in.map_cells(lambda cell: replace(cell, identity=fresh_id(rng)))
    return replace(renewed, version=(4, 5))


@deformation(Stage.METADATA, group=FORMAT)
def ids_doubled(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Every cell has the id of another, as after copying cells by a script."""
    if len(hand_in.cells) < 2:
        raise NotApplicableError("there are not two cells")
    ids = [cell.identity or fresh_id(rng) for cell in hand_in.cells]
    doubled = [
        replace(cell, identity=ids[index - index % 2]) for index, cell in enumerate(hand_in.cells)
    ]
    return replace(hand_in.with_cells(doubled), version=(4, 5))


@deformation(Stage.METADATA, text=Expected.ANYTHING)
def outputs_cleared(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All outputs are cleared: figures and printed results are no longer there."""
    if not any(cell.outputs for cell in hand_in.cells):
        raise NotApplicableError("no cell has outputs")
    return hand_in.map_cells(lambda cell: replace(cell, outputs=()))


@deformation(Stage.METADATA, text=Expected.ANYTHING)
def counts_cleared(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All execution counts are cleared: given cells no longer look run."""
    if all(cell.count is None for cell in hand_in.cells):
        raise NotApplicableError("no cell has an execution count")
    return hand_in.map_cells(lambda cell: replace(cell, count=None))


def _resaved(
    hand_in: HandIn,
    rewritten: Callable[[Cell], Mapping[str, Any]],
    metadata: Mapping[str, Any],
    version: tuple[int, int],
) -> HandIn:
    cells = [replace(c, metadata=rewritten(c), identity="") for c in hand_in.cells]
    return replace(hand_in.with_cells(cells), metadata=metadata, version=version)


def _with_kernel(hand_in: HandIn, name: str, version: str) -> HandIn:
    labels = {"python2": "Python 2"}
    kernel = {"display_name": labels.get(name, name), "language": "python", "name": name}
    language = {**JUPYTER["language_info"], "version": version}
    metadata = {**hand_in.metadata, "kernelspec": kernel, "language_info": language}
    return replace(hand_in, metadata=metadata)


def _in_version(hand_in: HandIn, major: int, minor: int) -> HandIn:
    bare = hand_in.map_cells(lambda cell: replace(cell, identity=""))
    return replace(bare, version=(major, minor))


def _letters(rng: Random, count: int) -> str:
    return "".join(rng.choices(_LETTERS, k=count))


def _uuid(rng: Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
