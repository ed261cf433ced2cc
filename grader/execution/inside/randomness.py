"""Keeps the state of every random generator in reach, and puts it back before a call.

A function that draws random numbers (dropout, say) cannot be differenced unless
each call draws the same. Generators are looked for in the global state of NumPy,
`random` and PyTorch, among the notebook's variables and in what these hold:
attributes, containers, closures, and the globals and defaults of functions.
Part of the agent; runs in the student's process.
"""

from __future__ import annotations

import contextlib
import random
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

MAX_OBJECTS = 5000
"""A data set held in lists must not be walked to its end."""

OPAQUE = (types.ModuleType, type, np.ndarray, np.generic, str, bytes, int, float)


class RandomStates:
    """The states that were kept; empty until `keep`."""

    def __init__(self) -> None:
        self._restores: list[Callable[[], Any]] = []

    def keep(self, roots: Iterable[Any]) -> int:
        """Keeps the states of all generators in reach of `roots`; how many there are."""
        self._restores = [*_global_states()]
        for found in _reachable(roots):
            # An object may lie about itself; what cannot be kept is left out.
            with contextlib.suppress(Exception):
                self._restores += _states(found)
        return len(self._restores)

    def restore(self) -> None:
        """Puts all kept states back."""
        for restore in self._restores:
            restore()


def _states(found: Any) -> list[Callable[[], Any]]:
    kind = type(found)
    if issubclass(kind, np.random.Generator):
        return _states(found.bit_generator)
    if issubclass(kind, np.random.BitGenerator):
        return [partial(setattr, found, "state", found.state)]
    if issubclass(kind, np.random.RandomState):
        return [partial(found.set_state, found.get_state())]
    if issubclass(kind, random.Random) and not issubclass(kind, random.SystemRandom):
        return [partial(found.setstate, found.getstate())]
    torch = sys.modules.get("torch")
    if torch is not None and issubclass(kind, torch.Generator):
        return [partial(found.set_state, found.get_state())]
    return []


def _global_states() -> Iterator[Callable[[], Any]]:
    yield partial(random.setstate, random.getstate())
    yield partial(np.random.set_state, np.random.get_state())
    torch = sys.modules.get("torch")
    if torch is not None:
        yield partial(torch.set_rng_state, torch.get_rng_state())


def _reachable(roots: Iterable[Any]) -> Iterator[Any]:
    """What the roots refer to, the nearest first, each object once."""
    waiting = list(roots)
    # Kept alive, so that no other object takes its number.
    seen = {id(found): found for found in waiting}
    for found in waiting:
        yield found
        with contextlib.suppress(Exception):
            for held in _held_by(found):
                if id(held) not in seen and not isinstance(held, OPAQUE):
                    if len(seen) >= MAX_OBJECTS:
                        break
                    seen[id(held)] = held
                    waiting.append(held)


def _held_by(found: Any) -> list[Any]:
    kind = type(found)
    if issubclass(kind, types.FunctionType):
        return _held_by_function(found)
    if issubclass(kind, types.MethodType):
        return [found.__self__, found.__func__]
    if issubclass(kind, types.BuiltinMethodType):
        return [found.__self__]
    if issubclass(kind, partial):
        return [found.func, *found.args, *found.keywords.values()]
    if issubclass(kind, dict):
        return list(found.values())[:MAX_OBJECTS]
    if issubclass(kind, list | tuple | set | frozenset):
        return list(found)[:MAX_OBJECTS]
    if issubclass(kind, OPAQUE):
        return []
    # Not `getattr`, which may run the student's own code. A class's methods name globals.
    held = list(object.__getattribute__(found, "__dict__").values())
    return [*held, *(value for base in kind.__mro__ for value in vars(base).values())]


def _held_by_function(function: types.FunctionType) -> list[Any]:
    held: list[Any] = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):
            held.append(cell.cell_contents)
    named = (function.__globals__.get(name) for name in function.__code__.co_names)
    return held + [value for value in named if value is not None]
