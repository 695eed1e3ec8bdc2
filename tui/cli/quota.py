"""`housekeys quota`: how much may be used per span of time."""

from __future__ import annotations

import argparse

from tui.cli.access_options import TO, ClauseOption, add_entity_verbs
from tui.cli.arguments import Frame

NOUN = "quota"
CLAUSES = (
    ClauseOption(
        "--keyed-by", "KEYED BY", ("key",), "KEY", "what is counted apart: user_name, ip_address, client_key, none …"
    ),
    ClauseOption(
        "--interval",
        "FOR INTERVAL",
        ("intervals",),
        "'1 hour MAX queries = 100, …'",
        "limits per span (100, 5M, 10 GiB, 30 s), TRACKING ONLY, or in an alter NO LIMITS; may be given several times",
        repeatable=True,
        with_units=True,
    ),
    ClauseOption("--ipv4-prefix-bits", "IPV4_PREFIX_BITS", ("ipv4_prefix_bits",), "N", "count networks, not addresses"),
    ClauseOption("--ipv6-prefix-bits", "IPV6_PREFIX_BITS", ("ipv6_prefix_bits",), "N", "the same of IPv6"),
    TO,
)


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verbs of this noun."""
    add_entity_verbs(
        verbs,
        frame,
        NOUN,
        CLAUSES,
        name="hourly",
        new="hourly_2",
        create="--keyed-by user_name --interval '1 hour MAX queries = 100, errors = 5' --to bob",
        alter="--interval '1 day MAX read_rows = 1M, read_bytes = 10 GiB' --to 'ALL EXCEPT admin'",
    )
