"""The wire's values and frames: what round-trips, and what hostile bytes can do."""

from __future__ import annotations

import contextlib
import json
import math
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from grader.execution.inside import wire

SECONDS = 5.0
FUZZED = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Reference:
    """What stands for an object of the other side."""

    def __init__(self, tree: dict[str, Any]) -> None:
        self.tree = tree


@contextlib.contextmanager
def connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def deadline(seconds: float = SECONDS) -> float:
    """So many seconds from now."""
    return time.monotonic() + seconds


def frame(value: Any) -> bytes:
    """The bytes of a value's frame."""
    packer = wire.Packer(lambda value: {"v": 0})
    content = packer.pack(value)
    with connected() as (ours, theirs):
        sender = threading.Thread(
            target=wire.send, args=(theirs, content, packer.arrays, deadline())
        )
        sender.start()
        prefix = receive_exactly(ours, wire.PREFIX.size)
        _, header_size, body_size = wire.PREFIX.unpack(prefix)
        rest = receive_exactly(ours, header_size + body_size)
        sender.join()
    return prefix + rest


def receive_exactly(sock: socket.socket, size: int) -> bytes:
    """So many bytes."""
    return sock.recv(size, socket.MSG_WAITALL) if size else b""


def read(data: bytes, *, close: bool = True, seconds: float = SECONDS) -> Any:
    """The value in these bytes, as the grader would read it."""
    with connected() as (ours, theirs):
        sender = threading.Thread(target=feed, args=(theirs, data, close))
        sender.start()
        try:
            content, arrays = wire.receive(ours, deadline(seconds))
        finally:
            ours.close()
            sender.join()
    return wire.Unpacker(arrays, Reference).unpack(content)


def feed(sock: socket.socket, data: bytes, close: bool) -> None:
    """Sends bytes to a reader that may stop reading."""
    with contextlib.suppress(OSError):
        sock.sendall(data)
        if close:
            sock.shutdown(socket.SHUT_WR)


def make_frame(content: Any, arrays: Any = (), body: bytes = b"") -> bytes:
    """A well-formed frame of whatever a hostile side writes into it."""
    header = json.dumps({"content": content, "arrays": arrays}).encode()
    return wire.PREFIX.pack(wire.MAGIC, len(header), len(body)) + header + body


def round_trip(value: Any) -> Any:
    """What arrives when a value is sent."""
    return read(frame(value))


def assert_same(actual: Any, expected: Any) -> None:
    """Equality of value and type, in which NaN equals NaN and -0.0 differs from 0.0."""
    assert type(actual) is type(expected)
    if isinstance(expected, np.ndarray | np.generic):
        assert actual.dtype == expected.dtype
        assert actual.shape == expected.shape
        np.testing.assert_array_equal(actual, expected)
    elif isinstance(expected, list | tuple):
        assert len(actual) == len(expected)
        for a, e in zip(actual, expected, strict=True):
            assert_same(a, e)
    elif isinstance(expected, dict):
        assert len(actual) == len(expected)
        for a, e in zip(actual.items(), expected.items(), strict=True):
            assert_same(a, e)
    elif isinstance(expected, complex):
        assert_same([actual.real, actual.imag], [expected.real, expected.imag])
    elif isinstance(expected, float) and math.isnan(expected):
        assert math.isnan(actual)
    else:
        assert actual == expected
        assert math.copysign(1, actual) == math.copysign(1, expected) if actual == 0.0 else True


dtypes = st.sampled_from(sorted(wire.DTYPES)).map(np.dtype)
arrays = dtypes.flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=4, min_side=0))
)
scalars = dtypes.flatmap(lambda dtype: npst.arrays(dtype, ())).map(lambda array: array[()])
stacks = st.tuples(dtypes, npst.array_shapes(min_dims=0, max_dims=2, min_side=0)).flatmap(
    lambda form: st.lists(
        npst.arrays(*form).map(lambda array: array if form[1] else array[()]), min_size=4
    )
)
keys = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
leaves = (
    keys
    | st.integers(min_value=-(10**3000), max_value=10**3000)
    | st.floats()
    | st.complex_numbers()
    | arrays
    | scalars
    | stacks
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(keys | st.tuples(keys, keys), inner, max_size=5)
    ),
    max_leaves=12,
)


# --- round trips ------------------------------------------------------------


