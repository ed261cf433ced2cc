"""The wheel that packages carry, and the versions that go with it."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from importlib.metadata import version

from grader.ci.wheel import constraints, distributions_of, make_wheel, wheel_name


def test_record() -> None:
    """Every file of the wheel is listed with its hash, as pip wants it."""
    with zipfile.ZipFile(io.BytesIO(make_wheel(for_students=False))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    record = next(name for name in files if name.endswith(".dist-info/RECORD"))
    rows = {row[0]: row[1:] for row in csv.reader(files[record].decode().splitlines())}
    assert rows.keys() == files.keys()
    for name in files.keys() - {record}:
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).decode().rstrip("=")
        assert rows[name] == [f"sha256={digest}", str(len(files[name]))]
    assert wheel_name().startswith(f"{record.partition('.dist-info')[0]}-py3")


def test_contents() -> None:
    """Bundled assignments stay out, and students get no reference networks."""
    with zipfile.ZipFile(io.BytesIO(make_wheel(for_students=False))) as archive:
        own = set(archive.namelist())
    with zipfile.ZipFile(io.BytesIO(make_wheel(for_students=True))) as archive:
        theirs = set(archive.namelist())
    assert {"grader/cli.py", "grader/ci/templates/gradescope/setup.sh"} <= theirs
    assert not any("assignments/" in name or "__pycache__" in name for name in own)
    assert {name.split("/")[0] for name in own - theirs} == {"reference"}


def test_the_same_bytes() -> None:
    """The same installation makes the same wheel."""
    assert make_wheel(for_students=True) == make_wheel(for_students=True)


def test_constraints() -> None:
    """What the grader needs, directly or not, is pinned to the versions here; itself is not."""
    pinned = dict(line.split("==") for line in constraints(["scikit-learn"]).splitlines())
    assert pinned["numpy"] == version("numpy")
    assert {"pyzmq", "joblib", "scikit-learn"} <= pinned.keys()
    assert "nn-grader" not in pinned


def test_distributions() -> None:
    """Modules are installed by the names of their packages."""
    found = distributions_of(["sklearn.datasets", "matplotlib", "no_such_module"])
    assert found == ("matplotlib", "scikit-learn")
