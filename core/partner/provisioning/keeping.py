"""Keeping the secrets of a new partner connection, as a step. The secrets themselves are never in it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from core.changes import CallStep
from core.display import one_line
from core.partner.provisioning.removal import CONNECTION_ID, SECRETS, erase_step
from core.partner.security.sealing import SecretName

KEEP: Final = "keep"  # the operation of the service `SECRETS`
NAMES: Final = "names"  # the argument that says which secrets


def keep_step(connection_id: str, names: Collection[SecretName]) -> CallStep:
    """Seal the secrets that wait for this partner connection, and keep them."""
    listed = sorted(name.value for name in names)
    return CallStep(
        f"Keep the secrets of partner connection {connection_id}",
        SECRETS,
        KEEP,
        {CONNECTION_ID: connection_id, NAMES: listed},
        f"seal and keep {', '.join(listed)} of {one_line(connection_id)}",
        undo=erase_step(connection_id),
    )
