"""What stands in for names that libraries have no more, and for modules that are not installed.

The order says which: only those that the student's code asks for. A stand-in
does what can be done without the module, and else says what is missing when it
is used, not when it is imported.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.machinery
import importlib.util
import os
import sys
import types
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Self

COLAB = "google.colab"
MAX_UPLOAD_BYTES = 64 << 20


def start(order: dict[str, Any]) -> None:
    """Puts the stand-ins of the order in place."""
    sys.meta_path.append(Finder(order))
    for module, attribute, target in order["names"]:
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            define(module, attribute, target)
    if order["backends"]:
        with contextlib.suppress(ImportError):
            refuse_windows(order["backends"])


# --- names that libraries have no more ---------------------------------------


def define(module: str, attribute: str, target: str) -> None:
    """Gives a module what it had once; `target` is "module:attribute", a module, or "!reason"."""
    owner = _module(module)
    if target.startswith("style:"):
        if attribute not in owner.library:
            owner.library[attribute] = owner.library[target.removeprefix("style:")]
        return
    if attribute in vars(owner):
        return
    value = _value(target, f"{module}.{attribute}")
    setattr(owner, attribute, value)
    if isinstance(value, types.ModuleType):
        sys.modules.setdefault(f"{module}.{attribute}", value)
    if isinstance(getattr(owner, "__all__", None), list):
        owner.__all__ = [*owner.__all__, attribute]


def _module(name: str) -> Any:
    """A module; an empty one, with those around it, where it is gone."""
    try:
        return importlib.import_module(name)
    except ImportError:
        made = types.ModuleType(name)
        made.__path__ = []
        parent, _, leaf = name.rpartition(".")
        if parent:
            setattr(_module(parent), leaf, made)
        sys.modules[name] = made
        return made


def _value(target: str, name: str) -> Any:
    if target.startswith("!"):
        return Missing(name, target[1:])
    module, colon, attribute = target.partition(":")
    owner: Any = globals() if module == "here" else importlib.import_module(module)
    if module == "here":
        return owner[attribute]
    return getattr(owner, attribute) if colon else owner


def as_scalar(a: Any) -> Any:
    """`numpy.asscalar`."""
    return a.item()


def as_float_array(a: Any, dtype: Any = float) -> Any:
    """`numpy.asfarray`."""
    import numpy as np

    return np.asarray(a, dtype=dtype if np.issubdtype(dtype, np.inexact) else float)


def in_1d(ar1: Any, ar2: Any, *arguments: Any, **keywords: Any) -> Any:
    """`numpy.in1d`."""
    import numpy as np

    return np.isin(np.asarray(ar1).ravel(), ar2, *arguments, **keywords)


def sort_first_axis(a: Any) -> Any:
    """`numpy.msort`."""
    import numpy as np

    return np.sort(a, axis=0)


def common_type(array_types: Any, scalar_types: Any) -> Any:
    """`numpy.find_common_type`, as NumPy's release notes put it."""
    import numpy as np

    return np.result_type(*array_types, *scalar_types)


def nothing(*arguments: Any, **keywords: Any) -> None:
    """What has no effect here."""


MINUS_INFINITY, MINUS_ZERO, ZERO = -float("inf"), -0.0, 0.0


