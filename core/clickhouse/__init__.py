"""The engine: the ClickHouse behind a profile, a server over HTTP(S) or the embedded one."""
