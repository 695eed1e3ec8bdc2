"""Profiles: saved ways to reach one ClickHouse, kept as TOML."""
