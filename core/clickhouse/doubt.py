"""Whether a failed statement may have been carried out all the same."""

from __future__ import annotations

from typing import Final

from core.clickhouse.errors import ServerError
from core.errors import HousekeysError, UnreachableError

# The server answered, but not about the outcome: it, another host or its Keeper stopped waiting or was cut off.
# https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
_OPEN_CODES: Final = frozenset({159, 209, 210, 225, 279, 285, 319, 341, 394, 571, 735, 999})


def leaves_doubt(error: HousekeysError) -> bool:
    """Whether `error` leaves open that the statement took effect, or still will: no answer came, or none about that."""
    if isinstance(error, ServerError):
        return error.code in _OPEN_CODES
    return isinstance(error, UnreachableError)
