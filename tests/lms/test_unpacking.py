"""A zip file is unpacked without anything leaving its folder."""

from __future__ import annotations

import os
import stat
import tempfile
import zipfile
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.lms import unpacking
from grader.lms.unpacking import unpack


def zipped(path: Path, *names: str) -> Path:
    """A zip file with files of these names."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), name.encode())
    return path


def tree(folder: Path) -> set[str]:
    """The files in a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["../out.ipynb", "a/../../out.ipynb", "/out.ipynb", "..\\out"])
def test_paths_that_lead_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A path that leads out is left out and said, and the others are there."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder, left_out = unpack(zipped(tmp_path / "d.zip", name, "ada.ipynb"))
    assert tree(folder) == {"ada.ipynb"}
    assert [reason for _, reason in left_out] == ["its path leads out of the zip file"]
    assert not any(path.name.endswith("out.ipynb") for path in tmp_path.rglob("*"))


def test_links(tmp_path: Path) -> None:
    """A link in a zip file is left out and said."""
    entry = zipfile.ZipInfo("passwd.ipynb")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    folder, left_out = unpack(tmp_path / "d.zip")
    assert tree(folder) == set()
    assert left_out[0][1] == "it is a link"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_files_of_one_name(tmp_path: Path) -> None:
    """Of two files with one name the second is said, and a file never becomes a folder."""
    folder, left_out = unpack(zipped(tmp_path / "d.zip", "a", "a", "a/b"))
    assert tree(folder) == {"a"}
    assert len(left_out) == 2


def test_very_long_names(tmp_path: Path) -> None:
    """Names too long for a disk are cut, two that begin alike stay two, the ending is kept."""
    long = [f"{'x' * 400}{n}_1_2_hw.ipynb" for n in range(2)]
    folder, left_out = unpack(zipped(tmp_path / "d.zip", *long))
    assert left_out == []
    assert len(tree(folder)) == 2
    assert all(name.endswith(".ipynb") for name in tree(folder))


def test_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a course can hold is refused before it is unpacked."""
    monkeypatch.setattr(unpacking, "MAX_BYTES", 10)
    with pytest.raises(UsageError, match="unpack it yourself"):
        unpack(zipped(tmp_path / "d.zip", "a_name_of_twenty_one"))


def test_the_folder_outlives_a_worker(tmp_path: Path) -> None:
    """Only the process that unpacked takes the folder away."""
    folder, _ = unpack(zipped(tmp_path / "d.zip", "ada.ipynb"))
    unpacking._remove(folder, os.getpid() + 1)
    assert folder.exists()
    unpacking._remove(folder, os.getpid())
    assert not folder.exists()
