"""The facts about Basic credentials that go to the journal. A salted hash of what nobody can guess is no secret."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from dataclasses import replace
from typing import Final

from core.changes import Event
from core.errors import BadInputError
from core.journal.rows import Row
from core.partner.security.basic_credentials import BasicCredential

log = logging.getLogger(__name__)

PARTNER_CREDENTIAL: Final = "partner_credential"  # the subject kind of the journal
ADD: Final = "add"
USE: Final = "use"
REMOVE: Final = "remove"


def credential_added(credential: BasicCredential) -> Event:
    """A new credential is valid."""
    return Event(PARTNER_CREDENTIAL, credential.id, ADD, {**credential.to_record()})


def credential_used(identifier: str) -> Event:
    """A request has presented it; told once in a while."""
    return Event(PARTNER_CREDENTIAL, identifier, USE)


def credential_removed(identifier: str) -> Event:
    """It is not valid any more."""
    return Event(PARTNER_CREDENTIAL, identifier, REMOVE)


def tell_credential(row: Row, credentials: MutableMapping[str, BasicCredential]) -> None:
    """Take one row into the credentials that are valid, by id. One that says nothing sensible changes nothing."""
    credential = credentials.get(row.subject)
    match row.action:
        case "add":
            try:
                added = BasicCredential.from_record(dict(row.details))
            except BadInputError:
                log.warning("row %s of the journal says nothing of a Basic credential", row.id)
                return
            if added.id == row.subject:
                credentials[row.subject] = added
        case "remove" if credential is not None:
            del credentials[row.subject]
        case "use" if credential is not None:
            credentials[row.subject] = replace(credential, last_used=row.at)
