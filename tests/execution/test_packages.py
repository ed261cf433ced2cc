"""Which packages a kernel can import: what is installed, less what is the grader's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.execution import packages

LOOKS_AROUND = """
import importlib.util, os, sys
import numpy, scipy, matplotlib
found = [name for name in ("grader", "reference", "assignments") if importlib.util.find_spec(name)]
listed = [
    entry
    for folder in sys.path
    if os.path.isdir(folder)
    for entry in os.listdir(folder)
    if entry.lower().startswith(("grader", "reference", "nn_grader", "_nn_grader", "__editable__"))
    or entry.endswith(".pth") or "nn_grader" in entry
]
loaded = [name for name in sys.modules if name.split(".")[0] in ("grader", "reference")]
main = sorted(vars(sys.modules["__main__"]))
folders = list(sys.path)
"""


@pytest.fixture(scope="module")
def ran(run_cells: Callable[..., Any]) -> Any:
    """A notebook that looks for the grader's packages."""
    ran = run_cells(LOOKS_AROUND)
    assert ran.run(0).error == ""
    return ran


def test_the_graders_packages_cannot_be_imported(ran: Any) -> None:
    """A kernel finds numpy, scipy and matplotlib, and nothing of ours."""
    assert ran.value(1, "found") == []
    assert ran.value(1, "loaded") == []


def test_no_folder_to_import_from_holds_them(ran: Any) -> None:
    """A walk along sys.path meets neither our packages nor a pointer to them."""
    assert ran.value(1, "listed") == []


def test_no_folder_leads_to_the_checkout(ran: Any) -> None:
    """sys.path does not name the folder from which an editable install is loaded."""
    checkout = Path(packages.__file__).parents[2]
    folders = [Path(folder).resolve() for folder in ran.value(1, "folders") if folder]
    assert checkout not in folders


def test_the_notebooks_main_is_not_the_agent(ran: Any) -> None:
    """A notebook's `__main__` is its own namespace."""
    names = ran.value(1, "main")
    assert "found" in names
    assert not {"start_kernel", "serve_snapshot", "wire"} & set(names)


def test_a_site_folder_without_ours_is_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a folder that holds our packages is replaced."""
    other, ours = tmp_path / "a" / "site-packages", tmp_path / "b" / "site-packages"
    for folder in (other / "one", ours / "two", ours / "reference", ours / "Grader"):
        folder.mkdir(parents=True)
    (ours / "__editable__.nn_grader.pth").write_text(str(tmp_path))
    (ours / "other.pth").write_text(str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(other), str(ours), str(other), ""])
    first, second = packages.student_packages.__wrapped__()
    assert first == str(other)
    assert [entry.name for entry in Path(second).iterdir()] == ["two"]
    assert (Path(second) / "two").resolve() == ours / "two"
