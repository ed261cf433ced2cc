"""The pages, as a browser without scripts sees them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from reviewing import Browser, prose, report_of
from starlette.testclient import TestClient

from grader.gradebook import Gradebook, ManualScore
from grader.records import AnswerCell, CellOutput

Browse = Callable[[str], Browser]
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5Erk"
    "Jggg=="
)


def test_questions_and_progress(browse: Browse) -> None:
    """The first page says of each question how many are scored, and by whom."""
    tom = browse("tom")
    assert "0 of 4" in tom.get("/")
    tom.score("global", "full")
    assert "1 of 4" in tom.get("/")
    assert "tom 1" in tom.get("/")


def test_names_are_hidden_until_asked_for(browse: Browse) -> None:
    """Neither a page nor its addresses say whose answers they are, until one asks."""
    tom = browse("tom")
    addresses = ["/", "/question/1", "/question/2", "/students", "/class"]
    for address in addresses:
        page = tom.get(address)
        assert "Example" not in page
        assert "ann" not in page.replace("cannot", "").replace("annotation", "")
    tom.post("/names", 200, show="1", back="/students")
    assert "Ann Example" in tom.get("/students")
    assert "Ann Example" in tom.get("/question/2")


def test_like_answers_are_scored_once(browse: Browse, book: Gradebook) -> None:
    """One score goes to all whose answers say the same."""
    tom = browse("tom")
    assert "2 alike" in tom.get("/question/2")
    tom.score("ends in a", "full", comment="well seen")
    scores = {s: book.manual_scores(s) for s in ("ann", "bob", "cas")}
    assert scores["ann"]["1b"].points == scores["bob"]["1b"].points == 3.0
    assert scores["bob"]["1b"].comment == "well seen"
    assert scores["cas"] == {}


def test_one_of_a_group_alone(browse: Browse, book: Gradebook) -> None:
    """A submission that is taken out of its group is scored by itself."""
    tom = browse("tom")
    handle = tom.members(2, "ends in a").split(":")[0]
    tom.post("/question/2/alone", 200, handle=handle, back="/question/2")
    assert "2 alike" not in tom.get("/question/2")


def test_rubric(browse: Browse, book: Gradebook) -> None:
    """Items are made while scoring; renamed or repriced, all scores follow, with the reason."""
    tom, eve = browse("tom"), browse("eve")
    tom.score("global", "add", new_text="wrong minimum", new_points="+1")
    assert book.manual_scores("cas")["1b"].points == 1.0
    eve.post(
        "/question/2/rubric",
        command="change",
        item="1",
        version="1",
        text="another minimum",
        points="+1.5",
    )
    given = book.given("cas")["1b"]
    assert (given.points, given.items[0].text) == (1.5, "another minimum")
    last = book.history("cas", "1b")[-1]
    assert (last.person, last.reason) == ("eve", "rubric item 'wrong minimum': +1 is now +1.5")
    eve.post("/question/2/rubric", command="start", start="full")
    assert book.manual_scores("cas")["1b"].points == 3.0
    eve.post("/question/2/rubric", command="remove", item="1", version="2", text="x", points="1")
    assert book.manual_scores("cas") == {}


def test_a_rubric_item_is_not_changed_twice_unseen(browse: Browse) -> None:
    """Who has not seen the newest version of an item cannot change it."""
    tom = browse("tom")
    item = {"command": "change", "item": "1", "version": "1", "points": "2"}
    tom.post("/question/2/rubric", command="add", text="clear", points="1")
    tom.post("/question/2/rubric", text="very clear", **item)
    assert "in the meantime" in tom.post("/question/2/rubric", 422, text="not clear", **item)


def test_two_reviewers(browse: Browse, book: Gradebook) -> None:
    """Who has not seen the newest score is shown it, and nothing is overwritten."""
    tom, eve = browse("tom"), browse("eve")
    seen = eve.members(2, "global")
    tom.score("global", "full", comment="fine")
    page = eve.post(
        "/question/2/score", 409, members=seen, command="zero", action="action-eve-1", comment="no"
    )
    assert "<strong>tom</strong> has changed this" in page
    assert 'data-points="0.000000"' in page
    assert book.manual_scores("cas")["1b"].points == 3.0
    # Having seen it, eve may insist.
    eve.score("global", "comment", points="0", comment="no")
    assert book.manual_scores("cas")["1b"].points == 0.0


def test_undo(browse: Browse, book: Gradebook) -> None:
    """Undo takes back one's own actions, the last one first, for a whole group."""
    tom = browse("tom")
    tom.score("ends in a", "full", action="action-0001")
    tom.score("ends in a", "zero", action="action-0002")
    tom.post("/question/2/undo")
    assert {book.manual_scores(s)["1b"].points for s in ("ann", "bob")} == {3.0}
    tom.post("/question/2/undo")
    assert book.manual_scores("ann") == {}
    assert "nothing of yours" in tom.post("/question/2/undo", 422)
    assert [c.points for c in book.history("ann", "1b")] == [0.0, 3.0, 0.0, 3.0, None]


