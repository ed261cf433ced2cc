"""What each package holds, and what it must not."""

from __future__ import annotations

import io
import json
import shlex
import zipfile
from pathlib import Path

import pytest
import yaml

from grader.assignment import Assignment
from grader.ci.packaging import SYSTEMS, Options
from grader.ci.packaging import gradescope as for_gradescope
from grader.ci.writing import write_folder, write_zip
from grader.errors import UsageError

FOR_STUDENTS = ("github", "gitlab", "classroom50")


@pytest.mark.parametrize("system", FOR_STUDENTS)
def test_what_students_can_read(tiny: Assignment, system: str) -> None:
    """Neither solution nor hidden check lies in what students can read, nor in its wheel."""
    files = SYSTEMS[system](tiny, Options())
    wheel = next(content for name, content in files.items() if name.endswith(".whl"))
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        assert not any(name.startswith("reference/") for name in archive.namelist())
    own = b"\n".join(content for name, content in files.items() if not name.endswith(".whl"))
    assert b"BEGIN SOLUTION" not in own
    assert b"test_square_of_many" not in own
    assert b"def test_square(student)" in own
    assert b"@SLUG@" not in own
    assert b"@PYTHON@" not in own
    assert {"tiny/tiny.ipynb", "tiny/.release/tiny.ipynb"} <= files.keys()


def test_gradescope(tiny: Assignment) -> None:
    """The autograder has solution and hidden checks, and ends before Gradescope's limit."""
    files = for_gradescope(tiny, Options("none", 20.0))
    assert {"setup.sh", "run_autograder", "tiny/solution.ipynb"} <= files.keys()
    assert b"test_square_of_many" in files["tiny/checks/test_tiny.py"]
    settings = json.loads(files["settings.json"])
    assert settings == {"assignment": "tiny", "isolation": "none", "seconds": 1170.0}


def test_gitlab(tiny: Assignment) -> None:
    """The job calls the grader with what lies there, and hands GitLab its report."""
    files = SYSTEMS["gitlab"](tiny, Options("landlock"))
    job = yaml.safe_load(files[".gitlab-ci.yml"])["grade"]
    install, run = (shlex.split(line) for line in job["script"][1:])
    given = [word for word in install if word.startswith(".grader/") and "*" not in word]
    assert set(given) <= files.keys()
    assert run[-2:] == ["tiny", "tiny"]
    assert run[run.index("-o") + 1] + "/junit.xml" == job["artifacts"]["reports"]["junit"]
    assert job["artifacts"]["when"] == "always"
    assert job["variables"]["GRADER_ISOLATION"] == "landlock"


def test_classroom50(tiny: Assignment) -> None:
    """The runner's entry is a script that can be read."""
    script = SYSTEMS["classroom50"](tiny, Options("none"))["autograder.py"].decode()
    compile(script, "autograder.py", "exec")
    assert 'ISOLATION = "none"' in script


def test_writing(tmp_path: Path) -> None:
    """A folder that holds something is left alone, and a zip file is whole or not there."""
    (tmp_path / "mine").write_text("")
    with pytest.raises(UsageError, match="not empty"):
        write_folder({"a": b""}, tmp_path)
    with pytest.raises(UsageError, match="is a folder"):
        write_zip({"a": b""}, tmp_path)
    with pytest.raises(UsageError, match="cannot be written"):
        write_zip({"a": b""}, tmp_path / "mine" / "a.zip")
    write_folder({"autograder.py": b"", ".github/b": b""}, tmp_path / "new")
    assert (tmp_path / "new" / "autograder.py").stat().st_mode & 0o111
    assert not (tmp_path / "new" / ".github" / "b").stat().st_mode & 0o111
