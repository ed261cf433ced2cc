"""The review in a real browser: keys, two reviewers at once, hostile answers, every look.

Not part of the default run: `pytest -n0 tests/browser` needs Playwright and a Chromium.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from reviewing import prose, report_of

from grader.gradebook import open_gradebook
from grader.records import AnswerCell, CellOutput, Report
from grader.review.access import Access

Serve = Callable[[Sequence[Report]], Access]
Enter = Callable[..., Page]
WORDS = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot")
ATTACK = "document.title='owned'"
HOSTILE = f"""<script>{ATTACK}</script>
<img src=x onerror="{ATTACK}"> <svg onload="{ATTACK}"></svg>
[link](javascript:{ATTACK}) <iframe srcdoc="<script>{ATTACK}</script>"></iframe>
$\\href{{javascript:{ATTACK}}}{{x}}$ $\\def\\a{{\\a\\a}}\\a$ $<script>{ATTACK}</script>$
$$\\unicode{{x3c}}\\style{{background:url(http://evil.example)}}{{y}}$$
</div></article><form action="http://evil.example"><button id="panel-x">Save</button></form>
![pic](http://evil.example/x.png) <meta http-equiv="refresh" content="0;url=http://evil.example">
"""
SVG = (
    f'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20" onload="{ATTACK}">'
    f'<script>{ATTACK}</script><rect width="40" height="20"/></svg>'
)


def different(count: int) -> list[Report]:
    """So many submissions of which each says something else."""
    texts = [f"Answer {n} says {WORDS[n % 6]}, $x^{n}$." for n in range(count)]
    return [report_of(f"s{n:02}", prose(text)) for n, text in enumerate(texts)]


def saved(page: Page) -> None:
    """Waits until the current answer is saved."""
    expect(page.locator(".card.current .saved")).to_have_text("saved")


def test_thirty_answers_by_keyboard(serve: Serve, enter: Enter, tmp_path: Path) -> None:
    """Thirty answers on three pages are scored without a mouse, with a comment and an undo."""
    access = serve(different(30))
    page = enter(access, "tom")
    page.goto(f"{access.place.address}/question/2?next=")
    keyboard = page.keyboard
    for text, points in (("clear", "+2"), ("a proof", "+1")):
        keyboard.press("a")
        keyboard.type(text)
        keyboard.press("Tab")
        keyboard.type(points)
        keyboard.press("Enter")
        expect(page.locator(".card.current .items")).to_contain_text(text)
    # The first answer has both items now.
    for _ in range(29):
        keyboard.press("n")
        expect(page.locator(".card.current .panel")).to_have_attribute("data-open", "1")
        keyboard.press("1")
        keyboard.press("2")
        expect(page.locator(".card.current .earned")).to_have_text("3")
        saved(page)
    keyboard.press("2")
    expect(page.locator(".card.current .earned")).to_have_text("2")
    keyboard.press("c")
    keyboard.type("Nearly: $x^2 > 0$ is **missing**.")
    keyboard.press("Escape")
    expect(page.locator(".card.current .preview math")).to_have_count(1)
    expect(page.locator("#progress")).to_contain_text("30 of 30")
    saved(page)
    keyboard.press("u")
    expect(page.locator(".card.current .preview")).to_have_count(0)
    keyboard.press("u")
    expect(page.locator(".card.current .earned")).to_have_text("3")
    keyboard.press("n")
    expect(page.locator("#message")).to_contain_text("No answer")
    with open_gradebook(tmp_path) as book:
        assert {row.questions["1b"] for row in book.score_rows()} == {3.0}


def test_two_browsers(serve: Serve, enter: Enter, tmp_path: Path) -> None:
    """Who comes second is shown what stands, keeps what was typed, and decides."""
    access = serve(different(3))
    tom, eve = enter(access, "tom"), enter(access, "eve")
    for page in (tom, eve):
        page.goto(f"{access.place.address}/question/2")
    tom.keyboard.press("f")
    saved(tom)
    eve.keyboard.press("c")
    eve.keyboard.type("I see it otherwise.")
    conflict = eve.locator(".conflict")
    expect(conflict).to_contain_text("tom has changed this")
    expect(eve.locator(".card.current textarea")).to_have_value("I see it otherwise.")
    conflict.get_by_text("Save mine instead").click()
    expect(eve.locator(".card.current .preview")).to_contain_text("otherwise")
    expect(conflict).to_have_count(0)
    # Now tom's page is the older one.
    tom.keyboard.press("z")
    expect(tom.locator(".conflict")).to_contain_text("eve")
    tom.get_by_text("Keep theirs").click()
    expect(tom.locator(".card.current textarea")).to_have_value("I see it otherwise.")
    with open_gradebook(tmp_path) as book:
        people = {change.person for row in book.names() for change in book.history(row, "1b")}
    assert people == {"grader", "tom", "eve"}


def test_quick_keys(serve: Serve, enter: Enter, tmp_path: Path) -> None:
    """Keys that come faster than answers are all saved, in their order, without a conflict."""
    access = serve(different(2))
    page = enter(access, "tom")
    page.goto(f"{access.place.address}/question/2")
    for key in "fzfzfzf":
        page.keyboard.press(key)
    saved(page)
    expect(page.locator(".card.current .earned")).to_have_text("3")
    expect(page.locator(".conflict")).to_have_count(0)


def test_hostile_answers(serve: Serve, enter: Enter) -> None:
    """Nothing that a student wrote runs, leaves its place or reaches another server."""
    picture = base64.b64encode(SVG.encode()).decode()
    outputs = (
        CellOutput("text/html", f"<script>{ATTACK}</script>"),
        CellOutput("image/svg+xml", SVG),
        CellOutput("image/png", f'x" onerror="{ATTACK}'),
        CellOutput("text/markdown", HOSTILE),
        CellOutput("text/latex", HOSTILE),
        CellOutput(f'"><script>{ATTACK}</script>', picture),
        CellOutput("text/plain", HOSTILE),
    )
    cells = (prose(HOSTILE), AnswerCell(4, "code", HOSTILE, outputs), AnswerCell(5, "raw", HOSTILE))
    access = serve([report_of("evil<script>", *cells), *different(1)])
    page = enter(access, "tom")
    foreign: list[str] = []
    page.on("request", lambda r: foreign.append(r.url) if not ours(r.url, access) else None)
    page.goto(f"{access.place.address}/question/2")
    page.keyboard.press("c")
    page.keyboard.type(HOSTILE)
    expect(page.locator(".card.current .preview")).to_have_count(1)
    saved(page)
    for address in ("/question/2", "/students", "/class"):
        page.goto(f"{access.place.address}{address}")
        assert "owned" not in page.title()
    page.goto(f"{access.place.address}/question/2")
    page.locator(".card").first.locator("a[href^='/student/']").first.click()
    assert "owned" not in page.title()
    inside = page.locator("main iframe, main script, main meta, main [onload], main [onerror]")
    assert inside.count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert foreign == []


def ours(address: str, access: Access) -> bool:
    """Whether a request goes to the server, or nowhere."""
    return address.startswith((access.place.address, "data:", "about:"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_looks(serve: Serve, enter: Enter, tmp_path: Path, scheme: str, width: int) -> None:
    """No page is wider than its window, and axe finds no fault; GRADER_PICTURES keeps pictures."""
    reports = [
        *different(4),
        report_of("same1", prose("The same.")),
        report_of("same2", prose("the same")),
    ]
    access = serve(reports)
    size = {"width": width, "height": 800}
    page = enter(access, "tom", viewport=size, color_scheme=scheme, bypass_csp=True)
    page.goto(f"{access.place.address}/question/2")
    page.keyboard.press("a")
    page.keyboard.type("names the minimum")
    page.keyboard.press("Tab")
    page.keyboard.type("+1")
    page.keyboard.press("Enter")
    expect(page.locator(".card.current .items")).to_contain_text("names the minimum")
    page.keyboard.press("c")
    page.keyboard.type("Well seen, but $x^2$ is **convex**.")
    page.keyboard.press("Escape")
    saved(page)
    student = page.locator(".card a[href^='/student/']").first.get_attribute("href")
    for name, address in (
        *(("start", "/"), ("question", "/question/2"), ("students", "/students")),
        *(("student", student), ("class", "/class")),
    ):
        page.goto(f"{access.place.address}{address}")
        picture(page, f"{name}-{scheme}-{width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert faults(page) == [], name


def picture(page: Page, name: str) -> None:
    """Keeps a picture where that is asked for."""
    if folder := os.environ.get("GRADER_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png")


def faults(page: Page) -> list[str]:
    """What axe finds on a page, where GRADER_AXE names its script."""
    script = os.environ.get("GRADER_AXE")
    if not script:
        return []
    page.add_script_tag(path=script)
    found = page.evaluate("axe.run()")
    return [
        f"{v['id']}: {v['nodes'][0]['html']} {v['nodes'][0]['failureSummary']}"
        for v in found["violations"]
    ]
