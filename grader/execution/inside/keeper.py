"""The agent where processes cannot be forked: the kernel keeps its namespaces itself.

A kept namespace is a deep copy of the variables as they were; a copy for checks
is a deep copy of that, put in the place of the variables while something is
asked of it. Functions, classes and modules are shared by all of them, and what
a function keeps in its closure or in its attributes: only a fork has its own.
Figures are shared, too.

Executed as a script in place of ``agent.py``, with the same arguments. The
environment variable ``NN_GRADER_CONTROL`` holds the port on this machine at
which the grader listens, and the token to say there. The grader asks

over the shell channel
    ``nn_snapshot_request``: keep the namespace; the frame ``{"kept": n}``
    follows on the socket, or ``{"lost": reason}``.
    ``nn_serve_request``: obey the frames on the socket until it closes.
on the socket
    ``{"op": "copy", "snapshot": n, "seed": s}`` is answered by ``{"copy": c}``;
    ``{"op": "discard", "copy": c}`` by nothing; and ``{"op": "ask", "copy": c,
    "request": …}`` like the request alone by a copy of `agent`'s.
"""

from __future__ import annotations

import builtins
import contextlib
import copy
import importlib.util
import os
import random
import signal
import socket
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path += sys.argv[2].split(os.pathsep)

import numpy as np

if TYPE_CHECKING or __package__:
    from . import agent, modules, outputs, wire
else:
    _path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "agent.py")
    _spec = importlib.util.spec_from_file_location("_nn_grader_agent", _path)
    agent = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(agent)
    modules, outputs, wire = agent.modules, agent.outputs, agent.wire

CONTROL = "NN_GRADER_CONTROL"
CONNECT_SECONDS = 30.0
# Larger arrays that have not changed since are kept once, however often they are kept.
SHARED_BYTES = 1 << 20
# What IPython itself keeps among the variables.
OWN_NAMES = frozenset(
    ["In", "Out", "_ih", "_oh", "_dh", "get_ipython", "exit", "quit", "open", "__builtins__"]
)
_Kept = dict[int, tuple[Any, np.ndarray]]


@dataclass
class State:
    """Variables, the student's own modules with theirs, and the random state."""

    names: dict[str, Any]
    modules: dict[str, tuple[types.ModuleType, dict[str, Any]]]
    random: tuple[Any, Any]

    @classmethod
    def of(cls, namespace: dict[str, Any]) -> State:
        """The state as it is, not copied."""
        own = {name: module for name, module in sys.modules.items() if _is_students(module)}
        return cls(
            names=dict(namespace),
            modules={name: (module, dict(vars(module))) for name, module in own.items()},
            random=(random.getstate(), np.random.get_state()),
        )

    def copied(self, arrays: _Kept | None = None) -> State:
        """The same with values of its own; what cannot be copied is shared."""
        return State(_copied(self.names, arrays), self.modules, self.random)

    def put_into(self, namespace: dict[str, Any]) -> None:
        """Makes this the state of the process."""
        namespace.clear()
        namespace.update(self.names)
        for name in [name for name, module in sys.modules.items() if _is_students(module)]:
            del sys.modules[name]
        for name, (module, content) in self.modules.items():
            sys.modules[name] = module
            vars(module).clear()
            vars(module).update(content)
        random.setstate(self.random[0])
        np.random.set_state(self.random[1])


def _is_students(module: object) -> bool:
    """Whether a module's file lies beside the notebook."""
    file = getattr(module, "__file__", None)
    home = modules.home
    return bool(home and isinstance(file, str) and os.path.abspath(file).startswith(home + os.sep))


def _copied(names: dict[str, Any], arrays: _Kept | None) -> dict[str, Any]:
    # Found here, an object is not copied: modules cannot be.
    memo: dict[int, Any] = {id(module): module for module in list(sys.modules.values())}
    found = {}
    with _shared_figures():
        for name, value in names.items():
            if arrays is not None and type(value) is np.ndarray:
                _share(value, arrays, memo)
            found[name] = value if name in OWN_NAMES else _copy(value, memo)
    return found


def _copy(value: Any, memo: dict[int, Any]) -> Any:
    try:
        return copy.deepcopy(value, memo)
    except (Exception, RecursionError):  # an open file, a generator, a lock
        return value


def _share(array: np.ndarray, arrays: _Kept, memo: dict[int, Any]) -> None:
    """Takes the copy that was made of a large array before, where it still equals it."""
    if array.nbytes < SHARED_BYTES:
        return
    reference, kept = arrays.get(id(array), (lambda: None, array))
    same = reference() is array and kept.dtype == array.dtype and kept.shape == array.shape
    if not same or kept.tobytes() != array.tobytes():
        kept = array.copy()
        arrays[id(array)] = (weakref.ref(array), kept)
    memo[id(array)] = kept


@contextlib.contextmanager
def _shared_figures() -> Iterator[None]:
    """Lets figures be shared: the copy of one would open a window of its own."""
    module = sys.modules.get("matplotlib.artist")
    artist = getattr(module, "Artist", None)
    if artist is None or hasattr(artist, "__deepcopy__"):
        yield
        return
    artist.__deepcopy__ = lambda self, memo: self
    try:
        yield
    finally:
        del artist.__deepcopy__


