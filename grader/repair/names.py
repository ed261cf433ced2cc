"""Names that libraries have no more, and what stands for them: only where code asks for them.

NumPy's are those of its own table of expired attributes (`numpy/_expired_attrs_2_0.py`)
and those that versions 1.20 to 1.25 and 2.1 to 2.4 took away.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata

from grader.repair.modules import is_installed

# A target is "module:attribute", a module, "here:helper" of inside/standins.py, or "!why not".
_NUMPY = {
    **dict.fromkeys(("Inf", "Infinity", "infty", "PINF"), "numpy:inf"),
    **dict.fromkeys(("NaN", "NAN"), "numpy:nan"),
    "NINF": "here:MINUS_INFINITY",
    "NZERO": "here:MINUS_ZERO",
    "PZERO": "here:ZERO",
    **{name: f"builtins:{name}" for name in ("int", "float", "complex", "object", "str")},
    "unicode": "builtins:str",
    "issubclass_": "builtins:issubclass",
    "bool8": "numpy:bool",
    "int0": "numpy:intp",
    "uint0": "numpy:uintp",
    "str0": "numpy:str_",
    "bytes0": "numpy:bytes_",
    "object0": "numpy:object_",
    "void0": "numpy:void",
    "float_": "numpy:float64",
    "longfloat": "numpy:longdouble",
    **dict.fromkeys(("complex_", "cfloat"), "numpy:complex128"),
    **dict.fromkeys(("longcomplex", "clongfloat"), "numpy:clongdouble"),
    "singlecomplex": "numpy:complex64",
    "string_": "numpy:bytes_",
    "unicode_": "numpy:str_",
    "product": "numpy:prod",
    "cumproduct": "numpy:cumprod",
    "alltrue": "numpy:all",
    "sometrue": "numpy:any",
    "round_": "numpy:round",
    "in1d": "here:in_1d",
    "row_stack": "numpy:vstack",
    "trapz": "numpy:trapezoid",
    "msort": "here:sort_first_axis",
    "asscalar": "here:as_scalar",
    "rank": "numpy:ndim",
    "asfarray": "here:as_float_array",
    "mat": "numpy:asmatrix",
    "disp": "builtins:print",
    "find_common_type": "here:common_type",
    "issubsctype": "numpy:issubdtype",
    "math": "math",
    "sys": "sys",
    "loads": "pickle:loads",
    "safe_eval": "ast:literal_eval",
    "byte_bounds": "numpy.lib.array_utils:byte_bounds",
    "source": "inspect:getsource",
    "DataSource": "numpy.lib.npyio:DataSource",
    "linalg.linalg": "numpy.linalg",
    "compare_chararrays": "numpy.char:compare_chararrays",
    "format_parser": "numpy.rec:format_parser",
    **dict.fromkeys(("lookfor", "who", "set_string_function"), "here:nothing"),
}
_SCIPY = {
    **{f"misc.{name}": f"scipy.special:{name}" for name in ("comb", "factorial", "factorial2")},
    "misc.logsumexp": "scipy.special:logsumexp",
    "interp": "numpy:interp",
    **{f"misc.{name}": f"scipy.datasets:{name}" for name in ("face", "ascent")},
    "integrate.simps": "scipy.integrate:simpson",
    "integrate.trapz": "scipy.integrate:trapezoid",
    "integrate.cumtrapz": "scipy.integrate:cumulative_trapezoid",
    **{
        f"signal.{name}": f"scipy.signal.windows:{name}"
        for name in ("gaussian", "hann", "hamming", "blackman", "bartlett", "boxcar", "kaiser")
    },
    "linalg.pinv2": "scipy.linalg:pinv",
    **{
        f"misc.{name}": "!scipy.misc reads and writes images no more; use imageio or Pillow"
        for name in ("imread", "imresize", "imsave", "imrotate", "toimage", "imshow")
    },
}
_SELECTION = "sklearn.model_selection"
_SKLEARN = {
    **dict.fromkeys(("cross_validation", "grid_search", "learning_curve"), _SELECTION),
    "externals.joblib": "joblib",
    "externals.six": "six",
    "preprocessing.Imputer": "sklearn.impute:SimpleImputer",
    "utils.testing": "numpy.testing",
    "datasets.samples_generator": "sklearn.datasets",
    "datasets.base": "sklearn.datasets",
    "metrics.classification": "sklearn.metrics",
    "metrics.regression": "sklearn.metrics",
    "linear_model.logistic": "sklearn.linear_model",
    "linear_model.base": "sklearn.linear_model",
    "neural_network.multilayer_perceptron": "sklearn.neural_network",
    "datasets.fetch_mldata": "!mldata.org is gone; hand in the data",
    "datasets.load_boston": "!scikit-learn has no Boston housing data any more; hand in the data",
}
_OTHERS = {
    **{
        f"collections.{name}": f"collections.abc:{name}"
        for name in (
            *("Callable", "Iterable", "Iterator", "Generator", "Hashable", "Sized", "Container"),
            *("Mapping", "MutableMapping", "Sequence", "MutableSequence", "Set", "MutableSet"),
        )
    },
    "fractions.gcd": "math:gcd",
    "time.clock": "time:perf_counter",
    "cgi.escape": "html:escape",
    "imp.reload": "importlib:reload",
    **{
        f"IPython.core.display.{name}": f"IPython.display:{name}"
        for name in ("display", "clear_output", "HTML", "Image", "Markdown", "SVG", "Javascript")
    },
    "IPython.display.set_matplotlib_formats": (
        "matplotlib_inline.backend_inline:set_matplotlib_formats"
    ),
    "matplotlib.cm.get_cmap": "matplotlib.pyplot:get_cmap",
    "matplotlib.cm.spectral": "matplotlib.cm:nipy_spectral",
    "matplotlib.pyplot.hold": "here:nothing",
}
REPLACEMENTS = {
    **{f"numpy.{name}": target for name, target in _NUMPY.items()},
    **{f"scipy.{name}": target for name, target in _SCIPY.items()},
    **{f"sklearn.{name}": target for name, target in _SKLEARN.items()},
    **_OTHERS,
}
DISTRIBUTIONS = {"sklearn": "scikit-learn", "IPython": "ipython"}
REMOVED_MODULES = frozenset(["imp"])
STYLES = "matplotlib.style"
_OLD_STYLE, _NEW_STYLE = "seaborn", "seaborn-v0_8"


@dataclass(frozen=True)
class Gone:
    """A name that is asked for and gone: `attribute` of `module`, and what stands for it."""

    module: str
    attribute: str
    target: str

    @property
    def name(self) -> str:
        """The whole name."""
        return f"{self.module}.{self.attribute}"

    @property
    def text(self) -> str:
        """What a report says of it."""
        package = self.name.partition(".")[0]
        if self.target.startswith("!"):
            return f"{self.name} is gone, and whatever uses it fails: {self.target[1:]}"
        if self.target.startswith("style:"):
            return f"the style {self.attribute} is called {self.target[6:]} by now, which was taken"
        where = f"{package} {_version(package)}" if _version(package) else "this Python"
        stands = "has a stand-in" if self.target.startswith("here:") else f"is {self._stand_in}"
        return f"{self.name}, which {where} has no more, {stands} here"

    @property
    def _stand_in(self) -> str:
        return self.target.removeprefix("builtins:").replace(":", ".")


def find_gone(names: Iterable[str]) -> list[Gone]:
    """Those of the dotted `names` that the installed libraries lack and that can be replaced."""
    found = {gone for name in names for gone in _gone(name)}
    return sorted(found, key=lambda gone: gone.name)


def find_styles(styles: Iterable[str]) -> list[Gone]:
    """The styles that matplotlib has renamed."""
    old = {s for s in styles if s == _OLD_STYLE or s.startswith(f"{_OLD_STYLE}-")}
    renamed = {s: s.replace(_OLD_STYLE, _NEW_STYLE, 1) for s in old if _NEW_STYLE not in s}
    return [Gone(STYLES, old, f"style:{new}") for old, new in sorted(renamed.items())]


def _gone(name: str) -> list[Gone]:
    """The entry for a name, or for the module in which it is looked for."""
    parts = name.split(".")
    for end in range(2, len(parts) + 1):
        dotted = ".".join(parts[:end])
        target = REPLACEMENTS.get(dotted) or _numpy_alias(parts[:end])
        if target and not _has(dotted):
            module, _, attribute = dotted.rpartition(".")
            return [Gone(module, attribute, target)]
    return []


def _numpy_alias(parts: list[str]) -> str:
    """SciPy once repeated all of NumPy."""
    if len(parts) == 2 and parts[0] == "scipy":
        return f"numpy:{parts[1]}" if _has(f"numpy.{parts[1]}") else ""
    return ""


def _version(package: str) -> str:
    try:
        return metadata.version(DISTRIBUTIONS.get(package, package))
    except metadata.PackageNotFoundError:
        return ""


def _has(dotted: str) -> bool:
    """Whether a module has a name; where the package is missing, nothing can be said of it."""
    module, _, attribute = dotted.rpartition(".")
    if dotted.startswith("sklearn."):
        # Gone since 1.2 at the latest; importing it takes seconds.
        return not is_installed("sklearn")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            importlib.import_module(module.partition(".")[0])
        except ImportError:
            return module not in REMOVED_MODULES
        try:
            return hasattr(importlib.import_module(module), attribute) or _is_module(dotted)
        except ImportError:
            return False


def _is_module(dotted: str) -> bool:
    try:
        importlib.import_module(dotted)
    except ImportError:
        return False
    return True
