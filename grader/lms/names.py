"""Names of people and files from outside: made safe, made unique, compared."""

from __future__ import annotations

import hashlib
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

MAX_ID_BYTES = 96
# What Windows keeps for devices, and what a batch's own folder holds.
RESERVED = {
    *("con", "prn", "aux", "nul"),
    *(f"{device}{number}" for device in ("com", "lpt") for number in range(10)),
    *("gradebook.sqlite", "gradebook.sqlite-wal", "gradebook.sqlite-shm"),
    *("summary.html", "similar.html", "scores.csv"),
}
FORBIDDEN = frozenset('<>:"/\\|?*')
CLUTTER = {"__macosx", "__pycache__", "thumbs.db", "desktop.ini"}
NAME_CATEGORIES = ("L", "M", "N")


def is_clutter(name: str) -> bool:
    """Whether an operating system, Office or Jupyter left this behind."""
    return name.startswith((".", "~$")) or name.casefold() in CLUTTER


def safe_name(name: str) -> str:
    """The name of a file without anything that leads elsewhere or cannot be shown.

    An extension survives; what is left of nothing is `file`.
    """
    shown = "".join("_" if unsafe(letter) else letter for letter in name)
    # One leading point hides a file; more are the beginning of a path.
    shown = re.sub(r"^\.{2,}", "", shown.strip().rstrip(". ").lstrip("-~"))
    if not shown.strip("."):
        return "file"
    path = Path(shown)
    if is_reserved(path.name):
        shown = f"_{shown}"
    return _shortened(shown, path.suffix)


def unsafe(letter: str) -> bool:
    """Whether a character must not stand in the name of a file."""
    return letter in FORBIDDEN or unicodedata.category(letter) in (
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Zl",
        "Zp",
    )


def is_reserved(name: str) -> bool:
    """Whether Windows or a batch's own folder needs this name."""
    folded = name.casefold()
    return folded in RESERVED or folded.split(".")[0].rstrip() in RESERVED


def _shortened(name: str, suffix: str) -> str:
    if len(name.encode()) <= MAX_ID_BYTES:
        return name
    suffix = suffix if len(suffix.encode()) <= 16 else ""
    room = MAX_ID_BYTES - len(suffix.encode())
    return name.encode()[:room].decode("utf-8", "ignore").rstrip(". ") + suffix


def safe_ids(raw: Sequence[str]) -> list[str]:
    """An id for each raw name, in order: safe as a folder's name, no two alike on any disk.

    A name that is safe already stays what it is. Any other one, and those that
    differ only in what a disk may ignore, get a mark that depends on the raw
    name alone, so that the id is the same in the next run.
    """
    cleaned = [_cleaned(name) for name in raw]
    crowd = Counter(text.casefold() for text, _ in cleaned)
    taken: set[str] = set()
    ids = []
    for name, (text, is_exact) in zip(raw, cleaned, strict=True):
        made = text if is_exact and crowd[text.casefold()] == 1 else _marked(name, text, taken)
        taken.add(made.casefold())
        ids.append(made)
    return ids


def _cleaned(raw: str) -> tuple[str, bool]:
    """The name made safe, and whether nothing of it was lost."""
    composed = unicodedata.normalize("NFC", raw)
    text = safe_name(composed).lstrip(".")
    # What looks as if it had a mark could be taken for another one's marked id.
    return text or "file", text == composed and "~" not in text


def _marked(raw: str, text: str, taken: set[str]) -> str:
    for occurrence in itertools.count():
        digest = hashlib.sha256(f"{occurrence}:{raw}".encode("utf-8", "surrogatepass"))
        made = f"{text}~{digest.hexdigest()[:8]}"
        if made.casefold() not in taken:
            return made
    raise AssertionError


def name_keys(name: str) -> frozenset[str]:
    """Forms under which a person's name may be met: two names with one in common may be one.

    `Larkwood, Ada`, `Ada Larkwood` and Canvas's `larkwoodada` have one in common.
    """
    words = _words(name)
    turns = range(len(words))
    return frozenset("".join(words[turn:] + words[:turn]) for turn in turns)


def _words(name: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    spaced = "".join(letter if _is_word(letter) else " " for letter in folded)
    # Canvas leaves out hyphens and apostrophes, others turn them into spaces.
    return spaced.split()


def _is_word(letter: str) -> bool:
    return unicodedata.category(letter)[0] in NAME_CATEGORIES


def plain_key(text: str) -> str:
    """An identifier or address as it is compared: without case, spaces around and a leading #."""
    return unicodedata.normalize("NFC", text).strip().lstrip("#").strip().casefold()


def squashed(text: str) -> str:
    """A column's title as it is compared: letters and digits alone, without case."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def common_name(names: Iterable[str]) -> str:
    """The one name that all of at least two share, or an empty string."""
    found = list(names)
    return found[0] if len(found) > 1 and len(set(found)) == 1 else ""