def test_undo_leaves_what_others_gave(browse: Browse, book: Gradebook) -> None:
    """What somebody else has scored since is not undone."""
    tom, eve = browse("tom"), browse("eve")
    tom.score("global", "full")
    eve.score("global", "zero")
    assert "eve has changed this" in tom.post("/question/2/undo", 422)
    assert book.manual_scores("cas")["1b"].points == 0.0


@pytest.mark.parametrize("typed", ["4", "-1", "nan", "1e3", "two", "9" * 40])
def test_points_that_are_none(browse: Browse, book: Gradebook, typed: str) -> None:
    """Points are a number between nothing and what there is."""
    browse("tom").score("global", "points", 422, typed=typed)
    assert book.manual_scores("cas") == {}


def test_next_that_waits(browse: Browse) -> None:
    """One is led to the answers that nobody has scored, and told when there are none."""
    tom = browse("tom")
    for text in ("ends in a", "global", "step size"):
        response = tom.client.get("/question/2?next=", follow_redirects=False)
        assert "page=1#" in response.headers["location"]
        tom.score(text, "full")
    response = tom.client.get("/question/2?next=", follow_redirects=False)
    assert response.headers["location"] == "/question/2?done=1"


def test_override(browse: Browse, book: Gradebook) -> None:
    """An automatic score is changed with a reason, which the history keeps, or not at all."""
    tom = browse("tom")
    handle = tom.members(2, "global").split(":")[0]
    address = f"/student/{handle}/1"
    assert "say why" in tom.post(address, 422, points="2", version="0", command="give")
    form = {"points": "2", "reason": "the check was too strict", "command": "give"}
    tom.post(address, version="0", back=f"/student/{handle}", **form)
    assert book.manual_scores("cas")["1a"].points == 2.0
    assert "the check was too strict" in tom.get(f"/student/{handle}")
    assert "in the meantime" in tom.post(address, 422, version="0", **form)
    version = str(book.manual_versions("cas")["1a"])
    back = {"reason": "no, it was right", "command": "back"}
    tom.post(address, version=version, back="/", **back)
    assert book.manual_scores("cas") == {}


def test_one_comment_for_one_failure(browse: Browse, book: Gradebook) -> None:
    """All who fail a check in the same way get one comment, and keep their points."""
    tom = browse("tom")
    page = tom.get("/class")
    assert page.count('name="cluster"') == 1
    cluster = page.partition('name="cluster" value="')[2].partition('"')[0]
    for _ in range(2):
        tom.post("/class/comment", cluster=cluster, comment="mind the sign", back="/class")
    for person in ("ann", "bob", "cas", "dan"):
        given = book.manual_scores(person)["1a"]
        assert (given.points, given.comment) == (None, "mind the sign")
    assert next(row for row in book.score_rows() if row.id == "ann").questions["1a"] == 1.0


def test_the_summary_is_live(browse: Browse) -> None:
    """The class page counts what has been scored a moment ago."""
    tom = browse("tom")
    assert "<strong>1</strong> of" not in tom.get("/class")
    before = tom.get("/class")
    tom.score("global", "full")
    assert tom.get("/class") != before


