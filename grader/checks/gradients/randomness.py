"""Repeats the random numbers of a function, wherever its generators can be reached.

A function that draws (dropout, say) cannot be differenced unless each call
draws the same. Generators are looked for where Python code keeps them: in
closures, defaults, the globals that the code names, the attributes of objects
and in containers, and in the global state of `random`, NumPy and PyTorch. What
runs in a sandbox keeps its own.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import BuiltinMethodType, FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

import numpy as np

Restore: TypeAlias = Callable[[], Any]
Function: TypeAlias = Callable[[Any], Any]

MAX_OBJECTS = 2000
"""A data set held in lists must not be walked to its end."""


def repeating(f: Function, grad: Function) -> tuple[Function, Function]:
    """Both functions, each call of which begins with the random state as it is now.

    What lies elsewhere keeps its state itself: an object whose class has
    `_random_state` returns what puts it back, and a function whose class has
    `_repeating_random` one that does so before each call of a `map`.
    """
    states = [saved for found in _reachable([f, grad]) for saved in _save(found)]
    states = [*dict.fromkeys(states), *_save_global()]
    return _repeated(f, states), _repeated(grad, states)


def _repeated(function: Function, states: list[Restore]) -> Function:
    by_itself = getattr(type(function), "_repeating_random", None)
    if by_itself is not None:
        repeated: Function = by_itself(function)
        return repeated

    def repeat(x: Any) -> Any:
        for restore in states:
            restore()
        return function(x)

    return repeat


def _save(found: Any) -> list[Restore]:
    elsewhere = getattr(type(found), "_random_state", None)
    if elsewhere is not None:
        return [elsewhere(found)]
    if isinstance(found, np.random.Generator):
        return [partial(setattr, found.bit_generator, "state", found.bit_generator.state)]
    if isinstance(found, np.random.RandomState):
        return [partial(found.set_state, found.get_state())]
    if isinstance(found, random.Random) and not isinstance(found, random.SystemRandom):
        return [partial(found.setstate, found.getstate())]
    return []


def _save_global() -> list[Restore]:
    states: list[Restore] = [
        partial(random.setstate, random.getstate()),
        *_save(np.random.mtrand._rand),
    ]
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        states.append(partial(torch.set_rng_state, torch.get_rng_state()))
    return states


def _reachable(roots: list[Any]) -> Iterator[Any]:
    """Everything that the roots refer to, each object once."""
    seen: set[int] = set()
    waiting = list(roots)
    while waiting and len(seen) < MAX_OBJECTS:
        found = waiting.pop(0)
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting.extend(_held_by(found))


def _held_by(found: Any) -> list[Any]:
    if isinstance(found, FunctionType):
        return _held_by_function(found)
    if isinstance(found, MethodType):
        return [found.__self__, found.__func__]
    if isinstance(found, BuiltinMethodType):
        return [found.__self__]
    if isinstance(found, partial):
        return [found.func, *found.args, *found.keywords.values()]
    if isinstance(found, dict):
        return list(found.values())[:MAX_OBJECTS]
    if isinstance(found, list | tuple | set | frozenset):
        return list(found)[:MAX_OBJECTS]
    if isinstance(found, ModuleType | type | np.ndarray | np.generic):
        return []
    # Objects with slots or properties of their own are left alone: reading those runs code.
    held = list(getattr(found, "__dict__", {}).values())
    # What a callable object's own __call__ names, its module's globals hold.
    call = vars(type(found)).get("__call__")
    return [*held, call] if isinstance(call, FunctionType) else held


def _held_by_function(function: FunctionType) -> list[Any]:
    held: list[Any] = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for cell in function.__closure__ or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:
            continue
    named = (function.__globals__.get(name) for name in function.__code__.co_names)
    return held + [value for value in named if value is not None]
