"""Masking: what is secret or personal goes, and what only looks like it stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.privacy import People, mask_code, mask_text

LETTERS = "aB3dE6gH9jK2mN5pQ8rS"
# Made up here, in pieces, so that nobody's scanner takes them for real ones.
GITHUB = "gh" + "p_" + LETTERS * 2
AWS = "AK" + "IA" + "Z7QX" * 4
OPENAI = "s" + "k-proj-" + LETTERS * 2
JWT = ".".join(("ey" + "J" + LETTERS, "ey" + "J" + LETTERS, LETTERS))
KEY = "-----BEGIN " + f"RSA PRIVATE KEY-----\n{LETTERS}\n{LETTERS}\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    "secret",
    [
        *(GITHUB, AWS, OPENAI, JWT, KEY),
        "github_" + "pat_" + LETTERS * 2,
        "AI" + "za" + "x" * 35,
        "h" + "f_" + LETTERS * 2,
        "xo" + "xb-" + "12345678901-" + LETTERS,
        "gl" + "pat-" + LETTERS,
    ],
)
@pytest.mark.parametrize(
    "around", ["{}", "x = '{}'", "clone https://{}:x@host", "a\n{}\nb", "({})"]
)
def test_tokens(secret: str, around: str) -> None:
    """A token of a known issuer, and a private key, is masked wherever it stands."""
    for mask in (mask_text, mask_code):
        masked = mask(around.format(secret))
        assert LETTERS not in masked
        assert secret not in masked
        assert "[secret]" in masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://ada:pass-1@host.org/x", "https://[secret]@host.org/x"),
        ("api_key = 'abcdef123'", "api_key = '[secret]'"),
        ('os.environ["WANDB_API_KEY"] = "0123abcd"', 'os.environ["WANDB_API_KEY"] = "[secret]"'),
        ('{"password": "hunter22"}', '{"password": "[secret]"}'),
        (f"Authorization: Bearer {LETTERS}", "Authorization: Bearer [secret]"),
        (f'wandb.login(key="{LETTERS}{LETTERS}")', 'wandb.login(key="[secret]")'),
        (f"!wandb login {LETTERS}{LETTERS}", "!wandb login [secret]"),
        (f"%env HF_TOKEN={LETTERS}", "%env HF_TOKEN=[secret]"),
    ],
)
def test_told_secrets(text: str, masked: str) -> None:
    """What is called a password, key or token is masked, and its name stays."""
    assert mask_text(text) == masked
    assert mask_code(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("ada.larkwood@student.uni.nl", "[e-mail address]"),
        ("Mail <ada@uni-kiel.de>, or call.", "Mail <[e-mail address]>, or call."),
        ("jürgen_1+x@cs.example.edu.", "[e-mail address]."),
        ("mailto:ada@example.com", "mailto:[e-mail address]"),
    ],
)
def test_addresses(text: str, masked: str) -> None:
    """E-mail addresses are masked in text, and in the strings and comments of code."""
    assert mask_text(text) == masked
    assert mask_code(f"x = 1  # {text}") == f"x = 1  # {masked}"
    assert mask_code(f"x = '{text}'") == f"x = '{masked}'"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("File /home/ada/hw/x.py, line 3", "File /home/[user]/hw/x.py, line 3"),
        ("'/Users/Ada.Larkwood'", "'/Users/[user]'"),
        ("file:///home/ada", "file:///home/[user]"),
        ("/mnt/c/Users/ada/x", "/mnt/c/Users/[user]/x"),
        (r"C:\Users\Ada Larkwood\hw.ipynb", r"C:\Users\[user]\hw.ipynb"),
        (r"'C:\\Users\\ada\\hw'", r"'C:\\Users\\[user]\\hw'"),
        ("D:/Users/ada/hw", "D:/Users/[user]/hw"),
        (r"cd c:\users\ADA", r"cd c:\users\[user]"),
    ],
)
def test_home_folders(text: str, masked: str) -> None:
    """The name in the path of a home folder is masked, and the rest of the path stays."""
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        *("a @ b", "x@y.T", "y = W@x.T + b", "X@W.mean(axis=0)", "dz@self.mu", "x@W.to(device)"),
        *(
            "z = x@w.de[0]",
            "@property",
            "@app.route('/x')",
            "@nb.jit",
            "git@github.com:course/hw.git",
        ),
        *("f@2.5", "user@host", "a@b", "@", "x @= y.it", "h@theta.reshape"),
        "sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        *("d41d8cd98f00b204e9800998ecf8427e", "commit 4cadb49ec6783f3872d2d44b3323b43b675844c6"),
        *("task-sk-learn-classification-of-digits", "sk-learn", "token = '<pad>'", "key = 'loss'"),
        *("secret_size = 'hidden'", "tokens = ['a', 'b']", "password", "max_token = 'abc'"),
        *("https://host.org:8080/@user/x", "https://example.org/home/page", "http://x/Users/y"),
        *("/home/jovyan/work", "/content/drive/MyDrive", "x/home/y", "~/home", "/homework/ada"),
        *("eyJ", "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg", "AKIAM", "ghp_", "[0.1, 0.2]"),
    ],
)
def test_near_misses(text: str) -> None:
    """Products of matrices, decorators, hashes and plain words stay as they are."""
    assert mask_text(text) == text
    assert mask_code(text) == text


@pytest.mark.parametrize("code", ["loss = model@weights.de", "h = x@layer.nu", "r = ada@uni.nl"])
def test_operators_in_code(code: str) -> None:
    """In code, @ outside of strings and comments is an operator, whatever follows."""
    assert mask_code(code) == code


PEOPLE = People(frozenset({"s1234567", "7654321", "12345", "600000", "ada"}))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("I am s1234567.", "I am [student number]."),
        (
            "S1234567, 1234567 and 12 34567",
            "[student number], [student number] and [student number]",
        ),
        ("(7654321)", "([student number])"),
        ("no. 765-43-21", "no. [student number]"),
    ],
)
def test_student_numbers(text: str, masked: str) -> None:
    """The roster's numbers are masked, with the letter or without, in whatever groups."""
    assert mask_text(text, PEOPLE) == masked


