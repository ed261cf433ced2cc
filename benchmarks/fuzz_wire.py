"""Fuzzes what the grader reads from a student's process: frames, and the values in them.

    python -m pip install atheris
    python benchmarks/fuzz_wire.py [--seconds 60] [--seed 1]

Whatever arrives, `wire.receive` and `wire.Unpacker` return or raise `WireError`,
soon, and without taking memory. With atheris the search is guided by coverage;
where it is not installed, valid frames are mutated at random. Exit code 1, with
the input that did it, where a promise does not hold.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

WIRE = "grader.execution.inside.wire"
MISSING = (
    "atheris is not installed (python -m pip install atheris): mutating at random instead, "
    "which finds less"
)
INPUT_SECONDS = 5
MORE_MEGABYTES = 300
MAX_INPUT = 1 << 16
PIECES = (
    *(b"[", b"]", b"{", b"}", b",", b'"', b'"$":', b'"v":', b'"k":', b"null", b"true", b"-1"),
    *(b"1e999", b"NaN", b"Infinity", b"0", b"99999999999999999999", b'"\\ud800"', b'"float64"'),
    *(b'"array"', b'"scalar"', b'"stack"', b'"dict"', b'"tuple"', b'"int"', b'"float"'),
    *(b'"complex"', b'"object"', b'"bool"', b"[[],[]]", b"268435456", b"NNG1", b'"nan"'),
)


def examples(wire: ModuleType) -> list[bytes]:
    """Valid frames with every kind of value in them."""
    values: list[Any] = [
        None,
        [1, -(2**63), 2**70, 0.5, float("nan"), complex(1, -2), True, "text"],
        {"a": (1, 2), (3, 4): {"b": np.arange(6.0).reshape(2, 3)}},
        [np.float32(1.5), np.zeros((0, 3), np.int8), np.array(True)],
        [np.full((2, 2), i) for i in range(5)],
        [object(), len],
    ]
    return [_frame(wire, value) for value in values]


def _frame(wire: ModuleType, value: Any) -> bytes:
    packer = wire.Packer(lambda _: {"v": 0, "type": "thing", "callable": True})
    tree = packer.pack({"id": "0", "value": value})
    forms = [[array.dtype.name, list(array.shape)] for array in packer.arrays]
    header = json.dumps({"content": tree, "arrays": forms}).encode()
    return compose(wire, header, b"".join(array.tobytes() for array in packer.arrays))


def compose(wire: ModuleType, header: bytes, body: bytes) -> bytes:
    """A frame whose prefix is right."""
    prefix: bytes = wire.PREFIX.pack(wire.MAGIC, len(header), len(body))
    return prefix + header + body


def try_frame(wire: ModuleType, frame: bytes) -> None:
    """Reads a frame as the grader does, and the values in it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * MAX_INPUT)
        theirs.sendall(frame[: 2 * MAX_INPUT])
        theirs.shutdown(socket.SHUT_WR)
        try:
            content, arrays = wire.receive(ours, time.monotonic() + INPUT_SECONDS)
            wire.Unpacker(arrays, dict).unpack(content)
        except wire.WireError:
            return


def frames_of(wire: ModuleType, data: bytes) -> list[bytes]:
    """What one input stands for: a frame as it is, and one with the right prefix before it."""
    if len(data) < 2:
        return [data]
    split = min(int.from_bytes(data[:2], "big"), len(data) - 2)
    return [data, compose(wire, data[2 : len(data) - split], data[len(data) - split :])]


def as_input(frame: bytes) -> bytes:
    """The input that `frames_of` turns into this frame, and into the same without its prefix."""
    size = struct.calcsize(">4sIQ")
    body = struct.unpack(">4sIQ", frame[:size])[2]
    return struct.pack(">H", min(body, MAX_INPUT - 1)) + frame[size:]


# --- guided by coverage ----------------------------------------------------------


