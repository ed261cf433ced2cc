"""What every page gets: the session, the gradebook, the answers and what was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from grader.assignment import Assignment
from grader.errors import UsageError
from grader.gradebook import Gradebook, open_gradebook
from grader.review.access import Access, Session, is_own
from grader.review.answers import Answers, Entry, QuestionAbout
from grader.review.pages import page

MAX_BODY = 400_000
SEE_OTHER, FORBIDDEN, NOT_FOUND, TOO_LARGE, WRONG = 303, 403, 404, 413, 422
MISDIRECTED = 421


class NotHere(UsageError):
    """There is no such page."""


@dataclass
class Review:
    """A server's state: where its gradebook is, who may come in, and what it has read."""

    folder: Path
    access: Access
    assignment: Assignment | None
    answers: Answers = field(default_factory=Answers)


@dataclass(frozen=True)
class Call:
    """One request, after all that lets it in."""

    review: Review
    session: Session
    book: Gradebook
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    address: str

    @property
    def answers(self) -> Answers:
        """All answers, up to date."""
        return self.review.answers

    def about(self) -> QuestionAbout:
        """The question that the address names by its number.

        Raises:
            NotHere: there is none.
        """
        questions = self.answers.questions()
        number = int(self.path["number"])
        if not 1 <= number <= len(questions):
            raise NotHere("there is no such question")
        return questions[number - 1]

    def entry(self, handle: str) -> Entry:
        """The submission behind a handle.

        Raises:
            NotHere: there is none.
        """
        found = self.answers.entry(handle)
        if found is None:
            raise NotHere("there is no such submission")
        return found

    def render(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """A page, or a part of one."""
        return HTMLResponse(page(template, self.session, self.address, **values), status)

    def back(self) -> Response:
        """Leads to the page that a form names, if it is one of ours."""
        return RedirectResponse(own_path(self.form.get("back", "/")), SEE_OTHER)


Handler = Callable[[Call], Response]


def own_path(path: str) -> str:
    """A path on this server; anything else becomes the first page."""
    is_own_path = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if is_own_path and path.isprintable() else "/"


def endpoint(review: Review, handler: Handler) -> Callable[[Request], object]:
    """A page for those who are let in; a request that changes something must come from our own."""

    async def serve(request: Request) -> Response:
        session = review.access.session(request.cookies)
        if session is None:
            return RedirectResponse("/login", SEE_OTHER)
        form = await read_form(request)
        if form is None:
            return HTMLResponse("too much was sent", TOO_LARGE)
        token = request.headers.get("x-csrf-token") or form.get("csrf", "")
        if request.method == "POST" and not is_own(session, request.headers, token):
            return HTMLResponse("this did not come from a page of the review", FORBIDDEN)
        return await run_in_threadpool(_answered, review, handler, session, request, form)

    return serve


async def read_form(request: Request) -> dict[str, str] | None:
    """What a form sent; None where it is too much."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            return None
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200)
    return {name: value.replace("\r\n", "\n") for name, value in pairs}


def _answered(
    review: Review,
    handler: Handler,
    session: Session,
    request: Request,
    form: dict[str, str],
) -> Response:
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    with open_gradebook(review.folder) as book:
        review.answers.refresh(book)
        path = {name: str(value) for name, value in request.path_params.items()}
        query = dict(request.query_params)
        call = Call(review, session, book, path, query, form, address)
        try:
            return handler(call)
        except UsageError as error:
            status = NOT_FOUND if isinstance(error, NotHere) else WRONG
            if "hx-request" in request.headers:
                return call.render("message.html.j2", status, message=str(error))
            return call.render("problem.html.j2", status, message=str(error))