@FUZZED
@given(values)
def test_values_round_trip(value: Any) -> None:
    """Every kind of value that the wire knows arrives as it was sent, type included."""
    assert_same(round_trip(value), value)


@FUZZED
@given(arrays)
def test_arrays_of_every_type_and_shape_round_trip(array: np.ndarray) -> None:
    """Arrays keep dtype, shape and content, empty and 0-d ones too."""
    assert_same(round_trip(array), array)


@FUZZED
@given(stacks)
def test_lists_of_alike_arrays_travel_as_one(value: list[Any]) -> None:
    """Many arrays or scalars of one form are sent as a single array and arrive as a list."""
    packer = wire.Packer(lambda value: {"v": 0})
    packer.pack(value)
    assert len(packer.arrays) == 1
    assert_same(round_trip(value), value)


@pytest.mark.parametrize(
    "value",
    [
        2**63,
        -(2**63) - 1,
        10**3600,
        math.nan,
        -math.inf,
        -0.0,
        complex(math.nan, -math.inf),
        "\ud800 \0 é",
        (),
        {},
        {(1, (2, None)): [()]},
        np.float64("nan"),
        np.bool_(True),
        [np.zeros(3), np.zeros(4), np.zeros(3), np.zeros(3)],
    ],
    ids=repr,
)
def test_odd_values_round_trip(value: Any) -> None:
    """The values at the borders of the format arrive as they were sent."""
    assert_same(round_trip(value), value)


def test_byte_order_does_not_change_values() -> None:
    """A big-endian array arrives with the same numbers, in the machine's own order."""
    array = np.arange(5, dtype=">f8")
    received = round_trip({"one": array, "many": [array] * 5})
    for arrived in (received["one"], *received["many"]):
        assert_same(arrived, np.arange(5.0))


def test_long_doubles_arrive_as_doubles() -> None:
    """What numpy computes in long double is rounded, not refused."""
    assert_same(round_trip(np.array([1.5, 2.5], np.longdouble)), np.array([1.5, 2.5]))


def test_views_arrive_whole() -> None:
    """Strided, transposed and broadcast arrays arrive with the content that they show."""
    array = np.arange(24.0).reshape(4, 6)
    for view in (
        array.T,
        array[::-2, ::3],
        np.broadcast_to(array[0], (3, 6)),
        array.view(np.matrix),
    ):
        assert_same(round_trip(view), np.array(view))


def test_received_arrays_can_be_changed() -> None:
    """An author may write into what arrived, and two arrays of one frame share nothing."""
    first, second = round_trip([np.zeros(3), np.ones((2, 2))])
    first += 1
    second[0] = 5
    assert_same(first, np.ones(3))


# --- what travels as a reference -------------------------------------------------


class AlwaysEqual:
    """Equals everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = object.__hash__


class LyingClass:
    """Says that it is a number of numpy's."""

    __class__ = np.float64  # type: ignore[assignment]


class Untouchable:
    """Raises whatever is asked of it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class EqualType(type):
    """A type that equals every type."""

    def __eq__(cls, other: object) -> bool:
        return True

    __hash__ = type.__hash__


class OfEqualType(metaclass=EqualType):
    """An instance of a type that equals every type."""


class ListOfMine(list[int]):
    """A subclass of list."""


class FloatOfMine(float):
    """A subclass of float."""


class ArrayOfMine(np.ndarray):
    """A subclass of numpy's arrays."""


OBJECTS: list[Callable[[], Any]] = [
    lambda: np.array([object(), None]),
    lambda: np.array(["a", "b"]),
    lambda: np.array(["2020-01-01"], "datetime64[D]"),
    lambda: np.zeros(3, [("x", "f8")]),
    lambda: np.ma.masked_array([1.0, 2.0], [True, False]),
    lambda: np.zeros(2).view(ArrayOfMine),
    lambda: np.str_("text"),
    lambda: np.longdouble(1),
    AlwaysEqual,
    LyingClass,
    Untouchable,
    OfEqualType,
    lambda: OfEqualType,
    lambda: ListOfMine([1]),
    lambda: FloatOfMine(1.0),
    lambda: {1, 2},
    lambda: b"bytes",
    lambda: len,
    lambda: range(3),
]


