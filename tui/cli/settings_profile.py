"""`housekeys settings-profile`: settings and their limits under a name."""

from __future__ import annotations

import argparse

from tui.cli.access_options import DROP_SETTING, SETTING, TO, add_entity_verbs
from tui.cli.arguments import Frame

NOUN = "settings-profile"
CLAUSES = (SETTING, DROP_SETTING, TO)


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verbs of this noun."""
    add_entity_verbs(
        verbs,
        frame,
        NOUN,
        CLAUSES,
        name="careful",
        new="careful_2",
        create="--setting 'max_memory_usage = 10000000000 MAX 20000000000' --setting 'readonly = 2 CONST' --to bob",
        alter="--setting 'max_threads = 4' --drop-setting readonly",
    )