def test_a_report_made_anew(browse: Browse, book: Gradebook) -> None:
    """A batch that goes on meanwhile is seen, and people's scores stand."""
    tom = browse("tom")
    tom.score("global", "full")
    book.add_report(book.begin_run("tiny", {}), "new", report_of("cas", prose("Something else.")))
    page = tom.get("/question/2")
    assert "Something else." in page
    assert "1</strong> of 4 scored" in page


def test_pages_that_are_not_there(browse: Browse) -> None:
    """Numbers and handles of nothing, and paths that climb, lead nowhere."""
    tom = browse("tom")
    for address in ("/question/9", "/question/0", "/student/ffffffffffff", "/student/ann"):
        assert "there is no such" in tom.get(address, 404)
    for address in ("/static/..%2freview.css", "/static/../app.py", "/gradebook.sqlite", "/ann"):
        tom.get(address, 404)


def test_assets(browse: Browse) -> None:
    """Everything that a page needs comes from the server itself."""
    tom = browse("tom")
    page = tom.get("/question/2")
    for name in ("style.css", "review.css", "review.js", "htmx.min.js"):
        assert f"/static/{name}" in page
        assert tom.get(f"/static/{name}")
    assert "http://" not in page
    assert "https://" not in page


def test_nobody_comes_in_without_a_link(folder: Path, browse: Browse) -> None:
    """Each page leads a stranger to the login, and changes nothing for them."""
    app = browse("tom").client.app
    stranger = TestClient(app, base_url="http://127.0.0.1:8000", follow_redirects=False)
    for address in ("/", "/question/2", "/class", "/students"):
        assert stranger.get(address).headers["location"] == "/login"
    for address in ("/question/2/score", "/question/2/undo", "/names", "/invite"):
        assert stranger.post(address).headers["location"] == "/login"
    assert stranger.get("/login").status_code == 403


def test_how_answers_are_shown(folder: Path, browse: Browse, book: Gradebook) -> None:
    """Formulas are MathML, code is marked, and recorded figures are shown."""
    figure = CellOutput("image/png", PIXEL)
    cells = (prose("So $x^2 \\ge 0$."), AnswerCell(4, "code", "def f(x):\n    return x", (figure,)))
    book.add_report(book.begin_run("tiny", {}), "new", report_of("cas", *cells))
    page = browse("tom").get("/question/2")
    assert "<math" in page
    assert '<span class="k">def</span>' in page
    assert f'src="data:image/png;base64,{PIXEL}"' in page


def test_history_of_a_typed_comment(browse: Browse, book: Gradebook) -> None:
    """A comment is saved again and again while it is typed, and undone as one."""
    tom = browse("tom")
    for text in ("go", "good", "good work"):
        tom.score("global", "comment", comment=text, action="typing-0001")
    assert book.manual_scores("cas")["1b"].comment == "good work"
    tom.post("/question/2/undo")
    assert book.manual_scores("cas") == {}


def test_a_group_conflicts_as_a_whole(browse: Browse, book: Gradebook) -> None:
    """Where one of a group has been scored by somebody else, none of it is overwritten."""
    tom, eve = browse("tom"), browse("eve")
    seen = eve.members(2, "ends in a")
    book.give(ManualScore("bob", "1b", 2.0, "", "tom", action="action-tom"))
    form = {"members": seen, "command": "zero", "action": "action-eve-1"}
    assert "tom" in eve.post("/question/2/score", 409, **form)
    assert book.manual_scores("ann") == {}
    assert "1</strong> of 4" in tom.get("/question/2")


def test_an_answer_that_was_not_seen(browse: Browse, book: Gradebook) -> None:
    """A score is not given to an answer that has replaced the one on the page."""
    tom = browse("tom")
    seen = tom.members(2, "global")
    book.add_report(book.begin_run("tiny", {}), "new", report_of("cas", prose("Something else.")))
    form = {"members": seen, "command": "full", "action": "action-0001"}
    assert "anew" in tom.post("/question/2/score", 422, **form)
    assert book.manual_scores("cas") == {}
