"""ClickHouse's HTTP interface in front of the embedded engine, so that the real client meets the real engine over TCP.

Run in a process of its own (`python -m tests.http_front`), started by `process.Front`; the fixtures are in `fixtures`.
It answers as https://clickhouse.com/docs/interfaces/http says, and fails on request (`faults`).
"""
