"""The agent: runs in the student's process, takes snapshots of it and answers for them.

Started as a script in place of ``python -m ipykernel_launcher``; the arguments
are ``CONTROL_FD``, ``PACKAGES`` (the folders to import from, joined by
``os.pathsep``) and then ipykernel's own. `CONTROL_FD` is one end of a socket
pair on which the grader passes in further sockets; the agent never opens one.

Three kinds of process speak here, each a fork of the one before:

the kernel
    An ordinary ipykernel with one more shell message, ``nn_snapshot_request``.
    Before it is sent, the grader puts one byte and one descriptor on the
    control socket. The kernel forks; the child serves on that descriptor.
the snapshot
    Holds the namespace as it was and never runs student code. It sends
    ``{"ready": true}`` once. Frames (see `wire`): ``{"op": "copy", "seed": n}``
    followed by one byte with a descriptor forks a copy that serves there;
    ``{"op": "discard", "copy": n}`` kills copy `n`.
a copy
    Runs what a check asks for: ``{"id": …, "op": …, …}`` is answered by
    ``{"id": …, "value": …}`` or ``{"id": …, "error": {"kind", "type", "text",
    "where"}}`` with kind ``raised``, ``missing`` or ``unreadable`` (the value
    does not fit the wire). The operations are the methods of `Copy` whose names
    begin with ``op_``.

A closed socket ends the process that serves on it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import os
import random
import signal
import socket
import sys
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path += sys.argv[2].split(os.pathsep)

import numpy as np

if TYPE_CHECKING or __package__:
    from . import elsewhere, modules, outputs, standins, state, wire
else:
    # Loaded by their paths and under names that no student's module has.
    def _load(name: str) -> Any:
        folder = os.path.dirname(os.path.abspath(__file__))
        path = os.path.join(folder, f"{name}.py")
        spec = importlib.util.spec_from_file_location(f"_nn_grader_{name}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    modules, outputs = _load("modules"), _load("outputs")
    elsewhere, standins = _load("elsewhere"), _load("standins")
    state, wire = _load("state"), _load("wire")

FOREVER = float(10**9)
MAX_ERROR_CHARACTERS = 2000
MAX_LISTED_ARRAYS = 200
MAX_DESCRIPTORS = 65536


# --- the copy: runs student code for checks -----------------------------


class Copy:
    """One fork of a snapshot: its namespace, and the table of objects handed out."""

    def __init__(self, shell: Any, seed: int) -> None:
        self.shell = shell
        self.namespace: dict[str, Any] = shell.user_ns
        self.objects: dict[int, Any] = {}
        self.handed_out = 0
        self.output = outputs.CappedText()
        self.random = state.RandomStates()
        self.watch: state.Watch | None = None
        self.begin(seed)

    # Operations: `request` is the frame's content, `unpack` reads the values in it.

    def op_lookup(self, request: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
        """The value of a name."""
        if request["name"] not in self.namespace:
            raise LookupError(request["name"])
        return self.namespace[request["name"]]

    def op_contains(self, request: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
        """Whether a name is defined."""
        return request["name"] in self.namespace

    def op_get(self, request: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
        """An attribute of the target."""
        return getattr(unpack(request["target"]), request["name"])

    def op_set(self, request: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
        """Assigns to an attribute of the target."""
        setattr(unpack(request["target"]), request["name"], unpack(request["value"]))

    def op_call(self, request: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
        """The result of a call, and its arguments as they are afterwards."""
        arguments = tuple(unpack(request["arguments"]))
        value = unpack(request["target"])(*arguments, **unpack(request["keywords"]))
        return {"value": value, "arguments": arguments}

    def op_map(self, request: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
        """Calls the target once a row of `columns`, after setting `sets` on its owner."""
        target, columns = unpack(request["target"]), unpack(request["columns"])
        settings = unpack(request["settings"])
        owner = getattr(target, "__self__", None)
        results = []
        for row in range(request["count"]):
            if request.get("repeat"):
                self.random.restore()
            if request["sets"] is not None:
                setattr(owner, request["sets"], settings[row])
            results.append(_own(target(*(column[row] for column in columns))))
        return results

    def op_random(self, request: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
        """Keeps the random state, for `map` with `repeat` or a later request with `restore`."""
        if request["restore"]:
            return self.random.restore()
        return self.random.keep([*self.objects.values(), *self.namespace.values()])

    def op_execute(self, request: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
        """Runs an author's code in the namespace."""
        exec(compile(request["source"], "<check>", "exec"), self.namespace)

    def op_run_cells(self, request: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
        """Runs cells as the notebook would, stopping at the first that raises."""
        start = self.output.tell()
        for source in request["sources"]:
            result = self.shell.run_cell(source, store_history=False, silent=True)
            error = result.error_before_exec or result.error_in_exec
            if error is not None:
                raise error
        return self.output.getvalue()[start:]

    def op_generator(self, request: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
        """A numpy generator with this seed."""
        return np.random.default_rng(request["seed"])

    def op_module(self, request: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
        """A module by its name."""
        return modules.load(request["name"])

    def op_replace(self, request: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
        """Puts an author's definitions in the place of those of a module."""
        modules.replace(request["name"], request["source"], request["names"], request["whole"])

    def op_arrays(self, request: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
        """The float arrays, and flat lists of floats, among the variables."""
        found: dict[str, np.ndarray] = {}
        for name, value in list(self.namespace.items()):
            array = state.as_float_array(value)
            if array is not None and not name.startswith("_") and len(found) < MAX_LISTED_ARRAYS:
                found[name] = array
        return found

    def op_watch(self, request: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
        """Takes the state as it is now for what every check is to find."""
        self.watch = state.Watch(self.namespace, modules.home)

    def op_begin(self, request: dict[str, Any], unpack: Callable[[Any], Any]) -> Any:
        """Lets go of what the check before this one had made; whether it changed nothing else."""
        self.begin(request["seed"])
        return self.watch is not None and self.watch.is_unchanged()

    # Plumbing

    def begin(self, seed: int) -> None:
        """Each check starts with the same random numbers, and with nothing handed out."""
        self.objects.clear()
        np.random.seed(seed)
        random.seed(seed)

    def describe(self, value: Any) -> dict[str, Any]:
        """Files an object in the table; what leaves is its number and the name of its type."""
        self.handed_out += 1
        self.objects[self.handed_out] = value
        name = _type_name(value)
        return {"v": self.handed_out, "type": name, "callable": callable(value)}

    def find_object(self, tree: dict[str, Any]) -> Any:
        """The object behind a reference that comes back."""
        return self.objects[tree["v"]]

    def answer(self, request: dict[str, Any], arrays: list[Any]) -> tuple[Any, list[Any]]:
        """The reply to one request: its content and its arrays."""
        reply: dict[str, Any] = {"id": request["id"]}
        packer = wire.Packer(self.describe)
        try:
            unpacker = wire.Unpacker(arrays, self.find_object)
            operation = getattr(self, "op_" + request["op"])
            reply["value"] = packer.pack(operation(request, unpacker.unpack))
            return reply, packer.arrays
        except BaseException as error:  # whatever a student raises is an answer
            kind = "unreadable" if type(error) is wire.WireError else "raised"
            if request["op"] == "lookup" and type(error) is LookupError:
                kind = "missing"
            return {"id": request["id"], "error": _describe_error(error, kind)}, []


def _own(value: Any) -> Any:
    """A result that later calls cannot change: a layer may return its own buffer."""
    return value.copy() if type(value) is np.ndarray else value


def _type_name(value: Any) -> str:
    return str(type(value).__name__)[:100]


def _describe_error(error: BaseException, kind: str) -> dict[str, str]:
    text = ""
    with contextlib.suppress(BaseException):  # an exception's own __str__ may raise
        text = modules.message_of(error)
    return {
        "kind": kind,
        "type": _type_name(error),
        "text": text[:MAX_ERROR_CHARACTERS],
        "where": modules.line_of(error)[:MAX_ERROR_CHARACTERS],
    }


# --- the snapshot: holds the namespace, forks copies ------------------------


def serve_copy(sock: socket.socket, shell: Any, seed: int) -> None:
    """Answers one check's requests until its socket closes."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    copy = Copy(shell, seed)
    outputs.print_to(copy.output)
    while True:
        request, arrays = wire.receive(sock, FOREVER)
        reply, reply_arrays = copy.answer(request, arrays)
        try:
            wire.send(sock, reply, reply_arrays, FOREVER)
        except wire.Closed:
            raise
        except Exception as error:  # nothing was sent yet, so an answer is due
            reply = {"id": request["id"], "error": _describe_error(error, "unreadable")}
            wire.send(sock, reply, [], FOREVER)


def serve_snapshot(sock: socket.socket, shell: Any) -> None:
    """Forks copies, and kills them, as the grader asks."""
    copies: list[int] = []
    wire.send(sock, {"ready": True}, [], FOREVER)
    while True:
        request, _ = wire.receive(sock, FOREVER)
        if request["op"] == "copy":
            descriptor = receive_descriptor(sock)
            copies.append(fork_server(descriptor, serve_copy, shell, request["seed"]))
            os.close(descriptor)
            wire.send(sock, {"copy": len(copies) - 1}, [], FOREVER)
        elif request["op"] == "discard":
            pid, copies[request["copy"]] = copies[request["copy"]], 0
            if pid:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def receive_descriptor(sock: socket.socket) -> int:
    """The one descriptor that comes with the next byte."""
    sock.settimeout(None)
    _, descriptors, _, _ = socket.recv_fds(sock, 1, 1)
    return descriptors[0]


def fork_server(descriptor: int, serve: Callable[..., None], *arguments: Any) -> int:
    """Forks a child that serves on `descriptor` and never returns; the child's pid."""
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sock = keep_only(descriptor)
        serve(sock, *arguments)
    except wire.Closed:
        pass
    finally:
        os._exit(0)


def keep_only(descriptor: int) -> socket.socket:
    """Closes every other descriptor; the kernel's zmq sockets must not be touched from here."""
    kept = os.dup2(os.dup(descriptor), 3) if descriptor != 3 else 3
    os.closerange(4, MAX_DESCRIPTORS)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    if null > 3:
        os.close(null)
    return socket.socket(fileno=kept)


# --- the kernel --------------------------------------------------------------


def silence_shell(shell: Any) -> None:
    """Cuts a forked shell off from the kernel's channels, which belong to the parent."""
    import builtins

    def no_input(prompt: object = "") -> str:
        raise EOFError("input() has nobody to ask while a notebook is graded")

    builtins.input = no_input
    shell.display_pub.publish = lambda *args, **kwargs: None
    shell.displayhook.quiet = lambda: True
    shell.showtraceback = lambda *args, **kwargs: None
    shell.showsyntaxerror = lambda *args, **kwargs: None


def serve_silently(sock: socket.socket, shell: Any) -> None:
    """`serve_snapshot`, with nothing printed or displayed to the kernel's channels."""
    # A collection would touch, and so copy, every page that is shared.
    gc.freeze()
    silence_shell(shell)
    outputs.print_to(outputs.CappedText())
    serve_snapshot(sock, shell)


def snapshot_handler(control: socket.socket, shell: Any) -> Callable[..., None]:
    """What the kernel does on ``nn_snapshot_request``: fork, and let the child serve."""

    def take_snapshot(stream: Any, identities: Any, message: Any) -> None:
        descriptor = receive_descriptor(control)
        try:
            fork_server(descriptor, serve_silently, shell)
        finally:
            os.close(descriptor)

    return take_snapshot


def leave_out_debugger() -> None:
    """Lets ipykernel find no debugger: importing it takes half of a kernel's start."""
    sys.modules.setdefault("debugpy", None)  # type: ignore[arg-type]


def start_kernel(
    control_descriptor: int, arguments: list[str], bound: Callable[[], None] = lambda: None
) -> None:
    """Runs an ipykernel that can also take snapshots, until it is told to stop.

    `bound` is called once the kernel's sockets are bound.
    """
    import site

    from ipykernel.iostream import IOPubThread
    from ipykernel.kernelapp import IPKernelApp

    # The pipe for forked children's output is a TCP socket, of which a sandbox has none.
    IOPubThread._setup_pipe_in = lambda thread: setattr(thread, "_pipe_flag", False)

    leave_out_debugger()
    # The interpreter starts without `site`, which would find the grader's own packages.
    site.setquit()
    site.sethelper()
    # The notebook's `__main__` must not be this file.
    sys.modules["__main__"] = types.ModuleType("__main__")
    control = socket.socket(fileno=control_descriptor)
    control.set_inheritable(False)
    application = IPKernelApp.instance()
    application.initialize(arguments)
    # A student's own modules lie beside the notebook.
    modules.start_in(os.getcwd())
    elsewhere.start(application.kernel.shell, standins.start)
    # The same notebook gives the same numbers, also where it does not seed its generators.
    np.random.seed(20240229)
    random.seed(20240229)
    outputs.kernel_streams.extend([sys.stdout, sys.stderr])
    kernel = application.kernel
    # exit() would stop the kernel a moment later, in the middle of an innocent cell.
    kernel.shell.ask_exit = lambda: None
    kernel.shell_handlers["nn_snapshot_request"] = snapshot_handler(control, kernel.shell)
    outputs.shorten_messages(kernel.session)
    bound()
    application.start()


if __name__ == "__main__":
    start_kernel(int(sys.argv[1]), sys.argv[3:])
