"""Who is known to a course, and how they are found in a text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

NUMBER, PERSON = "[student number]", "[name]"
# Shorter ones, and round ones, are numbers of anything.
STUDENT_NUMBER = re.compile(r"[A-Za-z]{0,3}(\d{6,}(?<!000))")
LEAST_NAME, LEAST_ID = 4, 3
# As people write long numbers: groups of at least two digits.
_NUMBER = re.compile(r"(?<![\w.,-])[A-Za-z]{0,3}\d{2,}(?:[ -]\d{2,}){0,5}(?!\w|[.,]\d)")
_WORD = re.compile(r"[^\W_]+")
# What may stand between the words of one name.
_BETWEEN = re.compile(r"[\s_.,'-]{1,3}")

Turns = Mapping[str, Sequence[tuple[str, ...]]]


@dataclass(frozen=True)
class People:
    """What a roster and a download tell of students.

    `numbers` are everybody's ids, of which those that are numbers are masked in
    every report. The others count where a report is anonymous: `ids` and `names`
    are of who handed in, `others` are names that are masked only where they stand
    as a whole, since the parts of a hundred names are words of any text.
    """

    numbers: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()

    def without_numbers(self, text: str) -> str:
        """A text in which no student's number stands."""
        known = _student_numbers(self.numbers)
        if not known:
            return text
        return _NUMBER.sub(
            lambda found: NUMBER if re.sub(r"\D", "", found[0]) in known else found[0], text
        )

    def without_names(self, text: str) -> str:
        """A text in which no id of who handed in stands, and nobody's name."""
        if self._ids:
            text = self._ids.sub(PERSON, text)
        made, place = [], 0
        for start, end in self._named(list(_WORD.finditer(text))):
            made += [text[place:start], PERSON]
            place = end
        return "".join([*made, text[place:]])

    @cached_property
    def _ids(self) -> re.Pattern[str] | None:
        ids = [identity for identity in self.ids if len(identity) >= LEAST_ID]
        found = "|".join(re.escape(identity) for identity in sorted(ids, key=len, reverse=True))
        return re.compile(rf"(?<![\w-])(?:{found})(?![\w-])") if ids else None

    @cached_property
    def _single(self) -> frozenset[str]:
        """The words of the names of who handed in; in a text they have a capital."""
        words = {word for name in self.names for word in _WORD.findall(name)}
        return frozenset(word for word in words if len(word) >= LEAST_NAME and word[0].isupper())

    def _named(self, words: Sequence[re.Match[str]]) -> Iterator[tuple[int, int]]:
        """Where names stand in a text with these words."""
        turns = _turns(self.names | self.others)
        place = 0
        while place < len(words):
            count = _longest(turns, words, place) or int(words[place][0] in self._single)
            if count:
                yield words[place].start(), words[place + count - 1].end()
            place += max(1, count)


NOBODY = People()


# Of a course, for all of its reports.
@lru_cache(maxsize=4)
def _student_numbers(ids: frozenset[str]) -> frozenset[str]:
    """The digits of the ids that are numbers, whatever letters stand before them."""
    found = (STUDENT_NUMBER.fullmatch(identity) for identity in ids)
    return frozenset(match[1] for match in found if match)


@lru_cache(maxsize=1024)
def _turns(names: frozenset[str]) -> Turns:
    """The ways in which names of several words are written, by their first words."""
    turns: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for name in names:
        words = tuple(word.casefold() for word in _WORD.findall(name))
        for turn in {words, (*words[1:], *words[:1]), (*words[-1:], *words[:-1])}:
            if len(turn) > 1:
                turns[turn[0]].append(turn)
    return turns


def _longest(turns: Turns, words: Sequence[re.Match[str]], place: int) -> int:
    """How many words from a place on are a name; 0 where none begins there."""
    return max(
        (len(t) for t in turns.get(words[place][0].casefold(), ()) if _is_at(t, words, place)),
        default=0,
    )


def _is_at(turn: Iterable[str], words: Sequence[re.Match[str]], place: int) -> bool:
    for offset, word in enumerate(turn):
        if place + offset >= len(words) or words[place + offset][0].casefold() != word:
            return False
        before = words[place + offset - 1] if offset else None
        here = words[place + offset]
        if before and not _BETWEEN.fullmatch(here.string[before.end() : here.start()]):
            return False
    return True
