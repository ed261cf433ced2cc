"""What secrets, addresses and home folders look like in a text.

Prefixes and lengths are those that the issuers document. Each pattern has an
anchor and bounds, so that it is linear on whatever a student prints.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SECRET, ADDRESS, USER = "[secret]", "[e-mail address]", "[user]"

# Whole tokens that name their issuer.


@dataclass(frozen=True)
class Hidden:
    """A pattern; what its group 1 holds stays before what stands for the rest.

    It is tried only where a text holds one of `marks`, in small letters: to look
    for those is ten times as fast.
    """

    pattern: re.Pattern[str]
    marks: tuple[str, ...]

    def sub(self, label: str, text: str, small: str) -> str:
        """`text`, of which `small` is the same in small letters, with `label` for what is found."""
        if not any(mark in small for mark in self.marks):
            return text
        return self.pattern.sub(rf"\1{label}", text)


SECRETS = (
    Hidden(
        re.compile(
            r"()-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r".{0,20000}?(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|\Z)",
            re.DOTALL,
        ),
        ("private key",),
    ),
    # Whole tokens that name their issuer.
    Hidden(
        re.compile(
            r"""
            (?<![A-Za-z0-9_])()(?:
              gh[pousr]_[A-Za-z0-9]{30,255} | github_pat_[A-Za-z0-9_]{22,255}  # GitHub
            | glpat-[A-Za-z0-9_-]{20,255}                                      # GitLab
            | (?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}                              # AWS access key
            | (?<!-)sk-(?=[A-Za-z_-]{0,100}\d)[A-Za-z0-9_-]{20,255}            # OpenAI, Anthropic
            | AIza[0-9A-Za-z_-]{35} | ya29\.[0-9A-Za-z_-]{20,500}              # Google
            | hf_[A-Za-z0-9]{30,255}                                           # Hugging Face
            | xox[abeprs]-[A-Za-z0-9-]{10,255}                                 # Slack
            | [rs]k_(?:live|test)_[A-Za-z0-9]{20,255}                          # Stripe
            | npm_[A-Za-z0-9]{36} | pypi-[A-Za-z0-9_-]{50,500}                 # npm, PyPI
            | SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,128}                  # SendGrid
            | eyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{10,4000}  # JWT
            )(?![A-Za-z0-9_])
            """,
            re.VERBOSE,
        ),
        (
            *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "akia", "asia"),
            *("abia", "acca", "sk-", "aiza", "ya29.", "hf_", "xox", "k_live_", "k_test_", "npm_"),
            *("pypi-", "sg.", "eyj"),
        ),
    ),
    # What follows a name or a word that says that it is secret.
    Hidden(re.compile(r"(://)[^\s/:@'\"<>\[\]]{1,100}:[^\s/@'\"<>]{1,200}(?=@)"), ("://",)),
    Hidden(
        re.compile(r"(\bbearer\s{1,4})[\w.~+/-]{20,4000}=*", re.IGNORECASE),
        ("bearer",),
    ),
    Hidden(
        re.compile(
            r"((?:\b|_)(?:api[_-]?key|secret(?:[_-]?(?:access[_-]?)?key)?|(?:access|auth)[_-]?token"
            r"|passw(?:or)?d|passphrase)[\"']?\]?\s{0,4}[:=]\s{0,4}[\"'])[^\"'\n]{6,500}(?=[\"'])",
            re.IGNORECASE,
        ),
        ("key", "secret", "token", "passw", "passphrase"),
    ),
    Hidden(
        re.compile(
            r"((?:\b|_)(?:token|key)[\"']?\]?\s{0,4}[:=]\s{0,4}[\"'])(?=[^\"'\n]{0,100}\d)"
            r"(?=[^\"'\n]{0,100}[A-Za-z])[A-Za-z0-9+_=-]{24,500}(?=[\"'])",
            re.IGNORECASE,
        ),
        ("key", "token"),
    ),
    Hidden(
        re.compile(
            r"(^[ \t]*[%!]?(?:env|export|set|wandb login|huggingface-cli login --token)[ \t]{1,4}"
            r"(?:\w{1,60}(?:key|token|secret|password)[ \t]?=[ \t]?)?)"
            r"(?=\S{0,100}\d)[\w+/.-]{20,500}(?=\s|\Z)",
            re.IGNORECASE | re.MULTILINE,
        ),
        ("key", "token", "secret", "password", "login"),
    ),
)

# The countries' domains, and the general ones in which people have addresses.
_COUNTRIES = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs "
    "bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee "
    "eg er es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm "
    "hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb "
    "lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz "
    "na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs "
    "ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl "
    "tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)
_GENERAL = (
    "com org net edu gov mil int info biz name pro dev app xyz online site tech email cloud school "
    "college university academy education science institute community network company studio "
    "systems solutions software digital berlin hamburg koeln amsterdam london paris nyc wien"
)
DOMAINS = frozenset(f"{_COUNTRIES} {_GENERAL}".split())
EMAIL = re.compile(
    r"(?<![\w.+%@/-])(?P<local>\w[\w.+%-]{0,63})@"
    r"(?P<host>(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,6})(?P<domain>[A-Za-z]{2,24})"
    r"(?![\w@(\[]|[.-]\w)"
)
# `x@self.mu` is a product of matrices, and git@ is nobody.
NO_HOSTS, NO_LOCALS = ("self", "cls", "np", "torch", "tf", "jnp"), ("git", "hg", "svn")

_NAME = r"[^\\/:*?\"'<>|\s]{1,64}"
# A folder of Windows may have spaces in it where another folder follows.
_SPACED = r"[^\\/:*?\"'<>|\r\n]{1,64}?"
HOMES = (
    Hidden(
        re.compile(
            r"((?:(?<![\w.~/\\-])|(?<=file://)|(?<=/mnt/[a-z])|(?<=/export)|(?<=/var))"
            rf"/(?:home|Users)/)(?!(?:Shared|jovyan|runner|student|user)\b){_NAME}"
        ),
        ("/home/", "/users/"),
    ),
    Hidden(
        re.compile(
            r"(\b[A-Za-z]:(?:\\\\?|/)Users(?:\\\\?|/))(?!(?:Public|Default|All Users)\b)"
            rf"(?:{_SPACED}(?=[\\/])|{_NAME})",
            re.IGNORECASE,
        ),
        (":\\users\\", ":\\\\users\\", ":/users/"),
    ),
    Hidden(
        re.compile(rf"(\\\\[\w.-]{{1,64}}\\Users\\)(?:{_SPACED}(?=\\)|{_NAME})", re.IGNORECASE),
        ("\\users\\",),
    ),
)
