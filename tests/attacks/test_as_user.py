"""The same attacks by another user's id, which reaches other levels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from grader.execution.isolation import Level
from grader.execution.probing import failings

HERE = Path(__file__).parent
ORDINARY_USER = 60001
SECONDS = 600
OUTCOMES = "outcomes.json"


@pytest.mark.skipif(os.getuid() != 0, reason="not root: its own levels are tried directly")
@pytest.mark.parametrize("user", ["root", "ordinary"])
def test_attacks_as(user: str, request: pytest.FixtureRequest) -> None:
    """Every attack is held off for an ordinary user too, and for root where Python is readable."""
    if user == "root" and not failings(Level.LANDLOCK):
        pytest.skip("root's own levels are tried directly")
    with tempfile.TemporaryDirectory(prefix="nn-home-") as home:
        ran = run_as(0 if user == "root" else ORDINARY_USER, home)
        report = Path(home) / OUTCOMES
        rows = json.loads(report.read_text()) if report.exists() else []
    request.node.user_properties.extend(("attack", row) for row in rows)
    assert ran.returncode == 0, "\n".join(ran.stdout.splitlines()[-60:]) + ran.stderr


def run_as(uid: int, home: str) -> subprocess.CompletedProcess[str]:
    """Runs this folder's tests by another id; root's namespaces are tried directly."""
    os.chown(home, uid, uid)
    only = ("-k", "landlock") if uid == 0 else ()
    command = [
        *(sys.executable, str(HERE / "as_user.py"), str(uid), home),
        *(sys.executable, "-m", "pytest", str(HERE), "-n", "0", "-p", "no:cacheprovider"),
        *("--basetemp", f"{home}/tests", "-q", "--tb=short", "--show-capture=no", *only),
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = kept | {"NN_ATTACK_OUTCOMES": f"{home}/{OUTCOMES}"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
