"""Plain notebooks, archives and folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from grader.lms import find_submissions

LayOut = Callable[..., Path]


def test_everything_is_accounted_for(lay_out: LayOut) -> None:
    """Each notebook, archive and folder is a submission, and all the rest is said."""
    folder = lay_out(
        *("ada.ipynb", "alan.zip", "grace/hw.ipynb", "emmy/report.pdf", "empty/"),
        *(".DS_Store", "__MACOSX/._ada.ipynb", "late.rar", "emil.py", "ada.py", "max.txt"),
        contents={"notes.txt": b"hello", "ada.pdf": b"%PDF", "kurt.pdf": b"%PDF"},
    )
    download = find_submissions(folder)
    assert download.system == "files"
    assert [s.id for s in download.submissions] == [
        *("ada", "alan", "emil", "emmy", "grace", "kurt", "late", "max")
    ]
    said = {path.name for path, _ in download.passed_over}
    taken = {s.paths[0].name for s in download.submissions}
    assert said | taken == {path.name for path in folder.iterdir()}
    assert not said & taken


def test_hostile_names(lay_out: LayOut) -> None:
    """Names that lead elsewhere or look alike become ids that do neither, and all differ."""
    names = ["-rf .ipynb", "a\nb.ipynb", "\u202eadA.ipynb", "CON.ipynb", "x" * 200 + ".ipynb"]
    folder = lay_out(*names, "ADA.ipynb", "ada.ipynb", "A\\..\\b/hw.ipynb", "Zoe\u0308.ipynb")
    ids = [submission.id for submission in find_submissions(folder).submissions]
    assert len(ids) == len({identity.casefold() for identity in ids}) == 9
    for identity in ids:
        assert (folder / "out" / identity).resolve().parent == (folder / "out").resolve()
        assert identity.isprintable()
    assert "Zoë" in ids


def test_a_link_is_not_followed(lay_out: LayOut, tmp_path: Path) -> None:
    """A link could lead anywhere, so it is said and not graded."""
    folder = lay_out("ada.ipynb")
    (folder / "alan.ipynb").symlink_to(tmp_path / "elsewhere.ipynb")
    (folder / "grace").symlink_to(tmp_path)
    download = find_submissions(folder)
    assert [s.id for s in download.submissions] == ["ada"]
    assert {path.name for path, _ in download.passed_over} == {"alan.ipynb", "grace"}
