"""What a submission sees of the machine, where it has namespaces of its own."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.execution.inside.mounts import SYSTEM_FOLDERS
from grader.execution.isolation import Level
from grader.execution.limits import Limits
from grader.execution.packages import our_entries, student_packages

LOOKS = """
import glob, os, pwd, grp, socket, subprocess, tempfile
import pathlib

def error_of(attempt):
    try:
        attempt()
    except OSError as error:
        return error.strerror
    return ""

root = sorted(os.listdir("/"))
etc = sorted(os.listdir("/etc"))
devices = sorted(os.listdir("/dev"))
passwd = open("/etc/passwd").read()
me = (os.getuid(), pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name)
own = str(os.getpid())
processes = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
names = {pid: open(f"/proc/{pid}/comm").read().strip() for pid in processes}
supervisor = {
    name: error_of(lambda: open(f"/proc/1/{name}", "rb").read()) for name in ("environ", "mem")
}
killed = error_of(lambda: os.kill(1, 0))
writable = [
    path
    for path in ("/", "/usr", "/etc", "/dev", "/proc/sys/kernel/hostname", "/etc/passwd")
    if os.access(path, os.W_OK)
]
written = {
    path: error_of(lambda: open(path, "w").close())
    for path in ("/new", "/usr/new", "/etc/new", "/dev/new", "/proc/sys/kernel/core_pattern")
}
opened = {
    path: error_of(lambda: open(path, "a").close()) for path in ("/etc/passwd", "/etc/hosts")
}
ipc = glob.glob(os.path.join(os.path.dirname(os.environ["HOME"]), "ipc*"))[0]
ipc_write = error_of(lambda: open(ipc + "/new", "w").close())
sockets = glob.glob(ipc + "/*")
ipc_remove = error_of(lambda: os.unlink(sockets[0]))
room = sorted(os.listdir(os.path.dirname(ipc)))
masked = {}
for path in MASKED:
    if os.path.isdir(path):
        masked[path] = os.listdir(path)
    elif os.path.exists(path):
        masked[path] = open(path).read()
    else:
        masked[path] = ""
masked_write = error_of(lambda: os.mkdir(os.path.join(DIRECTORY, "new")))
interfaces = [line.split(":")[0].strip() for line in open("/proc/net/dev").readlines()[2:]]
hostname = socket.gethostname()
home = os.path.expanduser("~")
temporary = []
for path in (home, ".", "/tmp", "/dev/shm", tempfile.gettempdir()):
    target = os.path.join(path, MINE)
    open(target, "w").close()
    temporary.append(target)
echoed = subprocess.run(["/bin/sh", "-c", "echo hello"], capture_output=True, text=True).stdout
mounted = open("/proc/self/mountinfo").read()
setuid = [
    path
    for folder in ("/usr/bin", "/bin")
    for path in glob.glob(folder + "/*")
    if os.path.exists(path)
    and os.stat(path).st_mode & 0o6000
    and not os.statvfs(path).f_flag & os.ST_NOSUID
]
"""


@pytest.fixture(scope="module")
def ran(run_cells: Callable[..., Any], namespaces: Level) -> Any:
    """A notebook that looks around in its sandbox."""
    masked = [str(path) for path in our_entries()]
    directory = next(path for path in masked if Path(path).is_dir())
    given = f"MASKED, DIRECTORY, MINE = {masked!r}, {directory!r}, {uuid.uuid4().hex!r}"
    source = f"{given}\n{LOOKS}"
    limits = Limits(cell=10, notebook=30, check=5)
    ran = run_cells(source, boundaries=[1], level=namespaces, limits=limits)
    assert ran.run(0).error == ""
    return ran


def test_root_holds_what_python_needs(ran: Any) -> None:
    """At the top there is the system, Python's own folders, and nothing else of the machine."""
    packages = student_packages()
    shown = [*SYSTEM_FOLDERS, "/etc", "/dev", "/proc", "/tmp", ran.room.path]
    shown += [sys.base_prefix, sys.prefix, *packages, *(path.parent for path in our_entries())]
    tops = {Path(path).resolve().parts[1] for path in shown} | {Path(p).parts[1] for p in shown}
    assert set(ran.value(1, "root")) <= tops


def test_etc_names_one_student(ran: Any) -> None:
    """The machine's accounts, name servers and secrets are not there."""
    etc = set(ran.value(1, "etc"))
    assert not etc & {"shadow", "resolv.conf", "machine-id", "ssh", "sudoers", "hostname"}
    lines = ran.value(1, "passwd").splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("student:x:")
    uid, user, group = ran.value(1, "me")
    assert uid != 0
    assert (user, group) == ("student", "student")
    assert lines[0].endswith(f":{ran.room.home}:/bin/sh")


def test_few_devices(ran: Any) -> None:
    """No disk, terminal, memory or graphics card can be opened."""
    expected = {"null", "zero", "full", "random", "urandom", "shm"}
    assert set(ran.value(1, "devices")) == expected | {"stdin", "stdout", "stderr", "fd"}


def test_own_processes_alone(ran: Any) -> None:
    """Of processes it sees its supervisor, itself, and what it started."""
    processes = ran.value(1, "processes")
    assert processes[:2] == [1, int(ran.value(1, "own"))]
    assert len(processes) == 2


def test_the_supervisor_is_out_of_reach(ran: Any) -> None:
    """Process 1 cannot be read, traced or killed for good."""
    assert ran.value(1, "supervisor") == {
        "environ": "Permission denied",
        "mem": "Permission denied",
    }
    if os.getuid() == 0:
        assert ran.value(1, "killed") == "Operation not permitted"


def test_the_system_is_read_only(ran: Any) -> None:
    """Nothing of the root can be written, the kernel's settings included."""
    assert ran.value(1, "writable") == []
    for path, error in ran.value(1, "written").items():
        assert error in ("Read-only file system", "Permission denied"), path
    assert set(ran.value(1, "opened").values()) <= {"Read-only file system", "Permission denied"}


def test_set_user_id_bits_do_nothing(ran: Any) -> None:
    """No program in sight could change the user."""
    assert ran.value(1, "setuid") == []


def test_the_sockets_folder_is_frozen(ran: Any) -> None:
    """The one folder that is shared takes no file, and gives none up."""
    assert ran.value(1, "ipc_write") == "Read-only file system"
    assert ran.value(1, "ipc_remove") == "Read-only file system"
    assert list(ran.room.path.glob("ipc*"))
    assert not list(ran.room.path.glob("ipc*/new"))


def test_own_files_alone(ran: Any) -> None:
    """Of its room it sees home, work and the sockets."""
    assert ran.value(1, "room") == ["home", "ipc1", "work"]
    assert Path(ran.value(1, "home")) == ran.room.home


def test_what_it_writes_stays_inside(ran: Any) -> None:
    """It can write to home, work and temporary folders, and none of it appears outside."""
    written = ran.value(1, "temporary")
    assert len(written) == 5
    for path in written:
        assert not (ran.room.work / path).exists()


def test_ours_is_masked(ran: Any) -> None:
    """The grader, the reference and the assignments are empty, and stay so."""
    assert not any(ran.value(1, "masked").values())
    assert ran.value(1, "masked_write") != ""


def test_no_network(ran: Any) -> None:
    """There is no interface but a loopback that is its own, and the machine's name is hidden."""
    assert ran.value(1, "interfaces") == ["lo"]


def test_programs_run(ran: Any) -> None:
    """Students may call the system's programs."""
    assert ran.value(1, "echoed") == "hello\n"
