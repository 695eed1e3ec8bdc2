"""Where a cloud is called."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from core.errors import BadInputError

TIMEOUT = 20.0  # seconds for one answer


@dataclass(frozen=True, slots=True)
class CloudPlace:
    """Where a cloud is called, and by whom. No credential is here: each SDK finds them by its own chain."""

    region: str
    endpoint: str | None = None  # a URL; None for the SDK's own
    sts_endpoint: str | None = None
    credentials_profile: str | None = None  # a profile in the SDK's own files
    timeout: float = TIMEOUT


def host_of(endpoint: str | None, usual: str) -> tuple[str, str]:
    """The scheme and the host of an endpoint, for SDKs that want them apart."""
    if endpoint is None:
        return "https", usual
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise BadInputError(
            "The endpoint is no URL of a cloud's API.", advice="Write it as https://host or http://host:port."
        )
    if parts.path.strip("/"):
        raise BadInputError("This cloud's SDK takes no path in an endpoint.", advice="Write it as https://host.")
    return parts.scheme, parts.netloc
