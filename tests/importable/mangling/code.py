"""Other ways of writing the same code."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from random import Random

from grader.assignment import Assignment
from mangling.records import Expected, HandIn, NotApplicableError, Stage, deformation
from mangling.syntax import (
    Edit,
    Function,
    comments,
    edited,
    end_of,
    functions_of,
    has_magics,
    indentation,
    map_code,
    position,
    start_of,
    statements,
    tree_of,
)

LAYOUT = "layout of code"
COMMENTS = {
    "Persian": [
        "\u200fاین بخش را خودم نوشتم",
        "شیب تابع را حساب می‌کنیم (مشتق)",
        "\u202bضرب ماتریس‌ها\u202c",
    ],
    "Finnish": [
        "tässä lasketaan gradientti",
        "painot päivitetään",
        "muista jakaa näytteiden määrällä",
    ],
    "German": ["hier wird die Ableitung berechnet", "Größe prüfen", "Gewichte anpassen"],
    "Chinese": ["计算梯度", "更新权重", "前向传播"],
}
PLACES = (
    "C:/Users/student/Documents/uni",
    "/home/student/courses/nn",
    "/content/drive/MyDrive/Colab Notebooks",
    "/Users/student/Desktop/homework",
)


@deformation(Stage.CODE, group=LAYOUT)
def unparsed(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All code is laid out anew by a formatter, and has no comments left."""
    return map_code(hand_in, _laid_out_anew)


