"""What was handed in is read under the student's own names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import SubmissionError
from grader.lms import find_submissions, load_found
from grader.lms.records import FoundSubmission

LayOut = Callable[..., Path]


def test_several_files(lay_out: LayOut) -> None:
    """A notebook and a module that Canvas renamed lie beside each other under their own names."""
    folder = lay_out(
        "larkwoodada_1001_501_hw.ipynb",
        contents={"larkwoodada_1001_502_utils.py": b"x = 1\n"},
    )
    (found,) = find_submissions(folder).submissions
    submission = load_found(found)
    assert set(submission.files) == {"hw.ipynb", "utils.py"}
    assert (submission.id, submission.name) == ("1001", "hw.ipynb")


def test_one_file(lay_out: LayOut) -> None:
    """A single notebook loses the name that the LMS gave it, and with it the student's."""
    (found,) = find_submissions(lay_out("larkwoodada_1001_501_hw.ipynb")).submissions
    assert set(load_found(found).files) == {"hw.ipynb"}


def test_folder(lay_out: LayOut) -> None:
    """A folder is read as it is, under the id that was found."""
    folder = lay_out("Ada Larkwood_501_assignsubmission_file/hw.ipynb")
    (found,) = find_submissions(folder).submissions
    submission = load_found(found)
    assert (submission.id, set(submission.files)) == ("501", {"hw.ipynb"})


def test_names_alike(lay_out: LayOut) -> None:
    """Two files that the student gave one name are both there."""
    folder = lay_out(contents={"a": b"1", "b": b"2", "c.ipynb": b"{}"})
    paths = tuple(folder / name for name in ("a", "b", "c.ipynb"))
    found = FoundSubmission("x", paths, names=("same.txt", "same.txt", "c.ipynb"))
    with pytest.raises(SubmissionError, match="not a Jupyter notebook"):
        load_found(found)
    (folder / "c.ipynb").write_bytes(b'{"nbformat": 4, "metadata": {}, "cells": []}')
    assert set(load_found(found).files) == {"same.txt", "same-2.txt", "c.ipynb"}


def test_nothing_to_grade(lay_out: LayOut) -> None:
    """Who handed in no notebook, or nothing, is told so, without a path of ours."""
    folder = lay_out(contents={"larkwoodada_1001_text.html": b"<html>"})
    (found,) = find_submissions(folder).submissions
    with pytest.raises(SubmissionError) as caught:
        load_found(found)
    assert "nn-grader-staged" not in str(caught.value)
    with pytest.raises(SubmissionError, match="nothing was handed in"):
        load_found(FoundSubmission("grace", ()))


def test_a_name_that_leads_out(lay_out: LayOut, tmp_path: Path) -> None:
    """Whatever a student called a file, it is read inside its own folder."""
    folder = lay_out("a.ipynb", contents={"b": b"x"})
    paths = (folder / "a.ipynb", folder / "b")
    submission = load_found(FoundSubmission("x", paths, names=("a.ipynb", "../../evil")))
    assert len(submission.files) == 2
    assert not any(".." in Path(name).parts for name in submission.files)
