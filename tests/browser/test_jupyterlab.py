"""`%check` in JupyterLab, in a headless Chromium.

Needs the extra `browser` and a Chromium: `pytest -n0 tests/browser`.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Locator, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as TooLate

from grader.assignment import load_assignment
from grader.releasing import make_bundle, write_bundle

TINY = Path(__file__).parents[1] / "tiny"
START_SECONDS = 60
TRIES = 4
ANSWER = "import numpy as np\ndef square(x):\n    return x * x\ndef square_grad(x):\n    return {}"
WRONG, RIGHT = ANSWER.format("-2 * x"), ANSWER.format("2 * x")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A student's folder, in which the notebook has another name."""
    folder = tmp_path / "homework"
    write_bundle(make_bundle(load_assignment(TINY)), folder)
    notebook = nbformat.read(folder / "tiny.ipynb", as_version=4)
    (folder / "tiny.ipynb").unlink()
    for cell in notebook.cells:
        if cell.id == "q1a-answer":
            cell.source = WRONG
    first = notebook.cells.index(next(c for c in notebook.cells if c.id == "q1a-test"))
    cells = [new_code_cell("%load_ext grader"), *notebook.cells[:first], new_code_cell("%check 1a")]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    work = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(work, folder / "my work.ipynb")
    return folder


@pytest.fixture
def lab(folder: Path, tmp_path: Path) -> Iterator[str]:
    """The address of the notebook in a JupyterLab of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    own = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    options = [
        *("--no-browser", "--allow-root", f"--port={port}", f"--IdentityProvider.token={token}"),
        *("--ServerApp.port_retries=0", "--LabApp.news_url=None", f"--notebook-dir={folder}"),
    ]
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env={**os.environ, **own},
            stdout=log,
            stderr=log,
        )
    try:
        base = f"http://127.0.0.1:{port}"
        wait_for(f"{base}/api/status?token={token}")
        yield f"{base}/lab/tree/my%20work.ipynb?token={token}"
    finally:
        server.terminate()
        server.wait(30)


def wait_for(address: str) -> None:
    """Waits until a server answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                json.load(answer)
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


@pytest.fixture
def page() -> Iterator[Page]:
    """An empty page."""
    path = next(found for name in BROWSERS if (found := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.set_default_timeout(60_000)
        yield page
        browser.close()


def run_all(page: Page, shown: Locator) -> None:
    """Runs all cells, once more where the kernel was still being chosen the first time."""
    for _ in range(TRIES):
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        with suppress(TooLate):
            return shown.wait_for(timeout=20_000)
    pytest.fail("the cells were not run")


def test_check(lab: str, page: Page, tmp_path: Path) -> None:
    """The outcome stands below the cell, and follows what was run, saved or not."""
    # It asks for a kernel where it was quicker than its list of kernels.
    page.add_locator_handler(
        page.get_by_role("dialog"),
        lambda dialog: dialog.get_by_role("button", name="Select Kernel").click(),
    )
    page.goto(lab)
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.get_by_text("Kernel status: Idle").first.wait_for(state="attached")
    shown = page.locator(".jp-OutputArea .nn-grader-check")
    run_all(page, shown)
    expect(shown).to_contain_text("1a", timeout=60_000)
    expect(shown.locator(".nn-grader-outcome")).to_have_text("failed")
    expect(shown).to_contain_text("test_square_grad")
    expect(shown).to_contain_text("opposite sign")
    expect(shown).to_contain_text("3 of 3 elements")
    page.screenshot(path=str(tmp_path / "failed.png"))

    answer = page.locator(".jp-CodeCell", has_text="def square_grad").first
    answer.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    # Typed line by line, the editor would indent by itself.
    page.keyboard.insert_text(RIGHT)
    page.keyboard.press("Shift+Enter")
    check = page.locator(".jp-CodeCell", has_text="%check 1a").last
    check.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    expect(shown.locator(".nn-grader-outcome")).to_have_text("passed", timeout=60_000)
    expect(shown).to_contain_text("2 of 2 checks passed")
    expect(shown).to_contain_text("what you ran is not what is saved")
    page.screenshot(path=str(tmp_path / "passed.png"))
