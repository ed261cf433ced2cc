"""What an author may say of generic mutants."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignment import load_assignment
from grader.audit.declarations import Declarations, load_declarations
from grader.errors import AssignmentError

EQUIVALENT = '[[equivalent]]\nname = "1a/f/sign/1"\nwhy = "so"\n'


def test_declarations(tiny_folder: Path) -> None:
    """Both tables are read; without the file nothing is said."""
    assert load_declarations(load_assignment(tiny_folder)) == Declarations()
    survivor = '[[survivor]]\nname = "1a/f/factor/1"\nwhy = "yes"\n'
    (tiny_folder / "mutants.toml").write_text(EQUIVALENT + survivor)
    declarations = load_declarations(load_assignment(tiny_folder))
    assert declarations.equivalent == {"1a/f/sign/1": "so"}
    assert declarations.survivor == {"1a/f/factor/1": "yes"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[equivalent]]\nname = "1a/f/sign/1"\n', "why"),
        ('[[equivalent]]\nname = "1a/f/sign/1"\nwhy = " "\n', "why is it so"),
        (EQUIVALENT + EQUIVALENT, "twice"),
        (EQUIVALENT + "cost = 1\n", "cost"),
        ("[[equivalent", "mutants.toml"),
    ],
)
def test_broken_declarations(tiny_folder: Path, text: str, message: str) -> None:
    """An explanation without a reason, or in a broken file, is an error that names the file."""
    (tiny_folder / "mutants.toml").write_text(text)
    with pytest.raises(AssignmentError, match=message):
        load_declarations(load_assignment(tiny_folder))
