"""What the driver, clickhouse-connect, and chDB below it are told before they are used."""

from __future__ import annotations

import sys


def import_chdb() -> None:
    """Import chDB without Arrow, which it takes where it finds it and needs for results as Arrow tables alone.

    With NumPy, which Arrow imports, that is a quarter of a second of every one-shot command, and 40 MB. Raises
    ImportError where chDB is not installed.
    """
    if "chdb" in sys.modules or "pyarrow" in sys.modules:
        import chdb

        return
    sys.modules["pyarrow"] = None  # type: ignore[assignment]  # how Python is told that there is no such module
    try:
        import chdb  # noqa: F401
    finally:
        del sys.modules["pyarrow"]


def leave_data_frames_out() -> None:
    """Let the driver insert rows as they are.

    It would import NumPy and pandas, which come with chDB, at the first insert of a process, only to see that the rows
    are no array and no data frame: half a second of every one-shot command that changes something.
    """
    from clickhouse_connect.driver import options

    vars(options).update(np=None, pd=None, pd_time_test=None)  # what it finds where they are not installed
