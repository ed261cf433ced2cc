"""Deformations by name, alone and several at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from grader.assignment import Assignment
from mangling.bases import save
from mangling.records import (
    DEFORMATIONS,
    Deformation,
    Expected,
    HandIn,
    NotApplicableError,
    Saved,
    Stage,
)

_STRENGTH = list(Expected)


@dataclass(frozen=True)
class Deformed:
    """What deformations made of a hand-in: its files, and what may become of its questions.

    `names` are those that were applied, in their order; `passed_over` are the others, each
    with the reason why there was nothing to deform.
    """

    saved: Saved
    names: tuple[str, ...]
    passed_over: dict[str, str]
    code: Expected = Expected.SAME
    text: Expected = Expected.SAME


def deform(name: str, hand_in: HandIn, assignment: Assignment, seed: int = 0) -> Deformed:
    """Applies one deformation.

    Raises:
        NotApplicableError: the hand-in has nothing that it could change.
    """
    made = deform_all([name], hand_in, assignment, seed)
    if made.passed_over:
        raise NotApplicableError(made.passed_over[name])
    return made


def deform_all(
    names: Iterable[str], hand_in: HandIn, assignment: Assignment, seed: int = 0
) -> Deformed:
    """Applies several, stage by stage, each with a generator of its own from the seed."""
    chosen = sorted((DEFORMATIONS[name] for name in names), key=lambda d: d.stage)
    current: HandIn | Saved = hand_in
    applied: list[Deformation] = []
    passed_over: dict[str, str] = {}
    for deformation in chosen:
        if deformation.stage >= Stage.FILES and isinstance(current, HandIn):
            current = save(current)
        rng = Random(f"{seed} {deformation.name}")
        try:
            current = deformation.apply(current, assignment, rng)
            applied.append(deformation)
        except NotApplicableError as reason:
            passed_over[deformation.name] = str(reason)
    return Deformed(
        saved=save(current) if isinstance(current, HandIn) else current,
        names=tuple(deformation.name for deformation in applied),
        passed_over=passed_over,
        code=_weakest(deformation.code for deformation in applied),
        text=_weakest(deformation.text for deformation in applied),
    )


def random_names(rng: Random, count: int) -> list[str]:
    """So many deformations drawn by chance, one of a group at most, none that is refused."""
    pool = [d for d in DEFORMATIONS.values() if d.code is not Expected.REFUSED]
    rng.shuffle(pool)
    names: list[str] = []
    groups: set[str] = set()
    for deformation in pool:
        if len(names) < count and deformation.group not in groups:
            names.append(deformation.name)
            groups |= {deformation.group} - {""}
    return names


def _weakest(expected: Iterable[Expected]) -> Expected:
    return max(expected, key=_STRENGTH.index, default=Expected.SAME)
