"""System calls that reach into the operating system's kernel."""

from __future__ import annotations

import os

from grader.execution.inside import seccomp

MACHINE = list(seccomp._ARCHITECTURES).index(os.uname().machine)
NUMBERS = {name: numbers[MACHINE] for name, numbers in seccomp._REFUSED.items()}
CLONE, CLONE3 = seccomp._CLONE[MACHINE], seccomp._CLONE3[MACHINE]
NAMESPACES = {
    "mount": 0x20000,
    "cgroup": 0x2000000,
    "uts": 0x4000000,
    "ipc": 0x8000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "network": 0x40000000,
    "time": 0x80,
}
REFUSED = "EPERM|EACCES|ENOSYS|EROFS|ENOENT"


def in_child(body: str) -> str:
    """Runs statements in a fork and returns how it ended."""
    return f"""
    pid = os.fork()
    if pid == 0:
        try:
            {body}
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    """


ATTACKS = {
    "every refused call, without arguments": (
        f"""
        allowed = []
        for name, number in {NUMBERS!r}.items():
            try:
                syscall(number, 0, 0, 0, 0, 0, 0)
                allowed.append(name)
            except OSError as error:
                allowed += [name for _ in [0] if error.errno not in (errno.EPERM, errno.ENOSYS)]
        return allowed
        """,
        r"\[\]",
    ),
    **{
        f"unshare a {name} namespace": (f"return libc_call('unshare', {flag})", "EPERM")
        for name, flag in NAMESPACES.items()
    },
    **{
        f"clone into a {name} namespace": (
            f"return syscall({CLONE}, {flag | 17}, 0, 0, 0, 0)",
            "EPERM",
        )
        for name, flag in NAMESPACES.items()
        if name != "time"
    },
    "clone3 into namespaces": (
        f"""
        arguments = (ctypes.c_uint64 * 11)({NAMESPACES["user"]}, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)
        return syscall({CLONE3}, ctypes.byref(arguments), 88)
        """,
        "ENOSYS",
    ),
    "enter another's namespaces": (
        f"""
        descriptor = os.open(f'/proc/{{os.getppid()}}/ns/net', os.O_RDONLY)
        return syscall({NUMBERS["setns"]}, descriptor, 0)
        """,
        REFUSED,
    ),
    "mount a file system": (
        """
        os.makedirs('mnt', exist_ok=True)
        if libc.mount(b'none', b'mnt', b'tmpfs', 0, None):
            raise OSError(ctypes.get_errno(), 'mount')
        """,
        "EPERM",
    ),
    "unmount what hides the grader": (
        """
        for line in open('/proc/self/mounts'):
            if libc.umount2(line.split()[1].encode(), 2) == 0:
                return line
        raise PermissionError(errno.EPERM, 'umount2')
        """,
        REFUSED,
    ),
    "make the root writable": (
        """
        if libc.mount(b'none', b'/', None, 32 | 4096, None):
            raise OSError(ctypes.get_errno(), 'mount')
        """,
        "EPERM",
    ),
    "become root": ("return os.setuid(0)", "EPERM|EINVAL"),
    "become root's group": ("return os.setgid(0)", "EPERM|EINVAL"),
    "join groups": ("return os.setgroups([0])", "EPERM"),
    "map ids": ("return open('/proc/self/uid_map', 'w').write('0 0 1')", REFUSED),
    "take on capabilities": (
        """
        header = struct.pack('=Ii', 0x20080522, 0)
        everything = struct.pack('=6I', *[0xFFFFFFFF] * 6)
        ctypes.set_errno(0)
        if libc.capset(header, everything) < 0:
            raise OSError(ctypes.get_errno(), 'capset')
        """,
        "EPERM",
    ),
    "hold capabilities": (
        """
        held = ('CapInh:', 'CapPrm:', 'CapEff:', 'CapAmb:')
        lines = [line.split() for line in open('/proc/self/status')]
        return [line for line in lines if line[0] in held and int(line[1], 16)]
        """,
        r"\[\]",
    ),
    "take back new privileges": (
        """
        libc.prctl(38, 0, 0, 0, 0)
        return [l.split()[1] for l in open('/proc/self/status') if l.startswith('NoNewPrivs')]
        """,
        r"\['1'\]",
    ),
    "take off the filter": (
        """
        libc.prctl(22, 0, 0, 0, 0)
        return [l.split()[1] for l in open('/proc/self/status') if l.startswith('Seccomp:')]
        """,
        r"\['2'\]",
    ),
    "raise a limit": (
        """
        hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        return resource.setrlimit(resource.RLIMIT_NPROC, (hard + 1000, hard + 1000))
        """,
        "ValueError|EPERM",
    ),
    "escape the killer of last resort": (
        "return open('/proc/self/oom_score_adj', 'w').write('-1000')",
        REFUSED,
    ),
    "run in real time": (
        "return os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
        "EPERM|EINVAL",
    ),
    "call by another table": (
        # The x32 table of x86-64; elsewhere the number does not exist.
        in_child("libc.syscall(ctypes.c_long(0x40000000 + 39))"),
        "-31|0",
    ),
    "leave shared memory behind": (
        "return syscall({'x86_64': 29, 'aarch64': 194}[os.uname().machine], 7, 4096, 0o1666)",
        "EPERM",
    ),
    "pretend a name to the host": ("return socket.sethostname('host')", "EPERM"),
    "make and use files, forks and threads": (
        """
        import shutil, tempfile, threading
        with tempfile.TemporaryDirectory() as folder:
            open(f'{folder}/a', 'w').write('x')
            shutil.copy(f'{folder}/a', f'{folder}/b')
            shutil.copy2(f'{folder}/a', f'{folder}/c')
            names = sorted(os.listdir(folder))
        thread = threading.Thread(target=names.reverse)
        thread.start()
        thread.join()
        return names
        """,
        r"\['c', 'b', 'a'\]",
    ),
}


def test_attack(attack: str, outcomes: dict[str, str], judge) -> None:
    """What coursework never asks of the kernel is refused, and what it does ask is not."""
    judge(attack, outcomes[attack], ATTACKS[attack][1])
