"""What keeps Partner Connect safe: sealed secrets, Basic credentials, sign-in links, hosts, a log without secrets."""
