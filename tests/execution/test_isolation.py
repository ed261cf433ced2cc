"""The ladder of isolation, and the orders that sandboxes are built from."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from grader.errors import UsageError
from grader.execution import isolation
from grader.execution.inside import mounts, supervisor
from grader.execution.isolation import CURE, Level, candidates, make_order, require, student_ids
from grader.execution.limits import COURSEWORK
from grader.execution.packages import hidden_entries
from grader.execution.room import Room

LADDER = (Level.NONE, Level.LANDLOCK, Level.ROOT_NAMESPACES, Level.NAMESPACES)


@pytest.mark.parametrize("level", LADDER)
@pytest.mark.parametrize("least", LADDER)
def test_ladder(level: Level, least: Level) -> None:
    """Each rung suffices for those below it, and the two kinds of namespaces for each other."""
    namespaces = {Level.NAMESPACES, Level.ROOT_NAMESPACES}
    expected = LADDER.index(level) >= LADDER.index(least) or {level, least} == namespaces
    assert level.suffices(least) is expected


def test_candidates_come_strongest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Namespaces are tried before Landlock, each user's own kind, and nothing beyond Linux."""
    assert candidates()[-1] is Level.LANDLOCK
    assert candidates()[0].suffices(Level.NAMESPACES)
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert candidates()[0] is Level.ROOT_NAMESPACES
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert candidates()[0] is Level.NAMESPACES
    monkeypatch.setattr(sys, "platform", "darwin")
    assert candidates() == ()


def test_too_weak_is_refused_with_the_cure() -> None:
    """Below the least level, the error names both levels and says how to mend it."""
    require(Level.LANDLOCK, Level.LANDLOCK)
    with pytest.raises(UsageError) as caught:
        require(Level.LANDLOCK, Level.NAMESPACES)
    assert "'landlock'" in str(caught.value)
    assert "'namespaces'" in str(caught.value)
    assert str(caught.value).endswith(CURE)


@pytest.mark.parametrize("level", LADDER[1:])
def test_orders_are_json(level: Level) -> None:
    """An order survives the way to the zygote, and names limits, ids and the agent's arguments."""
    with Room({"a.ipynb": b"{}"}, "a.ipynb") as room:
        order = make_order(level, room, room.new_sockets(), COURSEWORK, ["-f", "x.json"], forks=7)
        received = json.loads(json.dumps(order))
    fields = {key: tuple(v) if isinstance(v, list) else v for key, v in received.items()}
    read = supervisor.Order(**fields)
    assert read.arguments == ("-f", "x.json")
    assert read.environment == room.environment()
    assert read.processes >= COURSEWORK.processes + 7
    assert bool(read.readable) is (level is Level.LANDLOCK)


def test_a_submissions_own_files_do_not_use_up_its_room() -> None:
    """What was handed in is added to what may be written."""
    with Room({}, "a.ipynb") as empty, Room({"big.bin": bytes(5 << 20)}, "a.ipynb") as full:
        orders = [landlocked(room) for room in (empty, full)]
    sizes = [order["temporary_bytes"] for order in orders]
    assert sizes[0] >= COURSEWORK.temporary
    assert 5 << 20 <= sizes[1] - sizes[0] < 6 << 20
    assert orders[1]["temporary_files"] == orders[0]["temporary_files"] + 1


def test_students_are_never_root() -> None:
    """Root's submissions run by an id that nobody has; others' by their own."""
    uid, gid = student_ids()
    if os.getuid() == 0:
        assert uid == gid
        assert 61184 <= uid < 65280
    else:
        assert (uid, gid) == (os.getuid(), os.getgid())


def test_rooms_stay_closed_to_other_users() -> None:
    """Handing a room over lets no third user at its folders."""
    with Room({"a.ipynb": b"{}"}, "a.ipynb") as room:
        landlocked(room)
        assert room.path.stat().st_mode & 0o066 == 0
        passable = room.path.stat().st_mode & 0o011
        modes = [folder.stat().st_mode for folder in room.path.iterdir()]
        assert not passable or not any(mode & 0o077 for mode in modes)


def landlocked(room: Room, **options: Any) -> dict[str, Any]:
    """An order for a kernel at the level that has no root of its own."""
    return make_order(Level.LANDLOCK, room, room.new_sockets(), COURSEWORK, [], **options)


def covers(path: Path, hidden: Path) -> bool:
    """Whether to allow `path` is to allow something that is hidden."""
    return hidden.is_relative_to(path) or path.is_relative_to(hidden)


def test_landlock_allows_nothing_that_is_masked() -> None:
    """Of the paths that are allowed, none is a masked one, lies in one or holds one."""
    with Room({}, "a.ipynb") as room:
        order = landlocked(room)
    masked = [Path(path).resolve() for path in order["masked"]]
    assert set(masked) == {path.resolve() for path in hidden_entries()}
    allowed = [Path(path).resolve() for path in order["readable"]]
    assert len(allowed) > len(mounts.SYSTEM_FOLDERS)
    assert not [(a, hidden) for a in allowed for hidden in masked if covers(a, hidden)]


def test_a_folder_with_something_masked_is_allowed_piece_by_piece(tmp_path: Path) -> None:
    """Beside a masked path everything is allowed, through links to the folder too."""
    deep = tmp_path / "lib" / "site-packages"
    for name in ("numpy", "grader"):
        (deep / name).mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "link").symlink_to(deep)
    hidden = [deep / "grader"]
    assert set(isolation._around(tmp_path, hidden)) == {tmp_path / "bin", deep / "numpy"}
    assert isolation._around(tmp_path / "link", hidden) == [deep / "numpy"]
    assert isolation._around(deep / "grader", hidden) == []
    assert isolation._around(tmp_path / "missing", hidden) == []


def test_an_assignment_below_a_shown_folder_is_hidden(tmp_path: Path) -> None:
    """What is to be hidden is masked, and nothing that holds it is allowed at landlock."""
    folder = Path(sys.prefix).resolve() / "courses" / "exercise"
    with Room({}, "a.ipynb") as room:
        order = landlocked(room, hidden=[folder])
    assert str(folder) in order["masked"]
    assert not [path for path in order["readable"] if folder.is_relative_to(path)]


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_what_a_student_has_made_is_not_given_away_again(tmp_path: Path) -> None:
    """A second kernel's order touches the new sockets alone, whatever lies in the room."""
    mine = tmp_path / "mine"
    mine.touch()
    with Room({}, "a.ipynb") as room:
        landlocked(room)
        (room.home / "planted").mkdir()
        os.link(mine, room.home / "planted" / "link")
        order = landlocked(room)
        assert mine.stat().st_uid == 0
        assert Path(order["sockets"]).stat().st_uid == order["uid"]
