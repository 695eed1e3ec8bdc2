"""Quotas, settings profiles and row policies for the users and roles of `sample_access`."""

from __future__ import annotations

from collections.abc import Sequence

from core.access.render_grants import identifier
from tests.console.ledger import opened_with
from tests.console.sample_access import HOSTILE_USERS, SAMPLE, running

QUOTAS = (
    "CREATE QUOTA everyone NOT KEYED FOR RANDOMIZED INTERVAL 1 month MAX queries = 100000000 TO ALL EXCEPT monitoring",
    "CREATE QUOTA hourly KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 1000, errors = 50, "
    "read_bytes = 10737418240, execution_time = 300, FOR INTERVAL 1 day MAX queries = 5000 TO anna, loader",
    "CREATE QUOTA tracked KEYED BY ip_address IPV4_PREFIX_BITS 24 FOR INTERVAL 1 week TRACKING ONLY",
)
PROFILES = (
    "CREATE SETTINGS PROFILE careful SETTINGS max_memory_usage = 10000000000 MAX 20000000000, readonly = 2 CONST, "
    "max_threads = 8 TO analyst",
    "CREATE SETTINGS PROFILE nightly SETTINGS INHERIT careful, max_threads = 2, max_execution_time = 3600 "
    "MIN 60 TO etl_night",
    "ALTER ROLE loader SETTINGS PROFILE careful",
)
POLICIES = (
    "CREATE ROW POLICY big ON sales.orders USING amount > 1000 TO analyst",
    "CREATE ROW POLICY own ON sales.orders USING id = 7 TO anna, contractor",
    "CREATE ROW POLICY recent ON sales.* USING at > now() - INTERVAL 30 DAY AS RESTRICTIVE TO ALL EXCEPT etl_night",
    "CREATE ROW POLICY unused ON sales.orders USING NONE",
)
LIVE = opened_with(prepare=running(*SAMPLE, *QUOTAS, *PROFILES, *POLICIES))


def hostile_limits() -> Sequence[str]:
    """Statements that make quotas, settings profiles and row policies whose names mean harm."""
    statements = ["CREATE DATABASE d", "CREATE TABLE d.t (x UInt8) ENGINE = Memory"]
    for name in map(identifier, HOSTILE_USERS):
        statements += [
            f"CREATE QUOTA {name} FOR INTERVAL 1 hour MAX queries = 1",
            f"CREATE SETTINGS PROFILE {name} SETTINGS max_threads = 1",
            f"CREATE ROW POLICY {name} ON d.t USING x = 1",
        ]
    return statements
