"""What several commands take, and how they give out what they have found."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from grader.errors import UsageError
from grader.execution.isolation import Level
from grader.repair.kinds import ALL_KINDS, NO_KINDS, read_kinds

isolation_option = click.option(
    "--isolation",
    type=click.Choice([level.value for level in Level]),
    help="The least isolation accepted, instead of the assignment's own. The strongest that this "
    "machine offers is used in any case; `none` also accepts a machine that offers nothing.",
)


anonymous_option = click.option(
    "--anonymous",
    is_flag=True,
    help="Leave out who it is: pseudonyms in place of ids, and no names of people and files. Only "
    "the batch's gradebook tells whose a pseudonym is.",
)


def _read_repairs(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    return None if value is None else read_kinds(value)


repairs_option = click.option(
    "--repairs",
    callback=_read_repairs,
    metavar="KINDS",
    help="Which repairs of the environment are made, instead of the assignment's own setting: "
    f"{', '.join(ALL_KINDS)}; several with commas between them, or {NO_KINDS}.",
)


def output_option(what: str) -> Callable[[Any], Any]:
    """`-o DIR`: where the files named in `what` go."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help=f"Write {what} here.",
    )


def json_option(what: str, instead_of: str) -> Callable[[Any], Any]:
    """`--json FILE`: `what` as JSON, on the terminal `instead_of` what else stands there."""
    return click.option(
        "--json",
        "json_file",
        type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
        metavar="FILE",
        help=f"Write {what} as JSON to FILE, or - for the terminal (instead of {instead_of}).",
    )


def map_file_option(example: str) -> Callable[[Any], Any]:
    """`--map-file FILE`: which cells answer which question, as a person has decided."""
    return click.option(
        "--map-file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="FILE",
        help=f"A TOML file that says which cells answer which question: {example}.",
    )


def usable_cores() -> int:
    """The number of processes that this machine runs side by side for us."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def give_out(
    what: str,
    text: str,
    show: Callable[[], None],
    write: Callable[[], list[Path]],
    json_file: Path | None,
) -> None:
    """Shows a result, or its JSON `text` where `json_file` is -, and writes its files.

    Raises:
        UsageError: `what` cannot be written.
    """
    to_terminal = json_file is not None and str(json_file) == "-"
    if to_terminal:
        click.echo(text, nl=False)
    else:
        show()
    try:
        if json_file is not None and not to_terminal:
            json_file.parent.mkdir(parents=True, exist_ok=True)
            json_file.write_text(text, encoding="utf-8")
        for path in write():
            click.echo(f"wrote {path}", err=to_terminal)
    except OSError as error:
        raise UsageError(f"{what} cannot be written: {error}") from error
