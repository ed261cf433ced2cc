"""The page of similar passages."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from html_page import Page
from nbformat import v4

from grader.assignment import Assignment
from grader.batch.publishing import Publisher
from grader.batch.similar import find_similar, render_similar, write_similar
from grader.batch.summary import write_summary
from grader.gradebook import open_gradebook
from grader.lms.records import FoundSubmission

CODE = "def area(r):  # mail ada@uni.nl\n" + "".join(
    f"    r = r * {n}.5 + np.exp(-{n} * r)\n" for n in range(12)
)
EVIL = "def evil(x):\n    x = '<script>alert(1)</script>'\n" + CODE.split("\n", 1)[1]
BLAMING = ("plagiar", "cheat", "copied", "copying", "guilty", "suspect", "fraud", "offen", "stolen")


def hand_in(folder: Path, name: str, *sources: str) -> FoundSubmission:
    """A notebook of these cells, as it is found in a download."""
    cells = [v4.new_code_cell(source) for source in sources]
    nbformat.write(v4.new_notebook(cells=cells), folder / f"{name}.ipynb")
    return FoundSubmission(name, (folder / f"{name}.ipynb",), f"{name.title()} Larkwood")


@pytest.fixture
def found(tmp_path: Path) -> list[FoundSubmission]:
    """Two that share a function, one of her own, and one that cannot be read."""
    (tmp_path / "hello.pdf").write_bytes(b"%PDF")
    return [
        hand_in(tmp_path, "annie", CODE, "x = 1"),
        hand_in(tmp_path, "berta", "y = 2", CODE.replace("area", "f").replace("r ", "radius ")),
        hand_in(tmp_path, "clara", "print('something else')"),
        FoundSubmission("hello", (tmp_path / "hello.pdf",)),
    ]


def test_page(tiny: Assignment, found: list[FoundSubmission]) -> None:
    """The page shows both sides with what coincides marked, and says what was not compared."""
    result = find_similar(tiny, found)
    assert [(pair.first, pair.second) for pair in result.pairs] == [("annie", "berta")]
    page = Page(render_similar(result))
    assert "3 submissions compared" in page.text
    assert "100% and 100%" in page.text
    assert "annie, cell 0" in page.text
    assert "berta, cell 1" in page.text
    assert "nothing can be read in them: hello" in page.text
    assert len(page.all("mark")) == 2
    assert {"#pair-1", "annie/report.html", "summary.html"} <= {a["href"] for a in page.all("a")}


def test_the_solution_does_not_count(tiny: Assignment, tmp_path: Path) -> None:
    """Two answers that are like the solution, which the task leads to, are no pair."""
    answers = [cell.source for cell in tiny.solution.cells if cell.cell_type == "code"]
    both = [hand_in(tmp_path, name, *answers) for name in ("annie", "berta")]
    assert find_similar(tiny, both).pairs == ()
    both = [hand_in(tmp_path, name, *answers, CODE) for name in ("annie", "berta")]
    assert len(find_similar(tiny, both).pairs) == 1


def test_wording(tiny: Assignment, found: list[FoundSubmission]) -> None:
    """The page accuses nobody, and says what else may be the reason."""
    for submissions in (found, found[2:]):
        text = Page(render_similar(find_similar(tiny, submissions))).text.casefold()
        assert not [word for word in BLAMING if word in text]
        assert "not why" in text
    assert "no two submissions have more in common than the task leads to" in text


def test_masked_and_escaped(tiny: Assignment, tmp_path: Path) -> None:
    """Code is shown as text, without addresses."""
    both = [hand_in(tmp_path, name, CODE, EVIL) for name in ("annie", "berta")]
    html = render_similar(find_similar(tiny, both))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "ada@uni.nl" not in html


def test_written_beside_the_summary(
    tiny: Assignment, found: list[FoundSubmission], tmp_path: Path
) -> None:
    """The summary links to the page; under pseudonyms it has no ids and names."""
    with open_gradebook(tmp_path / "out", create=True) as book:
        for one in found:
            book.add_submission(one)
        assert "similar.html" not in write_summary(book).read_text()
        path = write_similar(tiny, found, Publisher(book))
        assert path == tmp_path / "out" / "similar.html"
        assert 'href="similar.html"' in write_summary(book).read_text()
        publisher = Publisher(book, is_anonymous=True)
        text = write_similar(tiny, found, publisher).read_text()
    assert publisher.shown("annie") in text
    assert not [name for name in ("annie", "berta", "hello", "Larkwood") if name in text]