class Keeper:
    """Keeps namespaces of one shell and answers for copies of them."""

    def __init__(self, sock: socket.socket, shell: Any) -> None:
        self._socket = sock
        self._shell = shell
        self._kept: list[State] = []
        self._arrays: _Kept = {}
        self._copies: dict[int, tuple[agent.Copy, State]] = {}
        self._active: int | None = None
        self._made = 0

    def keep(self) -> int:
        """Keeps the namespace as it is now; its number."""
        self._kept.append(State.of(self._shell.user_ns).copied(self._arrays))
        return len(self._kept) - 1

    def serve(self) -> None:
        """Obeys frames until the socket closes; the process is then as it was before."""
        own, figures = State.of(self._shell.user_ns), _open_figures()
        try:
            with _silent(self._shell), contextlib.suppress(wire.Closed):
                while True:
                    request, arrays = wire.receive(self._socket, agent.FOREVER)
                    self._obey(request, arrays)
        finally:
            self._copies.clear()
            own.put_into(self._shell.user_ns)
            _close_figures(figures)

    def _obey(self, request: dict[str, Any], arrays: list[np.ndarray]) -> None:
        if request["op"] == "copy":
            self._made += 1
            self._activate(None)
            self._kept[request["snapshot"]].copied().put_into(self._shell.user_ns)
            made = agent.Copy(self._shell, request["seed"])
            self._copies[self._made] = (made, State.of(self._shell.user_ns))
            wire.send(self._socket, {"copy": self._made}, [], agent.FOREVER)
        elif request["op"] == "discard":
            self._copies.pop(request["copy"], None)
            self._active = None if self._active == request["copy"] else self._active
        else:
            self._ask(request["copy"], request["request"], arrays)

    def _ask(self, number: int, request: dict[str, Any], arrays: list[np.ndarray]) -> None:
        self._activate(number)
        asked = self._copies[number][0]
        outputs.print_to(asked.output)
        with _interruptible():
            reply, reply_arrays = asked.answer(request, arrays)
        try:
            wire.send(self._socket, reply, reply_arrays, agent.FOREVER)
        except wire.Closed:
            raise
        except Exception as error:  # nothing was sent yet, so an answer is due
            reply = {"id": request["id"], "error": agent._describe_error(error, "unreadable")}
            wire.send(self._socket, reply, [], agent.FOREVER)

    def _activate(self, number: int | None) -> None:
        """Puts one copy's state in the place of another's."""
        if self._active is not None and self._active != number:
            kept = self._copies[self._active][0]
            self._copies[self._active] = (kept, State.of(self._shell.user_ns))
        if number is not None and number != self._active:
            self._copies[number][1].put_into(self._shell.user_ns)
        self._active = number


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Only a student's code is interrupted; it answers with the KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def _silent(shell: Any) -> Iterator[None]:
    """Nothing is shown, read or interrupted meanwhile."""
    # Each is set on the instance by `silence_shell`, over the method of its class.
    silenced = [
        *((shell.display_pub, "publish"), (shell.displayhook, "quiet")),
        *((shell, "showtraceback"), (shell, "showsyntaxerror")),
    ]
    before = [vars(owner).get(name) for owner, name in silenced]
    read, streams = builtins.input, (sys.stdout, sys.stderr)
    interrupt = signal.getsignal(signal.SIGINT)
    agent.silence_shell(shell)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, interrupt)
        builtins.input, (sys.stdout, sys.stderr) = read, streams
        for (owner, name), kept in zip(silenced, before, strict=True):
            delattr(owner, name) if kept is None else setattr(owner, name, kept)


def _open_figures() -> list[int]:
    plots = sys.modules.get("matplotlib.pyplot")
    return list(plots.get_fignums()) if plots else []


def _close_figures(known: list[int]) -> None:
    """Closes what checks have drawn."""
    for number in set(_open_figures()).difference(known):
        sys.modules["matplotlib.pyplot"].close(number)


# --- the kernel --------------------------------------------------------------


def connect(address: str) -> socket.socket:
    """The connection to the grader that waits at a port of this machine; `port:token`."""
    port, _, token = address.partition(":")
    sock = socket.create_connection(("127.0.0.1", int(port)), CONNECT_SECONDS)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(token.encode())
    sock.settimeout(None)
    sock.set_inheritable(False)
    return sock


def handlers(keeper: Keeper, sock: socket.socket) -> dict[str, Callable[..., None]]:
    """What the kernel does on the two requests."""

    def keep(stream: Any, identities: Any, message: Any) -> None:
        try:
            reply: dict[str, Any] = {"kept": keeper.keep()}
        except MemoryError as error:
            reply = {"lost": f"the memory does not suffice for it ({error})"}
        wire.send(sock, reply, [], agent.FOREVER)

    def serve(stream: Any, identities: Any, message: Any) -> None:
        keeper.serve()

    return {"nn_snapshot_request": keep, "nn_serve_request": serve}


def main() -> None:
    """Runs an ipykernel that keeps its namespaces when it is asked to."""
    from ipykernel.kernelapp import IPKernelApp

    sock = connect(os.environ.pop(CONTROL))

    def bound() -> None:
        kernel = IPKernelApp.instance().kernel
        kernel.shell_handlers.update(handlers(Keeper(sock, kernel.shell), sock))

    # `start_kernel` wants a socket to snapshots; its own handler for them is replaced.
    agent.start_kernel(sock.dup().detach(), sys.argv[3:], bound)


if __name__ == "__main__":
    main()
