"""Runs the commands in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from grader import cli


@pytest.fixture
def call_command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs `grader COMMAND ARGUMENTS` and returns the exit code."""

    def call(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["grader", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        code = caught.value.code
        assert isinstance(code, int)
        return code

    return call