@pytest.mark.parametrize(
    "text",
    [
        *("1234568", "0.1234567", "1234567.5", "12345678", "x1234567y", "1,234,567", "7654321e5"),
        *("12345", "600000", "ada", "[1 2 3 4 5 6 7]", "1.7654321"),
    ],
)
def test_numbers_that_are_nobodys(text: str) -> None:
    """Other numbers, parts of numbers, and short or round ones stay."""
    assert mask_text(text, PEOPLE) == text
    assert mask_text("1234567") == "1234567"


OWN = People(
    ids=frozenset({"ada-1"}),
    names=frozenset({"Ada Larkwood"}),
    others=frozenset({"Bob de Long", "Eve O'Neil"}),
)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("by Ada Larkwood", "by [name]"),
        ("Larkwood, Ada", "[name]"),
        ("ADA_LARKWOOD_hw.ipynb", "[name]_hw.ipynb"),
        ("Larkwood's answer", "[name]'s answer"),
        ("with bob de long and Eve O'Neil", "with [name] and [name]"),
        ("ada-1/hw", "[name]/hw"),
        ("a long day, Bob", "a long day, Bob"),
        ("larkwood pines; Ada.\nLarkwoods", "larkwood pines; Ada.\nLarkwoods"),
    ],
)
def test_names(text: str, masked: str) -> None:
    """Names are masked as a whole, in any order; the words of one's own by themselves, too."""
    assert OWN.without_names(text) == masked


@given(st.text(alphabet="ab@. /:\\-_'\"=\n#1234567sk", max_size=80))
def test_masking_twice(text: str) -> None:
    """What is masked has nothing left to mask."""
    for mask in (mask_text, mask_code):
        assert mask(mask(text, PEOPLE), PEOPLE) == mask(text, PEOPLE)


@pytest.mark.parametrize(
    "piece", ["a", "a-", "a@", "eyJa.", "/home/", "://a:", "key='", "1 2", "A"]
)
def test_long_texts(piece: str) -> None:
    """A long text of what begins like a secret comes to an end, and most of it stays."""
    text = piece * 100_000
    assert len(mask_text(text, PEOPLE)) >= len(text) // 4


def test_labels_are_not_words() -> None:
    """What stands in the place of something masked cannot be mistaken for it."""
    assert re.fullmatch(r"\[[\w -]+\]", mask_text("ada@uni.nl"))
