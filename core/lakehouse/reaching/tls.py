"""Whom TLS with a Lakehouse is verified against: the CAs of this computer, or the profile's ca_file alone."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from core.display import one_line
from core.errors import BadInputError
from core.profiles.model import LakehouseSettings

_ADVICE = "Correct ca_file in the lakehouse part of the profile: a PEM file with the CAs to trust."


@dataclass(frozen=True, slots=True)
class Trust:
    """True stands for the CAs of this computer, False for any certificate."""

    lakehouse: ssl.SSLContext | bool
    store: ssl.SSLContext | bool  # of large results: often another host, which a public CA has signed


def trust_of(settings: LakehouseSettings) -> Trust:
    """Read the files of CAs. Raises BadInputError for one that cannot be used."""
    if not settings.secure or not settings.verify or settings.ca_file is None:
        return Trust(settings.verify, settings.verify)
    failure: str
    try:
        lakehouse = ssl.create_default_context(cafile=settings.ca_file)
        store = ssl.create_default_context()
        store.load_verify_locations(settings.ca_file)
        return Trust(lakehouse, store)
    except ssl.SSLError as error:
        failure = f"cannot be used: {one_line(error.reason or str(error))}"
    except OSError as error:
        failure = f"cannot be read: {error.strerror}"
    raise BadInputError(f"The file of CAs {settings.ca_file} {failure}.", advice=_ADVICE)
