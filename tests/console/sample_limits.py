"""Quotas, settings profiles and row policies for the users and roles of `sample_access`."""

from __future__ import annotations

from tests.console.ledger import opened_with
from tests.console.sample_access import SAMPLE, running

QUOTAS = (
    "CREATE QUOTA everyone NOT KEYED FOR RANDOMIZED INTERVAL 1 month MAX queries = 100000000 TO ALL EXCEPT monitoring",
    "CREATE QUOTA hourly KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 1000, errors = 50, "
    "read_bytes = 10737418240, execution_time = 300, FOR INTERVAL 1 day MAX queries = 5000 TO anna, loader",
    "CREATE QUOTA tracked KEYED BY ip_address IPV4_PREFIX_BITS 24 FOR INTERVAL 1 week TRACKING ONLY",
)
LIVE = opened_with(prepare=running(*SAMPLE, *QUOTAS))
