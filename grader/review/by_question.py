"""The pages on one question: its answers in a row, scored with a rubric."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from starlette.responses import RedirectResponse, Response

from grader.errors import UsageError
from grader.review.answers import QuestionAbout
from grader.review.calls import SEE_OTHER, Call
from grader.review.cards import Card, Member, cards, progress
from grader.review.model_answers import model_answer
from grader.review.scoring import (
    RubricItem,
    ScoreConflict,
    Wanted,
    add_item,
    change_item,
    give,
    rubric,
    separate,
    set_start,
    undo,
)

CARDS_A_PAGE = 10
CONFLICT = 409
_ACTION = re.compile(r"[A-Za-z0-9-]{8,64}")
RUBRIC_CHANGED = {"HX-Trigger": "rubric-changed"}
RELOAD = {"HX-Trigger": "reload-page"}


def show(call: Call) -> Response:
    """A page of cards; `only=open` leaves out what is scored, `next=KEY` leads to the next open."""
    about = call.about()
    everything = cards(call.book, call.answers, about.id)
    if "next" in call.query:
        return _next_open(about, everything, call.query["next"])
    only = call.query.get("only", "")
    numbered = [
        (number, card)
        for number, card in enumerate(everything, start=1)
        if only != "open" or card.is_open
    ]
    pages = max(1, math.ceil(len(numbered) / CARDS_A_PAGE))
    here = min(pages, max(1, _whole(call.query.get("page", "1"), 1)))
    shown = numbered[(here - 1) * CARDS_A_PAGE : here * CARDS_A_PAGE]
    return call.render(
        "question.html.j2",
        about=about,
        cards=[(number, card, _answer(call, about, card)) for number, card in shown],
        count=len(everything),
        page=here,
        pages=pages,
        only=only,
        rubric=rubric(call.book, about.id),
        model=model_answer(call.review.assignment, about.id),
        progress=progress(call.answers, about.id, call.book.standing(about.id)),
        questions=call.answers.questions(),
        mine=None,
        theirs=None,
    )


def _answer(call: Call, about: QuestionAbout, card: Card) -> object:
    return call.answers.answer(call.book, card.members[0].entry, about.id)


def _next_open(about: QuestionAbout, everything: list[Card], after: str) -> Response:
    """Leads to the first card that waits after the one named, from the beginning if need be."""
    keys = [card.key for card in everything]
    start = keys.index(after) + 1 if after in keys else 0
    places = [*range(start, len(everything)), *range(start)]
    place = next((place for place in places if everything[place].is_open), None)
    if place is None:
        return RedirectResponse(f"/question/{about.number}?done=1", SEE_OTHER)
    page = place // CARDS_A_PAGE + 1
    return RedirectResponse(f"/question/{about.number}?page={page}#{keys[place]}", SEE_OTHER)


def score(call: Call) -> Response:
    """Gives a card's submissions a score; answers with the card's new panel."""
    about = call.about()
    versions = _versions(call)
    wanted = _wanted(call, about)
    action = call.form.get("action", "")
    if not _ACTION.fullmatch(action):
        raise UsageError("the page is out of date: load it again")
    command = call.form.get("command", "")
    if command == "add":
        points = number(call.form.get("new_points", ""))
        item = add_item(
            call.book, about.id, call.form.get("new_text", ""), points, call.session.person
        )
        wanted = replace(wanted, items=(*wanted.items, item), points=None)
    try:
        give(call.book, about.id, versions, wanted, about.max_points, call.session.person, action)
    except ScoreConflict as conflict:
        return _panel(call, about, wanted, conflict)
    response = _panel(call, about, None, None)
    if command == "add":
        response.headers.update(RUBRIC_CHANGED)
    return response


def _panel(
    call: Call, about: QuestionAbout, mine: Wanted | None, conflict: ScoreConflict | None
) -> Response:
    """The panel of a card as it stands now; with a conflict, what is theirs and what is mine."""
    standing = call.book.standing(about.id)
    entries = [call.entry(handle) for handle in _versions_by_handle(call)]
    members = tuple(Member(entry, standing.get(entry.submission)) for entry in entries)
    report = entries[0].question(about.id)
    if report is None:
        raise UsageError("there is no such question in this submission")
    card = Card(report, members)
    theirs = next(iter(conflict.theirs.values())) if conflict else None
    return call.render(
        "panel.html.j2",
        CONFLICT if conflict else 200,
        about=about,
        card=card,
        rubric=rubric(call.book, about.id),
        progress=progress(call.answers, about.id, standing),
        mine=mine,
        theirs=theirs,
    )


def take_back(call: Call) -> Response:
    """Undoes the reviewer's last action on this question."""
    message = undo(call.book, call.about().id, call.session.person)
    response = call.render("message.html.j2", message=message)
    response.headers.update(RELOAD)
    return response


