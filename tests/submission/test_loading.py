"""Files as they arrive: which notebook is read, what is said of it, and what each refusal says."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import nbformat
import pytest
from handed_in_files import NOTEBOOK, make_zip, notebook_of, tar_of, zip_of
from nbformat import v4

from grader.errors import SubmissionError
from grader.submission import limits, load_submission, read_notebook


@pytest.mark.parametrize("name", ["hand-in.ipynb", "HAND-IN.IPYNB", "übung 1.ipynb"])
def test_notebook_file(tmp_path: Path, name: str) -> None:
    """A notebook file is the submission, and its name without suffix the id."""
    (tmp_path / name).write_bytes(NOTEBOOK)
    found = load_submission(tmp_path / name)
    assert (found.id, found.name) == (Path(name).stem, name)
    assert found.files == {name: NOTEBOOK}


def test_name_that_is_not_unicode(tmp_path: Path) -> None:
    """A file name in another encoding than this system's does not hinder the record."""
    path = tmp_path / os.fsdecode(b"h\xe9.ipynb")
    try:
        path.write_bytes(NOTEBOOK)
    except OSError:
        pytest.skip("this file system takes Unicode names alone")
    assert len(load_submission(path).record.sha256) == 64


@pytest.mark.parametrize("name", ["hw.txt", "hw.json", "hw", "hw.ipynb.txt", "hw.zip", "hw.py"])
def test_notebook_by_another_name(tmp_path: Path, name: str) -> None:
    """A notebook is one whatever its file is called, and the report says so."""
    (tmp_path / name).write_bytes(NOTEBOOK)
    found = load_submission(tmp_path / name)
    assert (found.id, found.notebook.cells[0].source) == ("hw", "x = 1")
    assert found.notes == (f"{name} is a notebook, and was read as one",)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("hw.pdf", b"%PDF-1.7 x", "this is a PDF"),
        ("hw.ipynb", b"%PDF-1.7 x", "this is a PDF"),
        ("hw.ipynb", b"\n<!DOCTYPE html>\n<html>", "this is a web page"),
        ("hw.html", b"<html><body>", "this is a web page"),
        ("hw.docx", b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml", "an office document"),
        ("hw.7z", b"7z\xbc\xaf\x27\x1c\0", "this is a 7z archive.*pack it again as a .zip"),
        ("hw.rar", b"Rar!\x1a\x07\x01\x00", "this is a RAR archive.*pack it again as a .zip"),
        ("hw.zip", b"Rar!\x1a\x07\x01\x00", "this is a RAR archive.*pack it again as a .zip"),
        ("hw.zip", b"hello", "the zip file cannot be read"),
        ("hw.txt", b"hello", "give a notebook"),
        ("hw.txt", b"", "it is empty; hand in the saved notebook again"),
        ("hw.py", b"", "empty"),
        ("hw.py", b"x = '\0'", "not text"),
        ("hw.py", b"%PDF-1.7", "this is a PDF, not a Python script"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """A file that holds no notebook is refused by what it is, with a cure, in one sentence."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SubmissionError, match=words) as caught:
        load_submission(tmp_path / name)
    assert str(caught.value).startswith((f"{name}: ", f"{tmp_path / name}: "))
    assert "\n" not in str(caught.value)


def test_script(tmp_path: Path) -> None:
    """A script is a notebook of its cells, and stays among the files as it was."""
    (tmp_path / "hw.py").write_text("# %% [markdown]\n# # 1\n\n# %%\nx = 1\n")
    found = load_submission(tmp_path / "hw.py")
    assert (found.id, found.name, set(found.files)) == ("hw", "hw.py", {"hw.py"})
    assert [cell.source for cell in found.notebook.cells] == ["# 1", "x = 1"]
    assert found.notes == ("hw.py is a script; it was read as a notebook of 2 cells",)


def test_script_that_was_asked_for(tmp_path: Path) -> None:
    """A module that the assignment asks for is a file, and no notebook."""
    (tmp_path / "c.py").write_text("x = 1")
    assert load_submission(tmp_path / "c.py", ["c.py"]).name == ""


def test_script_in_a_folder(tmp_path: Path) -> None:
    """Without a notebook, the script with marked cells is read; modules beside it are files."""
    (tmp_path / "utils.py").write_text("y = 2")
    (tmp_path / "answers.py").write_text("# %%\nx = 1")
    found = load_submission(tmp_path)
    assert (found.name, set(found.files)) == ("answers.py", {"answers.py", "utils.py"})
    (tmp_path / "hw.ipynb").write_bytes(NOTEBOOK)
    assert load_submission(tmp_path).name == "hw.ipynb"


def test_script_beside_the_release(tmp_path: Path) -> None:
    """A script with marked cells counts beside a notebook only where that is the bare release."""
    (tmp_path / "hw.ipynb").write_bytes(NOTEBOOK)
    (tmp_path / "answers.py").write_text("# %%\nx = 1\ny = x + 1")
    release = read_notebook(NOTEBOOK, "hw.ipynb")
    assert load_submission(tmp_path, (), release).name == "answers.py"
    other = read_notebook(notebook_of("z = 3"), "hw.ipynb")
    assert load_submission(tmp_path, (), other).name == "hw.ipynb"


def test_several_notebooks(tmp_path: Path) -> None:
    """Of several notebooks one is chosen and the report says why; where nothing tells, none is."""
    (tmp_path / "hw.ipynb").write_bytes(NOTEBOOK)
    (tmp_path / "Copy of hw.ipynb").write_bytes(notebook_of("x = 2"))
    found = load_submission(tmp_path)
    assert found.name == "hw.ipynb"
    assert found.notes == (
        "of 2 notebooks, hw.ipynb was graded: Copy of hw.ipynb is called a copy or a draft",
    )
    (tmp_path / "Copy of hw.ipynb").rename(tmp_path / "wh.ipynb")
    os.utime(tmp_path / "wh.ipynb", (0, (tmp_path / "hw.ipynb").stat().st_mtime))
    with pytest.raises(SubmissionError, match=r"nothing tells which is meant \(hw.* wh"):
        load_submission(tmp_path)


def test_a_broken_notebook_beside_a_good_one(tmp_path: Path) -> None:
    """What cannot be read does not hinder what can, and is said."""
    (tmp_path / "a.ipynb").write_bytes(b"{")
    (tmp_path / "b.ipynb").write_bytes(NOTEBOOK)
    found = load_submission(tmp_path)
    assert found.name == "b.ipynb"
    (note,) = found.notes
    assert note.startswith("not graded: a.ipynb: this is not a notebook")


def test_no_notebook(tmp_path: Path) -> None:
    """What holds neither notebook nor script is refused with what it holds instead."""
    with pytest.raises(SubmissionError, match="there is nothing in it"):
        load_submission(tmp_path)
    (tmp_path / "data.csv").write_text("1,2")
    with pytest.raises(SubmissionError, match=r"no notebook.*it holds data\.csv"):
        load_submission(tmp_path)
    (tmp_path / "hw.pdf").write_bytes(b"%PDF-1.7")
    with pytest.raises(SubmissionError, match=r"no notebook.*hw\.pdf is a PDF: export"):
        load_submission(tmp_path)
    with pytest.raises(SubmissionError, match=r"no notebook.*hw\.rar is a RAR archive: pack"):
        load_submission(make_zip(tmp_path / "a.zip", **{"hw.rar": b"Rar!\x1a\x07\x01\x00"}))


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link in a folder could lead anywhere: it is left out and said."""
    (tmp_path / "hw.ipynb").write_bytes(NOTEBOOK)
    (tmp_path / "passwd").symlink_to("/etc/passwd")
    found = load_submission(tmp_path)
    assert set(found.files) == {"hw.ipynb"}
    assert found.notes == ("links and devices are not followed: passwd",)


@pytest.mark.parametrize(
    "clutter", [".ipynb_checkpoints/hw-checkpoint.ipynb", "__MACOSX/._hw.ipynb"]
)
def test_clutter(tmp_path: Path, clutter: str) -> None:
    """What Jupyter and macOS leave behind is no notebook, in a zip as in a folder."""
    files = {"hw.ipynb": NOTEBOOK, clutter: notebook_of("old")}
    assert set(load_submission(make_zip(tmp_path / "a.zip", **files)).files) == {"hw.ipynb"}
    for name, content in files.items():
        (tmp_path / "a" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "a" / name).write_bytes(content)
    assert set(load_submission(tmp_path / "a").files) == {"hw.ipynb"}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar(tmp_path: Path, mode: str) -> None:
    """A tar archive is read like a zip, however it is compressed."""
    path = tmp_path / f"ann.tar{mode[1:].replace(':', '.')}"
    path.write_bytes(tar_of(mode, **{"hw/hw.ipynb": NOTEBOOK, "hw/net.py": b"y = 1"}))
    found = load_submission(path)
    assert (found.id, found.name) == ("ann", "hw/hw.ipynb")
    assert set(found.files) == {"hw/hw.ipynb", "hw/net.py"}


@pytest.mark.parametrize("content", [zip_of(**{"hw.ipynb": NOTEBOOK}), gzip.compress(NOTEBOOK)])
def test_archive_by_another_name(tmp_path: Path, content: bytes) -> None:
    """An archive that is called a notebook is opened, and the report says so."""
    (tmp_path / "hw.ipynb").write_bytes(content)
    found = load_submission(tmp_path / "hw.ipynb")
    assert found.notebook.cells[0].source == "x = 1"
    assert "and was read as one" in found.notes[0]


def test_archives_in_archives(tmp_path: Path) -> None:
    """An archive in an archive is opened where no answers lie outside of it, and it is said."""
    inner = zip_of(**{"hw.ipynb": NOTEBOOK, "net.py": b""})
    path = make_zip(tmp_path / "a.zip", **{"ann/hand-in.zip": zip_of(**{"in.zip": inner})})
    found = load_submission(path)
    assert found.name == "ann/hand-in/in/hw.ipynb"
    assert str(found.folder) == "ann/hand-in/in"
    assert found.notes == ("opened, since no answers lie outside of it: ann/hand-in.zip",)
    beside = make_zip(tmp_path / "b.zip", **{"hw.ipynb": NOTEBOOK, "data.zip": inner})
    assert set(load_submission(beside).files) == {"hw.ipynb", "data.zip"}


def test_archives_too_deep(tmp_path: Path) -> None:
    """Archives that lie too deep in each other are refused."""
    content = zip_of(**{"hw.ipynb": NOTEBOOK})
    for _ in range(limits.MAX_DEPTH + 1):
        content = zip_of(**{"in.zip": content})
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(SubmissionError, match="in more than 3 others"):
        load_submission(tmp_path / "a.zip")


def test_room_is_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Archives in archives share the limits of the one that was handed in."""
    monkeypatch.setattr(limits, "MAX_BYTES", 3000)
    parts = {f"{i}.zip": zip_of(**{"a.txt": b"0" * 1000}) for i in range(4)}
    with pytest.raises(SubmissionError, match="more in it than"):
        load_submission(make_zip(tmp_path / "a.zip", **parts))


def test_missing_file(tmp_path: Path) -> None:
    """A path that leads nowhere is refused."""
    with pytest.raises(SubmissionError, match="there is no such file"):
        load_submission(tmp_path / "hw.ipynb")


def test_folder(tmp_path: Path) -> None:
    """A folder's notebook is graded with the files beside it, and clutter left out."""
    (tmp_path / "ann.smith" / "models").mkdir(parents=True)
    (tmp_path / "ann.smith" / ".ipynb_checkpoints").mkdir()
    for name in ("hw.ipynb", "models/net.py", ".ipynb_checkpoints/hw.ipynb", ".DS_Store"):
        (tmp_path / "ann.smith" / name).write_bytes(NOTEBOOK)
    (tmp_path / "ann.smith" / "secret").symlink_to("/etc/passwd")
    found = load_submission(tmp_path / "ann.smith")
    assert (found.id, found.name) == ("ann.smith", "hw.ipynb")
    assert set(found.files) == {"hw.ipynb", "models/net.py"}


def test_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The id of `.` is that of the folder it is."""
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "hw.ipynb").write_bytes(NOTEBOOK)
    monkeypatch.chdir(tmp_path / "ann")
    assert load_submission(".").id == "ann"


def test_zip(tmp_path: Path) -> None:
    """A zip is read like a folder; macOS's extra files are left out."""
    files = {"hw/hw.ipynb": NOTEBOOK, "hw/net.py": b"", "__MACOSX/hw/._hw.ipynb": b"x"}
    found = load_submission(make_zip(tmp_path / "ann.zip", **files))
    assert (found.id, found.name) == ("ann", "hw/hw.ipynb")
    assert set(found.files) == {"hw/hw.ipynb", "hw/net.py"}


def test_record(tmp_path: Path) -> None:
    """The hash is the same for the same files, and tells names and contents apart."""
    made: dict[str, str] = {}

    def digest(**files: bytes) -> str:
        folder = tmp_path / f"{len(made)}"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        made[folder.name] = load_submission(folder).record.sha256
        return made[folder.name]

    first = digest(**{"hw.ipynb": NOTEBOOK, "a": b"12", "b": b"3"})
    assert first == digest(**{"b": b"3", "hw.ipynb": NOTEBOOK, "a": b"12"})
    assert first != digest(**{"hw.ipynb": NOTEBOOK, "a": b"1", "b": b"23"})
    assert first != digest(**{"hw.ipynb": NOTEBOOK, "c": b"12", "b": b"3"})


def test_unreadable_file(tmp_path: Path) -> None:
    """A path that the system cannot read is refused, not a fault of ours."""
    (tmp_path / "hw.ipynb").symlink_to("hw.ipynb")
    with pytest.raises(SubmissionError):
        load_submission(tmp_path / "hw.ipynb")


def test_hand_in(tmp_path: Path) -> None:
    """Checks may read the Markdown, the recorded texts and the files, as they arrived."""
    stream = v4.new_output("stream", text="loss 0.5\n")
    table = v4.new_output("display_data", data={"image/png": "AAAA", "text/plain": "a figure"})
    picture = v4.new_output("display_data", data={"image/png": "AAAA"})
    cells = [
        v4.new_markdown_cell("My loss is 0.5."),
        v4.new_code_cell("train()", outputs=[stream, table, picture]),
        v4.new_raw_cell("raw"),
    ]
    (tmp_path / "a.ipynb").write_text(nbformat.writes(v4.new_notebook(cells=cells)))
    (tmp_path / "data.csv").write_bytes(b"1,2")
    hand_in = load_submission(tmp_path).hand_in
    assert hand_in.markdown == ("My loss is 0.5.",)
    assert hand_in.outputs == ("loss 0.5\n", "a figure")
    assert hand_in.files.keys() == {"a.ipynb", "data.csv"}
    assert hand_in.files["data.csv"] == b"1,2"


# --- answers that are files

EXPECTED = ("net/a.py", "net/b.py", "c.py")


def lay(folder: Path, *names: str) -> Path:
    """A folder with these files; notebooks can be read."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(NOTEBOOK if name.endswith(".ipynb") else b"x = 1")
    return folder


def test_files_without_a_notebook(tmp_path: Path) -> None:
    """With one of the expected files the notebook may be missing: there are no cells then."""
    found = load_submission(lay(tmp_path / "ann", "net/b.py"), EXPECTED)
    assert (found.id, found.name, found.notebook.cells) == ("ann", "", [])
    assert found.answers == {"net/b.py": b"x = 1"}


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        (["hw.ipynb", "net/a.py"], "."),
        (["hw/net/a.py", "hw/c.py", "hw/hw.ipynb"], "hw"),
        (["hw.ipynb", "code/net/a.py", "code/net/b.py"], "code"),
        (["c.py", "new/net/a.py", "new/net/b.py"], "new"),
        (["b/hw.ipynb", "a/c.py", "b/c.py"], "b"),
        (["x/a/c.py", "y/c.py"], "y"),
        (["hw/hw.ipynb", "other.py"], "hw"),
    ],
)
def test_the_folder_of_the_files(tmp_path: Path, names: list[str], folder: str) -> None:
    """Files are looked for where most of them lie, if in doubt beside the notebook or further out.

    Where there are none, that is the notebook's folder.
    """
    found = load_submission(lay(tmp_path, *names), EXPECTED)
    assert str(found.folder) == folder
    outside = [name for name in found.answers if name.startswith("../")]
    within = [name for name in names if folder == "." or name.startswith(f"{folder}/")]
    assert len(outside) == len(names) - len(within)


def test_nothing_that_was_asked_for(tmp_path: Path) -> None:
    """A folder without a notebook and the files is refused, naming the files."""
    with pytest.raises(SubmissionError, match=r"neither a notebook .*net/a\.py, net/b\.py, c\.py"):
        load_submission(lay(tmp_path, "a.py", "d/b.py"), EXPECTED)
