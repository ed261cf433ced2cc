"""Archives: nothing in them leads out, grows without measure, or means two things."""

from __future__ import annotations

import gzip
import io
import tarfile
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from handed_in_files import NOTEBOOK, make_zip, tar_of, zip_of

from grader.errors import SubmissionError
from grader.submission import limits, load_submission
from grader.submission.archives import read_archive


def test_zip_with_backslashes(tmp_path: Path) -> None:
    """Paths written on Windows are paths."""
    files = {"hw\\": b"", "hw\\hw.ipynb": NOTEBOOK}
    found = load_submission(make_zip(tmp_path / "a.zip", **files))
    assert found.name == "hw/hw.ipynb"


@pytest.mark.parametrize("name", ["../hw.ipynb", "a/../../hw.ipynb", "/hw.ipynb", "..\\hw.ipynb"])
def test_zip_that_leads_out(tmp_path: Path, name: str) -> None:
    """A zip with a path out of its folder is refused."""
    with pytest.raises(SubmissionError, match="leads out of it"):
        load_submission(make_zip(tmp_path / "a.zip", **{name: NOTEBOOK}))


def test_zip_with_a_file_in_a_file(tmp_path: Path) -> None:
    """A zip in which a file is also a folder is refused."""
    files = {"hw.ipynb": NOTEBOOK, "hw.ipynb/net.py": b""}
    with pytest.raises(SubmissionError, match="is a file and a folder"):
        load_submission(make_zip(tmp_path / "a.zip", **files))


def test_damaged_zip(tmp_path: Path) -> None:
    """A zip that was damaged on its way is refused, or what it holds was not touched."""
    content = NOTEBOOK + bytes(range(9, 11)) * 400
    whole = make_zip(tmp_path / "a.zip", **{"hw.ipynb": content}).read_bytes()
    for position in range(0, len(whole), 2):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        (tmp_path / "a.zip").write_bytes(damaged)
        with suppress(SubmissionError):
            assert list(load_submission(tmp_path / "a.zip").files.values()) == [content]


@pytest.mark.parametrize(("limit", "value"), [("MAX_FILES", 2), ("MAX_BYTES", 1000)])
def test_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    """A zip or folder with more in it than the limits allow is refused."""
    monkeypatch.setattr(limits, limit, value)
    files = {"hw.ipynb": NOTEBOOK, "a.txt": b"0" * 500, "b.txt": b"0" * 500}
    with pytest.raises(SubmissionError, match="more in it than"):
        load_submission(make_zip(tmp_path / "a.zip", **files))
    (tmp_path / "a").mkdir()
    for name, content in files.items():
        (tmp_path / "a" / name).write_bytes(content)
    with pytest.raises(SubmissionError, match="more in it than"):
        load_submission(tmp_path / "a")


def test_encrypted_zip(tmp_path: Path) -> None:
    """A zip that asks for a password is refused."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("hw.ipynb", NOTEBOOK)
    content = bytearray(stream.getvalue())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(SubmissionError, match=r"cannot be read \(.*password"):
        load_submission(tmp_path / "a.zip")


def entry(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """An entry of a tar archive without content."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (entry("hw.ipynb", tarfile.SYMTYPE, "/etc/passwd"), "is a link or a device"),
        (entry("hw.ipynb", tarfile.LNKTYPE, "../../secret"), "is a link or a device"),
        (entry("hw.ipynb", tarfile.CHRTYPE), "is a link or a device"),
        (entry("hw.ipynb", tarfile.BLKTYPE), "is a link or a device"),
        (entry("hw.ipynb", tarfile.FIFOTYPE), "is a link or a device"),
        (entry("/hw.ipynb", tarfile.REGTYPE), "leads out of it"),
        (entry("../hw.ipynb", tarfile.REGTYPE), "leads out of it"),
        (entry("a/../../hw.ipynb", tarfile.REGTYPE), "leads out of it"),
        (entry("a\nb.ipynb", tarfile.REGTYPE), "has control characters"),
        (entry("a" * 300 + ".ipynb", tarfile.REGTYPE), "is too long"),
        (entry("b/" * 600 + "hw.ipynb", tarfile.REGTYPE), "is too long"),
        (entry("aux.py", tarfile.REGTYPE), "which Windows keeps"),
    ],
)
def test_tricks_in_tar(made: tarfile.TarInfo, words: str) -> None:
    """A tar archive with a link, a device or a path that is a trick is refused, and says so."""
    with pytest.raises(SubmissionError, match=words) as caught:
        read_archive("a.tar.gz", tar_of(x=made, **{"ok.ipynb": NOTEBOOK}), limits.Room())
    assert str(caught.value).startswith("a.tar.gz: ")
    assert str(caught.value).endswith("; pack the plain files again")


