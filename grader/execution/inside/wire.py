"""Frames and values on the socket between the grader and a student's process.

Both ends use this file, and only one of them is trusted, so everything that is
read is checked. A frame is::

    magic b"NNG1" | header length u32 | body length u64 | header | body

The header is JSON: ``{"content": …, "arrays": [[dtype, shape], …]}``; the body
is the arrays' raw little-endian bytes, one after the other, and must be exactly
as long as the header says. Plain JSON values stand for themselves; everything
else is an object with the key ``"$"``:

===========  ============================================================
``int``      an integer beyond 64 bits, as decimal digits
``float``    ``nan``, ``inf`` or ``-inf``
``complex``  two floats
``tuple``    a list of values
``dict``     keys and values, two lists of the same length
``array``    the number of an array
``scalar``   the number of an array of one element: a numpy scalar
``stack``    the number of an array whose rows are a list of arrays or scalars
``object``   anything else: a reference into the table of the student's process
===========  ============================================================

Nothing is ever unpickled.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

MAGIC = b"NNG1"
PREFIX = struct.Struct(">4sIQ")
MAX_HEADER_BYTES = 8 << 20
MAX_BODY_BYTES = 64 << 20
MAX_VALUES = 200_000
MAX_DEPTH = 16
MAX_TEXT = 1 << 20
# Python itself refuses to convert longer integers from and to text.
MAX_DIGITS = 4000
MAX_DIMENSIONS = 16
# A dict of keys with equal hashes takes quadratic time to build; integers can be chosen so.
MAX_EQUAL_HASHES = 256
DTYPES = frozenset(
    (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64", "complex64", "complex128"),
    )
)


class WireError(Exception):
    """The other side broke the protocol; the sentence says how."""


class Closed(WireError):
    """The other side closed the connection."""


class Late(WireError):
    """The deadline passed before a whole frame had arrived."""


# --- values ---------------------------------------------------------------


class Packer:
    """Turns Python values into JSON values and arrays; `describe` names all others."""

    def __init__(self, describe: Callable[[Any], dict[str, Any]]) -> None:
        self.describe = describe
        self.arrays: list[np.ndarray] = []
        self.count = 0

    def pack(self, value: Any, depth: int = 0) -> Any:
        """The JSON value for `value`; its arrays are kept in `arrays`."""
        self.count += 1
        if self.count > MAX_VALUES or depth > MAX_DEPTH:
            raise WireError("the value has too many parts or is nested too deeply")
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            if len(value) > MAX_TEXT:
                raise WireError("the text is too long")
            return value
        if kind is int or kind is float or kind is complex:
            return _pack_number(value)
        if kind is np.ndarray or kind is np.matrix:
            return self._pack_array(np.asarray(value))
        # Not isinstance, which asks the value for its `__class__`.
        if issubclass(kind, np.generic) and value.dtype.name in DTYPES:
            return {"$": "scalar", "v": self._keep(np.asarray(value))}
        if kind is list or kind is tuple:
            return self._pack_sequence(value, depth)
        if kind is dict:
            keys = [self.pack(key, depth + 1) for key in value]
            values = [self.pack(item, depth + 1) for item in value.values()]
            return {"$": "dict", "k": keys, "v": values}
        return {"$": "object", **self.describe(value)}

    def _pack_array(self, array: np.ndarray) -> Any:
        if array.dtype == np.longdouble:
            array = array.astype(np.float64)
        if array.dtype.name not in DTYPES or array.ndim > MAX_DIMENSIONS:
            return {"$": "object", **self.describe(array)}
        return {"$": "array", "v": self._keep(array)}

    def _pack_sequence(self, values: list[Any] | tuple[Any, ...], depth: int) -> Any:
        if type(values) is list and _can_stack(values):
            of = "array" if type(values[0]) is np.ndarray else "scalar"
            return {"$": "stack", "of": of, "v": self._keep(np.stack(values))}
        packed = [self.pack(item, depth + 1) for item in values]
        return packed if type(values) is list else {"$": "tuple", "v": packed}

    def _keep(self, array: np.ndarray) -> int:
        # The wire's byte order is this machine's, whichever the array has.
        self.arrays.append(array.astype(array.dtype.newbyteorder("="), copy=False))
        return len(self.arrays) - 1


def _can_stack(values: list[Any]) -> bool:
    """Whether many arrays or scalars of one form can travel as one array."""
    if len(values) < 4:
        return False
    kind = type(values[0])
    if kind is not np.ndarray and not issubclass(kind, np.generic):
        return False
    first = values[0]
    if first.dtype.name not in DTYPES or first.ndim >= MAX_DIMENSIONS:
        return False
    form = (first.shape, first.dtype)
    return all(type(value) is kind and (value.shape, value.dtype) == form for value in values)


def _pack_number(value: Any) -> Any:
    if type(value) is complex:
        return {"$": "complex", "v": [_pack_number(value.real), _pack_number(value.imag)]}
    if type(value) is float:
        return value if math.isfinite(value) else {"$": "float", "v": str(value)}
    if -(2**63) <= value < 2**63:
        return value
    if value.bit_length() > 3 * MAX_DIGITS:
        raise WireError("the integer is too long")
    return {"$": "int", "v": str(value)}


class Unpacker:
    """Turns what arrived back into Python values; `make_object` handles references."""

    def __init__(
        self, arrays: list[np.ndarray], make_object: Callable[[dict[str, Any]], Any]
    ) -> None:
        self.arrays = arrays
        self.make_object = make_object
        self.count = 0

    def unpack(self, tree: Any, depth: int = 0) -> Any:
        """The Python value for a JSON value."""
        self.count += 1
        if self.count > MAX_VALUES or depth > MAX_DEPTH + 1:
            raise WireError("the value has too many parts or is nested too deeply")
        if tree is None or isinstance(tree, bool | int | float | str):
            return tree
        if isinstance(tree, list):
            return [self.unpack(item, depth + 1) for item in tree]
        if not isinstance(tree, dict):
            raise WireError("the value has an unknown form")
        return self._unpack_tagged(tree, depth)

    def _unpack_tagged(self, tree: dict[str, Any], depth: int) -> Any:
        tag, value = tree.get("$"), tree.get("v")
        if tag in ("array", "scalar", "stack"):
            return self._unpack_array(tree)
        if tag == "tuple" and isinstance(value, list):
            return tuple(self.unpack(item, depth + 1) for item in value)
        if tag == "dict":
            return self._unpack_dict(tree, depth)
        if tag == "float" and value in ("nan", "inf", "-inf"):
            return float(value)
        if tag == "int" and isinstance(value, str) and len(value) <= MAX_DIGITS + 1:
            return _parse_int(value)
        if tag == "complex" and isinstance(value, list) and len(value) == 2:
            return _make_complex(*(self.unpack(part, depth + 1) for part in value))
        if tag == "object":
            return self.make_object(tree)
        raise WireError("the value has an unknown form")

    def _unpack_array(self, tree: dict[str, Any]) -> Any:
        number = tree.get("v")
        if type(number) is not int or not 0 <= number < len(self.arrays):
            raise WireError("the value names an array that was not sent")
        array = self.arrays[number]
        if tree["$"] == "array":
            return array
        if tree["$"] == "scalar":
            if array.ndim != 0:
                raise WireError("a scalar has more than one element")
            return array[()]
        if array.ndim == 0:
            raise WireError("a stack of values has no rows")
        self.count += len(array)
        if self.count > MAX_VALUES:
            raise WireError("the value has too many parts")
        return list(array)

    def _unpack_dict(self, tree: dict[str, Any], depth: int) -> dict[Any, Any]:
        keys, values = tree.get("k"), tree.get("v")
        if not isinstance(keys, list) or not isinstance(values, list) or len(keys) != len(values):
            raise WireError("a dict's keys and values do not match")
        unpacked = [self.unpack(key, depth + 1) for key in keys]
        _check_keys(unpacked)
        return {k: self.unpack(v, depth + 1) for k, v in zip(unpacked, values, strict=True)}


def _check_keys(keys: list[Any]) -> None:
    try:
        hashes = Counter(map(hash, keys))
    except TypeError:
        raise WireError("a dict has a key that cannot be one") from None
    if max(hashes.values(), default=0) > MAX_EQUAL_HASHES:
        raise WireError("a dict has too many keys with the same hash")


def _parse_int(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        raise WireError("an integer is not made of digits") from None


def _make_complex(real: Any, imaginary: Any) -> complex:
    if type(real) is not float or type(imaginary) is not float:
        raise WireError("a complex number is not made of two floats")
    return complex(real, imaginary)


# --- frames ---------------------------------------------------------------


def send(sock: socket.socket, content: Any, arrays: list[np.ndarray], deadline: float) -> None:
    """Sends one frame before `deadline` (a `time.monotonic` value).

    Raises:
        Closed: the other side has gone.
        Late: it did not take the frame in time.
        WireError: the frame would be larger than the protocol allows.
    """
    forms = [[array.dtype.name, list(array.shape)] for array in arrays]
    header = json.dumps({"content": content, "arrays": forms}, allow_nan=False).encode()
    size = sum(array.nbytes for array in arrays)
    if len(header) > MAX_HEADER_BYTES or size > MAX_BODY_BYTES:
        raise WireError("the value is too large to be sent")
    # A broadcast array is small until it is made contiguous.
    ready = [np.ascontiguousarray(array).reshape(array.shape) for array in arrays]
    pieces: list[Any] = [PREFIX.pack(MAGIC, len(header), size), header]
    pieces += [array.reshape(-1).data.cast("B") for array in ready if array.nbytes]
    try:
        for piece in pieces:
            sock.settimeout(_remaining(deadline))
            sock.sendall(piece)
    except TimeoutError:
        raise Late("the other side did not read in time") from None
    except OSError:
        raise Closed("the connection is closed") from None


def receive(sock: socket.socket, deadline: float) -> tuple[Any, list[np.ndarray]]:
    """Reads one whole frame before `deadline`: its content and its arrays.

    Raises:
        Closed: the other side has gone.
        Late: the frame was not complete in time.
        WireError: it breaks a rule of the protocol.
    """
    magic, header_size, body_size = PREFIX.unpack(_read(sock, PREFIX.size, deadline))
    if magic != MAGIC or header_size > MAX_HEADER_BYTES or body_size > MAX_BODY_BYTES:
        raise WireError("the frame does not follow the protocol or is too large")
    header = _parse_header(bytes(_read(sock, header_size, deadline)))
    arrays = _split_body(header["arrays"], _read(sock, body_size, deadline))
    return header["content"], arrays


def _parse_header(text: bytes) -> dict[str, Any]:
    # A list of empty lists takes 20 times its text.
    if sum(map(text.count, (b"[", b"{", b","))) > 4 * MAX_VALUES:
        raise WireError("the frame's header has too many parts")
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise WireError("the frame's header is not JSON") from None
    if not isinstance(header, dict) or header.keys() != {"content", "arrays"}:
        raise WireError("the frame's header has other fields than it must")
    if not isinstance(header["arrays"], list) or len(header["arrays"]) > MAX_VALUES:
        raise WireError("the frame's list of arrays cannot be read")
    return header


def _split_body(forms: list[Any], body: bytearray) -> list[np.ndarray]:
    arrays, offset = [], 0
    for form in forms:
        dtype, shape = _parse_form(form)
        count = math.prod(shape)
        size = count * dtype.itemsize
        if offset + size > len(body):
            raise WireError("the frame is shorter than its arrays")
        arrays.append(_read_array(body, offset, dtype, shape))
        offset += size
    if offset != len(body):
        raise WireError("the frame is longer than its arrays")
    return arrays


def _read_array(
    body: bytearray, offset: int, dtype: np.dtype, shape: tuple[int, ...]
) -> np.ndarray:
    count = math.prod(shape)
    flat = np.frombuffer(body, dtype, count, offset) if count else np.empty(0, dtype)
    if dtype == np.bool_:
        # A byte that is neither 0 nor 1 would be a boolean that is not equal to itself.
        flat = flat.view(np.uint8) != 0
    try:
        return flat.reshape(shape) if flat.flags.aligned else flat.reshape(shape).copy()
    except ValueError:
        raise WireError("an array's shape cannot be read") from None


def _parse_form(form: Any) -> tuple[np.dtype, tuple[int, ...]]:
    if not isinstance(form, list) or len(form) != 2:
        raise WireError("an array's form cannot be read")
    name, shape = form
    if not isinstance(name, str) or name not in DTYPES:
        raise WireError("an array has a type that is not allowed")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise WireError("an array's shape cannot be read")
    if not all(type(n) is int and 0 <= n <= MAX_BODY_BYTES for n in shape):
        raise WireError("an array's shape cannot be read")
    return np.dtype(name), tuple(shape)


def _read(sock: socket.socket, size: int, deadline: float) -> bytearray:
    data = bytearray()
    while len(data) < size:
        sock.settimeout(_remaining(deadline))
        try:
            piece = sock.recv(min(size - len(data), 1 << 20))
        except TimeoutError:
            raise Late("no answer in time") from None
        except OSError:
            raise Closed("the connection is closed") from None
        if not piece:
            raise Closed("the connection is closed")
        data += piece
    return data


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise Late("no answer in time")
    return remaining
