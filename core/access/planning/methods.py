"""The statement that changes how a user identifies itself, where some of its passwords may not be known."""

from __future__ import annotations

from dataclasses import replace

from core.access.difference_fields import matching, method_meaning, same_methods
from core.access.model import AlterUser, Authentication, User
from core.access.secret_texts import secret_known
from core.access.user_changes import NEVER

Methods = tuple[Authentication, ...]


class UnknownSecretError(Exception):
    """A method cannot be written, for its password is not known."""


def identified(before: User, after: User, *, new_secrets: bool = False) -> AlterUser | None:
    """The ALTER USER for the ways in which `after` identifies itself, or None when they are those of `before`.

    What cannot be compared counts as the same, unless `new_secrets` says that the passwords in `after` are new. Raises
    UnknownSecretError when a password would have to be written that is not known.
    """
    same = same_methods(before.methods, after.methods)
    if same or (same is None and not (new_secrets and any(map(secret_known, after.methods)))):
        return None
    name = (after.name,)
    if same is False and (until := _only_validity(before.methods, after.methods, sure=new_secrets)) is not None:
        return AlterUser(name, valid_until=until)
    if same is False and (added := _added(before.methods, after.methods, sure=new_secrets)):
        return AlterUser(name, methods=added, add_methods=True)
    if all(map(secret_known, after.methods)):
        return AlterUser(name, methods=after.methods)
    if len(after.methods) == 1 and matching(after.methods, before.methods[-1:]) is not None:
        return AlterUser(name, reset_methods=True)
    raise UnknownSecretError(_whose(after))


def check_known(user: User) -> None:
    """Raise UnknownSecretError when `user` cannot be created as it is."""
    if not all(map(secret_known, user.methods)):
        raise UnknownSecretError(_whose(user))


def _whose(user: User) -> str:
    words = ", ".join(dict.fromkeys(str(method.kind) for method in user.methods if not secret_known(method)))
    return f"the {words} of {user.name} is not known here"


def _only_validity(before: Methods, after: Methods, *, sure: bool) -> str | None:
    """The one end of validity that all of `after` have, when that is all that is otherwise; `infinity` for none.

    `sure`: passwords that cannot be compared count as different ones.
    """
    ends = {method_meaning(method).valid_until for method in after}
    if len(ends) != 1:
        return None
    end = ends.pop()
    moved = tuple(_until(method, end) for method in before)
    same = same_methods(moved, after)
    return (end or NEVER) if same or (same is None and not sure) else None


def _until(method: Authentication, end: str) -> Authentication:
    return replace(method, valid_until=end, valid_for=None)


def _added(before: Methods, after: Methods, *, sure: bool) -> Methods:
    """What `after` has beyond all of `before`, when it begins with that and the rest can be written."""
    matched = matching(before, after[: len(before)])
    if len(after) <= len(before) or matched is None or (sure and None in matched):
        return ()
    rest = after[len(before) :]
    return rest if all(map(secret_known, rest)) else ()
