"""A batch of four to be reviewed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from reviewing import PLACE, TEXTS, Browser, fill, prose, report_of
from starlette.testclient import TestClient

from grader.gradebook import Gradebook, open_gradebook
from grader.review.access import Access
from grader.review.app import create_app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A batch of four; two of the answers to 1b say the same."""
    fill(tmp_path, [report_of(identity, prose(text)) for identity, text in TEXTS.items()])
    return tmp_path


@pytest.fixture
def book(folder: Path) -> Iterator[Gradebook]:
    """The gradebook of the batch."""
    with open_gradebook(folder) as book:
        yield book


@pytest.fixture
def browse(folder: Path) -> Callable[[str], Browser]:
    """Lets a reviewer in, by name."""
    access = Access(PLACE)
    app = create_app(folder, access)

    def let_in(person: str) -> Browser:
        client = TestClient(app, base_url=PLACE.address)
        client.get(f"/enter?token={access.new_link(person)}")
        return Browser(client)

    return let_in
