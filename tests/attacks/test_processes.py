"""Reaching processes that are not the submission's, and outliving it."""

from __future__ import annotations

REFUSED = "EPERM|ESRCH|EACCES|ENOENT|EROFS"
TARGETS = "(given['pid'], given['zygote'], given['parent'], os.getppid())"
PTRACE = "{'x86_64': 101, 'aarch64': 117}[os.uname().machine]"
READ_MEMORY = "{'x86_64': 310, 'aarch64': 270}[os.uname().machine]"


def on_each(call: str) -> str:
    """Tries a call on every process that is not the submission's; lists where it worked."""
    return f"""
    worked = []
    for pid in {TARGETS}:
        try:
            {call}
            worked.append(pid)
        except OSError:
            pass
    return worked
    """


ATTACKS = {
    "signal the grader": ("return os.kill(given['pid'], signal.SIGCONT)", REFUSED),
    "signal the zygote": ("return os.kill(given['zygote'], signal.SIGCONT)", REFUSED),
    "signal the grader's group": ("return os.killpg(given['pid'], signal.SIGCONT)", REFUSED),
    "signal through a descriptor": (
        "return signal.pidfd_send_signal(os.pidfd_open(given['pid']), signal.SIGCONT)",
        REFUSED,
    ),
    "signal by input and output": (
        """
        import fcntl
        ours, theirs = socket.socketpair()
        fcntl.fcntl(ours, fcntl.F_SETOWN, given['pid'])
        fcntl.fcntl(ours, fcntl.F_SETFL, os.O_ASYNC)
        theirs.send(b'x')
        return 'sent to nobody'
        """,
        f"{REFUSED}|sent to nobody",
    ),
    "stop the supervisor": (
        "return os.kill(os.getppid(), signal.SIGSTOP)",
        f"{REFUSED}|None",
    ),
    "limit the others": (
        on_each("resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, 0))"),
        r"\[\]",
    ),
    "slow the others down": (on_each("os.setpriority(os.PRIO_PROCESS, pid, 19)"), r"\[\]"),
    "slow the user down": ("return os.setpriority(os.PRIO_USER, 0, 19)", REFUSED),
    "pin the others": (on_each("os.sched_setaffinity(pid, {0})"), r"\[\]"),
    "trace the others": (on_each(f"syscall({PTRACE}, 16, pid, 0, 0)"), r"\[\]"),
    "trace a child": (
        f"""
        pid = os.fork()
        if pid == 0:
            time.sleep(5)
            os._exit(0)
        try:
            return syscall({PTRACE}, 16, pid, 0, 0)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        """,
        "EPERM",
    ),
    "read the others' memory": (
        on_each("open(f'/proc/{pid}/mem', 'rb').close()"),
        r"\[\]",
    ),
    "read the others' memory by call": (
        on_each(f"syscall({READ_MEMORY}, pid, 0, 0, 0, 0, 0)"),
        r"\[\]",
    ),
    "read the others' environment": (
        on_each("open(f'/proc/{pid}/environ', 'rb').read()"),
        r"\[\]",
    ),
    "open the others' files": (on_each("os.listdir(f'/proc/{pid}/fd')"), r"\[\]"),
    "take the others' descriptors": (
        on_each("syscall(438, os.pidfd_open(pid), 3, 0)"),
        r"\[\]",
    ),
    "read the others' command lines": (
        """
        found = []
        for pid in {given['pid'], given['parent'], *filter(str.isdigit, os.listdir('/proc'))}:
            try:
                words = open(f'/proc/{pid}/cmdline', 'rb').read()
                found += [pid for _ in [0] if b'pytest' in words]
            except OSError:
                pass
        return found
        """,
        rf"{REFUSED}|\[\]",
    ),
    "leave daemons": (
        """
        import subprocess
        for start in range(3):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    for number in range(1, 65):
                        try:
                            signal.signal(number, signal.SIG_IGN)
                        except (OSError, ValueError):
                            pass
                    if start == 0:
                        os.execv('/bin/sleep', ['sleep', MARK])
                    if start == 1:
                        os.kill(os.getpid(), signal.SIGSTOP)
                    time.sleep(float(MARK))
                os._exit(0)
        subprocess.Popen(['/bin/sleep', MARK], start_new_session=True)
        return 'left'
        """,
        "left",
    ),
    "leave zombies": (
        """
        for _ in range(20):
            if os.fork() == 0:
                os._exit(0)
        return 'left'
        """,
        "left",
    ),
    "leave children of a child that keeps them": (
        """
        if os.fork() == 0:
            libc.prctl(36, 1, 0, 0, 0)
            for _ in range(5):
                if os.fork() == 0:
                    time.sleep(float(MARK))
            os._exit(0)
        return 'left'
        """,
        "left",
    ),
}
ALONE = {
    "a process that forks and dies for ever": (
        """
        for _ in range(8):
            if os.fork() == 0:
                os.setsid()
                break
        else:
            return 'left'
        while True:
            try:
                if os.fork():
                    os._exit(0)
            except OSError:
                pass
        """,
        "left",
    ),
    "kill everybody": (
        "return os.kill(-1, signal.SIGKILL)",
        r"ended the kernel \(an exit or a crash\)|None|EPERM|ESRCH",
    ),
    "kill the supervisor": (
        """
        for number in range(1, 65):
            try:
                os.kill(os.getppid(), number)
            except OSError as error:
                pass
        time.sleep(0.5)
        return 'still here'
        """,
        r"ended the kernel \(an exit or a crash\)|still here",
    ),
}


def test_attack(attack: str, outcomes: dict[str, str], judge) -> None:
    """No other process can be signalled, slowed, traced or read, and none is left behind."""
    judge(attack, outcomes[attack], ATTACKS[attack][1])


def test_alone(alone: str, outcome_of, judge) -> None:
    """Who ends more than itself ends its own submission and nothing else."""
    judge(alone, outcome_of(ALONE[alone][0]), ALONE[alone][1])
