"""What the driver, clickhouse-connect, is told before it is used."""

from __future__ import annotations


def leave_pandas_out() -> None:
    """Let the driver insert rows as they are.

    It would import pandas, which comes with chDB, at the first insert of a process, only to see that the rows are no
    data frame: half a second of every one-shot command that changes something.
    """
    from clickhouse_connect.driver import options

    vars(options).update(pd=None, pd_time_test=None)  # what it finds where pandas is not installed
