"""Whole gradings of the worst combinations; `--mangle-table` grades all deformations."""

from __future__ import annotations

import pytest
from mangling import deform_all, solution_hand_in, wrong_hand_in
from mangling.trying import attempt, baseline, graded

from grader.assignment import load_assignment
from grader.records import QuestionKind

COMBINATIONS = {
    "kiel_lab4": """
        colab headings_translated drive_in_imports paths_absolute old_numpy_names draft_first
        exits macos_zip
    """,
    "aalto_ex09": """
        vs_code python2_label stub_above shell_lines_in_imports folder_in_imports aliased
        beside_release tar_gz
    """,
    "gatech_ps1": """
        crlf tabs type_hints comments_right_to_left old_numpy_names byte_order_mark in_subfolder
        beside_other nested_zip
    """,
    "q3_network": """
        kaggle headings_deleted answered_in_prompts scratch_raises missing_module timed
        jupytext_percent
    """,
    "radboud_a1": "deepnote stub_left qt_figures other_years_utils zipped",
}


@pytest.mark.parametrize("slug", COMBINATIONS)
def test_keeps_its_points(slug: str) -> None:
    """A right hand-in that has suffered much gets all points that code earns; text waits."""
    assignment = load_assignment(slug)
    deformed = deform_all(COMBINATIONS[slug].split(), solution_hand_in(assignment), assignment)
    assert deformed.passed_over == {}
    report = graded(deformed.saved, assignment)
    lost = [
        (question.id, question.points, question.notes)
        for question in report.questions
        if question.kind is QuestionKind.CODE and question.points < question.max_points
    ]
    assert lost == []
    assert report.score + report.pending == pytest.approx(report.max_score)


def test_wrong_work_earns_nothing() -> None:
    """Bugs in all questions cost as much in a deformed hand-in, drafts and copies in it or not."""
    assignment = load_assignment("kiel_lab4")
    hand_in = wrong_hand_in(assignment)
    before = baseline(hand_in, assignment)
    assert before.score < sum(q.points for q in assignment.questions if q.kind == "code")
    names = ["metadata_stripped", "draft_first", "split_in_five", "scratch_raises", "sklearn_moved"]
    trial = attempt(names, hand_in, assignment, before, may_doubt=True)
    assert trial.names
    assert trial.holds, trial.details
