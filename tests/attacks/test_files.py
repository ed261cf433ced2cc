"""Reading and writing files that are not the submission's."""

from __future__ import annotations

import pytest

REFUSED = "EACCES|EPERM|ENOENT|EROFS|EXDEV"
# Counts, in the memory of its own process, the names that are followed by a value: the
# name alone is in the search itself.
SEARCH = """
    needle, found = {needle}, 0
    for line in open('/proc/self/maps'):
        span, rights, *_ = line.split()
        start, end = (int(part, 16) for part in span.split('-'))
        if rights.startswith('rw') and end - start < 1 << 28:
            with open('/proc/self/mem', 'rb', 0) as memory:
                memory.seek(start)
                try:
                    pieces = memory.read(end - start).split(needle)
                except OSError:
                    continue
                found += sum(piece[:1] == b'=' for piece in pieces[1:])
    return found
"""
ATTACKS = {
    "read the accounts": (
        "return open('/etc/passwd').read().partition(':')[0]",
        "student|EACCES",
    ),
    "read the passwords": ("return open('/etc/shadow').read()", REFUSED),
    "list the home folder": (
        "return sorted(set(os.listdir(given['home'])) - set(given['python']))",
        rf"{REFUSED}|\[\]",
    ),
    "read another's file": ("return open(given['secret']).read()", REFUSED),
    "read the hidden checks": ("return open(given['hidden']).read()", REFUSED),
    "read the solution": ("return open(given['solution']).read()", REFUSED),
    "read the reference": ("return open(given['reference']).read()", REFUSED),
    "read the grader": ("return open(given['grader']).read()", REFUSED),
    "find the grader by walking": (
        """
        found = []
        for start in (*sys.path, sys.prefix, sys.base_prefix, '/usr', '/opt', '/tmp'):
            for folder, folders, files in os.walk(start or '.'):
                depth = folder.count('/') - start.count('/')
                folders[:] = folders if depth < 6 else []
                if {'grader', 'reference', 'nn_grader'} & set(folders):
                    try:
                        found += [n for n in ('grader', 'reference') if os.listdir(f'{folder}/{n}')]
                    except OSError:
                        pass
        return found
        """,
        r"\[\]",
    ),
    "read another submission": ("return open(given['other']).read()", REFUSED),
    "list other submissions": (
        """
        rooms = [n for n in os.listdir('/tmp') if n.startswith('nn-') and 'packages' not in n]
        return [name for name in rooms if name not in os.getcwd()]
        """,
        rf"{REFUSED}|\[\]",
    ),
    "read the environment": (
        """
        held = [k for k in os.environ if 'TOKEN' in k]
        for pid in ('self', '1', os.getppid(), given['pid'], given['zygote'], given['parent']):
            try:
                held += [pid for _ in [0] if b'TOKEN' in open(f'/proc/{pid}/environ', 'rb').read()]
            except OSError:
                pass
        return held
        """,
        r"\[\]",
    ),
    "find a secret in memory": (SEARCH.format(needle="b'NN_ATTACK' + b'_TOKEN'"), "0"),
    "write beside another's file": (
        "return open(given['folder'] + '/written', 'w').write('x')",
        REFUSED,
    ),
    "overwrite another's file": ("return open(given['own'], 'w').write('x')", REFUSED),
    "truncate another's file": ("return os.truncate(given['own'], 0)", REFUSED),
    "change another's rights": (
        """
        for path in (given['own'], given['folder'], given['secret']):
            try:
                os.chmod(path, 0o700)
            except OSError:
                pass
        return oct(os.stat(given['own']).st_mode)
        """,
        f"{REFUSED}|0o100666",
    ),
    "change another's times": (
        """
        try:
            os.utime(given['own'], (1, 1))
        except OSError:
            pass
        return os.stat(given['own']).st_mtime == 1
        """,
        f"{REFUSED}|False",
    ),
    "set another's attributes": (
        """
        os.setxattr(given['own'], 'user.nn', b'x')
        return os.getxattr(given['own'], 'user.nn')
        """,
        f"{REFUSED}|EOPNOTSUPP|ENODATA",
    ),
    "remove another's file": ("return os.remove(given['own'])", REFUSED),
    "rename another's file": ("return os.rename(given['own'], 'mine')", REFUSED),
    "link another's file": (
        """
        os.link(given['secret'], 'linked')
        return open('linked').read()
        """,
        REFUSED,
    ),
    "follow a symlink out": (
        """
        os.symlink(given['secret'], 'a-link')
        return open('a-link').read()
        """,
        REFUSED,
    ),
    "follow a symlinked folder out": (
        """
        os.symlink(given['folder'], 'a-folder')
        return open('a-folder/written', 'w').write('x')
        """,
        REFUSED,
    ),
    "climb out": (
        "return open('../' * 20 + given['secret'].lstrip('/')).read()",
        REFUSED,
    ),
    "go out through /proc": (
        "return open('/proc/self/root' + given['secret']).read()",
        REFUSED,
    ),
    "go out through the supervisor": (
        "return open(f'/proc/{os.getppid()}/root' + given['secret']).read()",
        REFUSED,
    ),
    "escape a chroot": (
        """
        folder = os.open('.', os.O_RDONLY)
        os.mkdir('jail')
        os.chroot('jail')
        """,
        REFUSED,
    ),
    "write to Python": ("return open(os.__file__, 'a').write('x')", REFUSED),
    "write to the system": ("return open('/usr/written', 'w').write('x')", REFUSED),
    "write to the site folder": (
        "return open(os.path.dirname(given['numpy']) + '/written', 'w').write('x')",
        REFUSED,
    ),
    "set a system control": (
        "return open('/proc/sys/kernel/core_pattern', 'w').write('|/bin/false')",
        REFUSED,
    ),
    "write to the kernel's log": ("return open('/dev/kmsg', 'w').write('x')", REFUSED),
    "open a disk": (
        """
        os.mknod('disk', 0o60666, os.makedev(8, 0))
        return os.open('disk', os.O_RDONLY)
        """,
        REFUSED,
    ),
    "open a terminal": ("return os.open('/dev/tty', os.O_RDWR)", f"{REFUSED}|ENXIO"),
    "push keys into a terminal": (
        """
        import fcntl, termios
        return [fcntl.ioctl(n, termios.TIOCSTI, b'x') for n in (0, 1, 2)]
        """,
        "ENOTTY|EACCES|EPERM|EBADF",
    ),
    "gain rights by a program": (
        """
        import subprocess
        found = subprocess.run(['/bin/su', '-c', 'id -u'], capture_output=True, timeout=10)
        return found.stdout.decode() or 'no'
        """,
        f"no|{REFUSED}",
    ),
    "write at home": ("return open(os.path.expanduser('~/mine'), 'w').write('x')", "1"),
    "write in the work folder": ("return open('mine', 'w').write('x')", "1"),
    "import the reference": ("import reference", "ModuleNotFoundError"),
    "import the grader": ("import grader", "ModuleNotFoundError"),
}


