"""Scripts of access statements read, assembled and rendered: the time for each of many against each of few."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.access.assembling import assemble
from core.access.disassembling import statements_of
from core.access.render import render
from core.access.script import read_script
from tests.bench.figures import Figure

FEW = 1_000
SIZES = (10_000, 100_000)
ROUNDS = 5
GOAL = 1.3  # the time for a statement does not grow with their number


def measure() -> list[Figure]:
    """The best of some rounds each, for a busy moment weighs on one only."""
    few = _Timed(FEW)
    return [figure for size in SIZES for figure in _figures(size, _Timed(size), few)]


def _figures(size: int, many: _Timed, few: _Timed) -> list[Figure]:
    return [
        Figure(f"{what}: each of {size:,} / of {FEW:,}", ours * 1e6, theirs * 1e6, "us", GOAL)
        for what, ours, theirs in (
            ("statements read", many.reading, few.reading),
            ("statements assembled to a model", many.assembling, few.assembling),
            ("statements of a model rendered", many.rendering, few.rendering),
        )
    ]


class _Timed:
    """Seconds for a statement: a script with `size` of every kind, read, assembled and rendered."""

    def __init__(self, size: int) -> None:
        script = "\n".join(line for number in range(size // 10) for line in _ten(number))
        statements = [found.statement for found in read_script(script)[0]]
        model, misfits = assemble(statements)
        if len(statements) != size or misfits:
            raise RuntimeError("the script of the benchmark is not read as it should be")
        rounds = ROUNDS if size <= SIZES[0] else 2
        self.reading = _best(rounds, lambda: read_script(script)) / size
        self.assembling = _best(rounds, lambda: assemble(statements)) / size
        self.rendering = _best(rounds, lambda: [render(one) for one in statements_of(model)]) / size


def _best(rounds: int, work: Callable[[], object]) -> float:
    def seconds() -> float:
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    return min(seconds() for _ in range(rounds))


def _ten(number: int) -> list[str]:
    user, role, profile = f"user_{number}", f"role_{number}", f"profile_{number}"
    return [
        f"CREATE SETTINGS PROFILE {profile} SETTINGS max_threads = 4 MIN 1 MAX 8;",
        f"CREATE ROLE {role} SETTINGS PROFILE {profile};",
        f"CREATE USER {user} IDENTIFIED WITH sha256_hash BY '{number:064x}' HOST IP '10.0.0.0/8';",
        f"CREATE QUOTA quota_{number} KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 9, errors = 5 TO {user};",
        f"CREATE ROW POLICY policy_{number} ON db_{number}.t USING tenant = currentUser() AND a IN (1, 2) TO {role};",
        f"GRANT SELECT ON db_{number}.* TO {role};",
        f"GRANT INSERT ON db_{number}.t TO {user};",
        f"REVOKE SELECT ON db_{number}.secret FROM {role};",
        f"GRANT {role} TO {user};",
        f"ALTER USER {user} DEFAULT ROLE {role};",
    ]
