"""Which level a machine reaches: one whose sandbox leaks, lacks or breaks is not reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grader.errors import ExecutionFault
from grader.execution import probing
from grader.execution.inside.probe import ALLOWED, ATTEMPTS
from grader.execution.isolation import Level, candidates
from grader.execution.probing import failings, reached_level

SOUND: dict[str, Any] = {
    name: "" if name in ALLOWED else "PermissionError: no" for name in ATTEMPTS
}
Probe = Callable[[Any], tuple[str, ...]]


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Probe:
    """What is wrong with a sandbox whose probe gives this answer, or fails like this."""

    def probe(answer: Any) -> tuple[str, ...]:
        def reply(*arguments: object) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(probing, "_answers", reply)
        found: tuple[str, ...] = failings.__wrapped__(Level.LANDLOCK)
        return found

    return probe


def test_a_sound_sandbox(probe: Probe) -> None:
    """Where all is refused but what notebooks need, nothing is wrong."""
    assert probe(SOUND) == ()


@pytest.mark.parametrize("name", [name for name in ATTEMPTS if name not in ALLOWED])
def test_a_leak_is_named(probe: Probe, name: str) -> None:
    """An attempt that succeeded is a failing, and so is one that nothing is known of."""
    assert probe({**SOUND, name: ""}) == (name.replace("_", " "),)
    silent = {key: value for key, value in SOUND.items() if key != name}
    assert probe(silent) == (name.replace("_", " "),)


def test_what_notebooks_lack_is_told_with_its_reason(probe: Probe) -> None:
    """A sandbox that is too tight for numpy is not sound either, and says why."""
    refused = {**SOUND, "import_numpy": "PermissionError: [Errno 13] Permission denied: '/x'"}
    assert probe(refused) == (
        "cannot import numpy (PermissionError: [Errno 13] Permission denied: '/x')",
    )


@pytest.mark.parametrize("answer", [{}, {"write_home": None}])
def test_an_empty_answer_shows_everything(probe: Probe, answer: Any) -> None:
    """Without answers, every attempt counts as one that should not have gone so."""
    assert len(probe(answer)) == len(ATTEMPTS)


@pytest.mark.parametrize(
    "answer", [{"broken": "LookupError: no codec"}, ExecutionFault("LookupError: no codec")]
)
def test_a_probe_that_breaks_tells_why(probe: Probe, answer: Any) -> None:
    """A sandbox that could not be built or tried gives its own reason."""
    assert probe(answer) == ("LookupError: no codec",)


def test_the_strongest_sound_level_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels are tried strongest first; where none is sound there is none."""
    first, second = candidates()
    for unsound, reached in (({}, first), ({first}, second), ({first, second}, Level.NONE)):
        answers = {level: ("leaks",) if level in unsound else () for level in (first, second)}
        monkeypatch.setattr(probing, "failings", answers.__getitem__)
        assert reached_level.__wrapped__() is reached


def test_what_is_reached_here_holds() -> None:
    """The level that this machine reaches has no failings, and stronger ones give reasons."""
    reached = reached_level()
    for level in candidates():
        if level is reached:
            assert failings(level) == ()
            return
        assert all(failings(level))
    assert reached is Level.NONE


def test_a_sandbox_without_masks_is_caught(sandbox: Level, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real sandbox in which the grader's own files are left readable is found out."""
    make = probing.make_order

    def unmasked(*arguments: Any, **keywords: Any) -> dict[str, Any]:
        order = make(*arguments, **keywords)
        readable = [*order["readable"], *order["folders"], *order["masked"]]
        return {**order, "masked": [], "readable": readable}

    monkeypatch.setattr(probing, "make_order", unmasked)
    assert "read masked" in failings.__wrapped__(sandbox)


def test_a_sandbox_that_cannot_be_built_tells_why(
    sandbox: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the supervisor says of its failure is the reason that is given."""
    make = probing.make_order
    monkeypatch.setattr(
        probing, "make_order", lambda *a, **k: {**make(*a, **k), "working_folder": "/no/such"}
    )
    (reason,) = failings.__wrapped__(sandbox)
    assert "could not be built" in reason
    assert "/no/such" in reason
