"""The state that calls find and change: random generators, and what else is in reach.

A function that draws random numbers (dropout, say) cannot be differenced unless
each call draws the same: `RandomStates` puts back what it kept. And one check's
calls must not decide another's: `Watch` tells whether anything has changed.

Both look in what the notebook's variables hold: attributes, containers,
closures, the globals and defaults of functions. Part of the agent; runs in the
student's process, and calls nothing of the student's.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import sys
import types
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from operator import is_
from typing import Any, NamedTuple

import numpy as np

MAX_OBJECTS = 5000
"""A data set held in lists must not be walked to its end."""

MAX_LISTED_ELEMENTS = 100_000
MAX_ARRAY_BYTES = 1 << 18
"""Of larger arrays, every so many elements are compared."""

PLAIN = (str, bytes, int, float, complex, bool, type(None), range, slice, types.CodeType)
SEQUENCES = (list, tuple, set, frozenset, deque)
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


def _states(found: Any) -> list[partial[Any]]:
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
    named = (function.__globals__.get(name) for name in _names_in(function.__code__))
    return held + [value for value in named if value is not None]


def _names_in(code: types.CodeType) -> list[str]:
    """The globals and attributes that code names, functions inside of it included."""
    inner = [part for part in code.co_consts if isinstance(part, types.CodeType)]
    return [*code.co_names, *(name for part in inner for name in _names_in(part))]


def as_float_array(value: Any) -> np.ndarray | None:
    """A float array of it, where it is one or a flat list of floats."""
    if type(value) in (list, tuple) and 0 < len(value) <= MAX_LISTED_ELEMENTS:
        floats = all(isinstance(item, float) for item in value)
        return np.array(value, dtype=np.float64) if floats else None
    if isinstance(value, float):
        return np.array(value, dtype=np.float64)
    if type(value) is np.ndarray and value.dtype.kind == "f" and value.size <= MAX_LISTED_ELEMENTS:
        return value
    return None


# --- whether anything has changed -------------------------------------------------


class _Contents(NamedTuple):
    """What an object holds, compared by identity; what it is, by value; where to look further."""

    held: Sequence[Any] = ()
    value: object = None
    further: Sequence[Any] = ()


class Watch:
    """All that is in reach of a namespace as it is now, to tell whether calls have changed it.

    `home` is the folder of the student's modules, which are watched too. Where
    an iterator stands, and what a library's object keeps in C, cannot be seen.
    """

    def __init__(self, namespace: dict[str, Any], home: str) -> None:
        self._home = home
        # Each object is kept alive, so that no new one can be taken for it.
        self._kept: list[tuple[Any, _Contents]] = []
        self._is_complete = self._walk(namespace)

    def is_unchanged(self) -> bool:
        """Whether all of it is as it was; no, where it was too much to be watched."""
        with contextlib.suppress(Exception):  # an object may lie about itself
            return self._is_complete and all(self._is_same(*kept) for kept in self._kept)
        return False

    def _walk(self, namespace: dict[str, Any]) -> bool:
        waiting: list[Any] = [namespace]
        seen = {id(namespace)}
        for found in waiting:
            try:
                contents = self._contents(found)
            except Exception:
                return False
            self._kept.append((found, contents))
            for inner in contents.further:
                if type(inner) not in PLAIN and id(inner) not in seen:
                    seen.add(id(inner))
                    waiting.append(inner)
            if len(waiting) > MAX_OBJECTS:
                return False
        return True

    def _is_same(self, found: Any, before: _Contents) -> bool:
        now = self._contents(found)
        is_held = len(now.held) == len(before.held) and all(map(is_, now.held, before.held))
        return is_held and now.value == before.value

    def _contents(self, found: Any) -> _Contents:
        kind = type(found)
        if kind is np.ndarray:
            return _Contents(value=_digest(found))
        if issubclass(kind, types.FunctionType):
            held = [*_held_by_function(found), *vars(found).values()]
            is_theirs = self._is_from(found.__globals__)
            return _Contents([found.__code__, *held], None, held) if is_theirs else _Contents()
        if issubclass(kind, types.ModuleType | type):
            is_theirs = self._is_from(vars(found)) or self._is_class(found)
            held = list(vars(found).values()) if is_theirs else []
            return _Contents(held, None, held)
        if kind is functools._lru_cache_wrapper:
            return _Contents((), found.cache_info(), [found.__wrapped__])
        if issubclass(kind, types.MethodType | types.BuiltinMethodType | partial):
            return _Contents(further=_held_by(found))
        held = _items(found)
        attributes = _attributes(found)
        # What a library's object holds is that library's to change; that it changed is enough.
        further = [kind, *held, *attributes] if self._is_class(kind) else held
        return _Contents([*held, *attributes], _random_state(found), further)

    def _is_class(self, kind: Any) -> bool:
        module = sys.modules.get(str(vars(kind).get("__module__")))
        return module is not None and self._is_from(vars(module))

    def _is_from(self, variables: dict[str, Any]) -> bool:
        """Whether these are the variables of the notebook, or of a module of the student's."""
        file = str(variables.get("__file__") or "")
        is_notebook = variables.get("__name__") == "__main__"
        return is_notebook or (bool(self._home) and file.startswith(self._home + os.sep))


def _digest(array: np.ndarray) -> tuple[object, ...]:
    every = max(1, array.nbytes // MAX_ARRAY_BYTES)
    sample = array.tobytes() if every == 1 else array.flat[::every].tobytes()
    return array.shape, str(array.dtype), zlib.crc32(sample)


def _items(found: Any) -> list[Any]:
    """What a container holds, whatever its class makes of that."""
    kind = type(found)
    if issubclass(kind, dict):
        return [*dict.keys(found), *dict.values(found)]
    base = next((base for base in SEQUENCES if issubclass(kind, base)), None)
    return list(base.__iter__(found)) if base else []


def _attributes(found: Any) -> list[Any]:
    values: dict[str, Any] = {}
    with contextlib.suppress(AttributeError):
        values |= object.__getattribute__(found, "__dict__")
    for base in type(found).__mro__:
        for name, slot in vars(base).items():
            if isinstance(slot, types.MemberDescriptorType):
                with contextlib.suppress(AttributeError):
                    values[name] = slot.__get__(found)
    return [*values.keys(), *values.values()]


def _random_state(found: Any) -> str:
    """The state that would be kept of a generator; of anything else, nothing."""
    return str([restore.args[-1] for restore in _states(found)])
