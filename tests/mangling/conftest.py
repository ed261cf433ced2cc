"""The mangle table: what each deformation does to the points of each assignment's hand-ins.

`pytest tests/mangling --mangle-table` grades every deformation of every solution, once with the
release's metadata and once without, and prints the table. So it does with a solution of which
each question has a bug, which must not earn points by being deformed. `--mangle-hand-ins FOLDER`
adds the hand-ins of that folder, one for each assignment, in a folder or file of its name;
`--mangle-combinations N` adds so many random combinations for each assignment.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from mangling import DEFORMATIONS, Expected, Stage, random_names

from grader.assignment import bundled_assignments

SOLUTION, BARE, WRONG, OTHERS, COMBINED = "solution", "bare", "wrong", "hand-in", "combined"
STRIPPED = "metadata_stripped"
Case = tuple[str, str, tuple[str, ...]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options of the table."""
    group = parser.getgroup("mangling")
    group.addoption("--mangle-table", action="store_true", help="grade and print all deformations")
    group.addoption("--mangle-hand-ins", type=Path, help="a folder of hand-ins by assignment")
    group.addoption("--mangle-combinations", type=int, default=0, help="random ones, each course")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The table is made where it is asked for: it takes half an hour."""
    asked = config.getoption("mangle_table", default=False)
    return True if collection_path.name == "test_table.py" and not asked else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each cell of the table."""
    if "case" in metafunc.fixturenames:
        cases = list(_cases(metafunc.config))
        metafunc.parametrize("case", cases, ids=["-".join((s, b, *n)) for s, b, n in cases])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Prints the table, where it is asked for."""
    if config.getoption("mangle_table", default=False):
        reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, [])]
        found = [p for r in reports for p in getattr(r, "user_properties", []) if p[0] == "mangle"]
        for line in _table([value for _, value in found]):
            terminalreporter.write_line(line)


def _cases(config: pytest.Config) -> Iterator[Case]:
    """Which deformations of which hand-in of which assignment."""
    folder = config.getoption("mangle_hand_ins")
    for slug in bundled_assignments():
        for name, deformation in DEFORMATIONS.items():
            yield slug, SOLUTION, (name,)
            if deformation.stage < Stage.METADATA and deformation.code is not Expected.REFUSED:
                yield slug, BARE, (name, STRIPPED)
                yield slug, WRONG, (name, STRIPPED)
            if folder and any(folder.glob(f"{slug}*")):
                yield slug, OTHERS, (name,)
        for seed in range(config.getoption("mangle_combinations")):
            rng = Random(seed)
            yield slug, COMBINED, tuple(random_names(rng, rng.randint(3, 7)))


def _table(rows: list[list[Any]]) -> Iterator[str]:
    """A Markdown table: a row for each deformation, a column for each kind of hand-in."""
    columns = sorted({(slug, base) for slug, base, _, _ in rows})
    outcomes = {(name, slug, base): outcome for slug, base, name, outcome in rows}
    yield f"| deformation | {' | '.join(f'{slug} {base}' for slug, base in columns)} |"
    yield f"|---|{'---|' * len(columns)}"
    for name in sorted({row[2] for row in rows}, key=lambda n: (n.count("+"), _place(n))):
        cells = [outcomes.get((name, *column), "") for column in columns]
        yield f"| {name} | {' | '.join(cells)} |"


def _place(name: str) -> int:
    return list(DEFORMATIONS).index(name) if name in DEFORMATIONS else len(DEFORMATIONS)
