"""What `housekeys profile test` tells of Partner Connect: whether all is there that a service needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.partner.provisioning.prerequisites import Unmet
    from core.profiles import ProfileFile

_LABEL = "Partner Connect"


def unmet_record(found: Sequence[Unmet], file: ProfileFile) -> dict[str, Any]:
    """What was found, as JSON values."""
    from core.profiles.tables import dotted

    return {
        "ok": not any(unmet.seen for unmet in found),
        "unmet": [
            {
                "key": dotted(unmet.path),
                "place": file.place(unmet.path),
                "seen": unmet.seen,
                "error": unmet.error.message,
                "advice": unmet.error.advice,
            }
            for unmet in found
        ],
    }


def unmet_fields(found: Sequence[Unmet], file: ProfileFile) -> dict[str, str]:
    """The same as a labelled text."""
    from core.profiles.tables import dotted

    if not found:
        return {_LABEL: "ok: all that the profile names is there"}
    lines = []
    for unmet in found:
        state = "failed" if unmet.seen else "note"
        lines.append(f"{state}: {file.place(unmet.path)}: {dotted(unmet.path)}: {unmet.error.message}")
        lines += [unmet.error.advice] if unmet.error.advice else []
    return {_LABEL: "\n".join(lines)}