def take_out(call: Call) -> Response:
    """Scores one submission of a group by itself from now on."""
    entry = call.entry(call.form.get("handle", ""))
    separate(call.book, call.about().id, entry.submission, call.session.person)
    return call.back()


def change_rubric(call: Call) -> Response:
    """Renames, reprices, removes or adds an item, or changes where the rubric starts."""
    about, form, person = call.about(), call.form, call.session.person
    match form.get("command"):
        case "start":
            is_full = form.get("start") == "full"
            set_start(call.book, about.id, about.max_points, person, starts_full=is_full)
        case "add":
            add_item(
                call.book, about.id, form.get("text", ""), number(form.get("points", "")), person
            )
        case command:
            numbers = (_whole(form.get("item", ""), 0), _whole(form.get("version", ""), 0))
            text, points = form.get("text", ""), number(form.get("points", ""))
            changed = RubricItem(*numbers, about.id, text, points)
            is_removed = command == "remove"
            change_item(call.book, changed, about.max_points, person, is_removed=is_removed)
    return call.back()


# --- what was sent ------------------------------------------------------------


def _versions_by_handle(call: Call) -> dict[str, int]:
    """Whom a score is for, and the version of theirs that was seen.

    Raises:
        UsageError: nobody is named, or an answer is not the one that was seen.
    """
    found = {}
    for member in call.form.get("members", "").split():
        handle, score, report = [*member.split(":"), "", ""][:3]
        if call.entry(handle).version != _whole(report, -1):
            raise UsageError("the answer was handed in or graded anew: load the page again")
        found[handle] = _whole(score, -1)
    if not found:
        raise UsageError("nobody is named to be scored: load the page again")
    return found


def _versions(call: Call) -> dict[str, int]:
    return {
        call.entry(handle).submission: version
        for handle, version in _versions_by_handle(call).items()
    }


def _wanted(call: Call, about: QuestionAbout) -> Wanted:
    """What shall stand after a command: the form's items, points and comment, changed by it."""
    form = call.form
    items = tuple(_whole(item, 0) for item in form.get("items", "").split(",") if item)
    points = number(form["points"]) if form.get("points", "").strip() else None
    comment = form.get("comment", "").strip()
    command, _, argument = form.get("command", "").partition(":")
    match command:
        case "toggle":
            item = _whole(argument, 0)
            kept = tuple(one for one in items if one != item)
            return Wanted(kept if item in items else (*items, item), None, comment)
        case "full":
            return Wanted((), about.max_points, comment)
        case "zero":
            return Wanted((), 0.0, comment)
        case "clear":
            return Wanted((), None, comment)
        case "points":
            typed = form.get("typed", "").strip()
            return Wanted((), number(typed) if typed else None, comment)
        case _:
            return Wanted(items, points, comment)


def _whole(text: str, otherwise: int) -> int:
    return int(text) if re.fullmatch(r"\d{1,15}", text) else otherwise


def number(text: str) -> float:
    """Points as people type them.

    Raises:
        UsageError: it is no number.
    """
    plain = text.strip().replace(",", ".").replace("−", "-")
    if not re.fullmatch(r"[-+]?(?:\d{1,6}(?:\.\d{0,6})?|\.\d{1,6})", plain):
        raise UsageError(f"{text[:40]!r} is no number of points")
    return float(plain)
