"""A server on a batch, and Chromium; `GRADER_CHROMIUM` names another one than Debian's."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from reviewing import fill

from grader.records import Report
from grader.review.access import Access, Place
from grader.review.app import create_app

CHROMIUM = os.environ.get("GRADER_CHROMIUM", "/usr/bin/chromium")
Open = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Sequence[Report]], Access]]:
    """Starts a server on a gradebook of some reports."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(reports: Sequence[Report]) -> Access:
        fill(tmp_path, reports)
        listening = socket.create_server(("127.0.0.1", 0))
        access = Access(Place("127.0.0.1", listening.getsockname()[1], is_local=True))
        config = uvicorn.Config(create_app(tmp_path, access), log_level="warning", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        running.append((server, thread))
        return access

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join()


@pytest.fixture
def enter(chromium: Browser) -> Iterator[Open]:
    """Opens a reviewer's browser on a server; it fails where the page has an error of its own."""
    contexts, errors = [], []

    def open_page(access: Access, person: str, **options: object) -> Page:
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: (errors.append(dialog.message), dialog.accept()))
        page.goto(f"{access.place.address}/enter?token={access.new_link(person)}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
