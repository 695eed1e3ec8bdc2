"""`housekeys row-policy`: which rows of a table users see."""

from __future__ import annotations

import argparse

from tui.cli.access_options import TO, ClauseOption, add_entity_verbs
from tui.cli.arguments import Frame

NOUN = "row-policy"
CLAUSES = (
    ClauseOption("--using", "USING", ("using", "condition"), "CONDITION", "the condition of the rows, or NONE"),
    ClauseOption("--as", "AS", ("restrictive",), "permissive|restrictive", "how it goes together with other policies"),
    TO,
)


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verbs of this noun."""
    add_entity_verbs(
        verbs,
        frame,
        NOUN,
        CLAUSES,
        name="'own ON acme.orders'",
        new="'own ON acme.invoices'",
        create="--using 'region = 1' --as restrictive --to 'bob, ann'",
        alter="--using 'region IN (1, 2)' --to ALL",
    )
