"""Who gets in, and from where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from reviewing import PLACE, Browser
from starlette.testclient import TestClient

from grader.review.access import Access, Place, plain_name
from grader.review.app import create_app
from grader.review.calls import own_path

Browse = Callable[[str], Browser]
ELSEWHERE = Place("0.0.0.0", 8000, is_local=False)


def test_a_link_works_once() -> None:
    """A token is spent by its first use."""
    access = Access(PLACE)
    token = access.new_link("tom")
    assert access.enter(token)
    assert access.enter(token) is None
    assert access.enter("") is None


def test_password() -> None:
    """The password lets in; ten wrong ones in a minute stop even the right one."""
    now = [0.0]
    access = Access(ELSEWHERE, "correct horse", clock=lambda: now[0])
    assert access.log_in("eve", "correct horse")
    for _ in range(10):
        assert access.log_in("eve", "wrong") is None
    assert access.log_in("eve", "correct horse") is None
    now[0] = 61.0
    assert access.log_in("eve", "correct horse")


def test_without_a_password_nobody_logs_in() -> None:
    """On this machine alone there is no password, the empty one least of all."""
    assert Access(PLACE).log_in("eve", "") is None


def test_login_page(folder: Path) -> None:
    """The password is asked for and the cookie kept from scripts and other sites."""
    client = TestClient(create_app(folder, Access(ELSEWHERE, "correct horse")))
    assert "password" in client.get("/login").text
    form = {"person": "Eve", "password": "wrong"}
    assert client.post("/login", data=form).status_code == 403
    response = client.post(
        "/login", data={**form, "password": "correct horse"}, follow_redirects=False
    )
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "Eve" in client.get("/").text


def test_headers(browse: Browse) -> None:
    """Every answer forbids inline scripts, frames and guessing of types."""
    client = browse("tom").client
    for address in ("/", "/login", "/static/review.js", "/nothing"):
        headers = client.get(address).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_no_inline_script_or_style(browse: Browse) -> None:
    """Pages hold no script, style or handler of their own, so that the policy may forbid them."""
    tom = browse("tom")
    handle = tom.members(2, "global").split(":")[0]
    for address in ("/", "/question/2", f"/student/{handle}", "/class", "/students"):
        page = tom.get(address)
        assert page.count("<script") == page.count("<script src=")
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick" not in page


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_forged_requests(browse: Browse, token: str) -> None:
    """Without the session's token nothing is changed."""
    client = browse("tom").client
    assert client.post("/names", data={"csrf": token, "show": "1"}).status_code == 403


def test_foreign_origins(browse: Browse) -> None:
    """A request from another site is refused, the right token notwithstanding."""
    tom = browse("tom")
    tom.client.headers["origin"] = "http://evil.example"
    tom.post("/names", 403, show="1")
    tom.client.headers["origin"] = "null"
    tom.post("/names", 403, show="1")
    tom.client.headers["origin"] = PLACE.address
    tom.post("/names", 200, show="1")


def test_foreign_names(browse: Browse) -> None:
    """A name that was made to point here gets nothing."""
    client = browse("tom").client
    assert client.get("/", headers={"host": "evil.example:8000"}).status_code == 421


def test_too_much(browse: Browse) -> None:
    """A request is read only up to a bound."""
    client = browse("tom").client
    assert client.post("/names", content=b"x" * 500_000).status_code == 413


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\r\nb: c"]
)
def test_redirects_stay_here(path: str) -> None:
    """A form cannot lead to another server."""
    assert own_path(path) == "/"


def test_invited(browse: Browse) -> None:
    """Who is in makes a link for another reviewer, which works once."""
    page = browse("tom").post("/invite", person="Eve")
    token = page.partition("token=")[2].partition("<")[0]
    client = TestClient(browse("tom").client.app, base_url=PLACE.address)
    assert "Eve" in client.get(f"/enter?token={token}").text


def test_names_are_plain() -> None:
    """A reviewer's name is one short line."""
    assert plain_name(" Eve\n\x1b[31m  B ") == "Eve[31m B"
    assert plain_name("\u202e\n") == "reviewer"
    assert len(plain_name("x" * 500)) == 60
