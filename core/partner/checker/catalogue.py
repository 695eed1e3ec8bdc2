"""Every case, in the order in which they are gone through, and the choice of some by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.display import one_line
from core.errors import NotFoundError
from core.partner.checker.case import Case
from core.partner.checker.cases import (
    account_hooks,
    authentication,
    bad_requests,
    connecting,
    endings,
    links,
    ownership,
    tolerance,
)

_ORDER: Final = "PERDH"  # the documented ones first
CASES: Final[tuple[Case, ...]] = tuple(
    sorted(
        (
            *connecting.CASES,
            *account_hooks.CASES,
            *endings.CASES,
            *authentication.CASES,
            *bad_requests.CASES,
            *ownership.CASES,
            *links.CASES,
            *tolerance.CASES,
        ),
        key=lambda case: (_ORDER.index(case.id[0]), case.id),
    )
)


def chosen(names: Sequence[str]) -> tuple[Case, ...]:
    """The cases whose ids begin so (`P302` means all of its variants), or all without any. Raises NotFoundError."""
    for name in names:
        if not any(case.is_named(name) for case in CASES):
            raise NotFoundError(f"There is no case {one_line(name, 40)!r}.", advice="--list shows them all.")
    return tuple(case for case in CASES if not names or any(case.is_named(name) for name in names))
