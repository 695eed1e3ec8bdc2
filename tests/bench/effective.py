"""Effective rights of 10,000 users with 100,000 grants, against parsing the text of these grants."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.access.access_model import AccessModel, Holder
from core.access.effective.questions import who_can
from core.access.effective.rights import RightsIndex
from core.access.model import EntityKind, Grant, Revoke, Right, Role, User
from core.access.parser import parse_statement
from core.access.render import render
from core.access_reports.matrix import matrix
from tests.bench.figures import Figure

USERS = 10_000
GRANTS_EACH = 9
ROLES = 200
GRANTS_OF_A_ROLE = 50
MATRIX_USERS = 2_000
MATRIX_DATABASES = 500
ROUNDS = 3
GOAL = 1.0


def measure() -> list[Figure]:
    """The best of some rounds, for a busy moment weighs on one only. Every round begins with nothing folded."""
    model = _model()
    texts = [render(statement) for held in model.rights.values() for statement in held]
    parsing = min(_seconds(lambda: [parse_statement(text) for text in texts]) for _ in range(ROUNDS))
    everyone = min(_seconds(lambda: _everyone(model)) for _ in range(ROUNDS))
    asking = min(_seconds(lambda: _who_can(model)) for _ in range(ROUNDS))
    crossing = min(_seconds(lambda: _matrix(model)) for _ in range(ROUNDS))
    size = f"{USERS:,} users, {len(texts):,} grants"
    note = f"{ROLES} roles in chains hold {ROLES * GRANTS_OF_A_ROLE:,} of them; best of {ROUNDS} rounds"
    return [
        Figure(f"rights with origins: {size}", everyone, parsing, "s", GOAL, note=note),
        Figure("who can read a table, folding included", asking, parsing, "s", GOAL),
        Figure(
            f"the matrix of {MATRIX_USERS:,} of them and {MATRIX_DATABASES} databases", crossing, parsing, "s", GOAL
        ),
    ]


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _everyone(model: AccessModel) -> int:
    index = RightsIndex(model)
    return sum(len(index.effective(Holder(EntityKind.USER, name)).rights) for name in model.users)


def _who_can(model: AccessModel) -> int:
    found = len(who_can(model, Right("SELECT", database="db7", table="t7")))
    if not found:
        raise RuntimeError("nobody can read a table that many may read")
    return found


def _matrix(model: AccessModel) -> int:
    users = [f"user_{number}" for number in range(MATRIX_USERS)]
    return len(matrix(RightsIndex(model), [f"db{number}" for number in range(MATRIX_DATABASES)], users).rows)


def _model() -> AccessModel:
    """Users with grants of their own on tables and wildcards, and two roles each of chains that are five deep."""
    rights: dict[Holder, tuple[Grant | Revoke, ...]] = {}
    granted: dict[Holder, dict[str, bool]] = {}
    for number in range(ROLES):
        holder = Holder(EntityKind.ROLE, f"role_{number}")
        rights[holder] = tuple(_statement(holder.name, number * 131 + index) for index in range(GRANTS_OF_A_ROLE))
        granted[holder] = {f"role_{number + 1}": False} if number % 5 != 4 else {}
    for number in range(USERS):
        holder = Holder(EntityKind.USER, f"user_{number}")
        rights[holder] = tuple(_statement(holder.name, number * 17 + index) for index in range(GRANTS_EACH))
        granted[holder] = {f"role_{number % ROLES}": False, f"role_{(number * 7 + 3) % ROLES}": True}
    users = {f"user_{number}": User(f"user_{number}") for number in range(USERS)}
    roles = {f"role_{number}": Role(f"role_{number}") for number in range(ROLES)}
    return AccessModel(users, roles, rights, granted)


def _statement(holder: str, seed: int) -> Grant | Revoke:
    database, table = f"db{seed % 997}", f"t{seed % 89}"
    match seed % 8:
        case 0:
            return Grant((Right("SELECT", database=database, database_wildcard=True),), grantees=(holder,))
        case 1:
            return Revoke((Right("SELECT", database=database),), grantees=(holder,))
        case 2:
            return Grant((Right("SELECT", ("a", "b"), database, table),), grantees=(holder,))
        case 3:
            return Grant((Right("ALTER", database=database, table=table),), grantees=(holder,), grant_option=True)
        case _:
            rights = (Right("SELECT", database=database, table=table), Right("INSERT", database=database, table=table))
            return Grant(rights, grantees=(holder,))
