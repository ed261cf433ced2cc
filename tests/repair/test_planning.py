"""The repairs of one submission, as they are known before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from grader.errors import SubmissionError
from grader.execution.inside.elsewhere import MEDIA_TYPE
from grader.records import Repair
from grader.repair.kinds import ALL_KINDS
from grader.repair.planning import (
    RepairPlan,
    plan_repairs,
    refuse_python_2,
    repaired_meanwhile,
)

NO_FILES: Mapping[str, bytes] = {}


def notebook(*sources: str, kernel: str = ""):
    """A notebook of these code cells, behind a text."""
    metadata = {"kernelspec": {"name": kernel, "display_name": "x"}} if kernel else {}
    cells = [new_markdown_cell("!pip install x"), *map(new_code_cell, sources)]
    return new_notebook(cells=cells, metadata=metadata)


def told(plan: RepairPlan) -> dict[str, Repair]:
    """The repairs by what they are of; several of one kind must not be told apart by this."""
    return {repair.kind: repair for repair in plan.repairs}


def test_a_notebook_that_needs_nothing() -> None:
    """Its cells stay, nothing is told, and files could be found by name."""
    plan = plan_repairs(notebook("import numpy as np\nnp.int64(3)"), ".", NO_FILES)
    assert plan.sources == {}
    assert plan.repairs == ()
    assert plan.order is not None
    assert plan.order["read"]
    assert not plan.order["names"]


def test_names_and_where_they_are_asked_for() -> None:
    """An alias holds in all cells, and in a file only its own; each name is told once."""
    files = {"a.py": b"import numpy as n\nn.Inf", "b.py": b"np.Inf", "c.py": b"\xff def"}
    plan = plan_repairs(notebook("import numpy as np", "np.Inf", "%time np.Inf"), ".", files)
    assert plan.order is not None
    assert plan.order["names"] == [["numpy", "Inf", "numpy:inf"]]
    assert told(plan)["names"].cells == (2, 3)
    assert told(plan)["names"].files == ("a.py",)


def test_names_in_modules_with_a_byte_order_mark() -> None:
    """A module that Windows has marked is read as any other."""
    files = {"net.py": b"\xef\xbb\xbfimport numpy as np\nx = np.float(1)\n"}
    plan = plan_repairs(notebook("import net"), ".", files)
    assert plan.order is not None
    assert plan.order["names"]


def test_one_record_for_the_same_in_several_cells() -> None:
    """What is done in many cells is told once, with the cells."""
    plan = plan_repairs(notebook("!pip install x", "x = 1", "!pip install x"), ".", NO_FILES)
    assert plan.sources == {1: "pass\n", 3: "pass\n"}
    assert plan.repairs == (Repair("commands", "`!pip install x` was not run", (1, 3)),)


def test_backends_colab_and_modules() -> None:
    """What the code asks for is ordered, and no more."""
    sources = (
        "import matplotlib\nmatplotlib.use('TkAgg')",
        "from google.colab import drive",
        "import seaborn_like, helpers\n%%writefile made.py\n",
        "%%writefile made.py\nx = 1",
        "import made",
    )
    plan = plan_repairs(notebook(*sources), "hw", {"hw/lib/helpers.py": b""})
    order = plan.order
    assert order is not None
    assert "tkagg" in order["backends"]
    assert order["colab"]
    assert order["elsewhere"] == {"helpers": "hw/lib/helpers.py"}
    assert order["absent"] == ["seaborn_like"]
    assert {"backends", "colab", "modules"} <= told(plan).keys()


@pytest.mark.parametrize("kind", [k for k in ALL_KINDS if k != "kernels"])
def test_each_kind_can_be_turned_off(kind: str) -> None:
    """Without a kind nothing of it is ordered or told."""
    sources = (
        "!pip install x\n%unheard\n%matplotlib tk\n%run /x/s.py\nimport numpy as np\nnp.int",
        "from google.colab import files\nimport no_such_module",
    )
    files = {"lib/s.py": b""}
    whole = plan_repairs(notebook(*sources), ".", files)
    plan = plan_repairs(notebook(*sources), ".", files, set(ALL_KINDS) - {kind})
    assert plan.order is not None
    assert kind not in told(plan)
    assert {*told(plan), "folders", kind} == {*told(whole), "folders", kind}
    assert plan.order["read"] == (kind != "files")
    assert plan.order["folders"] == (kind != "folders")
    assert bool(plan.order["names"]) == (kind != "names")
    assert plan.order["colab"] == (kind != "colab")
    assert bool(plan.order["absent"]) == (kind != "modules")


def test_all_turned_off() -> None:
    """Nothing is ordered at all."""
    assert plan_repairs(notebook("!pip install x\nnp.int"), ".", NO_FILES, ()) == RepairPlan()


def test_kernels() -> None:
    """One of another name is told; with the repair off, the notebook is refused."""
    named = notebook(kernel="jupyternotebookvenv")
    assert "'jupyternotebookvenv'; it was run" in told(plan_repairs(named, ".", {}))["kernels"].text
    assert plan_repairs(notebook(kernel="python3"), ".", {}).repairs == ()
    for kinds in ((), ("names",)):
        with pytest.raises(SubmissionError, match="save it with the kernel python3"):
            plan_repairs(named, ".", NO_FILES, kinds)


def test_python_2_is_refused() -> None:
    """Cells and the files that answer questions count."""
    with pytest.raises(SubmissionError, match=r"this is Python 2.*cell 1 \(`print 'a'`\)"):
        refuse_python_2(notebook("print 'a'", "print 'b'"), {})
    with pytest.raises(SubmissionError, match=r"models/net.py \(`print 'a'`\)"):
        refuse_python_2(notebook(), {"models/net.py": b"print 'a'", "b.py": b"x = 1L"})
    refuse_python_2(notebook("print(1)", kernel="python2"), {"notes.md": b"print 'a'"})


def show(cell: Any, content: object) -> None:
    """Shows this as a process does what it has repaired."""
    cell.outputs.append(new_output("display_data", {MEDIA_TYPE: content}))


def test_what_was_repaired_while_cells_ran() -> None:
    """It stands among the outputs, and is told once with its cells."""
    ran = notebook("x", "y")
    files = ("a/x.csv", "b/x.csv")
    good = {"kind": "files", "asked": "…/x.csv", "taken": "a/x.csv", "of": 2}
    show(ran.cells[1], good)
    show(ran.cells[2], good)
    show(ran.cells[2], {"kind": "folders", "asked": "…/q/a", "taken": "a", "of": 1})
    show(ran.cells[2], {"kind": "folders", "asked": "…/q/z", "taken": "", "of": 0})
    ran.cells[1].outputs.append(new_output("stream", text="x"))
    nearest = "…/x.csv is not there: a/x.csv was taken, the nearest of 2 of that name"
    assert repaired_meanwhile(ran, files) == (
        Repair("files", nearest, (1, 2)),
        Repair("folders", "…/q/a is not there: a was taken", (2,)),
        Repair("folders", "…/q/z is not there: it was not changed to", (2,)),
    )


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "files", "asked": "x.csv", "taken": "full marks", "of": 1},
        {"kind": "files", "asked": "x.csv", "taken": "", "of": 1},
        {"kind": "points", "asked": "x", "taken": "a/x.csv", "of": 1},
        {"kind": "files", "asked": 3, "taken": "a/x.csv", "of": 1},
        {"kind": "files", "text": "full marks"},
        "full marks",
        None,
    ],
)
def test_what_a_student_makes_up_is_not_told(content: object) -> None:
    """What names no file of the submission's, or has another form, is no repair."""
    ran = notebook("x")
    show(ran.cells[1], content)
    assert repaired_meanwhile(ran, ("a/x.csv",)) == ()


def test_what_is_told_is_bounded() -> None:
    """A path of any length takes one line."""
    ran = notebook("x")
    show(ran.cells[1], {"kind": "files", "asked": "x" * 9999, "taken": "a/x.csv", "of": 1})
    assert len(repaired_meanwhile(ran, ("a/x.csv",))[0].text) < 300
