"""Texts without secrets, e-mail addresses, home folders and students' numbers."""

from __future__ import annotations

import re

from grader.privacy.patterns import (
    ADDRESS,
    DOMAINS,
    EMAIL,
    HOMES,
    NO_HOSTS,
    NO_LOCALS,
    SECRET,
    SECRETS,
    USER,
)
from grader.privacy.people import NOBODY, People

_QUOTED = re.compile(
    r"\#[^\n]*"
    r"|'''(?:[^\\]|\\.)*?(?:'''|\Z)|\"\"\"(?:[^\\]|\\.)*?(?:\"\"\"|\Z)"
    r"|'(?:[^\\\n']|\\.)*'?|\"(?:[^\\\n\"]|\\.)*\"?",
    re.DOTALL,
)


def mask_text(text: str, people: People = NOBODY) -> str:
    """A text of any kind, masked; what has nothing to mask comes back as it is."""
    return people.without_numbers(_without_addresses(_without_secrets(text)))


def mask_code(source: str, people: People = NOBODY) -> str:
    """Python code, masked: addresses and numbers only in its strings and comments.

    Outside of them, @ is an operator or begins a decorator.
    """
    without = _without_secrets(source)
    if "@" not in without and not people.numbers:
        return without

    def mask(quoted: re.Match[str]) -> str:
        return people.without_numbers(_without_addresses(quoted[0]))

    return _QUOTED.sub(mask, without)


def _without_secrets(text: str) -> str:
    small = text.lower()
    for hidden in SECRETS:
        text = hidden.sub(SECRET, text, small)
    for hidden in HOMES:
        text = hidden.sub(USER, text, small)
    return text


def _without_addresses(text: str) -> str:
    return EMAIL.sub(_address, text) if "@" in text else text


def _address(found: re.Match[str]) -> str:
    local, host = found["local"], found["host"].rstrip(".")
    is_product = host.split(".")[0] in NO_HOSTS or len(local) == len(host) == 1
    is_known = found["domain"].lower() in DOMAINS
    return found[0] if is_product or local in NO_LOCALS or not is_known else ADDRESS
