"""`grader review`: a web page on which people score what no check can."""

from __future__ import annotations

import getpass
import os
import socket
import webbrowser
from pathlib import Path

import click

from grader.assignment import Assignment, load_assignment
from grader.batch.handing_back import write_reviewed
from grader.errors import AssignmentError, UsageError
from grader.gradebook import open_gradebook

PASSWORD = "GRADER_REVIEW_PASSWORD"  # noqa: S105 - the variable's name
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - asked for, and with a password
LOOPBACK = ("127.0.0.1", "localhost", "::1")
INSTALL = "python -m pip install 'nn-grader[review]'"


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--assignment",
    metavar="ASSIGNMENT",
    help="Where the model answers are; by default the assignment of the batch, if it is bundled.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="By default a free one.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Where to listen. Anything but this machine needs a password, which is asked for or "
    f"taken from the variable {PASSWORD}.",
)
@click.option("--name", default="", help="Your name in the history; by default your login's.")
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
def review(
    folder: Path, assignment: str | None, port: int, host: str, name: str, no_browser: bool
) -> int:
    """Opens the review of a batch in your browser, until you stop it with Ctrl-C.

    DIR is the folder that `grader batch` wrote. Scores are saved as you give
    them; when you stop, feedback.html and scores.csv have them, too.

    \b
    Examples:
      grader review graded
      grader review graded --assignment assignments/week_1 --port 8000 --no-browser
      GRADER_REVIEW_PASSWORD=… grader review graded --host 0.0.0.0 --port 8000
    """  # noqa: D301 - click's mark for lines to be left alone is this very character
    _require_extra()
    from grader.review.access import Access, Place  # an extra, which may not be installed

    with open_gradebook(folder) as gradebook:
        slug = gradebook.assignment()
        if not gradebook.keys():
            raise UsageError(f"{folder}: nothing has been graded in it; `grader batch` does")
    loaded = _assignment(assignment, slug)
    is_local = host in LOOPBACK
    password = "" if is_local else _password()
    with _listen(host, port) as listening:
        # An address for everywhere is none that a browser could go to.
        shown = socket.gethostname() if host in EVERYWHERE else host
        place = Place(shown, listening.getsockname()[1], is_local)
        access = Access(place, password)
        link = f"{place.address}/enter?token={access.new_link(name or _own_name())}"
        click.echo(f"{'no ' if loaded is None else ''}model answers from {assignment or slug}")
        click.echo(f"open this link, which works once: {link}")
        if not is_local:
            click.echo("others log in with the password; the connection is not encrypted")
        click.echo("Ctrl-C stops the review")
        _serve(folder, access, loaded, listening, link, opens=not no_browser)
    with open_gradebook(folder) as gradebook:
        click.echo(f"wrote the files of {write_reviewed(gradebook)} reviewed submissions")
    return 0


def _require_extra() -> None:
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise UsageError(f"the review needs {error.name}: {INSTALL}") from error


def _assignment(asked: str | None, slug: str) -> Assignment | None:
    """The assignment with the model answers; without being asked for one, none will do."""
    if asked is not None:
        return load_assignment(asked)
    try:
        return load_assignment(slug)
    except AssignmentError:
        return None


def _password() -> str:
    from grader.review.access import MIN_PASSWORD

    found = os.environ.get(PASSWORD) or click.prompt(
        "A password for the reviewers", hide_input=True, confirmation_prompt=True
    )
    if len(found) < MIN_PASSWORD:
        raise UsageError(f"the password ({PASSWORD}) needs at least {MIN_PASSWORD} characters")
    return str(found)


def _own_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "reviewer"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise UsageError(f"{host}:{port}: one cannot listen there ({error})") from error
    return listening


def _serve(
    folder: Path,
    access: object,
    assignment: Assignment | None,
    listening: socket.socket,
    link: str,
    *,
    opens: bool,
) -> None:
    import uvicorn

    from grader.review.access import Access
    from grader.review.app import create_app, read_ahead

    assert isinstance(access, Access)
    app = create_app(folder, access, assignment)
    read_ahead(app)
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    if opens:
        webbrowser.open(link)
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        click.echo("")
