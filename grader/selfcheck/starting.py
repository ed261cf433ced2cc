"""What keeps a student waiting, and is not needed."""

from __future__ import annotations

import sys


def leave_out_grammars() -> None:
    """Lets jsonschema find no grammar of addresses, which JupyterLab brings along.

    No notebook's schema asks for one, and building it takes a second of every
    start. For processes of our own alone.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
