"""The password that a user chooses for ClickHouse: judged, hashed here, set together with the fact of the sign-up."""

from __future__ import annotations

from typing import Final

from core.access.access_model import EntityKey
from core.access.difference_fields import IDENTIFIED
from core.access.model import AlterUser, EntityKind
from core.access.passwords import SHORTEST, hash_password
from core.access.render import render
from core.access.secret_texts import without_secrets
from core.access_changes.changes import subject_kind
from core.changes import Change, Danger, Event, StatementStep
from core.display import one_line
from core.errors import BadInputError
from core.partner.accounts import facts
from core.partner.accounts.state import PartnerUser
from core.partner.provisioning.clusters import NO_CLUSTER, Clusters
from core.secrets import Secret

LONGEST: Final = 200  # characters
_DIFFERENT: Final = 5  # characters


def check_password(password: Secret, email: str) -> None:
    """Raise BadInputError, without repeating it, for a password that will not do for the user with this address.

    Length is what counts: rules about kinds of characters make people choose what is easy to guess.
    """
    value = password.reveal()
    if len(value) < SHORTEST:
        raise _unfit(f"has fewer than {SHORTEST} characters", "Choose a longer one: a few words together will do.")
    if len(value) > LONGEST:
        raise _unfit(f"has more than {LONGEST} characters", "Choose a shorter one.")
    if len(set(value)) < _DIFFERENT:
        raise _unfit("is too easy to guess", "Choose one with more different characters.")
    if value.strip().casefold() == email.casefold():
        raise _unfit("is the e-mail address", "Choose another one.")


def plan_password(user: PartnerUser, password: Secret, clusters: Clusters = NO_CLUSTER) -> Change:
    """Set the password of a user in ClickHouse, which gets a salted hash only.

    Raises BadInputError for a password that cannot be hashed.
    """
    method = hash_password(password)
    statement = AlterUser((user.name,), methods=(method,), cluster=clusters.access)
    changed = {"changed": [IDENTIFIED], "methods": [str(method.kind)]}
    step = StatementStep(
        f"Set the password of user {user.name}",
        render(statement),
        masked=render(without_secrets(statement)),
        no_undo="The password before is not known here.",
        repeatable=True,
        events=(
            Event(subject_kind(EntityKey(EntityKind.USER, user.name)), user.name, "alter", changed),
            facts.user_signed_up(user.id),
        ),
    )
    had_one = user.signed_up is not None
    return Change(
        f"Set the password of {one_line(user.email)}",
        (step,),
        danger=Danger.DISRUPTIVE if had_one else Danger.ROUTINE,
        consequences=("The password of before does not let in any more.",) if had_one else (),
    )


def _unfit(why: str, advice: str) -> BadInputError:
    return BadInputError(f"The password will not do: it {why}.", advice=advice)
