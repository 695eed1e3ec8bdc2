"""`housekeys role`: rights and settings under a name, to be granted to users and other roles."""

from __future__ import annotations

import argparse

from tui.cli.access_options import DROP_SETTING, SETTING, add_entity_verbs
from tui.cli.arguments import Frame

NOUN = "role"
CLAUSES = (SETTING, DROP_SETTING)


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verbs of this noun."""
    add_entity_verbs(
        verbs,
        frame,
        NOUN,
        CLAUSES,
        name="reader",
        new="auditor",
        create="--setting 'max_threads = 4 MAX 8'",
        alter="--setting 'max_threads = 8' --settings-profile careful",
    )
