"""`housekeys connection`: API connections of a Singdata (ClickZetta) Lakehouse, and the cloud's side of each.

Looking is in `connection_reading` and `connection_verifying`, changing in `connection_provisioning`, texts are in
`connection_files`, external functions in `connection_functions`.
"""

from __future__ import annotations

import argparse

from tui.cli import (
    connection_files,
    connection_functions,
    connection_provisioning,
    connection_reading,
    connection_verifying,
)
from tui.cli.arguments import Frame

NOUN = "connection"


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verbs of this noun, in the order in which they are needed."""
    connection_reading.add_verbs(verbs, frame)
    connection_provisioning.add_verbs(verbs, frame)
    connection_verifying.add_verbs(verbs, frame)
    connection_files.add_verbs(verbs, frame)
    connection_functions.add_verbs(verbs, frame)
