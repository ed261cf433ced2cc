"""Talking to anything but the grader."""

from __future__ import annotations

REFUSED = (
    "EACCES|EPERM|ENOENT|ECONNREFUSED|ENETUNREACH|EAFNOSUPPORT|EADDRNOTAVAIL|ENOTCONN"
    "|EPROTONOSUPPORT|ESOCKTNOSUPPORT|EISCONN|EINVAL|ENODEV|EOPNOTSUPP|EPROTOTYPE|gaierror"
)
ATTACKS = {
    "connect to the loopback": (
        "return socket.create_connection(('127.0.0.1', given['tcp']), 2)",
        REFUSED,
    ),
    "connect to the loopback by IPv6": (
        "return socket.create_connection(('::ffff:127.0.0.1', given['tcp']), 2)",
        REFUSED,
    ),
    "send a datagram to the loopback": (
        """
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        return sock.sendto(b'x', ('127.0.0.1', given['udp']))
        """,
        REFUSED,
    ),
    "connect outside": (
        # An address for documentation, to which nothing is ever routed.
        "return socket.create_connection(('192.0.2.1', 80), 2)",
        REFUSED,
    ),
    "send a datagram outside": (
        """
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        return sock.sendto(b'x', ('192.0.2.1', 53))
        """,
        REFUSED,
    ),
    "resolve a name": ("return socket.getaddrinfo('example.invalid', 80)", "gaierror"),
    "open a raw socket": (
        "return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)",
        REFUSED,
    ),
    "open a packet socket": ("return socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", REFUSED),
    "open a netlink socket": (
        "return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)",
        REFUSED,
    ),
    "open a socket to the host": (
        """
        sock = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
        sock.settimeout(1)
        return sock.connect((socket.VMADDR_CID_HOST, 9))
        """,
        REFUSED,
    ),
    "open a socket to the kernel's crypto": (
        "return socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)",
        REFUSED,
    ),
    "connect to an abstract socket": (
        """
        sock = socket.socket(socket.AF_UNIX)
        return sock.connect('\\0' + given['abstract'].lstrip('\\0'))
        """,
        REFUSED,
    ),
    "connect to a socket's path": (
        "return socket.socket(socket.AF_UNIX).connect(given['pathname'])",
        REFUSED,
    ),
    "send to an abstract socket through a pair": (
        """
        ours, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        return ours.sendto(b'x', '\\0' + given['abstract_datagram'].lstrip('\\0'))
        """,
        REFUSED,
    ),
    "send to a socket's path through a pair": (
        """
        ours, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        return ours.sendto(b'x', given['pathname_datagram'])
        """,
        REFUSED,
    ),
    "reconnect a pair to a socket's path": (
        """
        ours, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        ours.connect(given['pathname_datagram'])
        return ours.send(b'x')
        """,
        REFUSED,
    ),
    "find an open network socket": (
        """
        found = []
        for number in range(256):
            try:
                copy = os.dup(number)
            except OSError:
                continue
            try:
                with socket.socket(fileno=copy) as sock:
                    found += [sock.family] if sock.family != socket.AF_UNIX else []
            except OSError:
                os.close(copy)
        return found
        """,
        r"\[\]",
    ),
    "bind a port": (
        """
        sock = socket.socket()
        sock.bind(('0.0.0.0', 0))
        sock.listen()
        return 'a port that nobody reaches'
        """,
        f"{REFUSED}|a port that nobody reaches",
    ),
    "see the network's devices": (
        "return sorted(name for _, name in socket.if_nameindex() if not name[-1].isdigit())",
        rf"{REFUSED}|\['lo'\]",
    ),
    "make a pair of its own": (
        """
        ours, theirs = socket.socketpair()
        ours.send(b'x')
        return theirs.recv(1)
        """,
        "b'x'",
    ),
}


def test_attack(attack: str, outcomes: dict[str, str], judge) -> None:
    """No address of any kind can be reached, whether on this machine or beyond it."""
    judge(attack, outcomes[attack], ATTACKS[attack][1])