def test_attack(attack: str, outcomes: dict[str, str], judge) -> None:
    """Only the submission's own folder can be written, and nothing of anybody's can be read."""
    judge(attack, outcomes[attack], ATTACKS[attack][1])


# What cannot be measured counts as too much.
DISK = r"ended the kernel \(the submission used more disk than it may\)"
# Bodies of cells that leave something awkward in the work folder.
LEFTOVERS = {
    "a folder that cannot be listed": """
        os.makedirs('closed/inner')
        open('closed/inner/file', 'w').write('x')
        os.chmod('closed', 0)
        os.mkdir('dark', 0o300)
        open('dark/file', 'w').write('x')
        return 'made'
    """,
    "folders too deep for a path": """
        for _ in range(3000):
            os.mkdir('d')
            os.chdir('d')
        return 'made'
    """,
    "links to folders outside": """
        os.symlink(given['folder'], 'out')
        os.symlink('/', 'everything')
        os.symlink('loop', 'loop')
        return 'made'
    """,
    "names that are no text": r"""
        open(b'\xff\xfe\n', 'w').write('x')
        os.mkfifo('pipe')
        return 'made'
    """,
}


def test_memory(run_hostile, outcome_of, judge) -> None:
    """A submission finds nothing of an earlier one's in the memory that it was forked with."""
    run_hostile("kept = ['NN_FIRST_ONE' + '=' + str(n) for n in range(1000)]")
    body = SEARCH.format(needle="b'NN_FIRST' + b'_ONE'")
    judge("find an earlier submission in memory", outcome_of(body), "0")


@pytest.mark.parametrize("leftover", LEFTOVERS)
def test_leftover(leftover: str, outcome_of, judge) -> None:
    """The room is removed whatever was made in it, and nothing but the room."""
    judge(leftover, outcome_of(LEFTOVERS[leftover]), f"made|{DISK}")
