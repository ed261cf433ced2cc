"""The server: its addresses, and what holds for each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from grader.assignment import Assignment
from grader.gradebook import open_gradebook
from grader.review import by_class, by_question, by_student
from grader.review.access import COOKIE, HEADERS, Access, plain_name
from grader.review.calls import (
    FORBIDDEN,
    MISDIRECTED,
    NOT_FOUND,
    SEE_OTHER,
    Call,
    Handler,
    Review,
    endpoint,
    read_form,
)
from grader.review.pages import page, static_file

Next = Callable[[Request], Awaitable[Response]]


def create_app(folder: Path, access: Access, assignment: Assignment | None = None) -> Starlette:
    """The review of the gradebook in `folder`; `assignment` has the model answers."""
    review = Review(folder, access, assignment)
    summaries = by_class.Summaries()
    pages: dict[str, Handler] = {
        "/": by_class.start,
        "/class": by_class.show(summaries),
        "/students": by_student.listed,
        "/student/{handle:str}": by_student.show,
        "/question/{number:int}": by_question.show,
    }
    changes: dict[str, Handler] = {
        "/class/comment": by_class.comment(summaries),
        "/student/{handle:str}/{number:int}": by_student.override,
        "/question/{number:int}/score": by_question.score,
        "/question/{number:int}/undo": by_question.take_back,
        "/question/{number:int}/alone": by_question.take_out,
        "/question/{number:int}/rubric": by_question.change_rubric,
        "/names": _names,
        "/invite": _invite,
    }
    app = Starlette(
        routes=[
            Route("/enter", _enter(access), methods=["GET"]),
            Route("/login", _login(access), methods=["GET", "POST"]),
            Route("/static/{name:str}", _static, methods=["GET"]),
            *(Route(path, endpoint(review, h), methods=["GET"]) for path, h in pages.items()),
            *(Route(path, endpoint(review, h), methods=["POST"]) for path, h in changes.items()),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=_guard(access))],
    )
    app.state.review, app.state.summaries = review, summaries
    return app


def read_ahead(app: Starlette) -> None:
    """Reads the whole gradebook, so that the first pages open as fast as later ones."""
    review: Review = app.state.review
    with open_gradebook(review.folder) as gradebook:
        review.answers.refresh(gradebook)
        app.state.summaries.get(gradebook, review.answers)


def _guard(access: Access) -> Callable[[Request, Next], Awaitable[Response]]:
    """Refuses what was meant for another name, and gives each answer its headers."""

    async def dispatch(request: Request, answer: Next) -> Response:
        if access.is_host(request.headers.get("host", "")):
            response = await answer(request)
        else:
            response = HTMLResponse("this server goes by another name", MISDIRECTED)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return dispatch


def _enter(access: Access) -> Callable[[Request], Response]:
    def serve(request: Request) -> Response:
        key = access.enter(request.query_params.get("token", ""))
        if key is None:
            is_in = access.session(request.cookies) is not None
            return RedirectResponse("/" if is_in else "/login", SEE_OTHER)
        return _let_in(key)

    return serve


def _login(access: Access) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        problem = ""
        if request.method == "POST":
            form = await read_form(request) or {}
            key = access.log_in(form.get("person", ""), form.get("password", ""))
            if key is not None:
                return _let_in(key)
            problem = "That did not work. After ten wrong passwords, wait for a minute."
        values = {"has_password": access.has_password, "problem": problem}
        return HTMLResponse(page("login.html.j2", None, "/", **values), FORBIDDEN)

    return serve


def _let_in(key: str) -> Response:
    response = RedirectResponse("/", SEE_OTHER)
    response.set_cookie(COOKIE, key, httponly=True, samesite="strict")
    return response


def _static(request: Request) -> Response:
    found = static_file(request.path_params["name"])
    if found is None:
        return HTMLResponse("not found", NOT_FOUND)
    return Response(found[0], media_type=found[1])


def _names(call: Call) -> Response:
    """Shows or hides whose answers they are, for this reviewer."""
    call.session.shows_names = call.form.get("show") == "1"
    return call.back()


def _invite(call: Call) -> Response:
    """A link for one more reviewer."""
    access = call.review.access
    person = plain_name(call.form.get("person", ""))
    link = f"{access.place.address}/enter?token={access.new_link(person)}"
    return call.render("invite.html.j2", person=person, link=link)
