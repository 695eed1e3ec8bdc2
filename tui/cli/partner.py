"""`housekeys partner`: the partner's side of Databricks Partner Connect.

The service is in `partner_serve`, looking in `partner_reading` and `partner_requests`, changing in `partner_changing`,
credentials are in `partner_credentials`, sealing keys in `partner_sealing_keys`, the PartnerConfig and the OpenAPI
document in `partner_files`, the checker in `partner_check`.
"""

from __future__ import annotations

import argparse

from tui.cli import (
    partner_changing,
    partner_check,
    partner_credentials,
    partner_files,
    partner_reading,
    partner_requests,
    partner_sealing_keys,
    partner_serve,
    partner_testing,
)
from tui.cli.arguments import Frame

NOUN = "partner"


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verbs of this noun, in the order in which they are needed."""
    partner_sealing_keys.add_verbs(verbs, frame)
    partner_credentials.add_verbs(verbs, frame)
    partner_serve.add_verbs(verbs, frame)
    partner_reading.add_verbs(verbs, frame)
    partner_testing.add_verbs(verbs, frame)
    partner_requests.add_verbs(verbs, frame)
    partner_changing.add_verbs(verbs, frame)
    partner_files.add_verbs(verbs, frame)
    partner_check.add_verbs(verbs, frame)
