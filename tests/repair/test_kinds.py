"""The words by which repairs are turned on and off."""

from __future__ import annotations

import pytest

from grader.errors import UsageError
from grader.repair.kinds import ALL_KINDS, read_kinds


def test_lists_of_kinds() -> None:
    """Several are separated by commas; `none` turns all off."""
    assert read_kinds("names, files") == ("names", "files")
    assert read_kinds("none") == ()
    assert read_kinds(",".join(ALL_KINDS)) == ALL_KINDS


def test_unknown_kinds() -> None:
    """A word that is no kind is refused, and those that there are are named."""
    with pytest.raises(UsageError, match=r"no repair is called shims; there are names, modules"):
        read_kinds("names,shims")
