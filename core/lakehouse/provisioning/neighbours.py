"""What other connections have, and a new one must not take from them: their roles, and their policies by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from core.errors import BadInputError, RefusedError
from core.lakehouse.connections import Provider
from core.lakehouse.provisioning.plan import Wanted
from core.lakehouse.rules.arn import parse_role_arn

_Account = tuple[Provider, str]


class Neighbours:
    """The roles and policies of connections. Each connection is asked for its documents once, for there may be many."""

    def __init__(self, wanted: Iterable[Wanted] = ()) -> None:
        self._roles: dict[str, str] = {}  # ARN in lower case -> the name of the connection
        self._policies: dict[tuple[_Account, str], set[str]] = defaultdict(set)  # account, policy -> connections
        for each in wanted:
            self.add(each)

    def add(self, wanted: Wanted) -> None:
        """One more connection."""
        self._roles[wanted.connection.role_arn.lower()] = wanted.name
        try:
            account, policies = _account(wanted), _own_policies(wanted)
        except BadInputError:  # others can write to the journal's table too
            return
        for policy in policies:
            self._policies[account, policy].add(wanted.name)

    def refuse_shared_role(self, wanted: Wanted) -> None:
        """Raise RefusedError when another connection has the role: its trust policy asks for one external id only."""
        other = self._roles.get(wanted.connection.role_arn.lower(), wanted.name)
        if other != wanted.name:
            raise RefusedError(
                f"The role is that of the connection {other}, and its trust policy asks for that external id.",
                advice="Give each connection a role of its own.",
            )

    def with_own_policies(self, wanted: Wanted) -> Wanted:
        """`wanted`, its policies under other names where another connection of the account has these for its bucket."""
        account, own = _account(wanted), {wanted.name}
        if not any(self._policies.get((account, policy), own) - own for policy in _own_policies(wanted)):
            return wanted
        return replace(wanted, policy_suffix=f"-{parse_role_arn(wanted.connection.role_arn).role}")


def _account(wanted: Wanted) -> _Account:
    arn = parse_role_arn(wanted.connection.role_arn)
    return arn.provider, arn.account


def _own_policies(wanted: Wanted) -> set[str]:
    return {p.policy.name for p in wanted.documents().permissions if not p.policy.provided}
