"""Where Partner Connect keeps things in ClickHouse: the facts in the journal, sealed secrets, the log of requests."""
