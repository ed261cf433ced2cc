"""What students hand in, made for tests."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path


def notebook_of(*sources: str) -> bytes:
    """A notebook; a source that begins with # and a space is text."""
    cells = [
        {"cell_type": "markdown", "source": source, "metadata": {}}
        if source.startswith("# ")
        else {
            "cell_type": "code",
            "source": source,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for source in sources
    ]
    made = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    return json.dumps(made).encode()


NOTEBOOK = notebook_of("x = 1")


def zip_of(**files: bytes) -> bytes:
    """A zip file of these files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def make_zip(path: Path, **files: bytes) -> Path:
    """The same on the disk."""
    path.write_bytes(zip_of(**files))
    return path


def tar_of(mode: str = "w:gz", **files: bytes | tarfile.TarInfo) -> bytes:
    """A tar archive of these files; an entry may stand for itself."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
