"""The command line: dispatches to `grader.commands`, and maps errors to exit codes.

0 done, 1 something failed, 2 the user's input cannot be used, 3 a fault of the
grader's own, 130 interrupted.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import sys
import traceback

import click

from grader.errors import GraderError, UsageError

OUR_FAULT = 3
INTERRUPTED = 130
COMMANDS = (
    *("grade", "batch", "check", "demo", "doctor", "export", "review"),
    *("audit", "release", "package", "leaks", "new"),
)


class _Commands(click.Group):
    """Imports a command when it is asked for: a student's check must not wait for the audit."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All of them, in the order in which they are explained."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """The command of this name; None where there is none."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            module = importlib.import_module(f"grader.commands.{cmd_name}")
            self.add_command(getattr(module, cmd_name))
        return self.commands.get(cmd_name)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nn-grader", prog_name="grader")
def commands() -> None:
    """Grades neural-network coursework: notebooks in, points per question out.

    \b
    First steps:
      grader demo                                  a first run, on an example
      grader grade radboud_a1 hand-in.ipynb        one hand-in, table on the terminal
      grader grade radboud_a1 hand-in.ipynb -o out the same, with HTML and JSON reports
      grader batch radboud_a1 downloads/ -o graded a whole folder, and a gradebook
      grader review graded                         score written answers in the browser
      grader doctor                                what works on this machine

    \b
    For students:
      grader check                                 what is right so far, in the assignment's folder
      grader check -q 1.2b --watch                 one question, again after each save

    \b
    For authors:
      grader new week_1                            a small assignment to start from
      grader audit week_1                          what its checks are worth
      grader release week_1 -o release             what students get
      grader package week_1 --for gradescope -o autograder.zip
    """  # noqa: D301 - click's mark for lines to be left alone is this very character


def main() -> None:
    """Entry point of the `grader` command."""
    try:
        sys.exit(commands.main(prog_name="grader", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python would complain while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except UsageError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    except GraderError as error:
        click.echo(f"Fault of the grader: {error}", err=True)
        sys.exit(OUR_FAULT)
    except Exception:  # noqa: BLE001 - whatever is left is a fault of ours
        click.echo(_unknown_fault(), err=True)
        sys.exit(OUR_FAULT)


def _unknown_fault() -> str:
    version = importlib.metadata.version("nn-grader")
    where = f"nn-grader {version}, Python {platform.python_version()}, {platform.platform()}"
    return f"Fault of the grader ({where}); please report it:\n{traceback.format_exc()}"
