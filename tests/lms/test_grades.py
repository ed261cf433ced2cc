"""No grade is lowered, blanked or given to the wrong student by accident."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.lms.grades import Target, by_id, by_key, by_name, choose_column, plan_sheet
from grader.lms.records import ExportOptions, Plan, ScoreRow
from grader.lms.sheet import Sheet, read_sheet

Row = Callable[..., ScoreRow]
SHEET = (
    "Name,Login,Number,Lab (7),Remarks\n"
    "Ada Larkwood,ada,1,,\n"
    "Alan Tavish,alan,2,40.00,\n"
    '"Harrow, Grace",grace,3,20.00,well done\n'
    "Ada Larkwood,ada2,4,EX,\n"
)


def plan(
    rows: Sequence[ScoreRow], text: str = SHEET, maximum: float | None = 45.0, **options: bool
) -> Plan:
    """What rows would change in a sheet."""
    sheet = read_sheet(text.encode(), "sheet.csv")
    records = range(1, len(sheet.raw))
    matchers = [
        by_key(sheet, records, 2, "canvas_id"),
        by_id(sheet, records, [1]),
        by_name(sheet, records, 0),
    ]
    target = Target(
        "canvas", "canvas.csv", records, 3, matchers, lambda _: maximum, comment=4, is_capped=True
    )
    return plan_sheet(sheet, target, rows, ExportOptions(**options))


def content(plan: Plan) -> str:
    """The sheet that a plan would write."""
    (file,) = plan.files
    assert isinstance(file.content, bytes)
    return file.content.decode()


def grades(plan: Plan) -> list[str]:
    """The column of grades that a plan would write."""
    sheet = read_sheet(content(plan).encode(), "sheet.csv")
    return [sheet.value(record, 3) for record in range(1, len(sheet.raw))]


def reasons(plan: Plan) -> dict[str, str]:
    """Why each submission was left out."""
    return {skipped.id: skipped.reason for skipped in plan.skipped}


def test_new_and_higher(row: Row) -> None:
    """An empty grade is filled and a lower one raised; nothing else in the sheet changes."""
    made = plan([row("ada"), row("grace")])
    assert grades(made) == ["31.50", "40.00", "31.50", "EX"]
    assert [(c.id, c.column, c.old, c.new) for c in made.changes] == [
        ("ada", "Lab (7)", "", "31.50"),
        ("grace", "Lab (7)", "20.00", "31.50"),
    ]
    assert content(made) == SHEET.replace("ada,1,,", "ada,1,31.50,").replace("20.00", "31.50")


def test_lower(row: Row) -> None:
    """A lower grade is left out and said, and written only where that is asked for."""
    made = plan([row("alan")])
    assert grades(made)[1] == "40.00"
    assert "lower than 40.00" in reasons(made)["alan"]
    assert content(made) == SHEET
    assert grades(plan([row("alan")], lower=True))[1] == "31.50"


def test_pending(row: Row) -> None:
    """A score that is not complete is left out, and written only where that is asked for."""
    rows = [row("ada", pending=12.0)]
    assert "12 points wait" in reasons(plan(rows))["ada"]
    assert grades(plan(rows))[0] == ""
    assert grades(plan(rows, with_pending=True))[0] == "31.50"


def test_the_same_grade(row: Row) -> None:
    """A grade that is there already leaves the sheet as it is, byte for byte."""
    made = plan([row("alan", score=40.001)])
    assert (made.unchanged, made.changes, content(made)) == (1, (), SHEET)


def test_words(row: Row) -> None:
    """What stands instead of a grade, such as an excuse, is left alone."""
    made = plan([row("ada2", score=45.0)], lower=True, with_pending=True)
    assert "'EX'" in reasons(made)["ada2"]
    assert content(made) == SHEET


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_no_number(row: Row, score: float) -> None:
    """What is not a finite number never reaches a sheet."""
    assert content(plan([row("ada", score=score)], lower=True)) == SHEET


def test_above_the_maximum(row: Row) -> None:
    """A grade that the system would refuse is left out, and said."""
    assert "maximum" in reasons(plan([row("ada", score=46.0)]))["ada"]


def test_another_maximum(row: Row) -> None:
    """Where the maxima differ somebody has to say what is meant."""
    with pytest.raises(UsageError, match="--scale"):
        plan([row("ada")], maximum=100.0)
    assert grades(plan([row("ada")], maximum=100.0, scale=True))[0] == "70.00"
    assert grades(plan([row("ada")], maximum=100.0, scale=False))[0] == "31.50"
    assert grades(plan([row("ada")], maximum=None))[0] == "31.50"


def test_ambiguous(row: Row) -> None:
    """A name that two students have gives neither of them a grade."""
    assert "several rows" in reasons(plan([row("x", name="Ada Larkwood")]))["x"]


def test_two_submissions_for_one_row(row: Row) -> None:
    """Two submissions that fit one student are both left out."""
    made = plan([row("grace"), row("y", name="Grace Harrow", score=45.0)])
    assert set(reasons(made)) == {"grace", "y"}
    assert content(made) == SHEET


def test_internal_numbers_do_not_match_logins(row: Row) -> None:
    """A number that an LMS made up counts in its own column alone."""
    text = SHEET.replace("alan,2", "9,2")
    made = plan([row("9", keys={"canvas_id": "9"})], text, lower=True)
    assert reasons(made) == {"9": "not in the sheet"}
    assert grades(plan([row("9")], text, lower=True))[1] == "31.50"


def test_a_namesake_who_stayed(row: Row) -> None:
    """Who has left the course is not taken for a namesake with another number."""
    made = plan([row("9", name="Alan Tavish", score=45.0, keys={"canvas_id": "9"})])
    assert reasons(made) == {"9": "not in the sheet"}


def test_rows_without_a_score(row: Row) -> None:
    """Students of the sheet who have no score here are counted."""
    assert plan([row("ada")]).notes == ("3 of 4 rows of the sheet have no score here",)


def test_comments(row: Row) -> None:
    """A comment fills an empty cell, never replaces another one, and is no formula."""
    rows = [row("ada", comment="=1+1"), row("grace", comment="see me")]
    made = plan(rows)
    sheet = read_sheet(content(made).encode(), "sheet.csv")
    assert (sheet.value(1, 4), sheet.value(3, 4)) == ("'=1+1", "well done")
    assert "comment" in reasons(made)["grace"]
    assert "see me" not in content(plan(rows, comments=False))


def test_decimal_comma(row: Row) -> None:
    """A sheet with decimal commas gets decimal commas."""
    text = SHEET.replace("40.00", '"40,00"').replace("20.00", '"20,00"')
    assert '"31,50"' in content(plan([row("ada")], text))


@given(
    st.lists(st.none() | st.integers(0, 4500), min_size=4, max_size=4),
    st.lists(st.integers(0, 4500), min_size=4, max_size=4),
)
def test_no_accident(row: Row, before: list[int | None], scores: list[int]) -> None:
    """Whatever stands in a sheet and whatever the scores, no grade falls and none goes."""
    logins = ("ada", "alan", "grace", "ada2")
    old = ["" if grade is None else f"{grade / 100:.2f}" for grade in before]
    lines = [f"N{i},{login},{i},{old[i]}," for i, login in enumerate(logins)]
    text = "\n".join(["Name,Login,Number,Lab (7),Remarks", *lines, ""])
    rows = [row(login, score=score / 100) for login, score in zip(logins, scores, strict=True)]
    made = plan(rows, text)
    for grade, was, score in zip(grades(made), before, scores, strict=True):
        assert float(grade) == max(score, was or 0) / 100
    assert len(made.changes) + len(made.skipped) + made.unchanged == 4


def columns(*titles: str) -> Sheet:
    """A sheet with nothing but titles."""
    return read_sheet(",".join(titles).encode(), "sheet.csv")


def test_choosing_a_column() -> None:
    """A column is meant by its title, by its beginning or by its number, and never guessed."""
    sheet = columns("Lab 1 (70)", "Lab 1 (71)", "Lab 2 (72)", "Essay [Total Pts: 5] |73")
    everything = range(4)
    assert choose_column(sheet, everything, "lab 2", "x") == 2
    assert choose_column(sheet, everything, "71", "x") == 1
    assert choose_column(sheet, everything, "Essay", "x") == 3
    assert choose_column(sheet, [2], "", "x") == 2
    for wanted in ("", "Lab 1", "Lab"):
        with pytest.raises(UsageError, match="columns"):
            choose_column(sheet, everything, wanted, "x")
