"""A new Basic credential in a file of its own: for who hands it to Databricks, and nobody else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from core.changes import Change, FileStep
from core.display import one_line
from core.keys.planning import unused_path
from core.partner.security.basic_credentials import Presented, header_value


def written_to(change: Change, presented: Presented, path: Path) -> Change:
    """`change`, which makes the credential valid, with a step before it that writes the credential to a new file.

    Raises BadInputError when the file exists.
    """
    path, shown = unused_path(path), one_line(str(path))
    told = {
        "user": presented.user,
        "password": presented.password.reveal(),
        "authorization": header_value(presented).reveal(),
    }
    content = (json.dumps(told, indent=2) + "\n").encode("ascii")
    write = FileStep(f"Write {shown}", path, content, secret=True, undo=FileStep(f"Remove {shown}", path, None))
    steps = tuple(replace(step, needs=0 if step.needs is None else step.needs + 1) for step in change.steps)
    return replace(change, steps=(write, *steps))