def refuse_windows(backends: Sequence[str]) -> None:
    """Keeps matplotlib's backend where code asks for one that opens windows."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    windows = frozenset(backends)

    def kept(real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def use(backend: Any, *arguments: Any, **keywords: Any) -> Any:
            if str(backend).lower() not in windows:
                return real(backend, *arguments, **keywords)
            return None

        return use

    mpl.use, plt.switch_backend = kept(mpl.use), kept(plt.switch_backend)


# --- modules -------------------------------------------------------------------


class Missing:
    """Stands for what a missing module would have had; says so when it is used."""

    def __init__(self, name: str, reason: str) -> None:
        self.__dict__.update(_name=name, _reason=reason)

    def _fail(self, *arguments: Any, **keywords: Any) -> Any:
        root = self._name.partition(".")[0]
        raise ModuleNotFoundError(f"{self._reason} (asked for {self._name})", name=root)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(f"{self._name}.{name}", self._reason)

    def __instancecheck__(self, instance: Any) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<missing {self._name}>"

    __call__ = __iter__ = __getitem__ = __enter__ = __mro_entries__ = _fail
    __add__ = __mul__ = __matmul__ = __sub__ = __truediv__ = __len__ = __float__ = _fail


class StandIn(types.ModuleType):
    """A module that is not installed: some of its names have a stand-in, the others fail in use."""

    def __init__(self, name: str, reason: str, given: dict[str, Any], *, lenient: bool) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self.__all__ = list(given)
        self.__dict__.update(given, _reason=reason, _lenient=lenient)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.__name__ == COLAB:
            return importlib.import_module(f"{COLAB}.{name}")
        return nothing if self._lenient else Missing(f"{self.__name__}.{name}", self._reason)


class Finder:
    """Finds, after everybody else, modules that lie elsewhere or have a stand-in."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._files = [os.path.join(order["root"], name) for name in order["files"]]
        self._elsewhere = {n: os.path.join(order["root"], p) for n, p in order["elsewhere"].items()}
        self._absent = frozenset(order["absent"])
        self._colab = bool(order["colab"])

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The module's specification, if it is one of these."""
        root = name.partition(".")[0]
        if name in self._elsewhere:
            return self._specification(name, self._elsewhere[name])
        is_colab = name == "google" or f"{name}.".startswith(f"{COLAB}.")
        if root in self._absent or (self._colab and is_colab):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]
        return None

    @staticmethod
    def _specification(name: str, path: str) -> Any:
        if not os.path.isdir(path):
            return importlib.util.spec_from_file_location(name, path)
        init = os.path.join(path, "__init__.py")
        if os.path.exists(init):
            return importlib.util.spec_from_file_location(
                name, init, submodule_search_locations=[path]
            )
        specification = importlib.machinery.ModuleSpec(name, None, is_package=True)
        specification.submodule_search_locations = [path]
        return specification

    def create_module(self, specification: Any) -> types.ModuleType:
        """A stand-in."""
        name = specification.name
        root = name.partition(".")[0]
        colab = root == "google"
        reason = f"No module named {root!r}"
        return StandIn(name, reason, _given(name, self._files), lenient=colab)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing is left to do."""


def _given(name: str, files: list[str]) -> dict[str, Any]:
    """The names of a stand-in that do what can be done without the module."""
    if name in ("tqdm", "tqdm.notebook", "tqdm.auto", "tqdm.autonotebook"):
        return {"tqdm": Bar, "tqdm_notebook": Bar, "trange": lambda *a, **k: range(*a)}
    if name == "numba":
        return {"jit": undecorated, "njit": undecorated, "prange": range}
    if name == "seaborn":
        effects = ("set", "set_style", "set_theme", "set_context", "set_palette", "despine")
        return dict.fromkeys(effects, nothing)
    if name == "google.colab.files":
        return {"upload": lambda *a, **k: Uploaded(files)}
    return {}


def undecorated(*arguments: Any, **keywords: Any) -> Any:
    """A decorator, with or without arguments, that changes nothing."""
    if len(arguments) == 1 and callable(arguments[0]) and not keywords:
        return arguments[0]
    return lambda function: function


class Bar:
    """A progress bar of which nothing is seen."""

    def __init__(self, iterable: Any = (), *arguments: Any, **keywords: Any) -> None:
        self._iterable = iterable

    def __iter__(self) -> Any:
        return iter(self._iterable)

    def __len__(self) -> int:
        return len(self._iterable)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing was begun."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return nothing


class Uploaded(dict[str, bytes]):
    """What `files.upload` gives: the contents of the data files that there are, by name."""

    def __init__(self, files: list[str]) -> None:
        super().__init__()
        for path in files:
            code = path.endswith((".py", ".ipynb"))
            if not code and os.path.isfile(path) and os.path.getsize(path) <= MAX_UPLOAD_BYTES:
                with open(path, "rb") as file:
                    self.setdefault(os.path.basename(path), file.read())
