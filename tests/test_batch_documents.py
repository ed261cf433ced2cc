"""What the pages on batches say is true."""

from __future__ import annotations

import re
import shlex
import sqlite3
from pathlib import Path

import pytest

from grader.commands.batch import batch
from grader.commands.export import export
from grader.commands.review import review
from grader.gradebook import FILE, open_gradebook

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ("batch.md", "gradebook.md", "review.md", "scale.md")
COMMANDS = {"batch": batch, "export": export, "review": review}


def documented() -> dict[str, list[str]]:
    """The columns of each table and view, as docs/gradebook.md lists them."""
    text = (DOCS / "gradebook.md").read_text(encoding="utf-8")
    found = {}
    for section in text.split("\n### ")[1:]:
        name = section.split("`")[1]
        cells = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
        found[name] = re.findall(r"`(\w+)`", " ".join(cells))
    return found


def test_every_table_and_column_is_documented(tmp_path: Path) -> None:
    """The page has the tables, views and columns that a new gradebook has, in their order."""
    open_gradebook(tmp_path, create=True).close()
    connection = sqlite3.connect(tmp_path / FILE)
    names = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
            "AND name NOT LIKE 'sqlite_%'"
        )
    ]
    found = {
        name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in names
    }
    connection.close()
    assert found
    assert documented() == found


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist(page: str) -> None:
    """Each `grader` command that a page shows has the options that it is shown with."""
    blocks = re.findall(r"```sh\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("grader ")]
    for line in lines:
        _, name, *arguments = shlex.split(line)
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert {word for word in arguments if word.startswith("-")} <= known, line


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link exists."""
    text = (DOCS / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)\)", text)
    assert [target for target in targets if not (DOCS / target).exists()] == []