def zip_entry(name: str, mode: int = 0) -> bytes:
    """A zip with one file of this name and mode."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        made = zipfile.ZipInfo("x")
        made.filename, made.external_attr = name, mode << 16
        archive.writestr(made, NOTEBOOK)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zip_entry("hw.ipynb", 0o120777), "is a link or a device"),
        (zip_entry("hw.ipynb", 0o010644), "is a link or a device"),
        (zip_entry("C:/hw.ipynb"), "leads out of it"),
        (zip_entry("a\tb.ipynb"), "has control characters"),
        (zip_entry("hw.ipynb\0.txt"), "has control characters"),
        (zip_entry("é" * 200), "is too long"),
        (zip_entry("NUL.ipynb"), "which Windows keeps"),
    ],
)
def test_tricks_in_zip(content: bytes, words: str) -> None:
    """A zip with a link or a path that is a trick is refused."""
    with pytest.raises(SubmissionError, match=words):
        read_archive("a.zip", content, limits.Room())


@pytest.mark.parametrize(
    "names", [("hw.ipynb", "HW.ipynb"), ("ü.ipynb", "u\u0308.ipynb"), ("a.py", "a.py")]
)
def test_names_alike(names: tuple[str, str]) -> None:
    """Two files that some disk would take for one are refused, doubled names included."""
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w") as archive:
        warnings.simplefilter("ignore")
        for name in names:
            archive.writestr(name, NOTEBOOK)
    with pytest.raises(SubmissionError, match="are one file on some disks"):
        read_archive("a.zip", stream.getvalue(), limits.Room())


@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_bomb(monkeypatch: pytest.MonkeyPatch, pack: object) -> None:
    """What grows out of all proportion is refused before it is whole."""
    monkeypatch.setattr(limits, "RATIO_FROM", 1 << 20)
    content = pack(**{"hw.ipynb": bytes(8 << 20)})  # type: ignore[operator]
    with pytest.raises(SubmissionError, match="grows more than 200 times"):
        read_archive("a", content, limits.Room())


def test_a_size_that_lies() -> None:
    """A zip that declares less than it holds gives no more than it declares, or is refused."""
    content = bytearray(zip_of(**{"hw.txt": b"0" * 100_000}))
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = (10).to_bytes(4, "little")
    with suppress(SubmissionError):
        files = read_archive("a.zip", bytes(content), limits.Room())
        assert len(files["hw.txt"].content) <= 10


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
def test_cut_off(cut: float) -> None:
    """An archive that was cut off is refused with the cure."""
    content = tar_of(**{"hw.ipynb": NOTEBOOK * 20})
    with pytest.raises(SubmissionError, match=r"cannot be read.*pack it again"):
        read_archive("a.tgz", content[: int(cut * len(content))], limits.Room())


def test_plain_gzip() -> None:
    """A single file that was compressed is that file."""
    files = read_archive("out/hw.ipynb.gz", gzip.compress(NOTEBOOK), limits.Room())
    assert {name: file.content for name, file in files.items()} == {"hw.ipynb": NOTEBOOK}