@deformation(Stage.CODE, group=LAYOUT)
def comments_removed(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All comments are taken out of the code."""
    return _changed(hand_in, map_code(hand_in, _without_comments), "no code has comments")


@deformation(Stage.CODE, group=LAYOUT)
def comments_translated(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All comments are in another language, right-to-left text among them."""
    texts = COMMENTS[rng.choice(sorted(COMMENTS))]

    def translated(source: str) -> str:
        found = comments(source)
        starts = [position(source, t.start[0], len(t.line[: t.start[1]].encode())) for t in found]
        return edited(
            source,
            [
                Edit(start, start + len(token.string), f"# {rng.choice(texts)}")
                for start, token in zip(starts, found, strict=True)
            ],
        )

    return _changed(hand_in, map_code(hand_in, translated), "no code has comments")


@deformation(Stage.CODE)
def comments_right_to_left(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Each answer begins with a line of right-to-left text."""
    line = "# " + rng.choice(COMMENTS["Persian"]) + "\n"
    return map_code(hand_in, lambda source: line + source, answers_only=True)


@deformation(Stage.CODE)
def type_hints(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """All parameters of functions have type hints."""

    def hinted(source: str) -> str:
        arguments = [
            argument
            for function in functions_of(tree_of(source))
            for argument in (*function.args.args, *function.args.kwonlyargs)
            if argument.annotation is None and argument.arg not in ("self", "cls")
        ]
        # Evaluated where the function is made: a name that is known everywhere.
        ends = [end_of(source, argument) for argument in arguments]
        return edited(source, [Edit(end, end, ": object") for end in ends])

    return _changed(hand_in, map_code(hand_in, hinted), "no function has parameters")


@deformation(Stage.CODE, group="indentation")
def tabs(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Code is indented by tabs."""
    return _changed(hand_in, map_code(hand_in, _with_tabs), "no code is indented")


@deformation(Stage.NAMES, group="line ends")
def crlf(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Lines end as on Windows, in cells and in files."""
    changed = hand_in.map_cells(
        lambda cell: replace(cell, source=re.sub(r"(?<!\r)\n", "\r\n", cell.source))
    )
    files = {
        path: re.sub(rb"(?<!\r)\n", b"\r\n", content) if path in hand_in.answer_files else content
        for path, content in hand_in.files.items()
    }
    return replace(changed, files=files)


@deformation(Stage.CODE)
def old_numpy_names(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Answers use `np.int`, `np.float` and `np.Inf`, which newer numpy does not have."""
    lines = ("count = np.int(1)", "limit = np.Inf", "scale = np.float(1.0)")

    def aged(source: str) -> str:
        edits = [
            Edit(at, at, f"{line}\n{indentation(source, first)}")
            for function in functions_of(tree_of(source))
            if not _is_docstring(first := function.body[0]) and first.lineno > function.lineno
            for at, line in [(start_of(source, first), rng.choice(lines))]
            if not _is_local(function, line.partition(" ")[0])
        ]
        return edited(source, edits)

    changed = _only_with_numpy(hand_in, map_code(hand_in, aged, answers_only=True))
    return _changed(hand_in, changed, "no answer has functions")


@deformation(Stage.CODE)
def stub_raise_left(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """`raise NotImplementedError` of the release is left below a finished return."""

    def left(source: str) -> str:
        edits = [
            Edit(end, end, f"\n{indentation(source, function.body[-1])}raise NotImplementedError")
            for function in functions_of(tree_of(source))
            if isinstance(function.body[-1], ast.Return)
            and function.body[-1].lineno > function.lineno
            for end in [end_of(source, function.body[-1])]
        ]
        return edited(source, edits)

    changed = map_code(hand_in, left, answers_only=True)
    return _changed(hand_in, changed, "no answer ends with a return")


# Not before the layout: in a merged cell it would end what follows.
@deformation(Stage.SURROUNDINGS)
def raises_after(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Each code answer is in a cell that raises after it."""
    line = rng.choice(("raise ValueError('stop here')", "assert 1 == 2, 'why?'", "1 / 0"))
    cells = [
        replace(cell, source=f"{cell.source}\n\n{line}")
        if cell.is_code and cell.role == "answer"
        else cell
        for cell in hand_in.cells
    ]
    return _changed(hand_in, hand_in.with_cells(cells), "no cell answers with code")


@deformation(Stage.CODE)
def paths_absolute(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Data files are read from absolute paths of another machine."""
    place = rng.choice(PLACES)
    folders = {str(parent) for path in assignment.files for parent in PurePosixPath(path).parents}
    known = {*assignment.files, *folders} - {"."}

    def moved(source: str) -> str:
        edits = []
        for node in ast.walk(tree_of(source)):
            match node:
                case ast.Assign(
                    targets=[ast.Name(id="data_dir")], value=ast.Constant("." as value)
                ):
                    text = node.value
                case ast.Constant(str() as value) if value.removeprefix("./") in known or (
                    value.startswith("./data/")
                ):
                    text = node
                case _:
                    continue
            path = str(PurePosixPath(place, value))
            edits.append(Edit(start_of(source, text), end_of(source, text), repr(path)))
        return edited(source, edits)

    return _changed(hand_in, map_code(hand_in, moved), "no code names a data file")


@deformation(Stage.CODE, code=Expected.REFUSED, text=Expected.ANYTHING)
def python2_code(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """It is Python 2: print statements and a `python2` kernel."""

    def aged(source: str) -> str:
        return f"{source}\nprint 'done', 1/2\n"

    kernel = {"display_name": "Python 2", "language": "python", "name": "python2"}
    language = {"name": "python", "version": "2.7.10", "pygments_lexer": "ipython2"}
    aged_code = map_code(hand_in, aged)
    metadata = {**hand_in.metadata, "kernelspec": kernel, "language_info": language}
    return replace(aged_code, metadata=metadata)


def _changed(before: HandIn, after: HandIn, reason: str) -> HandIn:
    """What was deformed, or the reason why nothing could be."""
    if before == after:
        raise NotApplicableError(reason)
    return after


def _only_with_numpy(before: HandIn, after: HandIn) -> HandIn:
    """Modules that do not import numpy stay as they are."""
    files: Mapping[str, bytes] = {
        path: content if b"import numpy as np" in content else before.files[path]
        for path, content in after.files.items()
    }
    return replace(after, files=files)


def _laid_out_anew(source: str) -> str:
    if not has_magics(source):
        tree = tree_of(source)
        return ast.unparse(tree) if tree.body else source
    parts = [piece.strip() for piece in statements(source)]
    return "\n".join(part if has_magics(part) else _laid_out_anew(part) for part in parts)


def _without_comments(source: str) -> str:
    lines = source.splitlines()
    for token in comments(source):
        row = token.start[0] - 1
        lines[row] = lines[row][: token.start[1]].rstrip()
    kept = [line for line, old in zip(lines, source.splitlines(), strict=True) if line or not old]
    return "\n".join(kept) + ("\n" if source.endswith("\n") else "")


def _with_tabs(source: str) -> str:
    def replaced(spaces: re.Match[str]) -> str:
        width = len(spaces[0])
        return "\t" * (width // 4) + " " * (width % 4)

    changed = re.sub(r"^ +", replaced, source, flags=re.MULTILINE)
    same = ast.dump(tree_of(changed)) == ast.dump(tree_of(source))
    return changed if same else source


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_local(function: Function, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(function))