def fuzz_guided(seconds: int, seed: int) -> int:
    """Runs atheris in a process of its own, which libFuzzer ends as it likes."""
    wire = importlib.import_module(WIRE)
    with tempfile.TemporaryDirectory(prefix="nn-fuzz-") as folder:
        corpus, found = Path(folder) / "corpus", Path(folder) / "found"
        corpus.mkdir()
        found.mkdir()
        for number, frame in enumerate(examples(wire)):
            (corpus / str(number)).write_bytes(frame)
            (corpus / f"input{number}").write_bytes(as_input(frame))
        words = Path(folder) / "words"
        words.write_text("".join(f'"{_escape(piece)}"\n' for piece in PIECES), encoding="ascii")
        command = [sys.executable, __file__, "--inside", str(corpus), f"-dict={words}"]
        command += [f"-max_total_time={seconds}", f"-seed={seed}", f"-timeout={INPUT_SECONDS}"]
        command += [f"-rss_limit_mb={MORE_MEGABYTES}", f"-max_len={MAX_INPUT}"]
        command += [f"-artifact_prefix={found}/", "-print_final_stats=1"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        summary = re.findall(r"^(?:stat::.*|Done .*|#\d+\s+DONE.*)$", run.stderr, re.MULTILINE)
        print("\n".join(summary))
        for path in found.iterdir():
            print(f"{path.name}: {path.read_bytes()[:300]!r}")
        if run.returncode:
            print(run.stderr[-3000:])
        return run.returncode


def _escape(piece: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in piece)


def fuzz_inside(arguments: list[str]) -> None:
    """The process that atheris runs in."""
    import atheris  # an optional tool, and it must come before what it watches

    with atheris.instrument_imports(include=[WIRE, "json"]):
        wire = importlib.import_module(WIRE)

    def one_input(data: bytes) -> None:
        for frame in frames_of(wire, data):
            try_frame(wire, frame)

    atheris.Setup([sys.argv[0], *arguments], one_input)
    atheris.Fuzz()


# --- at random -------------------------------------------------------------------


def fuzz_at_random(seconds: int, seed: int) -> int:
    """Mutates valid frames until the time is over."""
    wire = importlib.import_module(WIRE)
    random_numbers = random.Random(seed)  # noqa: S311 - mutations, not secrets
    frames = examples(wire)
    inputs = [*frames, *map(as_input, frames)]
    for data in inputs:
        for frame in frames_of(wire, data):
            try_frame(wire, frame)
    before, runs, slowest = _peak_megabytes(), 0, 0.0
    end = time.monotonic() + seconds
    while (start := time.monotonic()) < end:
        data = mutated(random_numbers, random_numbers.choice(inputs))
        try:
            for frame in frames_of(wire, data):
                try_frame(wire, frame)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            print(f"{type(error).__name__}: {error}, for {data!r}")
            return 1
        runs, slowest = runs + 1, max(slowest, time.monotonic() - start)
    grown = _peak_megabytes() - before
    print(f"{runs} inputs, the slowest {slowest:.2f} s, {grown:.0f} MB more than at first")
    return 0 if slowest < INPUT_SECONDS and grown < MORE_MEGABYTES else 1


def mutated(random_numbers: random.Random, data: bytes) -> bytes:
    """A few bytes changed, cut, repeated, or replaced by pieces of the protocol."""
    changed = bytearray(data)
    for _ in range(random_numbers.randint(1, 6)):
        place = random_numbers.randrange(len(changed) + 1)
        piece = random_numbers.choice(PIECES)
        match random_numbers.randrange(5):
            case 0:
                changed[place : place + 1] = random_numbers.randbytes(1)
            case 1:
                changed[place:place] = piece
            case 2:
                changed[place : place + len(piece)] = piece
            case 3:
                del changed[place : place + random_numbers.randint(1, 20)]
            case _:
                some = changed[place : place + random_numbers.randint(1, 20)]
                changed[place:place] = some * random_numbers.choice((1, 2, 300))
    return bytes(changed[:MAX_INPUT])


def _peak_megabytes() -> float:
    found = re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    """Fuzzes for a while, the better way where it can."""
    if sys.argv[1:2] == ["--inside"]:
        fuzz_inside(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-random", action="store_true", help="even where atheris is installed")
    options = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print(MISSING, file=sys.stderr)
        options.at_random = True
    fuzz = fuzz_at_random if options.at_random else fuzz_guided
    sys.exit(fuzz(options.seconds, options.seed))


if __name__ == "__main__":
    main()
