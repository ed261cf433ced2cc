"""Who may use the server: one-time links, a password for other machines, sessions, safe headers."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

COOKIE = "grader_review"
MIN_PASSWORD = 10
MAX_NAME = 60
# Wrong passwords that are taken in a minute, from everybody together.
TRIES, TRY_SECONDS = 10, 60.0
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass
class Session:
    """A reviewer's browser; `csrf` must come with whatever changes something."""

    person: str
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    shows_names: bool = False


@dataclass(frozen=True)
class Place:
    """Where the server listens; on `is_local`, only this machine can reach it."""

    host: str
    port: int
    is_local: bool

    @property
    def address(self) -> str:
        """Its address for a browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


class Access:
    """Links, passwords and sessions, kept in memory: who stops the server ends them all."""

    def __init__(
        self, place: Place, password: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.place = place
        self._password = password.encode()
        self._clock = clock
        self._lock = threading.Lock()
        self._links: dict[str, str] = {}
        self._sessions: dict[str, Session] = {}
        self._wrong: deque[float] = deque()

    @property
    def has_password(self) -> bool:
        """Whether one can log in with a password."""
        return bool(self._password)

    def new_link(self, person: str) -> str:
        """A token that lets `person` in once."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._links[token] = plain_name(person)
        return token

    def enter(self, token: str) -> str | None:
        """Spends a token; returns the new session's key."""
        with self._lock:
            person = self._links.pop(token, None)
            return self._begin(person) if person else None

    def log_in(self, person: str, password: str) -> str | None:
        """Returns a new session's key, or None where the password is wrong, or too many were."""
        with self._lock:
            now = self._clock()
            while self._wrong and self._wrong[0] < now - TRY_SECONDS:
                self._wrong.popleft()
            if not self._password or len(self._wrong) >= TRIES:
                return None
            if not hmac.compare_digest(self._password, password.encode()):
                self._wrong.append(now)
                return None
            return self._begin(plain_name(person))

    def _begin(self, person: str) -> str:
        key = secrets.token_urlsafe(32)
        self._sessions[key] = Session(person)
        return key

    def session(self, cookies: Mapping[str, str]) -> Session | None:
        """The session that a request belongs to."""
        return self._sessions.get(cookies.get(COOKIE, ""))

    def is_host(self, header: str) -> bool:
        """Whether a request was meant for this server: a foreign name may point here."""
        if not self.place.is_local:
            return True
        names = ("127.0.0.1", "localhost", "[::1]")
        # Browsers leave out the port that http has anyway.
        port = self.place.port
        return header in {f"{name}:{port}" for name in names} or (port == 80 and header in names)


def is_own(session: Session, headers: Mapping[str, str], token: str) -> bool:
    """Whether a request that changes something comes from a page of ours."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != headers.get("host"):
        return False
    return hmac.compare_digest(session.csrf.encode(), token.encode())


def plain_name(person: str) -> str:
    """A reviewer's name on one line."""
    shown = "".join(letter for letter in person if letter.isprintable())
    return " ".join(shown.split())[:MAX_NAME] or "reviewer"