@pytest.mark.parametrize("make", OBJECTS, ids=range(len(OBJECTS)))
def test_everything_else_travels_as_a_reference(make: Callable[[], Any]) -> None:
    """An object that is not plain data, whatever it pretends, only gets a number."""
    described: list[object] = []

    def describe(value: object) -> dict[str, Any]:
        described.append(value)
        return {"v": 7}

    packer = wire.Packer(describe)
    assert packer.pack([make()]) == [{"$": "object", "v": 7}]
    assert packer.arrays == []
    assert len(described) == 1


# --- values that are refused before they are sent ---------------------------------


def self_containing() -> list[Any]:
    """A list whose only element is itself."""
    value: list[Any] = []
    value.append(value)
    return value


def nested(depth: int) -> list[Any]:
    """A list in a list in a list."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        self_containing(),
        nested(wire.MAX_DEPTH + 1),
        nested(100_000),
        list(range(wire.MAX_VALUES + 1)),
        dict.fromkeys(range(wire.MAX_VALUES // 2 + 1)),
        "x" * (wire.MAX_TEXT + 1),
        10**13_000,
    ],
    ids=["itself", "deep", "very deep", "many", "dict", "text", "integer"],
)
def test_values_beyond_a_cap_are_refused(value: Any) -> None:
    """Too many parts, too deep a nesting, too long a text or integer is a WireError."""
    with pytest.raises(wire.WireError):
        wire.Packer(lambda value: {"v": 0}).pack(value)


def test_broadcast_arrays_are_refused_before_they_are_copied() -> None:
    """An array that is huge only once it is contiguous costs no memory to refuse."""
    array = np.broadcast_to(np.float64(1), (1 << 20, 1 << 12))
    with connected() as (ours, _):
        tracemalloc.start()
        try:
            with pytest.raises(wire.WireError, match="too large"):
                wire.send(ours, {"$": "array", "v": 0}, [array], deadline())
            assert tracemalloc.get_traced_memory()[1] < 1 << 20
        finally:
            tracemalloc.stop()


# --- hostile frames ---------------------------------------------------------------


def read_hostile(data: bytes) -> None:
    """Reads bytes that may be anything: a value or a WireError, and nothing else."""
    start = time.monotonic()
    with contextlib.suppress(wire.WireError):
        read(data)
    assert time.monotonic() - start < SECONDS


@FUZZED
@given(st.binary(max_size=300))
def test_random_bytes_are_refused(data: bytes) -> None:
    """Bytes that are no frame give a WireError."""
    with pytest.raises(wire.WireError):
        read(data)


@FUZZED
@given(st.binary(max_size=200), st.binary(max_size=50))
def test_random_headers_are_refused(header: bytes, body: bytes) -> None:
    """A correct prefix before random bytes gives a WireError."""
    with pytest.raises(wire.WireError):
        read(wire.PREFIX.pack(wire.MAGIC, len(header), len(body)) + header + body)


@FUZZED
@given(values, st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6))
def test_mutated_frames_give_a_value_or_a_wire_error(
    value: Any, changes: list[tuple[int, int]]
) -> None:
    """Changed bytes in a valid frame never raise anything but WireError."""
    data = bytearray(frame(value))
    for place, byte in changes:
        data[place % len(data)] = byte
    read_hostile(bytes(data))


@FUZZED
@given(values, st.integers(0, 10**6))
def test_truncated_frames_are_refused(value: Any, place: int) -> None:
    """A frame that stops anywhere gives a WireError."""
    data = frame(value)
    with pytest.raises(wire.WireError):
        read(data[: place % len(data)])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["$", "v", "k", "of", "x"]), inner, max_size=4)
        | st.fixed_dictionaries(
            {
                "$": st.sampled_from(
                    [
                        "int",
                        "float",
                        "complex",
                        "tuple",
                        "dict",
                        "array",
                        "scalar",
                        "stack",
                        "object",
                    ]
                ),
                "v": inner,
                "k": inner,
            }
        )
    ),
    max_leaves=15,
)
forms = st.lists(
    st.tuples(st.sampled_from(sorted(wire.DTYPES)), st.lists(st.integers(0, 3), max_size=3)).map(
        list
    ),
    max_size=3,
)


@FUZZED
@given(json_values, forms | json_values, st.binary(max_size=64))
def test_random_trees_give_a_value_or_a_wire_error(content: Any, arrays: Any, body: bytes) -> None:
    """No JSON, well-formed or not, makes the reader raise anything but WireError."""
    read_hostile(make_frame(content, arrays, body))


REFUSED = {
    "header length beyond the cap": wire.PREFIX.pack(wire.MAGIC, wire.MAX_HEADER_BYTES + 1, 0),
    "body length beyond the cap": wire.PREFIX.pack(wire.MAGIC, 2, wire.MAX_BODY_BYTES + 1),
    "largest lengths": wire.PREFIX.pack(wire.MAGIC, 2**32 - 1, 2**64 - 1),
    "wrong magic": wire.PREFIX.pack(b"NNG0", 2, 0) + b"{}",
    "deep JSON": wire.PREFIX.pack(wire.MAGIC, 2_000_000, 0) + b"[" * 1_000_000 + b"]" * 1_000_000,
    "an endless integer": wire.PREFIX.pack(wire.MAGIC, 10_000, 0) + b"9" * 10_000,
    "header that is a list": wire.PREFIX.pack(wire.MAGIC, 2, 0) + b"[]",
    "header with too few fields": wire.PREFIX.pack(wire.MAGIC, 13, 0) + b'{"content":1}',
    "header that is not text": wire.PREFIX.pack(wire.MAGIC, 4, 0) + b"\xff\xfe\xfd\xfc",
    "content nested too deeply": make_frame(nested(wire.MAX_DEPTH + 3)),
    "more values than the cap": make_frame([0] * (wire.MAX_VALUES + 1)),
    "wrong type": make_frame(None, [["object", [1]]], bytes(8)),
    "type that is a list": make_frame(None, [[["float64"], [1]]], bytes(8)),
    "byte order in a type": make_frame(None, [[">f8", [1]]], bytes(8)),
    "form that is a dict": make_frame(None, [{"float64": 1}], bytes(8)),
    "forms that are a dict": make_frame(None, {"float64": [1]}, bytes(8)),
    "negative shape": make_frame(None, [["float64", [-1]]], bytes(8)),
    "two negative sides": make_frame(None, [["float64", [-1, -1]]], bytes(8)),
    "shape of floats": make_frame(None, [["float64", [1.0]]], bytes(8)),
    "shape of booleans": make_frame(None, [["float64", [True]]], bytes(8)),
    "shape that overflows": make_frame(None, [["float64", [2**28] * 8]], bytes(8)),
    "side that overflows": make_frame(None, [["float64", [2**64 + 1]]], bytes(8)),
    "empty shape that overflows": make_frame(None, [["float64", [0] + [2**28] * 8]]),
    "too many dimensions": make_frame(None, [["float64", [1] * 40]], bytes(8)),
    "missing bytes": make_frame(None, [["float64", [2]]], bytes(15)),
    "extra bytes": make_frame(None, [["float64", [2]]], bytes(17)),
    "bytes without arrays": make_frame(None, [], b"x"),
    "array that was not sent": make_frame({"$": "array", "v": 0}),
    "array of a negative number": make_frame({"$": "array", "v": -1}, [["int8", [1]]], b"x"),
    "array numbered True": make_frame({"$": "array", "v": True}, [["int8", [1]]] * 2, b"xx"),
    "scalar of two elements": make_frame({"$": "scalar", "v": 0}, [["int8", [2]]], b"xx"),
    "stack without rows": make_frame({"$": "stack", "v": 0}, [["int8", []]], b"x"),
    "stack of endless empty rows": make_frame({"$": "stack", "v": 0}, [["int8", [2**28, 0]]]),
    "unknown kind": make_frame({"$": "pickle", "v": "x"}),
    "kind that is a list": make_frame({"$": ["array"], "v": 0}),
    "no kind": make_frame({}),
    "dict with an unhashable key": make_frame({"$": "dict", "k": [[1]], "v": [1]}),
    "dict with an array as key": make_frame(
        {"$": "dict", "k": [{"$": "array", "v": 0}], "v": [1]}, [["int8", [1]]], b"x"
    ),
    "dict with too few values": make_frame({"$": "dict", "k": [1, 2], "v": [1]}),
    "integer that is no integer": make_frame({"$": "int", "v": "12x"}),
    "integer that is too long": make_frame({"$": "int", "v": "9" * 4100}),
    "float that is code": make_frame({"$": "float", "v": "1.5"}),
    "complex of one part": make_frame({"$": "complex", "v": [1.0]}),
    "complex of text": make_frame({"$": "complex", "v": ["1", "2"]}),
    "tuple that is no list": make_frame({"$": "tuple", "v": "ab"}),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_frames_that_lie_are_refused(data: bytes) -> None:
    """A frame that breaks one rule gives a WireError, at once and without its memory."""
    start = time.monotonic()
    with pytest.raises(wire.WireError):
        read(data)
    assert time.monotonic() - start < SECONDS / 2


def test_a_length_is_not_allocated_before_it_arrives() -> None:
    """A frame that promises the largest body and sends nothing costs no memory."""
    header = make_frame(None, [["uint8", [wire.MAX_BODY_BYTES]]])[wire.PREFIX.size :]
    lies = [
        wire.PREFIX.pack(wire.MAGIC, wire.MAX_HEADER_BYTES, wire.MAX_BODY_BYTES),
        wire.PREFIX.pack(wire.MAGIC, len(header), wire.MAX_BODY_BYTES) + header,
    ]
    tracemalloc.start()
    try:
        for lie in lies:
            with pytest.raises(wire.Closed):
                read(lie)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_keys_of_equal_hashes_do_not_hang_the_reader() -> None:
    """Integers chosen to collide in a dict are refused instead of taking quadratic time."""
    chosen = [{"$": "int", "v": str(i * (2**61 - 1))} for i in range(1, 40_001)]
    start = time.monotonic()
    with pytest.raises(wire.WireError, match="same hash"):
        read(make_frame({"$": "dict", "k": chosen, "v": [0] * len(chosen)}))
    assert time.monotonic() - start < SECONDS


def test_a_large_honest_dict_is_read() -> None:
    """The guard against equal hashes does not refuse an ordinary large dict."""
    value = {i: i for i in range(50_000)} | {-float(i): i for i in range(3, 10_000)}
    assert_same(round_trip(value), value)


@pytest.mark.parametrize("byte", [0, 1, 2, 255])
def test_booleans_are_zero_or_one(byte: int) -> None:
    """A byte that is neither 0 nor 1 becomes a true that equals true."""
    value = read(make_frame({"$": "array", "v": 0}, [["bool", [1]]], bytes([byte])))
    assert value.view(np.uint8)[0] == (byte != 0)


def test_references_are_made_by_the_reader() -> None:
    """What arrives as an object is handed to `make_object` and not looked into."""
    value = read(make_frame([{"$": "object", "v": "anything", "type": ["x"]}]))
    assert value[0].tree["v"] == "anything"


def test_a_slow_frame_is_late() -> None:
    """One byte at a time does not move the deadline of the whole frame."""
    data = frame("x" * 1000)
    stop = threading.Event()

    def drip(sock: socket.socket) -> None:
        for place in range(len(data)):
            if stop.wait(0.05):
                return
            with contextlib.suppress(OSError):
                sock.send(data[place : place + 1])

    with connected() as (ours, theirs):
        dripper = threading.Thread(target=drip, args=(theirs,))
        dripper.start()
        start = time.monotonic()
        try:
            with pytest.raises(wire.Late):
                wire.receive(ours, deadline(0.4))
            assert time.monotonic() - start < 2
        finally:
            stop.set()
            dripper.join()


def test_a_silent_side_is_late() -> None:
    """A side that sends nothing costs no more than the deadline."""
    with connected() as (ours, _), pytest.raises(wire.Late):
        wire.receive(ours, deadline(0.2))


def test_a_passed_deadline_is_late() -> None:
    """Nothing is read or sent once the deadline has passed."""
    with connected() as (ours, theirs):
        theirs.sendall(frame(1))
        with pytest.raises(wire.Late):
            wire.receive(ours, deadline(-1))
        with pytest.raises(wire.Late):
            wire.send(ours, 1, [], deadline(-1))


def test_a_side_that_does_not_read_makes_sending_late() -> None:
    """Sending more than the socket holds ends at the deadline."""
    with connected() as (ours, _), pytest.raises(wire.Late):
        wire.send(ours, None, [np.zeros(1 << 20)], deadline(0.3))


def test_a_closed_side_is_closed() -> None:
    """Both directions say Closed when the other side has gone."""
    with connected() as (ours, theirs):
        theirs.close()
        with pytest.raises(wire.Closed):
            wire.receive(ours, deadline())
        with pytest.raises(wire.Closed):
            wire.send(ours, "x", [np.zeros(1 << 20)], deadline())
