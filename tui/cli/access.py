"""`housekeys access`: all of access control at once. Files are in `access_files`, questions in `access_reviews`."""

from __future__ import annotations

import argparse

from tui.cli import access_files, access_reviews, access_trying
from tui.cli.arguments import Frame

NOUN = "access"


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verbs of this noun."""
    access_files.add_verbs(verbs, frame)
    access_reviews.add_verbs(verbs, frame)
    access_trying.add_verbs(verbs, frame)
